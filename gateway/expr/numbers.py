"""Numbers: conversions, rounding, powers, bits and averages with Go's results.

Source: Go 1.26 package math; expr-lang v1.17.8, builtin/lib.go and vm/runtime/runtime.go.
"""

import math
from collections.abc import Callable

from gateway.expr.budget import charge
from gateway.expr.faults import Fault
from gateway.expr.printing import printed
from gateway.expr.strconv import MAX_INT, MIN_INT, parse_float, parse_int
from gateway.expr.values import INTEGERS, NUMBERS, Int64, go_type, not_a

_WORD = 2**64
_WORD_BITS = 64
_HUGE_EXPONENT = 2.0**63
_HALF = 0.5
_FAR_STEP = 1 << 12
"""Beyond this, the power is infinite or zero for sure."""


def wrapped(number: int) -> int:
    """An integer in 64 bits, as Go lets it overflow."""
    if MIN_INT <= number <= MAX_INT:
        return number
    return (number - MIN_INT) % _WORD + MIN_INT


def truncated(number: float) -> int:
    """A float towards zero; what does not fit becomes the smallest integer, as on amd64."""
    if not math.isfinite(number):
        return MIN_INT
    whole = int(number)
    return whole if MIN_INT <= whole <= MAX_INT else MIN_INT


def to_int(value: object) -> int:
    """A number as int. Raises Fault for anything else."""
    if isinstance(value, float):
        return truncated(value)
    if type(value) in INTEGERS and isinstance(value, int):
        return int(value)
    raise Fault(f"invalid operation: int({go_type(value)})")


def to_float64(value: object) -> float:
    """A number as float64. Raises Fault for anything else."""
    if type(value) in NUMBERS and isinstance(value, int | float):
        return float(value)
    raise Fault(f"invalid operation: float({go_type(value)})")


def int_(value: object) -> int:
    """The function ``int``: numbers, decimal texts, and integers with names of their own."""
    if isinstance(value, str):
        charge(len(value))
        try:
            return parse_int(value)
        except Fault:
            raise Fault(f"invalid operation: int({value})") from None
    if value is None:
        raise Fault("reflect: call of reflect.Value.Type on zero Value")
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    return to_int(value)


def float_(value: object) -> float:
    """The function ``float``: numbers and texts."""
    if isinstance(value, str):
        charge(len(value))
        try:
            return parse_float(value)
        except Fault:
            raise Fault(f"invalid operation: float({value})") from None
    return to_float64(value)


def as_int(value: object) -> Int64:
    """Argo's ``asInt``. Source: argo-rollouts utils/evaluate/evaluate.go @ 9f8d111d8."""
    if isinstance(value, str):
        charge(len(value))
        return Int64(parse_int(value))
    if type(value) in NUMBERS:
        return Int64(to_int(value))
    raise Fault(f"asInt() not supported on {go_type(value)} {printed(value)}")


def as_float(value: object) -> float:
    """Argo's ``asFloat``. Source: argo-rollouts utils/evaluate/evaluate.go @ 9f8d111d8."""
    if isinstance(value, str):
        charge(len(value))
        return parse_float(value)
    if type(value) in NUMBERS:
        return to_float64(value)
    raise Fault(f"asFloat() not supported on {go_type(value)} {printed(value)}")


def is_nan(value: object) -> bool:
    """Argo's ``isNaN``, which takes a float64 and nothing else."""
    return math.isnan(_as_float64(value))


def is_inf(value: object) -> bool:
    """Argo's ``isInf``, of either sign."""
    return math.isinf(_as_float64(value))


def _as_float64(value: object) -> float:
    if type(value) is float:
        return value
    raise not_a("float64", value)


def absolute(value: object) -> object:
    """The function ``abs``: the type stays."""
    if type(value) is float:
        return -value if value < 0 else value
    if type(value) in INTEGERS and isinstance(value, int):
        return value if value >= 0 else type(value)(wrapped(-value))
    raise Fault(f"invalid argument for abs (type {go_type(value)})")


def ceil(value: object) -> float:
    """The smallest whole number that is not smaller."""
    number = _rounded("ceil", value)
    # The sign of a zero and all infinities stay.
    return math.copysign(float(math.ceil(number)), number) if _has_fraction(number) else number


def floor(value: object) -> float:
    """The largest whole number that is not larger."""
    number = _rounded("floor", value)
    return float(math.floor(number)) if _has_fraction(number) else number


