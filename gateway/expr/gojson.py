"""JSON as Go's encoding/json writes and reads it.

Source: Go 1.26 encoding/json, as ``toJSON`` and ``fromJSON`` of expr-lang v1.17.8 call it.
"""

import base64
import json
import math
import re
from collections.abc import Iterable, Sequence

from gateway.expr.budget import charge
from gateway.expr.faults import Fault
from gateway.expr.gotime import Location, Time
from gateway.expr.layouts import RFC3339_NANO, format_time
from gateway.expr.strings import from_utf8, utf8
from gateway.expr.values import LISTS, NilList, Record, StatusCode, as_string, go_type, json_map
from gateway.freeze import freeze
from gateway.gotext import json_float, json_string, quote, special_float

_STEPS_PER_VALUE = 40
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[\]{}]')
_SURROGATES = re.compile("[\ud800-\udfff]")
_MAX_DEPTH = 100
"""Unlike Go, which goes 10,000 levels deep: our stack must never overflow."""


def to_json(value: object) -> str:
    """JSON, indented by two blanks. Raises Fault for what JSON does not know."""
    return _written(value, "", 0)


def _written(value: object, indent: str, depth: int) -> str:
    charge(_STEPS_PER_VALUE)
    if depth > _MAX_DEPTH:
        raise Fault(f"json: value nests more than {_MAX_DEPTH} levels deep")
    simple = _simple(value.text if isinstance(value, StatusCode) else value)
    if simple is not None:
        return simple
    if type(value) in LISTS:
        items: Iterable[object] = value  # type: ignore[assignment] # it is a list
        inside = [_written(item, f"{indent}  ", depth + 1) for item in items]
        return _bracketed("[", inside, "]", indent)
    if isinstance(value, Record):
        # In the order of the fields, which are few.
        fields = [
            f"{json_string(name)}: {_written(item, f'{indent}  ', depth + 1)}"
            for name, item in value.fields.items()
        ]
        return _bracketed("{", fields, "}", indent)
    plain = json_map(value)
    if plain is None:
        raise Fault(f"json: unsupported type: {go_type(value)}")
    charge(_STEPS_PER_VALUE * len(plain) // 2)
    inside = [
        f"{json_string(key)}: {_written(plain[key], f'{indent}  ', depth + 1)}"
        for key in sorted(plain)
    ]
    return _bracketed("{", inside, "}", indent)


def _simple(value: object) -> str | None:
    match value:
        case None | NilList():
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(int(value))
        case float():
            if not math.isfinite(value):
                raise Fault(f"json: unsupported value: {special_float(value)}")
            return json_float(value)
        case str():
            charge(len(value) // 4)
            return json_string(from_utf8(utf8(value)))
        case bytes():
            return f'"{base64.b64encode(value).decode()}"'
        case Time():
            return f'"{format_time(value, RFC3339_NANO)}"'
        case Location():
            return "{}"
    return None


def _bracketed(start: str, inside: Sequence[str], end: str, indent: str) -> str:
    if not inside:
        return start + end
    body = f",\n{indent}  ".join(inside)
    return f"{start}\n{indent}  {body}\n{indent}{end}"


def from_json(text: object) -> object:
    """The value that JSON tells, frozen; every number in it is a float.

    Raises:
        Fault: with Go's text, e.g. ``unexpected end of JSON input``.

    """
    source = as_string(text)
    charge(1 + 2 * len(source))
    if _depth(source) > _MAX_DEPTH:
        raise Fault(f"json: text nests more than {_MAX_DEPTH} levels deep")
    try:
        value = json.loads(source, parse_int=_number, parse_float=_number, parse_constant=_unknown)
    except json.JSONDecodeError as error:
        raise syntax_error(source, error) from None
    return freeze(_whole(value))


def _whole(value: object) -> object:
    """The value without halves of surrogate pairs, which Go replaces."""
    match value:
        case str():
            return _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", value)
        case list():
            return [_whole(item) for item in value]
        case dict():
            return {
                _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", key): _whole(item)
                for key, item in value.items()
            }
        case _:
            return value


def _depth(source: str) -> int:
    deepest = depth = 0
    for bracket in _BRACKETS.findall(source):
        depth += (bracket in "[{") - (bracket in "]}")
        deepest = max(deepest, depth)
    return deepest


def _number(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise Fault(f"json: cannot unmarshal number {digits} into Go value of type float64")
    return number


def _unknown(word: str) -> float:
    raise Fault(f"invalid character {_quoted(word.lstrip('-')[0])} looking for beginning of value")


def syntax_error(source: str, error: json.JSONDecodeError) -> Fault:
    """What Go says of a text that Python cannot read as JSON."""
    if error.msg in _INSIDE_STRINGS:
        where, skipped = _INSIDE_STRINGS[error.msg]
        return _unexpected(source[error.pos + skipped :], where)
    rest = source[error.pos :].lstrip(" \t\r\n")
    for literal in ("true", "false", "null"):
        if error.msg == "Expecting value" and rest[:1] == literal[0]:
            return _broken_literal(_bytes_of(rest), literal)
    if error.msg == "Expecting ',' delimiter" and _innermost(source[: error.pos]) == "{":
        return _unexpected(rest, "after object key:value pair")
    return _unexpected(rest, _PLACES.get(error.msg, "in string literal"))


_INSIDE_STRINGS = {
    "Unterminated string starting at": ("unterminated", 0),
    "Invalid control character at": ("in string literal", 0),
    "Invalid \\escape": ("in string escape code", 1),
}
"""What Python says, what Go says, and how far the character is that Go means."""
_PLACES = {
    "Extra data": "after top-level value",
    "Expecting value": "looking for beginning of value",
    "Illegal trailing comma before end of array": "looking for beginning of value",
    "Expecting property name enclosed in double quotes": (
        "looking for beginning of object key string"
    ),
    "Illegal trailing comma before end of object": "looking for beginning of object key string",
    "Expecting ':' delimiter": "after object key",
    "Expecting ',' delimiter": "after array element",
}


def _unexpected(rest: str, where: str) -> Fault:
    if not rest or where == "unterminated":
        return Fault("unexpected end of JSON input")
    return Fault(f"invalid character {_quoted(_bytes_of(rest)[0])} {where}")


def _innermost(source: str) -> str:
    open_brackets: list[str] = []
    for part in _BRACKETS.findall(source):
        if part in "[{":
            open_brackets.append(part)
        elif part in "]}":
            open_brackets.pop()
    return open_brackets[-1]


def _bytes_of(text: str) -> str:
    """One character for each byte: Go's decoder knows no others."""
    return utf8(text).decode("latin-1")


def _broken_literal(rest: str, literal: str) -> Fault:
    # Go reads a blank where the text ends.
    found = rest.ljust(len(literal))
    at = next(at for at, wanted in enumerate(literal) if found[at] != wanted)
    return Fault(
        f"invalid character {_quoted(found[at])} in literal {literal} (expecting '{literal[at]}')"
    )


def _quoted(char: str) -> str:
    if char == "'":
        return r"'\''"
    return "'\"'" if char == '"' else f"'{quote(char)[1:-1]}'"
