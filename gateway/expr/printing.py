"""Values as Go's ``fmt`` prints them with ``%v``.

Source: Go 1.26 fmt/print.go and internal/fmtsort, as ``string()`` of expr-lang v1.17.8 uses them.
"""

import math
from collections.abc import Iterable
from functools import cmp_to_key

from gateway.expr.budget import charge
from gateway.expr.gotime import Time
from gateway.expr.layouts import STRING, format_time
from gateway.expr.values import INTEGERS, LISTS, AnyMap, GoFunction, Record, json_map
from gateway.gotext import general_float

_STEPS_PER_VALUE = 5
_STEPS_PER_FLOAT = 30


def printed(value: object) -> str:
    """A value as ``%v`` prints it."""
    charge(_STEPS_PER_VALUE)
    if isinstance(value, str):
        charge(len(value) // 32)
        return value
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if type(value) in INTEGERS:
        return int.__repr__(value)
    if isinstance(value, float):
        return print_float(value)
    if type(value) in LISTS and isinstance(value, Iterable):
        return "[" + " ".join(printed(item) for item in value) + "]"
    if isinstance(value, Time):
        return format_time(value, STRING)
    if isinstance(value, GoFunction):
        return "0x1"
    if isinstance(value, Record):
        return "{" + " ".join(printed(item) for item in value.fields.values()) + " {}}"
    return _print_map(value)


def print_float(number: float) -> str:
    """A float as ``%v`` prints it."""
    charge(_STEPS_PER_FLOAT)
    return general_float(number)


def _print_map(value: object) -> str:
    plain = json_map(value)
    if plain is not None:
        entries: list[tuple[object, object]] = [(key, plain[key]) for key in sorted(plain)]
    elif isinstance(value, AnyMap):
        entries = sorted(value.items(), key=cmp_to_key(_by_key))
    else:
        return str(value)
    return "map[" + " ".join(f"{printed(key)}:{printed(item)}" for key, item in entries) + "]"


def _by_key(left: tuple[object, object], right: tuple[object, object]) -> int:
    first, second = _rank(left[0]), _rank(right[0])
    return (first > second) - (first < second)


def _rank(key: object) -> tuple[int, float, str]:
    # Go sorts keys of mixed types by kind: nil first, then by the machine address of the type.
    if key is None:
        return (0, 0.0, "")
    if isinstance(key, bool | int | float):
        return (1, -math.inf if key != key else float(key), "")  # noqa: PLR0124 - NaN comes first
    return (2, 0.0, str(key))