def round_(value: object) -> float:
    """The nearest whole number, halves away from zero."""
    number = _rounded("round", value)
    if not _has_fraction(number):
        return number
    whole = math.trunc(number)
    nearest = abs(whole) + (abs(number - whole) >= _HALF)
    return math.copysign(float(nearest), number)


def _rounded(name: str, value: object) -> float:
    if type(value) in NUMBERS and isinstance(value, int | float):
        return float(value)
    raise Fault(f"invalid argument for {name} (type {go_type(value)})")


def _has_fraction(number: float) -> bool:
    return math.isfinite(number) and not number.is_integer()


def divided(left: float, right: float) -> float:
    """Division that gives infinities and NaN instead of failing."""
    if right:
        return left / right
    if left == 0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1, right)


def power(base: float, exponent: float) -> float:
    """Go's math.Pow, whose last digit differs from other libraries'."""
    special = _special_power(base, exponent)
    if special is not None:
        return special
    size = abs(exponent)
    fraction, whole = math.modf(size)
    if fraction and base < 0:
        return math.nan
    if whole >= _HUGE_EXPONENT:
        if base == -1:
            return 1.0
        return 0.0 if (abs(base) < 1) == (exponent > 0) else math.inf
    mantissa = 1.0
    if fraction:
        if fraction > _HALF:
            fraction, whole = fraction - 1, whole + 1
        mantissa = math.exp(fraction * math.log(base))
    mantissa, shift = _times_whole_power(mantissa, base, int(whole))
    if exponent < 0:
        mantissa, shift = 1 / mantissa, -shift
    try:
        return math.ldexp(mantissa, shift)
    except OverflowError:
        return math.copysign(math.inf, mantissa)


def _times_whole_power(mantissa: float, base: float, bits: int) -> tuple[float, int]:
    """A product as a fraction and a power of two: squares the base once for each bit."""
    shift = 0
    factor, step = math.frexp(base)
    while bits:
        if abs(step) > _FAR_STEP:
            return mantissa, shift + step
        if bits & 1:
            mantissa, shift = mantissa * factor, shift + step
        factor, step = factor * factor, step * 2
        if factor < _HALF:
            factor, step = factor + factor, step - 1
        bits >>= 1
    return mantissa, shift


def _special_power(base: float, exponent: float) -> float | None:
    if exponent == 0 or base == 1:
        return 1.0
    if exponent == 1:
        return base
    if math.isnan(base) or math.isnan(exponent):
        return math.nan
    if base == 0 or math.isinf(base):
        grows = (base == 0) == (exponent < 0)
        is_odd = math.isfinite(exponent) and math.fmod(abs(exponent), 2) == 1
        sign = math.copysign(1, base) if is_odd else 1.0
        return sign * math.inf if grows else sign * 0.0
    if math.isinf(exponent):
        if base == -1:
            return 1.0
        return 0.0 if (abs(base) < 1) == (exponent > 0) else math.inf
    if abs(exponent) == _HALF and base > 0:
        return math.sqrt(base) if exponent > 0 else 1 / math.sqrt(base)
    return None


def _bit_operands(name: str, left: object, right: object) -> tuple[int, int]:
    numbers: list[int] = []
    for value in (left, right):
        if type(value) not in INTEGERS or not isinstance(value, int):
            raise Fault(f"cannot use {go_type(value)} as argument (type int) to call {name}")
        numbers.append(int(value))
    return numbers[0], numbers[1]


def bit_function(name: str) -> Callable[[object, object], int]:
    """One of the functions on bits, by its name."""
    compute = _BITS[name]

    def applied(left: object, right: object) -> int:
        return wrapped(compute(*_bit_operands(name, left, right)))

    return applied


def bit_not(value: object) -> int:
    """All bits of an integer turned over."""
    return ~_bit_operands("bitnot", value, 0)[0]


def _shift_count(count: int) -> int:
    if count < 0:
        raise Fault(f"invalid operation: negative shift count {count} (type int)")
    return min(count, _WORD_BITS)


_BITS: dict[str, Callable[[int, int], int]] = {
    "bitand": lambda left, right: left & right,
    "bitor": lambda left, right: left | right,
    "bitxor": lambda left, right: left ^ right,
    "bitnand": lambda left, right: left & ~right,
    "bitshl": lambda left, right: left << _shift_count(right),
    "bitshr": lambda left, right: left >> _shift_count(right),
    "bitushr": lambda left, right: left % _WORD >> _shift_count(right),
}
