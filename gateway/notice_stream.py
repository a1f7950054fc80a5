"""Notices in Redis: each is there until somebody has delivered it, or has given it up.

    {notices}:stream:NAME   stream       one entry for each notice to the receiver of that name
    {notices}:receivers     set          names of receivers that there is a stream for
    {notices}:phases        hash         the phase of the newest verdict on a question
    {notices}:phases:at     sorted set   when that was, by Redis' clock

Each receiver has a stream of its own: one that is down fills that one alone, and a replica that
does not know a receiver leaves its stream to those that do.

Redis decides whether a verdict is another one than before, so that of many replicas one tells it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from gateway.errors import StoreUnavailable
from gateway.model import Phase
from gateway.notice_scripts import ADD, CHANGE, SWEEP
from gateway.notices import Notice, packed, unpacked
from gateway.notification_settings import LONGEST_RETRY_S
from gateway.store import Store

PREFIX: Final = "analysis-gateway:{notices}:"
STREAM: Final = f"{PREFIX}stream:"
RECEIVERS: Final = f"{PREFIX}receivers"
PHASES: Final = f"{PREFIX}phases"
PHASES_AT: Final = f"{PHASES}:at"
GROUP: Final = "delivery"
MAX_OUTSTANDING: Final = 10_000
"""Entries in all streams together, in equal shares; what comes then is dropped, and counted."""
REMEMBER_PHASE_S: Final = 7 * 24 * 3600
MAX_QUESTIONS: Final = 50_000
"""Questions whose phase is remembered; the one that was asked longest ago gives way."""
ABANDONED_S: Final = 90.0
"""After so long without a sign of life, another replica takes an entry over."""
_MAX_SWEPT: Final = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """A notice that one receiver is to get."""

    id: bytes
    to: str
    notice: Notice | None
    """None if it cannot be read."""

    @property
    def at_unix_s(self) -> float:
        """When it was put there, by Redis' clock."""
        return int(self.id.partition(b"-")[0]) / 1000


class NoticeStream:
    """The way to them. Every call may raise StoreUnavailable."""

    def __init__(self, store: Store, consumer: str, *, receivers: int) -> None:
        """``consumer`` is this replica; ``receivers`` is how many share the room."""
        self._store = store
        self._consumer = consumer
        self._room = MAX_OUTSTANDING // receivers
        self._with_group: set[str] = set()

    async def change(
        self, notice: Notice, question: str, receivers: Sequence[str], *, age_s: float
    ) -> Sequence[str] | None:
        """Have a verdict told if it is another than before on this question.

        Args:
            notice: of the verdict.
            question: see ``gateway.notices.question_of``.
            receivers: names of those who want to know.
            age_s: for how long the verdict is known.

        Returns:
            The receivers for which there was no room; None if it is no news.

        Raises:
            NoticeUnwritable: the notice cannot be written.

        """
        arguments: list[str | bytes | int] = [
            self._room,
            packed(notice),
            question,
            f"{age_s:.6f}",
            notice.phase.value,
            REMEMBER_PHASE_S,
            MAX_QUESTIONS,
            *receivers,
        ]
        keys = [RECEIVERS, PHASES, PHASES_AT, *(STREAM + each for each in receivers)]
        full = cast("list[bytes] | None", await self._eval(CHANGE, keys, arguments))
        return None if full is None else [name.decode() for name in full]

    async def add(self, notice: Notice, receivers: Sequence[str]) -> Sequence[str]:
        """Have a notice delivered; the receivers for which there was no room.

        Raises NoticeUnwritable.
        """
        keys = [RECEIVERS, *(STREAM + each for each in receivers)]
        arguments: list[str | bytes | int] = [self._room, packed(notice), *receivers]
        full = cast("list[bytes]", await self._eval(ADD, keys, arguments))
        return [name.decode() for name in full]

    async def take(self, receiver: str, limit: int) -> list[Entry]:
        """Entries that nobody has in hand, or whoever had them is gone."""
        stream = STREAM + receiver
        if receiver not in self._with_group:
            await self._store.call(lambda redis: _make_group(redis, stream))
            self._with_group.add(receiver)
        try:
            claimed: Any = await self._store.call(
                lambda redis: redis.xautoclaim(
                    stream,
                    GROUP,
                    self._consumer,
                    min_idle_time=int(ABANDONED_S * 1000),
                    count=limit,
                )
            )
            fresh: Any = await self._store.call(
                lambda redis: redis.xreadgroup(GROUP, self._consumer, {stream: ">"}, count=limit)
            )
        except StoreUnavailable:
            # Whoever emptied Redis took the group with it.
            self._with_group.discard(receiver)
            raise
        rows = [*claimed[1], *(row for _, found in fresh for row in found)]
        return [_entry(receiver, row_id, fields) for row_id, fields in rows if fields]

    async def keep(self, receiver: str, entries: Sequence[bytes]) -> None:
        """Say that entries are still in hand."""
        await self._claim(receiver, entries, idle_s=0)

    async def done(self, entry: Entry) -> None:
        """Forget an entry."""

        async def forget(redis: Redis) -> None:
            await redis.xack(STREAM + entry.to, GROUP, entry.id)
            await redis.xdel(STREAM + entry.to, entry.id)

        await self._store.call(forget)

    async def release(self, receiver: str, entries: Sequence[bytes]) -> None:
        """Let others take entries at once."""
        await self._claim(receiver, entries, idle_s=ABANDONED_S)

    async def sweep(self, known: Sequence[str]) -> int:
        """Drop what nobody delivers any more to receivers that are not ``known``; how many."""
        found: Any = await self._store.call(lambda redis: redis.smembers(RECEIVERS))
        dropped = 0
        for name in sorted({each.decode() for each in found}.difference(known)):
            arguments = [name, int(LONGEST_RETRY_S * 1000), _MAX_SWEPT]
            dropped += cast("int", await self._eval(SWEEP, [RECEIVERS, STREAM + name], arguments))
        return dropped

    async def _claim(self, receiver: str, entries: Sequence[bytes], *, idle_s: float) -> None:
        """Have it that this replica gave its last sign of life ``idle_s`` seconds ago."""
        await self._store.call(
            lambda redis: redis.xclaim(
                STREAM + receiver,
                GROUP,
                self._consumer,
                min_idle_time=0,
                message_ids=list(entries),
                idle=int(idle_s * 1000),
            )
        )

    async def _eval(
        self, script: str, keys: Sequence[str], arguments: Sequence[str | bytes | int]
    ) -> object:
        async def run(redis: Redis) -> object:
            reply: Any = redis.eval(script, len(keys), *keys, *arguments)
            found: object = await reply
            return found

        return await self._store.call(run)


async def _make_group(redis: Redis, stream: str) -> None:
    try:
        await redis.xgroup_create(stream, GROUP, id="0", mkstream=True)
    except ResponseError as error:
        if "BUSYGROUP" not in str(error):
            raise


def _entry(to: str, row_id: bytes, fields: dict[bytes, bytes]) -> Entry:
    was = fields.get(b"was", b"").decode("utf-8", "replace")
    try:
        notice = unpacked(fields[b"notice"])
        return Entry(row_id, to, replace(notice, previous_phase=Phase(was) if was else None))
    except (ValueError, KeyError, TypeError):
        return Entry(row_id, to, None)
