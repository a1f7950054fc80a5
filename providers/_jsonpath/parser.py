"""The text of a Kubernetes JSONPath template to nodes.

Only what stands between braces is an expression; the rest is literal text. Source: k8s.io/client-go
v0.34.5 util/jsonpath/parser.go, surprises included, as argo-rollouts
metricproviders/webmetric/webmetric.go:219-227 @ 9f8d111d8 uses it.
"""

import re
import unicodedata

from providers._jsonpath.nodes import (
    Action,
    Field,
    Filter,
    Identifier,
    Literal,
    Node,
    Recursive,
    Slice,
    Template,
    Union,
    Wildcard,
)
from providers._jsonpath.text import QuoteInvalid, shown_character, unquoted

_EOF = ""
_TERMINATORS = set(" \t\r\n.,[]$@{}") | {_EOF}
_DICT_KEY = re.compile(r"'([^']*)'")
_SLICE = re.compile(r"(-?[0-9]*)(:-?[0-9]*)?(:-?[0-9]*)?")
_COMPARISON = re.compile(r"([^!<>=]+)([!<>=]+)(.+)")
_INTEGER = re.compile(r"[+-]?[0-9]+")
_FLOAT = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*)")
_INT64 = range(-(2**63), 2**63)


class JsonPathInvalid(ValueError):
    """The template cannot be parsed; the text is client-go's."""


def parse(text: str) -> Template:
    """The nodes of a whole template.

    Raises:
        JsonPathInvalid: e.g. ``unclosed action``.

    """
    parser = _Parser(text)
    parts: list[Literal | Action] = []
    while True:
        literal = parser.until_brace()
        if literal:
            parts.append(Literal(literal))
        if parser.is_at_end:
            return tuple(parts)
        parts.append(parser.action())


