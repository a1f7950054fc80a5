"""Comparison and arithmetic as Go does them on values of unknown type.

Source: expr-lang v1.17.8, vm/runtime/helpers and vm/runtime/runtime.go.
"""

import operator
from collections.abc import Callable, Sequence
from typing import Any

from gateway.expr.budget import allocate, charge
from gateway.expr.faults import Fault
from gateway.expr.gotime import Duration, Time
from gateway.expr.numbers import divided, power, to_float64, to_int, wrapped
from gateway.expr.strings import joined, utf8
from gateway.expr.values import (
    INTEGERS,
    LISTS,
    NUMBERS,
    AnyMap,
    Floats,
    GoFunction,
    NilList,
    Strings,
    as_bool,
    go_type,
    is_nil,
    json_map,
    not_a,
)

_STEPS_PER_POWER = 20
_PLAIN = frozenset({float, str, bool})
_OF_ANY = frozenset({tuple, NilList})
_OF_ONE = frozenset({Floats, Strings, range, bytes})


def equal(left: object, right: object) -> bool:
    """``==``: numbers of any type, lists item by item, maps only if their types agree too."""
    kind, other = type(left), type(right)
    if kind is other and kind in _PLAIN:
        return left == right
    if kind in NUMBERS and other in NUMBERS:
        if kind is float or other is float:
            return to_float64(left) == to_float64(right)
        return left == right
    if kind in LISTS and other in LISTS:
        return _equal_lists(left, right)  # type: ignore[arg-type] # both are lists
    if is_nil(left) and is_nil(right):
        return True
    if isinstance(left, Time) and isinstance(right, Time):
        return left.unix_ns == right.unix_ns
    return _deeply_equal(left, right)


def unequal(left: object, right: object) -> bool:
    """``!=``."""
    return not equal(left, right)


def _equal_lists(left: Sequence[object], right: Sequence[object]) -> bool:
    kind, other = type(left), type(right)
    if (kind in _OF_ANY and other in _OF_ANY | _OF_ONE) or (other in _OF_ANY and kind in _OF_ONE):
        return _as_long(left, right, 4) and all(map(equal, left, right))
    if kind is other and kind in _OF_ONE:
        return _as_long(left, right, 1) and all(map(operator.eq, left, right))
    return _deeply_equal(left, right)


def _as_long(left: Sequence[object], right: Sequence[object], steps_per_item: int) -> bool:
    """Whether two lists are equally long, so that their items are worth paying for."""
    if len(left) != len(right):
        return False
    charge(steps_per_item * len(left))
    return True


def _deeply_equal(left: object, right: object) -> bool:
    """Go's reflect.DeepEqual: types must agree, all the way down."""
    if type(left) in LISTS and type(left) is type(right):
        first: Sequence[object] = left  # type: ignore[assignment] # it is a list
        second: Sequence[object] = right  # type: ignore[assignment] # it is a list
        return _as_long(first, second, 4) and all(map(_deeply_equal, first, second))
    plain, other = json_map(left), json_map(right)
    if plain is not None and other is not None:
        charge(6 * len(plain))
        return plain is other or (
            plain.keys() == other.keys()
            and all(_deeply_equal(plain[key], other[key]) for key in plain)
        )
    if isinstance(left, AnyMap) and type(left) is type(right):
        return left is right or _equal_any_maps(left, right)
    return type(left) is type(right) and not isinstance(left, GoFunction) and left == right


def _equal_any_maps(left: AnyMap, right: AnyMap) -> bool:
    charge(8 * len(left))
    return len(left) == len(right) and all(
        key in right and _deeply_equal(value, right.get(key)) for key, value in left.items()
    )


def equal_ints(left: object, right: object) -> bool:
    """``==`` where the checker was sure of int on both sides; it can still be nil."""
    for value in (right, left):
        if type(value) is not int:
            raise not_a("int", value)
    return left == right


def equal_strings(left: object, right: object) -> bool:
    """``==`` where the checker was sure of string on both sides."""
    for value in (right, left):
        if type(value) is not str:
            raise not_a("string", value)
    return left == right


Compare = Callable[[Any, Any], bool]


def _ordering(symbol: str, compare: Compare) -> Compare:
    def ordered(left: object, right: object) -> bool:
        if type(left) is float and type(right) is float:
            return compare(left, right)
        return compare(*_comparable(symbol, left, right))

    return ordered


def _comparable(symbol: str, left: object, right: object) -> tuple[object, object]:
    kind, other = type(left), type(right)
    if kind in NUMBERS and other in NUMBERS:
        if kind is float or other is float:
            return to_float64(left), to_float64(right)
        return left, right
    if isinstance(left, str) and isinstance(right, str):
        if left.isascii() and right.isascii():
            return left, right
        return utf8(left), utf8(right)
    if isinstance(left, Time) and isinstance(right, Time):
        return left.unix_ns, right.unix_ns
    if kind is Duration and other is Duration:
        return left, right
    raise _undefined(symbol, left, right)


