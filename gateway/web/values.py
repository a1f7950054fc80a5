"""The numbers in a value as Argo prints it, for who draws them."""

import re
from typing import Final

import orjson

_NO_JSON_NUMBER: Final = re.compile(r"NaN|[+-]?Inf")
MAX_SERIES: Final = 8
"""Numbers of one value that are drawn; more lines than these nobody can tell apart."""


def numbers(text: str) -> tuple[float | None, ...]:
    """What can be drawn of a value.

    Returns:
        A number, or each of a list, up to ``MAX_SERIES``, with None for what is not finite; nothing
        for a value that is neither.

    """
    if '"' not in text:
        text = _NO_JSON_NUMBER.sub("null", text)
    try:
        value = orjson.loads(text)
    except ValueError:
        return ()
    items = value[:MAX_SERIES] if isinstance(value, list) else [value]
    if not all(_is_number(item) for item in items):
        return ()
    return tuple(None if item is None else float(item) for item in items)


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))
