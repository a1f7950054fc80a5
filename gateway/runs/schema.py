"""Which gateways can read a run: replicas of two versions work side by side during an update.

Redis has with each run ``WRITTEN NEEDED``: the schema of the newest gateway that has written any of
it, and the oldest schema that may read what was written. A gateway leaves alone what needs a newer
one. What a newer one wrote, but an older one may read, it drives like its own, keeps the fields
that it does not know, and leaves it to the newer one if it cannot plan it: a provider or a field of
templates may be new.
"""

import re
from dataclasses import dataclass
from typing import Final

SCHEMA: Final = 1
"""Of this gateway. Add one with every change of what a run holds: a field, a provider, a phase."""
OLDEST_READER: Final = 1
"""Raise it to SCHEMA with a change that older gateways would misjudge, or must not undo."""
_WORDS: Final = re.compile(rb"([0-9]{1,9}) ([0-9]{1,9})(?: .*)?")


class SchemaUnreadable(Exception):
    """A text that is no schema."""


@dataclass(frozen=True, slots=True)
class Schema:
    """Who wrote into a run, and who may read it."""

    written: int
    needed: int

    @property
    def is_newer(self) -> bool:
        """Whether a gateway has written into it that knows more than this one."""
        return self.written > SCHEMA

    @property
    def is_readable(self) -> bool:
        """Whether this gateway may read it."""
        return self.needed <= SCHEMA

    def __str__(self) -> str:
        """As Redis has it."""
        return f"{self.written} {self.needed}"


OURS: Final = Schema(SCHEMA, OLDEST_READER)
FIRST: Final = Schema(1, 1)
"""Of runs that do not say."""


def read_schema(text: bytes | None) -> Schema:
    """A schema out of Redis. Raises SchemaUnreadable."""
    if text is None:
        return FIRST
    match = _WORDS.fullmatch(text)
    if match is None:
        raise SchemaUnreadable("its schema is none")
    return Schema(int(match[1]), int(match[2]))
