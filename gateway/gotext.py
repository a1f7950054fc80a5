"""How Go prints numbers, JSON and quoted strings: the texts that users of Argo compare.

Sources: Go strconv and encoding/json as argo-rollouts @ 9f8d111d8 uses them.
"""

import json
import math
import re
from collections.abc import Mapping
from decimal import Decimal

_JSON_EXPONENT_BELOW = 1e-6
_JSON_EXPONENT_FROM = 1e21
_PLAIN_EXPONENTS = range(-4, 6)
_SURROGATES = re.compile("[\ud800-\udfff]")
_PRINTABLE_ASCII = range(0x20, 0x7F)
_ESCAPES = {
    "\a": r"\a",
    "\b": r"\b",
    "\f": r"\f",
    "\n": r"\n",
    "\r": r"\r",
    "\t": r"\t",
    "\v": r"\v",
    "\\": r"\\",
    '"': r"\"",
}
_HTML_ESCAPES = str.maketrans(
    {
        "<": r"\u003c",
        ">": r"\u003e",
        "&": r"\u0026",
        "\N{LINE SEPARATOR}": r"\u2028",
        "\N{PARAGRAPH SEPARATOR}": r"\u2029",
    }
)


def special_float(number: float) -> str | None:
    """``NaN``, ``+Inf`` or ``-Inf``; None for a finite number."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "+Inf" if number > 0 else "-Inf"
    return None


def plain_float(number: float) -> str:
    """The shortest digits that read back as the same number, never with an exponent.

    Source: Go strconv.FormatFloat(f, 'f', -1, 64).
    """
    special = special_float(number)
    if special is not None:
        return special
    text = repr(float(number))
    if "e" in text:
        text = format(Decimal(text), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def general_float(number: float) -> str:
    """A number as fmt's ``%v`` prints it: an exponent below 1e-4 and from 1e6."""
    if number == 0 or not math.isfinite(number):
        return special_float(number) or plain_float(number)
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    power = len(digits) + int(exponent) - 1
    if power in _PLAIN_EXPONENTS:
        return plain_float(number)
    mantissa = "".join(map(str, digits))
    point = f".{mantissa[1:]}" if len(mantissa) > 1 else ""
    return f"{'-' * sign}{mantissa[0]}{point}e{'-' if power < 0 else '+'}{abs(power):02d}"


def general_text(value: object) -> str:
    """Decoded JSON as fmt's ``%v`` prints it."""
    match value:
        case None:
            return "<nil>"
        case bool():
            return "true" if value else "false"
        case float():
            return general_float(value)
        case Mapping():
            members = (f"{key}:{general_text(value[key])}" for key in sorted(value))
            return f"map[{' '.join(members)}]"
        case list():
            return f"[{' '.join(map(general_text, value))}]"
        case _:
            return str(value)


def json_float(number: float) -> str:
    """A finite number as Go's encoding/json prints it: an exponent below 1e-6 and from 1e21."""
    size = abs(number)
    if size == 0 or _JSON_EXPONENT_BELOW <= size < _JSON_EXPONENT_FROM:
        return plain_float(number)
    mantissa, _, exponent = f"{Decimal(repr(float(number))).normalize():e}".lower().partition("e")
    return f"{mantissa}e{exponent[0]}{exponent[1:].lstrip('0')}"


def json_text(value: object) -> str:
    """Compact JSON as Go's encoding/json prints it: sorted keys, ``<>&`` escaped.

    Raises:
        ValueError: for NaN and infinities, which JSON does not know.

    """
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            if not math.isfinite(value):
                raise ValueError(f"json: unsupported value: {special_float(value)}")
            return json_float(value)
        case str():
            return json_string(value)
        case Mapping():
            members = (f"{json_string(key)}:{json_text(value[key])}" for key in sorted(value))
            return "{" + ",".join(members) + "}"
        case list() | tuple() | range():
            return "[" + ",".join(json_text(item) for item in value) + "]"
        case _:
            raise ValueError(f"json: unsupported type: {type(value).__name__}")


def json_string(text: str) -> str:
    """A JSON string literal with Go's HTML escapes; lone surrogates become U+FFFD."""
    text = _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", text)
    return json.dumps(text, ensure_ascii=False).translate(_HTML_ESCAPES)


def quote(text: str) -> str:
    """A Go string literal (strconv.Quote): printable Unicode stays, the rest is escaped."""
    return '"' + "".join(_quoted(char) for char in text) + '"'


def quote_bytes(text: str) -> str:
    r"""Quote as package time quotes a bad duration: every non-ASCII byte becomes ``\xNN``."""
    return (
        '"'
        + "".join(
            ("\\" + chr(byte))
            if byte in b'"\\'
            else chr(byte)
            if byte in _PRINTABLE_ASCII
            else f"\\x{byte:02x}"
            for byte in text.encode("utf-8", "surrogatepass")
        )
        + '"'
    )


def _quoted(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    # str.isprintable and Go's unicode.IsPrint agree: letters, marks, numbers, punctuation,
    # symbols and the ASCII blank.
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x80:  # noqa: PLR2004
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004
