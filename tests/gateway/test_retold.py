"""A verdict that is told again and again: two entries of the audit, and no time is missing."""

import asyncio
from dataclasses import dataclass, field

from virtual_time import in_virtual_time

from gateway.audit import Call, Entry
from gateway.model import Phase
from gateway.retold import TOLD_WITHIN_S, Retold
from gateway.verdict import Verdict


@dataclass
class Lines:
    """Keeps entries."""

    entries: list[Entry] = field(default_factory=list)

    def note(self, entry: Entry) -> None:
        """Keep one."""
        self.entries.append(entry)

    @property
    def told(self) -> list[tuple[str, str, int]]:
        """Of each entry the caller, the reason and the times."""
        return [(each.caller, each.reason, each.times) for each in self.entries]


def verdict(reason: str) -> Verdict:
    """One that is like no other."""
    return Verdict(
        phase=Phase.SUCCESSFUL,
        reason=reason,
        namespace="shop",
        templates=(),
        started_at_unix_s=0,
        finished_at_unix_s=0,
        measurements=(),
    )


def tell(retold: Retold, given: Verdict, caller: str, times: int = 1) -> None:
    """A caller gets a verdict."""
    entry = Entry(at_unix_s=0, call=Call.VERDICT, caller=caller, reason=given.reason)
    for _ in range(times):
        retold.note(given, caller, lambda: entry)


@in_virtual_time
async def test_the_first_time_is_told_at_once_and_all_others_together() -> None:
    """For each caller and each verdict."""
    lines, one, other = Lines(), verdict("one"), verdict("other")
    retold = Retold(lines)
    tell(retold, one, "a", 3)
    tell(retold, one, "b")
    tell(retold, other, "a", 2)
    at_once = [("a", "one", 0), ("b", "one", 0), ("a", "other", 0)]
    assert lines.told == at_once
    await asyncio.sleep(TOLD_WITHIN_S)
    assert lines.told == [*at_once, ("a", "one", 2), ("a", "other", 1)]


@in_virtual_time
async def test_what_comes_later_begins_anew() -> None:
    """Nothing is counted twice."""
    lines, given = Lines(), verdict("one")
    retold = Retold(lines)
    tell(retold, given, "a", 2)
    await asyncio.sleep(TOLD_WITHIN_S)
    tell(retold, given, "a", 2)
    await asyncio.sleep(TOLD_WITHIN_S)
    assert lines.told == [("a", "one", 0), ("a", "one", 1)] * 2


@in_virtual_time
async def test_the_end_tells_what_was_counted() -> None:
    """Once."""
    lines, given = Lines(), verdict("one")
    retold = Retold(lines)
    tell(retold, given, "a", 2)
    retold.close()
    await asyncio.sleep(2 * TOLD_WITHIN_S)
    assert lines.told == [("a", "one", 0), ("a", "one", 1)]
