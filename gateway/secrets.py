"""A string that prints as asterisks, and the redaction of texts that may contain one."""

from collections.abc import Iterable

MASK = "*****"
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


def redact(text: str, secrets: Iterable[Secret]) -> str:
    """Replace every occurrence of every non-empty secret by the mask, longest secret first."""
    for value in sorted({secret.reveal() for secret in secrets} - {""}, key=len, reverse=True):
        text = text.replace(value, MASK)
    return text
