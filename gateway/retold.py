"""Verdicts that one caller is told again within moments: one line of the audit for all of them.

The first goes to the audit at once, and the others as one entry with their number a little later.
Callers who poll, and there are many of them at times, would else have more lines than verdicts.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from gateway.audit import Audit, Entry
from gateway.verdict import Verdict

TOLD_WITHIN_S: Final = 0.25
"""How long after the first the entry about the others comes."""


@dataclass(slots=True)
class _Told:
    # The verdict is held, so that its id is nobody else's.
    verdict: Verdict
    entry: Entry
    times: int = 0


class Retold:
    """Counts what was told again."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit
        self._told: dict[tuple[int, str], _Told] = {}
        self._timer: asyncio.TimerHandle | None = None

    def note(self, verdict: Verdict, caller: str, entry_of: Callable[[], Entry]) -> None:
        """A caller got a verdict that was already there."""
        told = self._told.get((id(verdict), caller))
        if told is not None:
            told.times += 1
            return
        entry = entry_of()
        self._audit.note(entry)
        self._told[id(verdict), caller] = _Told(verdict, entry)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(TOLD_WITHIN_S, self.close)

    def close(self) -> None:
        """Tell the audit of all that was counted."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        told, self._told = self._told, {}
        for each in told.values():
            if each.times:
                self._audit.note(replace(each.entry, times=each.times))
