"""``{{args.x}}`` in a metric's texts and keys.

Argo serialises a metric to JSON, replaces the tags in that text and parses it again. Here each text
is treated so on its own, which accepts and gives the same: a tag that ran on into the next text
could name no argument. All problems are reported, not only the last one.

Source: argo-rollouts utils/template/template.go:52-100 and utils/analysis/factory.go:112-128
@ 9f8d111d8, with fasttemplate v1.2.2.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.bounds import MAX_CHARS, at
from gateway.errors import Problem
from gateway.gotext import json_string, quote

OPEN: Final = "{{"
CLOSE: Final = "}}"
_PREFIX: Final = "args."
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_JSON_ESCAPES: Final = frozenset('"\\/bfnrtu')
_MAX_SHOWN_CHARS: Final = 1_000
_MAX_PROBLEMS: Final = 100


@dataclass(frozen=True, slots=True)
class _Tag:
    text: str
    """What stands behind an opening pair of braces, up to the next closing pair."""
    is_closed: bool


def arguments_in(value: object) -> set[str]:
    """The names of the arguments that stand in the texts and keys of decoded JSON."""
    match value:
        case str():
            return set(_arguments_of(value)) if OPEN in value else set()
        case dict():
            return set().union(*map(arguments_in, value), *map(arguments_in, value.values()))
        case list():
            return set().union(*map(arguments_in, value))
        case _:
            return set()


def _arguments_of(text: str) -> Iterator[str]:
    for part in _parts(json_string(text)[1:-1]):
        if isinstance(part, _Tag) and part.text.strip().startswith(_PREFIX):
            yield part.text.strip().removeprefix(_PREFIX)


class Substitution:
    """Fills values into texts; collects what could not be filled."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values: Final = values
        self._quoted: Final[dict[str, str]] = {}
        self._chars = 0
        self.failures = 0
        """How many tags could not be replaced, told or not."""
        self.problems: Final[list[Problem]] = []
        """What is told of them."""

    def fill(self, value: object, path: str) -> object:
        """A copy of decoded JSON with every tag in its texts and keys replaced.

        Of keys that become equal the alphabetically last one stays, as in Go.
        """
        match value:
            case str():
                return self.fill_text(value, path)
            case dict():
                return {
                    self.fill_text(key, path): self.fill(value[key], at(path, key))
                    for key in sorted(value)
                }
            case list():
                return [self.fill(item, at(path, index)) for index, item in enumerate(value)]
            case _:
                return value

    def fill_text(self, text: str, path: str) -> str:
        """One text with its tags replaced; where that fails, a problem and an unusable text."""
        if OPEN not in text:
            return text
        serialised = json_string(text)[1:-1]
        filled: list[str] = []
        for part in _parts(serialised):
            failures = self.failures
            piece = self._replaced(part, serialised, path) if isinstance(part, _Tag) else part
            if self.failures > failures and len(self.problems) == _MAX_PROBLEMS:
                # Nobody is told of more, and the text is of no use any more.
                return ""
            self._chars += len(piece)
            if self._chars > MAX_CHARS:
                self._complain(path, f"values make the metrics longer than {MAX_CHARS} characters")
                return ""
            filled.append(piece)
        return self._parsed("".join(filled), path)

    def _replaced(self, tag: _Tag, template: str, path: str) -> str:
        name = tag.text.strip().removeprefix(_PREFIX)
        if tag.is_closed and tag.text.strip() == _PREFIX + name and name in self._values:
            return self._value(name)
        if tag.is_closed:
            self._complain(path, f"failed to resolve {OPEN}{_shown(tag.text)}{CLOSE}")
        else:
            self._complain(
                path,
                f"Cannot find end tag={quote(CLOSE)} in the template={quote(_shown(template))} "
                f"starting from {quote(_shown(tag.text))}",
            )
        return ""

    def _value(self, name: str) -> str:
        if name not in self._quoted:
            self._quoted[name] = quote(self._values[name])[1:-1]
        return self._quoted[name]

    def _parsed(self, serialised: str, path: str) -> str:
        for escape in _ESCAPE.finditer(serialised):
            if escape.group(1) not in _JSON_ESCAPES:
                character = escape.group(1)
                self._complain(path, f"invalid character '{character}' in string escape code")
                return ""
        return str(json.loads(f'"{serialised}"'))

    def _complain(self, path: str, message: str) -> None:
        self.failures += 1
        # A text of braces alone must not be answered with as many complaints.
        if len(self.problems) < _MAX_PROBLEMS:
            self.problems.append(Problem(path, message))


def _parts(serialised: str) -> Iterator[str | _Tag]:
    position = 0
    while (opening := serialised.find(OPEN, position)) >= 0:
        yield serialised[position:opening]
        start = opening + len(OPEN)
        closing = serialised.find(CLOSE, start)
        if closing < 0:
            yield _Tag(serialised[start:], is_closed=False)
            return
        yield _Tag(serialised[start:closing], is_closed=True)
        position = closing + len(CLOSE)
    yield serialised[position:]


def _shown(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN_CHARS else f"{text[:_MAX_SHOWN_CHARS]}..."
