"""YAML 1.1 as Kubernetes reads it, built from parser events so that bounds hold from the start.

Source for plain scalars: sigs.k8s.io/yaml, goyaml.v2 resolve.go: Go's number syntax, no numbers to
base 60; what looks like a date stays a text.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Never, cast

import yaml

from gateway.bounds import TOO_DEEP, Bounds, at, place, whole
from gateway.errors import RequestInvalid

_TAG = "tag:yaml.org,2002:"
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE_WORDS = ("true", "yes", "on", "y")
_FALSE_WORDS = ("false", "no", "off", "n")
_BOOLEANS = {
    spelling: word in _TRUE_WORDS
    for word in _TRUE_WORDS + _FALSE_WORDS
    for spelling in (word, word.capitalize(), word.upper())
}
_INTEGER = re.compile(r"[-+]?(0[bB][01]+|0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[0-7]*|[1-9][0-9]*)")
_OCTAL = re.compile(r"^([-+]?)0([0-7]+)$")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_UNPRINTABLE = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_MAX_INTEGER_CHARS = 3 + 64
"""Sign, ``0b`` and one digit for each bit."""
_INT64 = range(-(1 << 63), 1 << 64)
_MERGE = "<<"
_PARSERS_BOUND = re.compile(".*exceeded maximum nesting depth")
"""Newer parsers have a bound of their own, and meet it before ours where they look far ahead."""


class YamlReader:
    """One stream of documents."""

    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._name = name
        self._bounds = Bounds()
        self._anchors: dict[str, object] = {}
        self._lines: dict[str, int] = {}
        self._events: Iterator[yaml.Event] = iter(())

    def documents(self) -> Iterator[tuple[object, Mapping[str, int]]]:
        """Each document with the lines of its values by path.

        Raises:
            RequestInvalid: naming line and column.

        """
        found = _UNPRINTABLE.search(self._text)
        if found:
            where = place(self._text, found.start())
            character = f"U+{ord(found.group()):04X}"
            raise RequestInvalid(f"{self._name}: {where}: YAML does not allow {character}")
        self._events = yaml.parse(self._text, Loader=yaml.CSafeLoader)
        while not isinstance(event := self._next(), yaml.StreamEndEvent):
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchors, self._lines = {}, {}
                yield self._node(self._next(), "", 0), self._lines

    def _next(self) -> yaml.Event:
        try:
            return next(self._events)
        except yaml.MarkedYAMLError as error:
            story = _story(error)
            offset = len(self._text) if error.problem_mark is None else error.problem_mark.index
            if self._text[offset : offset + 1] == "\t":
                story += " (a tab; YAML indents with blanks)"
            where = place(self._text, offset)
            raise RequestInvalid(f"{self._name}: {where}: {story}") from None

    def _refuse(self, event: yaml.Event, problem: str) -> Never:
        mark = _mark(event)
        where = f"line {mark.line + 1}, column {mark.column + 1}"
        raise RequestInvalid(f"{self._name}: {where}: {problem}") from None

    def _node(self, event: yaml.Event, path: str, depth: int) -> object:
        self._lines.setdefault(path, _mark(event).line + 1)
        try:
            return self._built(event, path, depth)
        except ValueError as error:
            self._refuse(event, str(error))

    def _built(self, event: yaml.Event, path: str, depth: int) -> object:
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise ValueError(f"alias *{event.anchor} has no anchor before it")
            value = self._anchors[event.anchor]
            self._bounds.admit(value, depth)
            return value
        if isinstance(event, yaml.ScalarEvent):
            self._bounds.admit_one(event.value, depth)
            value = _scalar(event)
        else:
            self._bounds.admit_one("", depth)
            is_list = isinstance(event, yaml.SequenceStartEvent)
            event = cast("yaml.CollectionStartEvent", event)
            _check_tag(event.tag, "seq" if is_list else "map")
            value = self._sequence(path, depth) if is_list else self._mapping(path, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = value
        return value

    def _sequence(self, path: str, depth: int) -> list[object]:
        items: list[object] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._node(event, at(path, len(items)), depth + 1))
        return items

    def _mapping(self, path: str, depth: int) -> dict[str, object]:
        members: dict[str, object] = {}
        merged: dict[str, object] | None = None
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._key(event)
            if key in members:
                self._refuse(event, f"key {key!r} stands twice in one mapping")
            value = self._node(self._next(), at(path, key), depth + 1)
            if key == _MERGE and _is_plain(event):
                if merged is not None:
                    self._refuse(event, "<< stands twice in one mapping; write one, with a list")
                merged = self._merged(event, value)
                self._check_first(event, merged, members)
            else:
                members[key] = value
        return {**(merged or {}), **members}

    def _check_first(
        self, event: yaml.Event, merged: Mapping[str, object], members: Mapping[str, object]
    ) -> None:
        # Kubernetes' reader lets a later << win, YAML says the explicit key does.
        both = ", ".join(repr(key) for key in members if key in merged)
        if both:
            self._refuse(event, f"<< would replace {both} before it; put << first")

    def _key(self, event: yaml.Event) -> str:
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._refuse(event, "a key must be a text; quote a value that starts with {{")
        key = self._node(event, "", 0)
        if not isinstance(key, str):
            self._refuse(event, f"key {key!r} must be a text; put it into quotes")
        return key

    def _merged(self, event: yaml.Event, value: object) -> dict[str, object]:
        sources = value if isinstance(value, list) else [value]
        merged: dict[str, object] = {}
        for source in reversed(sources):
            if not isinstance(source, dict):
                self._refuse(event, "<< must stand before a mapping or a list of mappings")
            merged.update(source)
        return merged


def _story(error: yaml.MarkedYAMLError) -> str:
    story = ", ".join(part for part in (error.context, error.problem) if part)
    return _PARSERS_BOUND.sub(TOO_DEEP, story)


def _mark(event: yaml.Event) -> yaml.Mark:
    # The declared None is for events that a program makes; a parser always knows the place.
    return cast("yaml.Mark", event.start_mark)


def _is_plain(event: yaml.Event) -> bool:
    return isinstance(event, yaml.ScalarEvent) and event.implicit[0]


def _check_tag(tag: str | None, expected: str) -> None:
    if tag not in {None, "!", _TAG + expected}:
        raise ValueError(f"tag {tag} is not supported; leave it out")


def _scalar(event: yaml.ScalarEvent) -> object:
    is_plain, _ = event.implicit
    text: str = event.value
    if event.tag is None and not is_plain:
        return text
    if event.tag in {"!", f"{_TAG}str"}:
        return text
    value = _plain(text)
    kind = "null" if value is None else type(value).__name__
    if event.tag is not None:
        _check_tag(event.tag, kind)
    return value


def _plain(text: str) -> object:
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is no number that JSON knows; write it as a text")
    if text[0] not in "+-.0123456789":
        return text
    digits = text.replace("_", "")
    if len(digits) <= _MAX_INTEGER_CHARS and _INTEGER.fullmatch(digits):
        number = int(_OCTAL.sub(r"\g<1>0o\g<2>", digits), 0)
        if number in _INT64:
            return number
    if _FLOAT.fullmatch(digits) and abs(float(digits)) != float("inf"):
        return whole(float(digits))
    return text
