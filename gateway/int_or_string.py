"""Kubernetes' numbers that may be texts: counts and limits."""

import re
from typing import Final

IntOrString = int | str

INT32: Final = range(-(1 << 31), 1 << 31)
_INT64: Final = range(-(1 << 63), 1 << 63)
_INTEGER = re.compile(r"[-+]?[0-9]+")
_DIGITS_BEYOND_INT64 = 20


def int_value(number: IntOrString | None) -> int:
    """The integer that Argo reads; absent is 0, and so is a text that is no integer.

    Source: apimachinery v0.34.5 pkg/util/intstr/intstr.go IntValue, over Go's strconv.Atoi, which
    gives the nearest 64 bit integer for a number that is too large.
    """
    if isinstance(number, int):
        return number
    if number is None or not _INTEGER.fullmatch(number):
        return 0
    digits = number.lstrip("+-").lstrip("0")[:_DIGITS_BEYOND_INT64] or "0"
    value = -int(digits) if number.startswith("-") else int(digits)
    return max(_INT64.start, min(value, _INT64.stop - 1))


def number_text(number: IntOrString | None) -> str:
    """The number as Go prints it: ``<nil>`` if it is absent."""
    return "<nil>" if number is None else str(number)
