r"""Quoted literals of the language: what escapes such as ``\n`` and ``\u{1F600}`` stand for.

Source: expr-lang v1.17.8, parser/lexer.
"""

import re
from collections.abc import Iterator

from gateway.expr.faults import Fault

_SIMPLE = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    "'": "'",
    '"': '"',
}
_MAX_RUNE = 0x10FFFF
_MAX_BYTE = 0xFF
_PIECES = {
    quote: re.compile(
        rf"(?P<plain>[^\\\n{quote}]+)"
        rf"|\\(?:(?P<simple>[abfnrtv\\{quote}])"
        r"|(?P<octal>[0-7]{3})"
        r"|x(?P<byte>[0-9a-fA-F]{2})"
        r"|u\{(?P<braced>[0-9a-fA-F]{1,6})\}"
        r"|u(?P<four>[0-9a-fA-F]{4})"
        r"|U(?P<eight>[0-9a-fA-F]{8}))"
    )
    for quote in "'\""
}
_SURROGATES = range(0xD800, 0xE000)


def read_string(text: str, start: int) -> tuple[str, int]:
    """The string whose opening quote is at ``start``, and the index after its closing quote.

    Raises:
        Fault: the literal is not terminated, or holds an unknown escape.

    """
    parts: list[str] = []
    end = start + 1
    for kind, value, after in _pieces(text, start):
        if kind in {"plain", "simple"}:
            parts.append(value)
        else:
            parts.append(_rune(int(value, 8 if kind == "octal" else 16), kind, end))
        end = after
    return "".join(parts), end + 1


def read_bytes(text: str, start: int) -> tuple[bytes, int]:
    """As ``read_string``, for a literal after ``b``: escapes are bytes, not characters."""
    parts: list[bytes] = []
    end = start + 1
    for kind, value, after in _pieces(text, start):
        if kind in {"plain", "simple"}:
            parts.append(value.encode("utf-8", "surrogatepass"))
        else:
            number = int(value, 8 if kind == "octal" else 16)
            if kind not in {"octal", "byte"} or number > _MAX_BYTE:
                raise Fault("unable to unescape string", end)
            parts.append(bytes([number]))
        end = after
    return b"".join(parts), end + 1


def _pieces(text: str, start: int) -> Iterator[tuple[str, str, int]]:
    quote = text[start]
    at = start + 1
    while (char := text[at : at + 1]) != quote:
        if char in {"", "\n"}:
            raise Fault("literal not terminated", at)
        found = _PIECES[quote].match(text, at)
        if found is None:
            raise Fault("invalid char escape", at)
        kind, at = str(found.lastgroup), found.end()
        value = found[kind]
        if kind == "plain":
            value = value.replace("\r", "\n")
        elif kind == "simple":
            value = _SIMPLE[value]
        yield kind, value, at


def _rune(code: int, kind: str, at: int) -> str:
    if code > _MAX_RUNE or (kind == "octal" and code > _MAX_BYTE):
        raise Fault("unable to unescape string", at)
    # Go writes U+FFFD for half of a surrogate pair.
    return "\N{REPLACEMENT CHARACTER}" if code in _SURROGATES else chr(code)
