"""Numbers as Go's strconv reads them from texts.

Source: Go 1.26 strconv, as argo-rollouts utils/evaluate/evaluate.go and expr-lang v1.17.8 call it.
"""

import math
import re

from gateway.expr.faults import Fault
from gateway.gotext import quote

MIN_INT = -(2**63)
MAX_INT = 2**63 - 1
_DECIMAL_INTEGER = re.compile(r"[+-]?[0-9]+\Z")
_MAX_INTEGER_DIGITS = 4000
_DIGITS = {2: r"[01]+\Z", 8: r"[0-7]+\Z", 16: r"[0-9a-fA-F]+\Z"}
_DECIMAL_FLOAT = re.compile(
    r"[+-]?(?:[0-9](?:_?[0-9])*\.?(?:[0-9](?:_?[0-9])*)?|\.[0-9](?:_?[0-9])*)"
    r"(?:[eE][+-]?[0-9](?:_?[0-9])*)?\Z"
)
_HEX_DIGITS = r"[0-9a-fA-F](?:_?[0-9a-fA-F])*"
_HEX_FLOAT = re.compile(
    rf"[+-]?0[xX](?:_?{_HEX_DIGITS}\.?(?:{_HEX_DIGITS})?|\.{_HEX_DIGITS})"
    r"[pP][+-]?[0-9](?:_?[0-9])*\Z"
)
_SPECIALS = {"nan": math.nan} | {
    f"{sign}{word}": float(f"{sign}inf") for sign in ("", "+", "-") for word in ("inf", "infinity")
}


def parse_int(text: str) -> int:
    """A decimal integer of 64 bits. Raises Fault with Go's text."""
    if _DECIMAL_INTEGER.match(text) is None:
        raise _failure("ParseInt", text, "invalid syntax")
    digits = text.lstrip("+-").lstrip("0") or "0"
    number = int(digits) if len(digits) < _MAX_INTEGER_DIGITS else MAX_INT + 2
    return _in_range(-number if text.startswith("-") else number, text)


def parse_prefixed_int(text: str, base: int) -> int:
    """A literal such as ``0x2A`` of base 2, 8 or 16. Raises Fault with Go's text."""
    if re.match(_DIGITS[base], text[2:]) is None:
        raise _failure("ParseInt", text, "invalid syntax")
    return _in_range(int(text[2:], base), text)


def parse_float(text: str) -> float:
    """A decimal or hexadecimal float, or a word such as ``inf``. Raises Fault with Go's text."""
    if _DECIMAL_FLOAT.match(text) is not None:
        number = float(text)
    elif _HEX_FLOAT.match(text) is not None:
        number = _hex_float(text.replace("_", ""))
    elif (word := text.lower()) in _SPECIALS:
        return _SPECIALS[word]
    else:
        raise _failure("ParseFloat", text, "invalid syntax")
    if math.isinf(number):
        raise _failure("ParseFloat", text, "value out of range")
    return number


def _hex_float(text: str) -> float:
    try:
        return float.fromhex(text)
    except OverflowError:
        return math.inf


def _in_range(number: int, text: str) -> int:
    if MIN_INT <= number <= MAX_INT:
        return number
    raise _failure("ParseInt", text, "value out of range")


def _failure(function: str, text: str, why: str) -> Fault:
    return Fault(f"strconv.{function}: parsing {quote(text)}: {why}")
