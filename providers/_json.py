"""JSON as Go decodes it into free-form data: every number a double.

Source: Go encoding/json, as argo-rollouts metricproviders/webmetric/webmetric.go:124-140
@ 9f8d111d8 uses it. Unlike there, where 10,000 levels may stand in each other, ``MAX_DEPTH`` may.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Never, TypeVar

from gateway.errors import ProviderUnreadable
from gateway.expr.gojson import syntax_error

Kind = TypeVar("Kind", str, list[object], dict[str, object])
MAX_DEPTH = 200
"""How deep lists and objects may stand in each other."""
_BLANKS = " \t\r\n"
_BEGINNING = "looking for beginning of value"
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATES = re.compile("[\ud800-\udfff]")


class NotJson(ValueError):
    """A text is not JSON as Go understands it."""

    def __init__(self, message: str, go_words: str = "") -> None:
        super().__init__(message)
        self._go_words = go_words

    @property
    def go_words(self) -> str:
        """What Go says of it, e.g. ``unexpected end of JSON input``."""
        cause = self.__cause__
        if isinstance(cause, json.JSONDecodeError):
            return str(syntax_error(cause.doc, cause))
        return self._go_words or str(self)


def decode(body: bytes) -> object:
    """None, bool, float, str, list and dict, at any depth up to ``MAX_DEPTH``.

    Raises:
        NotJson: also for NaN, infinities and numbers beyond a double.
        ProviderUnreadable: the document is nested too deeply.

    """
    return _decoded(body, _DECODER.decode)


def decode_first(body: bytes) -> object:
    """The same of the first value in a body; what follows it is not looked at.

    Source: Go encoding/json.Decoder.

    Raises: as ``decode`` does.
    """

    def read(text: str) -> object:
        value, _ = _DECODER.raw_decode(text, len(text) - len(text.lstrip(_BLANKS)))
        return value

    return _decoded(body, read)


def member(document: Mapping[str, object], name: str) -> object:
    """A member as Go finds it for the field of a record: the last one, in any case of letters.

    Null leaves the field as it is. ``name`` is in lower case.
    """
    found = [value for key, value in document.items() if _folded(key) == name]
    return next((value for value in reversed(found) if value is not None), None)


def mismatch(value: object, wanted: str) -> ProviderUnreadable:
    """What Go says of a value that does not fit: ``wanted`` is e.g. ``value of type string``."""
    kind = {bool: "bool", float: "number", str: "string", list: "array"}.get(type(value), "object")
    return ProviderUnreadable(f"json: cannot unmarshal {kind} into Go {wanted}")


def fitting(value: object, kind: type[Kind], wanted: str) -> Kind:
    """A value as Go stores it in a field of that kind: null leaves the field empty.

    Raises:
        ProviderUnreadable: the value is of another kind; ``wanted`` is as ``mismatch`` has it.

    """
    if value is None:
        return kind()
    if not isinstance(value, kind):
        raise mismatch(value, wanted)
    return value


def stream_words(error: NotJson, body: bytes) -> str:
    """Go's words where it reads a stream, of which nobody knows the end."""
    words = error.go_words
    if words != "unexpected end of JSON input":
        return words
    return "unexpected EOF" if body.strip() else "EOF"


def _folded(key: str) -> str:
    # Of the letters that are not ASCII, only the Kelvin sign and the long s are one of it for Go.
    return key.replace("\N{LATIN SMALL LETTER LONG S}", "s").lower()


def _decoded(body: bytes, read: Callable[[str], object]) -> object:
    text = body.decode("utf-8", "replace")
    try:
        value = read(text)
    except NotJson:
        raise
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        raise NotJson(str(error)) from error
    # Most answers have too few brackets to be too deep.
    if text.count("[") + text.count("{") > MAX_DEPTH:
        _check_depth(value)
    return _without_surrogates(value) if _ESCAPED_SURROGATE.search(text) else value


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise NotJson(
            f"the number {text[:40]} is beyond the range of a double",
            f"json: cannot unmarshal number {text[:40]} into Go value of type float64",
        )
    return number


def _refuse(text: str) -> Never:
    character, place = ("I", "in numeric literal") if text[0] == "-" else (text[0], _BEGINNING)
    raise NotJson(f"{text} is no JSON", f"invalid character '{character}' {place}")


_DECODER = json.JSONDecoder(parse_int=_finite, parse_float=_finite, parse_constant=_refuse)


def _too_deep() -> ProviderUnreadable:
    return ProviderUnreadable(f"the answer is nested deeper than {MAX_DEPTH} levels")


def _check_depth(value: object) -> None:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            child
            for container in level
            for child in (
                container.values()
                if isinstance(container, dict)
                else container
                if isinstance(container, list)
                else ()
            )
            if isinstance(child, (dict, list))
        ]
        if not level:
            return
    raise _too_deep()


def _without_surrogates(value: object) -> object:
    match value:
        case str():
            return _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", value)
        case list():
            return [_without_surrogates(item) for item in value]
        case dict():
            return {
                str(_without_surrogates(key)): _without_surrogates(member)
                for key, member in value.items()
            }
        case _:
            return value
