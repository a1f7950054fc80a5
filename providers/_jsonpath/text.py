"""How Go reads quoted texts and shows single characters.

Sources: k8s.io/client-go v0.34.5 util/jsonpath/parser.go (UnquoteExtend), Go strconv.UnquoteChar
and package fmt's ``%#U``.
"""

import re

_ESCAPE = re.compile(
    r"\\(?:(?P<plain>[abfnrtv\\])|(?P<quote>['\"])|x(?P<byte>[0-9A-Fa-f]{2})|(?P<octal>[0-7]{3})"
    r"|u(?P<short>[0-9A-Fa-f]{4})|U(?P<long>[0-9A-Fa-f]{8}))"
)
_PLAIN = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
}
_MAX_BYTE = 0xFF
_SURROGATES = range(0xD800, 0xE000)
_MAX_CODE = 0x10FFFF


class QuoteInvalid(ValueError):
    """A quoted text holds an escape that Go does not know."""


def unquoted(text: str) -> str:
    """What a text in single or double quotes means.

    Raises:
        QuoteInvalid: for an escape that Go does not know.

    """
    quote, text = text[0], text[1:-1]
    data = bytearray()
    position = 0
    while position < len(text):
        char = text[position]
        if char == quote:
            raise QuoteInvalid
        if char != "\\":
            data += char.encode("utf-8", "replace")
            position += 1
            continue
        match = _ESCAPE.match(text, position)
        if match is None:
            raise QuoteInvalid
        data += _escaped(match, quote)
        position = match.end()
    return data.decode("utf-8", "replace")


def _escaped(match: re.Match[str], quote: str) -> bytes:
    kind, value = str(match.lastgroup), str(match[str(match.lastgroup)])
    if kind == "plain":
        return _PLAIN[value].encode()
    if kind == "quote":
        if value != quote:
            raise QuoteInvalid
        return value.encode()
    code = int(value, 8 if kind == "octal" else 16)
    if kind in {"byte", "octal"}:
        if code > _MAX_BYTE:
            raise QuoteInvalid
        return bytes([code])
    if code in _SURROGATES or code > _MAX_CODE:
        raise QuoteInvalid
    return chr(code).encode()


def shown_character(char: str) -> str:
    """``U+0041 'A'``, as ``%#U`` prints; without the character if it cannot be seen."""
    code = f"U+{ord(char):04X}"
    return f"{code} '{char}'" if char.isprintable() else code
