"""The readings that this process remembers: the least recently used go first."""

from collections import OrderedDict
from typing import Final

from gateway.stored import Stored

_OVERHEAD_BYTES: Final = 500
"""What a reading weighs beside its text: the objects around it."""
_BYTES_PER_CHAR: Final = 8
"""What a character of a value's text stands for in memory, boxes of numbers included."""


class Memory:
    """A bounded map from question to reading."""

    def __init__(self, *, max_entries: int, max_bytes: int) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[str, Stored] = OrderedDict()

    def get(self, key: str) -> Stored | None:
        """The reading of a question, which thereby counts as used."""
        stored = self._kept.get(key)
        if stored is not None:
            self._kept.move_to_end(key)
        return stored

    def put(self, key: str, stored: Stored) -> None:
        """Remember a reading unless a newer one is there; others may have to go."""
        known = self._kept.get(key)
        if known is not None and known.measured_at_unix_s > stored.measured_at_unix_s:
            return
        if known is not None:
            self._drop(key)
        self._kept[key] = stored
        self._bytes += _weight(stored)
        while len(self._kept) > self._max_entries or self._bytes > self._max_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: str) -> None:
        self._bytes -= _weight(self._kept.pop(key))


def _weight(stored: Stored) -> int:
    return _OVERHEAD_BYTES + _BYTES_PER_CHAR * len(stored.reading.text)
