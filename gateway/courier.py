"""Delivers notices: each until its receiver has taken it, or its time is over; then it is counted.

What a replica has in hand when it dies is taken over by another one, or by itself after a restart.
A receiver may so get a notice twice, under the same ``webhook-id``.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from gateway.errors import StoreUnavailable
from gateway.notice_stream import ABANDONED_S, Entry, NoticeStream
from gateway.notices import Notice
from gateway.notifier import NoticeObserver
from gateway.provider import Clock
from gateway.receivers import Receiver, Undelivered

MAX_IN_HAND: Final = 100
POLL_S: Final = 1.0
FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 30.0
_KEEP_S: Final = ABANDONED_S / 3
_log: Final = logging.getLogger(__name__)


class Courier:
    """Takes notices from Redis to their receivers."""

    def __init__(
        self,
        stream: NoticeStream,
        receivers: Sequence[Receiver],
        observer: NoticeObserver,
        now_unix_s: Clock,
        has_news: asyncio.Event,
    ) -> None:
        self._stream = stream
        self._receivers = {each.notification.name: each for each in receivers}
        self._observer = observer
        self._now_unix_s = now_unix_s
        self._has_news = has_news
        self._in_hand: dict[bytes, asyncio.Task[None]] = {}

    async def serve(self) -> None:
        """Deliver until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep(), name="keep notices in hand")
                while True:
                    await self._take(group)
                    await self._wait()
        finally:
            await self._release()
            for receiver in self._receivers.values():
                await receiver.close()

    async def _release(self) -> None:
        if self._in_hand:
            with suppress(StoreUnavailable):
                await self._stream.release(list(self._in_hand))

    async def _take(self, group: asyncio.TaskGroup) -> None:
        room = MAX_IN_HAND - len(self._in_hand)
        if room <= 0:
            return
        try:
            entries = await self._stream.take(room)
        except StoreUnavailable:
            return
        for entry in entries:
            if entry.id not in self._in_hand:
                task = group.create_task(self._deliver(entry), name="deliver a notice")
                self._in_hand[entry.id] = task

    async def _wait(self) -> None:
        self._has_news.clear()
        try:
            async with asyncio.timeout(POLL_S):
                await self._has_news.wait()
        except TimeoutError:
            return

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(_KEEP_S)
            if self._in_hand:
                with suppress(StoreUnavailable):
                    await self._stream.keep(list(self._in_hand))

    async def _deliver(self, entry: Entry) -> None:
        receiver = self._receivers.get(entry.to)
        if receiver is None or entry.notice is None:
            self._give_up(entry, "nobody of that name is told any more")
        else:
            await self._attempt(entry, receiver, entry.notice)
        await self._forget(entry.id)
        del self._in_hand[entry.id]

    async def _attempt(self, entry: Entry, receiver: Receiver, notice: Notice) -> None:
        pause_s = FIRST_PAUSE_S
        until_unix_s = notice.at_unix_s + receiver.notification.retry_s
        while True:
            try:
                await receiver.send(notice)
            except Undelivered as error:
                reason = str(error)
            except Exception as error:  # noqa: BLE001 - one delivery fails, not all of them
                reason = f"the gateway failed unexpectedly ({type(error).__name__})"
            else:
                self._observer.delivered(entry.to)
                return
            if self._now_unix_s() + pause_s > until_unix_s:
                self._give_up(entry, reason)
                return
            self._observer.delivery_failed(entry.to)
            if pause_s == FIRST_PAUSE_S:
                _tell("a notification is not delivered yet", entry, reason)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _give_up(self, entry: Entry, reason: str) -> None:
        self._observer.notice_dropped(entry.to if entry.to in self._receivers else "unknown")
        _tell("a notification was dropped", entry, reason)

    async def _forget(self, entry_id: bytes) -> None:
        while True:
            try:
                await self._stream.done(entry_id)
            except StoreUnavailable:
                await asyncio.sleep(POLL_S)
            else:
                return


def _tell(what: str, entry: Entry, reason: str) -> None:
    notice_id = entry.notice.id if entry.notice else ""
    keys = {"notification": entry.to, "notice": notice_id, "reason": reason}
    _log.warning(what, extra=keys)
