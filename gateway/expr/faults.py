"""How the language's own code fails, before the package's edge turns it into a ConditionError."""

from typing import Self


class Fault(Exception):
    """An expression is wrong, or went wrong; the text is the reference's bare message."""

    def __init__(self, message: str, at: int | None = None) -> None:
        super().__init__(message)
        self.at = at
        """Index of the offending character; None until someone knows it."""

    def located(self, at: int) -> Self:
        """The same fault, placed at ``at`` unless an inner operation has placed it already."""
        if self.at is None:
            self.at = at
        return self
