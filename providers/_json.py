"""JSON as Go decodes it into free-form data: every number a double.

Source: Go encoding/json, as argo-rollouts metricproviders/webmetric/webmetric.go:124-140
@ 9f8d111d8 uses it. Unlike there, where 10,000 levels may stand in each other, ``MAX_DEPTH`` may.
"""

import json
import math
import re
from typing import Never

from gateway.errors import ProviderUnreadable

MAX_DEPTH = 200
"""How deep lists and objects may stand in each other."""
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATES = re.compile("[\ud800-\udfff]")


class NotJson(ValueError):
    """A text is not JSON as Go understands it."""


def decode(body: bytes) -> object:
    """None, bool, float, str, list and dict, at any depth up to ``MAX_DEPTH``.

    Raises:
        NotJson: also for NaN, infinities and numbers beyond a double.
        ProviderUnreadable: the document is nested too deeply.

    """
    text = body.decode("utf-8", "replace")
    try:
        value: object = _DECODER.decode(text)
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
        raise NotJson(f"the number {text[:40]} is beyond the range of a double")
    return number


def _refuse(text: str) -> Never:
    raise NotJson(f"{text} is no JSON")


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