def _undefined(symbol: str, left: object, right: object) -> Fault:
    return Fault(f"invalid operation: {go_type(left)} {symbol} {go_type(right)}")


less = _ordering("<", operator.lt)
more = _ordering(">", operator.gt)
less_or_equal = _ordering("<=", operator.le)
more_or_equal = _ordering(">=", operator.ge)


def add(left: object, right: object) -> object:
    """``+`` on numbers, texts, instants and durations."""
    kind, other = type(left), type(right)
    if kind is float and other is float:
        return left + right  # type: ignore[operator] # both are floats
    if kind is int and other is int:
        return wrapped(left + right)  # type: ignore[operator] # both are integers
    if kind in NUMBERS and other in NUMBERS:
        if kind is float or other is float:
            return to_float64(left) + to_float64(right)
        return wrapped(to_int(left) + to_int(right))
    if isinstance(left, str) and isinstance(right, str):
        return joined(left, right)
    if isinstance(left, Time) and isinstance(right, Duration):
        return Time(left.unix_ns + right, left.location)
    if isinstance(left, Duration) and isinstance(right, Time):
        return Time(right.unix_ns + left, right.location)
    if isinstance(left, Duration) and isinstance(right, Duration):
        return Duration(wrapped(int(left) + int(right)))
    raise _undefined("+", left, right)


def subtract(left: object, right: object) -> object:
    """``-`` on numbers, instants and durations."""
    kind, other = type(left), type(right)
    if kind is float and other is float:
        return left - right  # type: ignore[operator] # both are floats
    if kind is int and other is int:
        return wrapped(left - right)  # type: ignore[operator] # both are integers
    if kind in NUMBERS and other in NUMBERS:
        if kind is float or other is float:
            return to_float64(left) - to_float64(right)
        return wrapped(to_int(left) - to_int(right))
    if isinstance(left, Time) and isinstance(right, Time):
        return difference(left, right)
    if isinstance(left, Time) and isinstance(right, Duration):
        return Time(left.unix_ns - right, left.location)
    if isinstance(left, Duration) and isinstance(right, Duration):
        return Duration(wrapped(int(left) - int(right)))
    raise _undefined("-", left, right)


def difference(left: Time, right: Time) -> Duration:
    """How long after ``right`` ``left`` is; about 292 years at most."""
    return Duration(min(max(left.unix_ns - right.unix_ns, -(2**63)), 2**63 - 1))


_COUNTED = NUMBERS | {Duration}


def multiply(left: object, right: object) -> object:
    """``*`` on numbers and durations."""
    kind, other = type(left), type(right)
    if kind is float and other is float:
        return left * right  # type: ignore[operator] # both are floats
    if kind is int and other is int:
        return wrapped(left * right)  # type: ignore[operator] # both are integers
    if kind not in _COUNTED or other not in _COUNTED:
        raise _undefined("*", left, right)
    if kind is float or other is float:
        return float(left) * float(right)  # type: ignore[arg-type] # both are counted
    product = wrapped(int(left) * int(right))  # type: ignore[call-overload] # both are counted
    return Duration(product) if Duration in {kind, other} else product


def divide(left: object, right: object) -> float:
    """``/``, which always gives a float."""
    if type(left) in NUMBERS and type(right) in NUMBERS:
        return divided(to_float64(left), to_float64(right))
    raise _undefined("/", left, right)


def modulo(left: object, right: object) -> int:
    """``%`` on integers; the sign is the dividend's."""
    if type(left) not in INTEGERS or type(right) not in INTEGERS:
        raise _undefined("%", left, right)
    dividend, divisor = to_int(left), to_int(right)
    if divisor == 0:
        raise Fault("runtime error: integer divide by zero")
    rest = abs(dividend) % abs(divisor)
    return -rest if dividend < 0 else rest


def exponent(left: object, right: object) -> float:
    """``**``, which always gives a float."""
    charge(_STEPS_PER_POWER)
    return power(to_float64(left), to_float64(right))


def negate(value: object) -> object:
    """Unary ``-``."""
    if type(value) is float:
        return -value
    if type(value) in INTEGERS and isinstance(value, int):
        number = wrapped(-value)
        return number if type(value) is int else type(value)(number)
    raise Fault(f"invalid operation: - {go_type(value)}")


def not_(value: object) -> bool:
    """``!``, which knows no truth but true."""
    return not as_bool(value)


def between(start: object, stop: object) -> range:
    """``start..stop``: both ends belong to it."""
    first, last = to_int(start), to_int(stop)
    allocate(max(last - first + 1, 0))
    return range(first, max(last + 1, first))