class _Parser:
    """A cursor over one text; ``_start`` is where the current piece began."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._start = 0

    @property
    def is_at_end(self) -> bool:
        return self._position >= len(self._text)

    def until_brace(self) -> str:
        brace = self._text.find("{", self._position)
        self._position = len(self._text) if brace < 0 else brace
        return self._consume()

    def action(self) -> Action:
        """The nodes up to the closing brace; the cursor stands on the opening one."""
        self._position += 1
        self._consume()
        nodes: list[Node] = []
        while not self._text.startswith("}", self._position):
            nodes.extend(self._nodes(after_recursive=bool(nodes) and nodes[-1] == Recursive()))
        self._position += 1
        self._consume()
        return tuple(nodes)

    def _nodes(self, *, after_recursive: bool) -> Action:
        if self._text.startswith("[?(", self._position):
            return (self._filter(),)
        if self._text.startswith("..", self._position):
            if after_recursive:
                raise JsonPathInvalid("invalid multiple recursive descent")
            return self._recursive()
        char = self._next()
        if char == "[":
            return self._array()
        if char in {" ", "@", "$"}:
            self._consume()
            return ()
        return (self._simple_node(char),)

    def _simple_node(self, char: str) -> Node:
        if char in {_EOF, "\r", "\n"}:
            raise JsonPathInvalid("unclosed action")
        if char in {'"', "'"}:
            return self._quoted(char)
        if char == ".":
            return self._field()
        if char in {"+", "-"} or _is_digit(char):
            return self._number()
        if _starts_a_word(char):
            return self._identifier()
        raise JsonPathInvalid(f"unrecognized character in action: {shown_character(char)}")

    def _recursive(self) -> Action:
        self._position += 2
        self._consume()
        char = self._peek()
        is_named = _is_digit(char) or _starts_a_word(char)
        return (Recursive(), self._field()) if is_named else (Recursive(),)

    def _field(self) -> Field | Wildcard:
        self._consume()
        while True:
            char = self._peek()
            if char == "\\":
                self._position = min(self._position + 2, len(self._text))
            elif char in _TERMINATORS:
                break
            else:
                self._position += 1
        name = self._consume()
        return Wildcard() if name == "*" else Field(name.replace("\\", ""))

    def _identifier(self) -> Identifier | Literal:
        while self._peek() not in _TERMINATORS:
            self._position += 1
        name = self._consume()
        return Literal(name == "true") if name in {"true", "false"} else Identifier(name)

    def _number(self) -> Literal:
        while self._peek() == "." or _is_digit(self._peek()):
            self._position += 1
        text = self._consume()
        if _INTEGER.fullmatch(text) and len(text) <= len(str(_INT64.start)):
            number = int(text)
            if number in _INT64:
                return Literal(number)
        if _FLOAT.fullmatch(text):
            number_f = float(text)
            if number_f not in {float("inf"), float("-inf")}:
                return Literal(number_f)
        raise JsonPathInvalid(f"cannot parse number {text}")

    def _quoted(self, end: str) -> Literal:
        while True:
            char = self._next()
            if char in {_EOF, "\n"}:
                raise JsonPathInvalid("unterminated quoted string")
            if char == end and self._text[self._position - 2] != "\\":
                break
        text = self._consume()
        try:
            return Literal(unquoted(text))
        except QuoteInvalid as error:
            raise JsonPathInvalid(f"unquote string {text} error invalid syntax") from error

    def _array(self) -> Action:
        while True:
            char = self._next()
            if char in {_EOF, "\n"}:
                raise JsonPathInvalid("unterminated array")
            if char == "]":
                break
        text = self._consume()[1:-1]
        if "," in text:
            return (Union(tuple(self._inner(f"[{part.strip(' ')}]") for part in text.split(","))),)
        key = _DICT_KEY.fullmatch(text)
        if key:
            return self._inner(f".{key[1]}")
        return (_slice(":" if text == "*" else text),)

    def _filter(self) -> Filter:
        self._position += 3
        self._consume()
        self._skip_filter()
        if self._next() != "]":
            raise JsonPathInvalid("unclosed array expect ]")
        text = self._consume()[:-2]
        comparison = _COMPARISON.fullmatch(text)
        if comparison is None:
            return Filter(self._inner(text), "exists", ())
        left, operator, right = comparison.groups()
        return Filter(self._inner(left), operator, self._inner(right))

    def _skip_filter(self) -> None:
        """Up to behind the closing parenthesis, which one pair of quotes may hide."""
        pair = ""
        is_open = False
        while True:
            char = self._next()
            if char in {_EOF, "\n"}:
                raise JsonPathInvalid("unterminated filter")
            if char in {'"', "'"}:
                if not pair:
                    pair = char
                    is_open = True
                elif char == pair and self._text[self._position - 2] != "\\":
                    is_open = False
            elif char == ")" and not is_open:
                return

    def _inner(self, text: str) -> Action:
        # Quotes can hide but a few filters from each other: this never goes deep.
        action = parse("{" + text + "}")[0]
        return (action,) if isinstance(action, Literal) else action

    def _next(self) -> str:
        char = self._peek()
        self._position += len(char)
        return char

    def _peek(self) -> str:
        return self._text[self._position : self._position + 1]

    def _consume(self) -> str:
        text = self._text[self._start : self._position]
        self._start = self._position
        return text


def _is_digit(char: str) -> bool:
    return bool(char) and unicodedata.category(char) == "Nd"


def _starts_a_word(char: str) -> bool:
    return char == "_" or (bool(char) and unicodedata.category(char).startswith("L"))


def _slice(text: str) -> Slice:
    match = _SLICE.fullmatch(text)
    if match is None:
        raise JsonPathInvalid(f"invalid array index {text}")
    start, stop, step = match.groups(default="")
    first = _index(start)
    if not stop:
        # A lone index ends one behind itself, even where it is missing altogether.
        return Slice(first, (first or 0) + 1, _index(step[1:]), is_stop_derived=True)
    return Slice(first, _index(stop[1:]), _index(step[1:]), is_stop_derived=False)


def _index(text: str) -> int | None:
    if not text:
        return None
    if text == "-" or len(text) > len(str(_INT64.start)) or int(text) not in _INT64:
        raise JsonPathInvalid(f"array index {text} is not a number")
    return int(text)
