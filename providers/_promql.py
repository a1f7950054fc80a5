"""As much of PromQL as it takes to find which series a query asks for, and what it divides by.

A scanner, no parser: it knows texts, comments, words, brackets and operators, and gives up on what
it does not understand. Source: Prometheus' documentation, "Querying basics" and "Operators".
"""

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"(?P<skip>\s+|#[^\n]*)"
    r"|(?P<text>\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|`[^`]*`)"
    r"|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+|[a-zA-Z0-9]*))"
    r"|(?P<word>[a-zA-Z_:][a-zA-Z0-9_:]*)"
    r"|(?P<operator>=~|!~|==|!=|<=|>=|[-+*/%^<>=(){}\[\],@])",
    re.DOTALL,
)
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL_LISTS = {"by", "without", "on", "ignoring", "group_left", "group_right"}
_WORDS = _LABEL_LISTS | {"and", "or", "unless", "atan2", "bool", "offset", "inf", "nan"}
_ENDS_A_DIVISOR = {
    *("+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">="),
    *("and", "or", "unless", "atan2", ",", ")", "]", "}"),
}
_MATCHING = {"=", "!=", "=~", "!~"}
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
MAX_CHARACTERS = 16_384
"""Longer queries are not looked into."""


class NotUnderstood(ValueError):
    """The scanner does not know enough PromQL for this query."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label."""

    label: str
    operator: str
    value: str

    def __str__(self) -> str:
        return f"{self.label}{self.operator}{quoted(self.value)}"


@dataclass(frozen=True, slots=True)
class Selector:
    """The series that one place of a query asks for."""

    name: str
    """Empty if only labels select."""
    matchers: tuple[Matcher, ...]
    window: str = ""
    """The range, such as ``1m``; empty for an instant selector or a subquery."""
    is_shifted: bool = False
    """Whether ``offset`` or ``@`` makes it ask for another time than now."""

    def __str__(self) -> str:
        labels = [str(matcher) for matcher in self.matchers]
        if _NAME.fullmatch(self.name):
            return f"{self.name}{{{', '.join(labels)}}}" if labels else self.name
        named = [f"__name__={quoted(self.name)}"] if self.name else []
        return f"{{{', '.join(named + labels)}}}"

    def narrowed(self, *matchers: Matcher) -> str:
        """PromQL for the metric with these matchers only."""
        return str(Selector(self.name, matchers))


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


def quoted(text: str) -> str:
    """A text as PromQL and people read it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def selectors(query: str) -> tuple[Selector, ...]:
    """All different selectors of a query, in their order.

    Raises:
        NotUnderstood: for what no scanner of this size can tell.

    """
    return tuple(dict.fromkeys(_Scanner(query).selectors()))


def divisors(query: str) -> tuple[str, ...]:
    """What a query divides by, as PromQL, in the order of the divisions.

    Raises:
        NotUnderstood: as ``selectors`` does.

    """
    tokens = _tokens(query)
    found = [
        _divisor(query, tokens, index + 1)
        for index, token in enumerate(tokens)
        if token.kind == "operator" and token.text == "/"
    ]
    return tuple(dict.fromkeys(text for text in found if text))


class _Scanner:
    def __init__(self, query: str) -> None:
        self._tokens = _tokens(query)
        self._position = 0

    def selectors(self) -> list[Selector]:
        found: list[Selector] = []
        while (token := self._take()) is not None:
            if token.kind == "word" and token.text.lower() in _LABEL_LISTS:
                self._skip_label_list()
            elif token.kind == "word" and self._is_metric(token):
                found.append(self._selector(token.text))
            elif token.text == "{":
                self._position -= 1
                found.append(self._selector(""))
            elif token.text == "[":
                # A subquery's range; those of selectors are taken with them.
                self._skip_to("]")
        return found

    def _is_metric(self, token: _Token) -> bool:
        after = self._peek()
        is_call = after == "(" or after.lower() in {"by", "without"}
        return not is_call and token.text.lower() not in _WORDS

    def _selector(self, name: str) -> Selector:
        matchers: list[Matcher] = []
        if self._peek() == "{":
            self._take()
            while self._peek() != "}":
                matchers.append(self._matcher())
                if self._peek() == ",":
                    self._take()
            self._take()
        named = [one for one in matchers if one.label == "__name__" and one.operator == "="]
        if named and not name:
            name = named[0].value
            matchers.remove(named[0])
        window = self._window()
        return Selector(name, tuple(matchers), window, self._peek().lower() in {"offset", "@"})

    def _matcher(self) -> Matcher:
        label = self._take()
        if label is None or label.kind not in {"word", "text"}:
            raise NotUnderstood
        name = _plain(label)
        if self._peek() not in _MATCHING:
            if label.kind == "text":
                return Matcher("__name__", "=", name)
            raise NotUnderstood
        operator, value = self._take(), self._take()
        if operator is None or value is None or value.kind != "text":
            raise NotUnderstood
        return Matcher(name, operator.text, _plain(value))

    def _window(self) -> str:
        if self._peek() != "[":
            return ""
        self._take()
        inside = self._skip_to("]")
        return "".join(inside) if len(inside) == 1 else ""

    def _skip_label_list(self) -> None:
        if self._peek() == "(":
            self._skip_to(")")

    def _skip_to(self, end: str) -> list[str]:
        inside: list[str] = []
        while (token := self._take()) is not None and token.text != end:
            inside.append(token.text)
        return inside

    def _take(self) -> _Token | None:
        if self._position >= len(self._tokens):
            return None
        self._position += 1
        return self._tokens[self._position - 1]

    def _peek(self) -> str:
        is_over = self._position >= len(self._tokens)
        return "" if is_over else self._tokens[self._position].text


def _tokens(query: str) -> list[_Token]:
    if len(query) > MAX_CHARACTERS:
        raise NotUnderstood
    tokens: list[_Token] = []
    position = 0
    while position < len(query):
        match = _TOKEN.match(query, position)
        if match is None:
            raise NotUnderstood
        if match.lastgroup != "skip":
            tokens.append(_Token(str(match.lastgroup), match[0], position, match.end()))
        position = match.end()
    return tokens


def _divisor(query: str, tokens: list[_Token], start: int) -> str:
    """The operand that begins at a token, without the words that match labels."""
    while start < len(tokens) and tokens[start].text.lower() in _LABEL_LISTS | {"bool"}:
        start += 1
        if start < len(tokens) and tokens[start].text == "(":
            start = _closing(tokens, start) + 1
    depth, end = 0, start
    while end < len(tokens):
        text = tokens[end].text
        if depth == 0 and end > start and text.lower() in _ENDS_A_DIVISOR:
            break
        depth += (text in {"(", "[", "{"}) - (text in {")", "]", "}"})
        if depth < 0:
            break
        end += 1
    return query[tokens[start].start : tokens[end - 1].end] if end > start else ""


def _closing(tokens: list[_Token], opening: int) -> int:
    for index in range(opening, len(tokens)):
        if tokens[index].text == ")":
            return index
    raise NotUnderstood


def _plain(token: _Token) -> str:
    if token.kind == "word":
        return token.text
    inside = token.text[1:-1]
    if token.text[0] == "`":
        return inside
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), inside)
