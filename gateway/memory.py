"""The readings that this process remembers: the least recently used go first."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from gateway.model import Reading

_OVERHEAD_BYTES: Final = 500
"""What a reading weighs beside its text: the objects around it."""
_BYTES_PER_CHAR: Final = 8
"""What a character of a value's text stands for in memory, boxes of numbers included."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """A reading and when its measurement began."""

    reading: Reading
    began_s: float
    """On the monotonic clock of this process: a wall clock that jumps must not age a reading."""


class Memory:
    """A bounded map from question to reading."""

    def __init__(self, *, max_entries: int, max_bytes: int, retention_s: float = 300.0) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._retention_s = retention_s
        self._bytes = 0
        self._kept: OrderedDict[str, Remembered] = OrderedDict()

    def get(self, key: str, *, now_s: float) -> Remembered | None:
        """The reading of a question, which thereby counts as used; one that is too old goes."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if now_s - kept.began_s > self._retention_s:
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return kept

    def put(self, key: str, reading: Reading, *, began_s: float) -> None:
        """Remember a reading unless a newer one is there; others may have to go."""
        known = self._kept.get(key)
        if known is not None:
            if known.began_s > began_s:
                return
            self._drop(key)
        self._kept[key] = Remembered(reading, began_s)
        self._bytes += _weight(reading)
        while len(self._kept) > self._max_entries or self._bytes > self._max_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: str) -> None:
        self._bytes -= _weight(self._kept.pop(key).reading)


def _weight(reading: Reading) -> int:
    told = (*reading.metadata.values(), *reading.value_metadata.values())
    chars = len(reading.text) + sum(map(len, told))
    return _OVERHEAD_BYTES + _BYTES_PER_CHAR * chars
