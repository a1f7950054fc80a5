"""Go's duration texts, such as ``1m30s``, to nanoseconds.

Source: Go time.ParseDuration, as argo-rollouts uses it in
pkg/apis/rollouts/v1alpha1/analysis_types.go:82-87 @ 9f8d111d8.
"""

import re
from decimal import Decimal

from gateway.gotext import quote_bytes

NANOSECONDS_PER_SECOND = 1_000_000_000
_MAX_NANOSECONDS = 2**63 - 1
_NANOSECONDS_BY_UNIT = {
    "ns": 1,
    "us": 1_000,
    "\N{MICRO SIGN}s": 1_000,
    "\N{GREEK SMALL LETTER MU}s": 1_000,
    "ms": 1_000_000,
    "s": NANOSECONDS_PER_SECOND,
    "m": 60 * NANOSECONDS_PER_SECOND,
    "h": 3_600 * NANOSECONDS_PER_SECOND,
}
_NUMBER = re.compile(r"(?=[0-9]|\.[0-9])([0-9]*(?:\.[0-9]*)?)")
_UNIT = re.compile(r"[^0-9.]*")


def parse_duration_ns(text: str) -> int:
    """Nanoseconds in a Go duration text; negative texts are accepted.

    Raises:
        ValueError: with Go's text, e.g. ``time: missing unit in duration "5"``.

    """
    invalid = ValueError(f"time: invalid duration {quote_bytes(text)}")
    rest = text[1:] if text[:1] in {"+", "-"} else text
    if rest == "0":
        return 0
    if not rest:
        raise invalid
    total = 0
    while rest:
        number = _NUMBER.match(rest)
        if number is None:
            raise invalid
        unit = _UNIT.match(rest, number.end())
        if unit is None or not unit.group():
            raise ValueError(f"time: missing unit in duration {quote_bytes(text)}")
        if unit.group() not in _NANOSECONDS_BY_UNIT:
            raise ValueError(
                f"time: unknown unit {quote_bytes(unit.group())} in duration {quote_bytes(text)}"
            )
        total += int(_exact(number.group()) * _NANOSECONDS_BY_UNIT[unit.group()])
        if total > _MAX_NANOSECONDS + text.startswith("-"):
            raise invalid
        rest = rest[unit.end() :]
    return -total if text.startswith("-") else total


def parse_duration_s(text: str) -> float:
    """Seconds in a Go duration text. Raises ValueError as ``parse_duration_ns`` does."""
    return parse_duration_ns(text) / NANOSECONDS_PER_SECOND


def _exact(number: str) -> Decimal:
    # Digits beyond the nineteenth cannot change a number of nanoseconds, but would cost time.
    whole, _, fraction = number.partition(".")
    return Decimal(f"{whole.lstrip('0')[:21] or '0'}.{fraction[:21] or '0'}")
