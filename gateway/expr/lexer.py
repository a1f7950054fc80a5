"""Text of an expression to tokens. Source: expr-lang v1.17.8, parser/lexer."""

import re
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from gateway.expr.faults import Fault
from gateway.expr.literals import read_bytes, read_string
from gateway.gotext import quote


class Kind(Enum):
    """What a token is; the value is the word in error messages."""

    IDENTIFIER = "Identifier"
    NUMBER = "Number"
    STRING = "String"
    BYTES = "Bytes"
    OPERATOR = "Operator"
    BRACKET = "Bracket"
    EOF = "EOF"


@dataclass(slots=True)
class Token:
    """One word of an expression."""

    kind: Kind
    value: str
    at: int
    """Index of its first character in the text."""
    content: bytes = b""
    """Of a bytes literal."""

    def __str__(self) -> str:
        return f"{self.kind.value}({quote(self.value)})" if self.value else self.kind.value

    def is_operator(self, *values: str) -> bool:
        """Whether it is one of these operators."""
        return self.kind is Kind.OPERATOR and self.value in values

    def is_bracket(self, value: str) -> bool:
        """Whether it is this bracket."""
        return self.kind is Kind.BRACKET and self.value == value


SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""What Go's unicode.IsSpace holds to be blank; Python's str.isspace knows more."""
_LETTERS = string.ascii_letters + "_$"
_DIGITS = tuple(string.digits)
_QUOTES = ("'", '"')
_SPACE = re.compile(f"[{SPACES}]+")
_SKIPPED_AFTER_NOT = re.compile(" *")
_PLAIN_NUMBER = re.compile(r"(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?![.\w$])")
_PLAIN_NAME = re.compile("[A-Za-z0-9_$]+")
_RAW = re.compile(r"`((?:[^`]|``)*+)`")
_OPERATOR = re.compile(r"\|\|?|::?|[,;%+\-^]|[&!=*<>][&=*]?|\?[.?]?|\.\.?|/")
_DIGITS_BY_PREFIX = {
    "0x": re.compile("[0-9a-fA-F_]*"),
    "0o": re.compile("[0-7_]*"),
    "0b": re.compile("[01_]*"),
    "": re.compile("[0-9_]*"),
}
_WORD_OPERATORS = frozenset(
    ["not", "in", "or", "and", "matches", "contains", "startsWith", "endsWith", "let", "if", "else"]
)
NEGATABLE = frozenset(["in", "matches", "contains", "startsWith", "endsWith"])


def is_name_start(char: str) -> bool:
    """Whether a name may start with this character."""
    return char in {"_", "$"} or char.isalpha()


def is_name_part(char: str) -> bool:
    """Whether a name may go on with this character."""
    return is_name_start(char) or char.isdecimal()


def is_name(text: str) -> bool:
    """Whether a text is a name."""
    return text != "" and is_name_start(text[0]) and all(map(is_name_part, text))


_Read = tuple[tuple[Token, ...], int]
"""The tokens read, and the index after them."""


def tokens(text: str) -> Iterator[Token]:
    """All tokens of a text, one EOF at the end.

    Raises:
        Fault: when the parser has come so far that it asks for a token that cannot be read.

    """
    at = 0
    while at < len(text):
        found, at = _READERS.get(text[at], _other)(text, at)
        yield from found
    yield Token(Kind.EOF, "", max(at - 1, 0))


def _other(text: str, at: int) -> _Read:
    if text[at] in SPACES:
        return _blank(text, at)
    if is_name_part(text[at]):
        return _word(text, at)
    raise Fault(f"unrecognized character: {_unicode(text[at])}", at)


def _blank(text: str, at: int) -> _Read:
    return (), _end(_SPACE, text, at)


def _bracket(text: str, at: int) -> _Read:
    return (Token(Kind.BRACKET, text[at], at),), at + 1


def _operator(text: str, at: int) -> _Read:
    if text.startswith(("//", "/*"), at):
        return (), _after_comment(text, at)
    if text[at] == "." and text[at + 1 : at + 2] in _DIGITS:
        return _number(text, at)
    end = _end(_OPERATOR, text, at)
    return (Token(Kind.OPERATOR, text[at:end], at),), end


def _quoted(text: str, at: int) -> _Read:
    value, end = read_string(text, at)
    return (Token(Kind.STRING, value, at),), end


def _raw(text: str, at: int) -> _Read:
    found = _RAW.match(text, at)
    if found is None:
        raise Fault("literal not terminated", len(text))
    return (Token(Kind.STRING, found.group(1).replace("``", "`"), at),), found.end()


def _bytes(text: str, at: int) -> _Read:
    if text[at + 1 : at + 2] not in _QUOTES:
        return _word(text, at)
    content, end = read_bytes(text, at + 1)
    return (Token(Kind.BYTES, content.decode("latin-1"), at, content),), end


def _number(text: str, at: int) -> _Read:
    end = _end(_PLAIN_NUMBER, text, at)
    if end > at:
        return (Token(Kind.NUMBER, text[at:end], at),), end
    start = at + (text[at] == ".")
    prefix = text[start : start + 2].lower()
    has_prefix = prefix in _DIGITS_BY_PREFIX
    digits = _DIGITS_BY_PREFIX[prefix if has_prefix else ""]
    end = _end(digits, text, start + 2 * has_prefix)
    # The dots of ``1..2`` belong to the range.
    if not text.startswith("..", end):
        if text.startswith(".", end):
            end = _end(digits, text, end + 1)
        if text[end : end + 1] in {"e", "E"}:
            sign = text[end + 1 : end + 2] in {"+", "-"}
            end = _end(digits, text, end + 1 + sign)
        if end < len(text) and is_name_part(text[end]):
            raise Fault(f"bad number syntax: {quote(text[at : end + 1])}", end)
    return (Token(Kind.NUMBER, text[at:end], at),), end


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _after_comment(text: str, at: int) -> int:
    if text[at + 1] == "/":
        end = text.find("\n", at)
        return len(text) if end < 0 else end + 1
    end = text.find("*/", at + 2)
    if end < 0:
        raise Fault("unclosed comment", len(text))
    return end + 2


def _name_end(text: str, at: int) -> int:
    at = _end(_PLAIN_NAME, text, at)
    while at < len(text) and is_name_part(text[at]):
        at += 1
    return at


def _pointer(text: str, at: int) -> _Read:
    start = at + (2 if text.startswith("##", at) else 1)
    end = _name_end(text, start)
    sign = Token(Kind.OPERATOR, text[at:start], at)
    if end == start:
        return (sign,), end
    return (sign, Token(Kind.IDENTIFIER, text[start:end], start)), end


def _word(text: str, at: int) -> _Read:
    end = _name_end(text, at)
    word = text[at:end]
    first = Token(Kind.OPERATOR if word in _WORD_OPERATORS else Kind.IDENTIFIER, word, at)
    if word != "not":
        return (first,), end
    start = _end(_SKIPPED_AFTER_NOT, text, end)
    stop = _name_end(text, start)
    if text[start:stop] not in NEGATABLE:
        return (first,), end
    return (first, Token(Kind.OPERATOR, text[start:stop], start)), stop


def _unicode(char: str) -> str:
    code = f"U+{ord(char):04X}"
    return f"{code} '{char}'" if char.isprintable() else code


_READERS: dict[str, Callable[[str, int], _Read]] = {
    **dict.fromkeys(" \t\n\r", _blank),
    **dict.fromkeys(_LETTERS, _word),
    **dict.fromkeys("bB", _bytes),
    **dict.fromkeys(_DIGITS, _number),
    **dict.fromkeys(_QUOTES, _quoted),
    **dict.fromkeys("([{}])", _bracket),
    **dict.fromkeys("|:,;%+-^&!=*<>?./", _operator),
    "`": _raw,
    "#": _pointer,
}
