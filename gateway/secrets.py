"""A string that prints as asterisks, and the redaction of texts that may contain one."""

import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import quote, quote_plus

MASK: Final = "*****"
"""What a secret looks like from outside.

Source: argo-rollouts analysis/analysis.go:409-414 @ 9f8d111d8.
"""


class Secret:
    """A text that no log line, error or f-string shows by accident."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __str__(self) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def reveal(self) -> str:
        """The text itself; ``grep 'reveal('`` lists every place that can leak it."""
        return self._value


class Redaction:
    """Replaces secrets in everything that is about to leave the process.

    A secret is also found where it was escaped for a URL or for JSON.
    """

    def __init__(self, secrets: Iterable[Secret]) -> None:
        found = {form for secret in secrets for form in _forms(secret.reveal())} - {""}
        # The longest first: a secret may be part of another one.
        self._hidden: Final = tuple(sorted(found, key=lambda form: (-len(form), form)))

    def __bool__(self) -> bool:
        return bool(self._hidden)

    def text(self, text: str) -> str:
        """``text`` with five asterisks in place of every secret."""
        for form in self._hidden:
            text = text.replace(form, MASK)
        return text

    def value(self, value: object) -> object:
        """The same for every text in frozen JSON, keys included."""
        match value:
            case str():
                return self.text(value)
            case tuple():
                return tuple(self.value(item) for item in value)
            case Mapping():
                return MappingProxyType(
                    {self.text(key): self.value(item) for key, item in value.items()}
                )
            case _:
                return value


def _forms(text: str) -> set[str]:
    encodable = text.encode("utf-8", "replace").decode()
    return {
        text,
        quote(encodable, safe=""),
        quote_plus(encodable),
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
    }
