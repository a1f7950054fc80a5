"""Text of an expression to tokens. Source: expr-lang v1.17.8, parser/lexer."""

import re
from collections.abc import Iterator
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


@dataclass(frozen=True, slots=True)
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
_SPACE = re.compile(f"[{SPACES}]+")
_SKIPPED_AFTER_NOT = re.compile(" *")
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


def tokens(text: str) -> Iterator[Token]:  # noqa: C901 - one case per sort of token, in order
    """All tokens of a text, one EOF at the end.

    Raises:
        Fault: when the parser has come so far that it asks for a token that cannot be read.

    """
    at = 0
    while at < len(text):
        char, following = text[at], text[at + 1 : at + 2]
        if (space := _SPACE.match(text, at)) is not None:
            at = space.end()
        elif char in "'\"":
            value, end = read_string(text, at)
            yield Token(Kind.STRING, value, at)
            at = end
        elif char == "`":
            yield (token := _raw_string(text, at))
            at += len(token.value) + token.value.count("`") + 2
        elif char in "bB" and following in {"'", '"'}:
            content, end = read_bytes(text, at + 1)
            yield Token(Kind.BYTES, content.decode("latin-1"), at, content)
            at = end
        elif char in "0123456789" or (char == "." and following in tuple("0123456789")):
            yield (token := _number(text, at))
            at += len(token.value)
        elif char == "/" and following in {"/", "*"}:
            at = _after_comment(text, at)
        elif char in "([{}])":
            yield Token(Kind.BRACKET, char, at)
            at += 1
        elif char == "#":
            yield from (found := _pointer(text, at))
            at += sum(len(token.value) for token in found)
        elif is_name_part(char):
            yield from (found := _word(text, at))
            at = found[-1].at + len(found[-1].value)
        elif (operator := _OPERATOR.match(text, at)) is not None:
            yield Token(Kind.OPERATOR, operator.group(), at)
            at = operator.end()
        else:
            raise Fault(f"unrecognized character: {_unicode(char)}", at)
    yield Token(Kind.EOF, "", max(at - 1, 0))


def _raw_string(text: str, at: int) -> Token:
    found = _RAW.match(text, at)
    if found is None:
        raise Fault("literal not terminated", len(text))
    return Token(Kind.STRING, found.group(1).replace("``", "`"), at)


def _number(text: str, at: int) -> Token:
    start = at + (text[at] == ".")
    prefix = text[start : start + 2].lower()
    has_prefix = prefix in _DIGITS_BY_PREFIX
    digits = _DIGITS_BY_PREFIX[prefix if has_prefix else ""]
    end = _after(digits, text, start + 2 * has_prefix)
    # The dots of ``1..2`` belong to the range.
    if text.startswith("..", end):
        return Token(Kind.NUMBER, text[at:end], at)
    if text.startswith(".", end):
        end = _after(digits, text, end + 1)
    if text[end : end + 1] in {"e", "E"}:
        sign = text[end + 1 : end + 2] in {"+", "-"}
        end = _after(digits, text, end + 1 + sign)
    if end < len(text) and is_name_part(text[end]):
        raise Fault(f"bad number syntax: {quote(text[at : end + 1])}", end)
    return Token(Kind.NUMBER, text[at:end], at)


def _after(digits: re.Pattern[str], text: str, at: int) -> int:
    found = digits.match(text, at)
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
    while at < len(text) and is_name_part(text[at]):
        at += 1
    return at


def _pointer(text: str, at: int) -> list[Token]:
    start = at + (2 if text.startswith("##", at) else 1)
    end = _name_end(text, start)
    name = [Token(Kind.IDENTIFIER, text[start:end], start)] if end > start else []
    return [Token(Kind.OPERATOR, text[at:start], at), *name]


def _word(text: str, at: int) -> list[Token]:
    end = _name_end(text, at)
    word = text[at:end]
    kind = Kind.OPERATOR if word in _WORD_OPERATORS else Kind.IDENTIFIER
    first = Token(kind, word, at)
    if word != "not":
        return [first]
    skipped = _SKIPPED_AFTER_NOT.match(text, end)
    start = skipped.end() if skipped else end
    next_word = text[start : _name_end(text, start)]
    return [first, Token(Kind.OPERATOR, next_word, start)] if next_word in NEGATABLE else [first]


def _unicode(char: str) -> str:
    code = f"U+{ord(char):04X}"
    return f"{code} '{char}'" if char.isprintable() else code
