"""Values of expressions for people and for JSON: whole if they are short, else their beginning.

What it takes to print them is paid from the budget of the evaluation that they came from.
"""

from collections.abc import Mapping, Sequence
from itertools import islice
from math import isfinite
from typing import Final

from gateway.expr.faults import Fault
from gateway.expr.printing import printed
from gateway.expr.values import INTEGERS, LISTS, go_type, json_map
from gateway.gotext import special_float

MAX_CHARS: Final = 200
"""Of a text."""
MAX_ITEMS: Final = 10
"""Of a list or an object."""
_MAX_DEPTH: Final = 3


def shown(value: object, depth: int = 0) -> object:
    """A value as strict JSON; what is cut ends with three dots, and how many more there were."""
    match value:
        case None | bool():
            return value
        case str():
            return _text(value)
        case float():
            return value if isfinite(value) else special_float(value)
    if type(value) in INTEGERS:
        return int(value)  # type: ignore[call-overload] # an integer
    fields = json_map(value)
    if fields is not None and depth < _MAX_DEPTH:
        return _object(fields, depth)
    is_list = type(value) in LISTS and not isinstance(value, bytes)
    if is_list and isinstance(value, Sequence) and depth < _MAX_DEPTH:
        return _list(value, depth)
    return _printed(value)


def _object(fields: Mapping[str, object], depth: int) -> dict[str, object]:
    found = {
        _text(key): shown(value, depth + 1) for key, value in islice(fields.items(), MAX_ITEMS)
    }
    if len(fields) > MAX_ITEMS:
        found["..."] = f"{len(fields) - MAX_ITEMS} more"
    return found


def _list(items: Sequence[object], depth: int) -> list[object]:
    found = [shown(item, depth + 1) for item in items[:MAX_ITEMS]]
    if len(items) > MAX_ITEMS:
        found.append(f"... {len(items) - MAX_ITEMS} more")
    return found


def _printed(value: object) -> str:
    try:
        return _text(printed(value))
    except Fault:
        return go_type(value)


def _text(text: str) -> str:
    # Go's strings may hold what no JSON can.
    clean = text[: MAX_CHARS + 1].encode("utf-8", "replace").decode()
    return clean if len(text) <= MAX_CHARS else f"{clean[:MAX_CHARS]}..."
