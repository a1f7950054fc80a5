"""Notices in Redis: each is there until somebody has delivered it, or has given it up.

    {notices}:stream      stream   one entry for each receiver of a notice
    {notices}:phase:KEY   string   "AT PHASE", the newest verdict on a question, for a week

Redis decides whether a verdict is another one than before, so that of many replicas one tells it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from gateway.errors import StoreUnavailable
from gateway.model import Phase
from gateway.notices import Notice, packed, unpacked
from gateway.store import Store

PREFIX: Final = "analysis-gateway:{notices}:"
STREAM: Final = f"{PREFIX}stream"
PHASE: Final = f"{PREFIX}phase:"
GROUP: Final = "delivery"
MAX_OUTSTANDING: Final = 10_000
"""Entries in the stream; what comes then is dropped, and counted."""
REMEMBER_PHASE_S: Final = 7 * 24 * 3600
ABANDONED_S: Final = 90.0
"""After so long without a sign of life, another replica takes an entry over."""

_PUT: Final = """
local function put(notice, was, room, first)
  room = room - redis.call('XLEN', STREAM)
  for number = first, #ARGV do
    if number - first >= room then return number - first end
    redis.call('XADD', STREAM, '*', 'to', ARGV[number], 'was', was, 'notice', notice)
  end
  return #ARGV - first + 1
end
"""
# KEYS: stream. ARGV: how many entries there may be, notice, then each receiver. Gives for how many
# of them there was room.
_ADD: Final = f"local STREAM = KEYS[1]\n{_PUT}\nreturn put(ARGV[2], '', ARGV[1], 3)"
# KEYS: stream, phase of the question. ARGV: how many entries there may be, notice, time, phase, how
# long to remember it (s), then each receiver. Gives false if the verdict is no other than before,
# else as above. One that is older than the newest known changes nothing; a first one that is
# Successful is no news. A call whose answer was lost may be repeated.
_CHANGE: Final = f"""
local STREAM = KEYS[1]
{_PUT}
local was = redis.call('GET', KEYS[2])
local at, phase
if was then at, phase = string.match(was, '^(%S+) (%S+)$') end
if phase and tonumber(ARGV[3]) < tonumber(at) then return false end
redis.call('SET', KEYS[2], ARGV[3] .. ' ' .. ARGV[4], 'EX', ARGV[5])
if phase == ARGV[4] or (not phase and ARGV[4] == 'Successful') then return false end
return put(ARGV[2], phase or '', ARGV[1], 6)
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A notice that one receiver is to get."""

    id: bytes
    to: str
    notice: Notice | None
    """None if it cannot be read."""


class NoticeStream:
    """The way to them. Every call may raise StoreUnavailable."""

    def __init__(self, store: Store, consumer: str) -> None:
        self._store = store
        self._consumer = consumer
        self._has_group = False

    async def change(self, notice: Notice, question: str, receivers: Sequence[str]) -> int | None:
        """Have a verdict told if it is another than before on this question.

        Returns:
            For how many of the receivers there was room; None if it is no news.

        """
        arguments: list[str | bytes | int] = [
            MAX_OUTSTANDING,
            packed(notice),
            repr(notice.at_unix_s),
            notice.phase.value,
            REMEMBER_PHASE_S,
            *receivers,
        ]
        added = await self._eval(_CHANGE, [STREAM, PHASE + question], arguments)
        return None if added is None else int(added)

    async def add(self, notice: Notice, receivers: Sequence[str]) -> int:
        """Have a notice delivered; for how many of the receivers there was room."""
        arguments: list[str | bytes | int] = [MAX_OUTSTANDING, packed(notice), *receivers]
        return int(await self._eval(_ADD, [STREAM], arguments) or 0)

    async def take(self, limit: int) -> list[Entry]:
        """Entries that nobody has in hand, or whoever had them is gone."""
        if not self._has_group:
            await self._store.call(_with_group)
            self._has_group = True
        try:
            claimed: Any = await self._store.call(
                lambda redis: redis.xautoclaim(
                    STREAM,
                    GROUP,
                    self._consumer,
                    min_idle_time=int(ABANDONED_S * 1000),
                    count=limit,
                )
            )
            fresh: Any = await self._store.call(
                lambda redis: redis.xreadgroup(GROUP, self._consumer, {STREAM: ">"}, count=limit)
            )
        except StoreUnavailable:
            # Whoever emptied Redis took the group with it.
            self._has_group = False
            raise
        rows = [*claimed[1], *(row for _, found in fresh for row in found)]
        return [_entry(row_id, fields) for row_id, fields in rows if fields]

    async def keep(self, entries: Sequence[bytes]) -> None:
        """Say that entries are still in hand."""
        await self._store.call(
            lambda redis: redis.xclaim(
                STREAM, GROUP, self._consumer, min_idle_time=0, message_ids=list(entries)
            )
        )

    async def done(self, entry: bytes) -> None:
        """Forget an entry."""

        async def forget(redis: Redis) -> None:
            await redis.xack(STREAM, GROUP, entry)
            await redis.xdel(STREAM, entry)

        await self._store.call(forget)

    async def release(self, entries: Sequence[bytes]) -> None:
        """Let others take entries at once."""
        await self._store.call(
            lambda redis: redis.xclaim(
                STREAM,
                GROUP,
                self._consumer,
                min_idle_time=0,
                message_ids=list(entries),
                idle=int(ABANDONED_S * 1000),
            )
        )

    async def _eval(
        self, script: str, keys: Sequence[str], arguments: Sequence[str | bytes | int]
    ) -> int | None:
        async def run(redis: Redis) -> int | None:
            reply: Any = redis.eval(script, len(keys), *keys, *arguments)
            found: int | None = await reply
            return found

        return await self._store.call(run)


async def _with_group(redis: Redis) -> None:
    try:
        await redis.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
    except ResponseError as error:
        if "BUSYGROUP" not in str(error):
            raise


def _entry(row_id: bytes, fields: dict[bytes, bytes]) -> Entry:
    to = fields.get(b"to", b"").decode("utf-8", "replace")
    was = fields.get(b"was", b"").decode("utf-8", "replace")
    try:
        notice = unpacked(fields[b"notice"])
        return Entry(row_id, to, replace(notice, previous_phase=Phase(was) if was else None))
    except (ValueError, KeyError, TypeError):
        return Entry(row_id, to, None)
