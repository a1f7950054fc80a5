"""Delivers notices: each until its receiver has taken it, or its time is over; then it is counted.

What a replica has in hand when it dies is taken over by another one, or by itself after a restart.
A receiver may so get a notice twice, under the same ``webhook-id``.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from gateway.config.notifications import LONGEST_RETRY_S
from gateway.errors import StoreUnavailable
from gateway.notifications.notices import Notice
from gateway.notifications.notifier import NoticeObserver
from gateway.notifications.receivers import Receiver, Undelivered
from gateway.notifications.stream import ABANDONED_S, Entry, NoticeStream
from gateway.provider import Clock

MAX_IN_HAND: Final = 100
"""Notices to one receiver that are tried at the same time."""
POLL_S: Final = 1.0
FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 30.0
UNKNOWN: Final = "unknown"
"""As which notices are counted whose receiver is not known any more."""
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
        self._observer = observer
        self._names = [each.notification.name for each in receivers]
        self._rounds = [_Round(stream, each, observer, now_unix_s) for each in receivers]
        self._has_news = has_news

    async def serve(self) -> None:
        """Deliver until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep(), name="keep notices in hand")
                while True:
                    self._has_news.clear()
                    await asyncio.gather(*(each.take(group) for each in self._rounds))
                    await self._wait()
        finally:
            for each in self._rounds:
                await each.close()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(POLL_S):
                await self._has_news.wait()
        except TimeoutError:
            return

    async def _keep(self) -> None:
        while True:
            with suppress(StoreUnavailable):
                await self._sweep()
            await asyncio.sleep(_KEEP_S)
            for each in self._rounds:
                await each.keep()

    async def _sweep(self) -> None:
        for _ in range(await self._stream.sweep(self._names)):
            self._observer.notice_dropped(UNKNOWN)
            keys = {"notification": UNKNOWN, "reason": "nobody of that name is told any more"}
            _log.warning("a notification was dropped", extra=keys)


class _Round:
    """All that one receiver is to get. Its troubles are nobody else's."""

    def __init__(
        self,
        stream: NoticeStream,
        receiver: Receiver,
        observer: NoticeObserver,
        now_unix_s: Clock,
    ) -> None:
        self._stream = stream
        self._receiver = receiver
        self._name = receiver.notification.name
        self._observer = observer
        self._now_unix_s = now_unix_s
        self._in_hand: dict[bytes, asyncio.Task[None]] = {}

    async def take(self, group: asyncio.TaskGroup) -> None:
        """Begin to deliver what Redis has, as far as there is room."""
        room = MAX_IN_HAND - len(self._in_hand)
        if room <= 0:
            return
        try:
            entries = await self._stream.take(self._name, room)
        except StoreUnavailable:
            return
        for entry in entries:
            if entry.id not in self._in_hand and not self._is_for_others(entry):
                task = group.create_task(self._deliver(entry), name="deliver a notice")
                self._in_hand[entry.id] = task

    async def keep(self) -> None:
        """Say that what is in hand still is."""
        if self._in_hand:
            with suppress(StoreUnavailable):
                await self._stream.keep(self._name, list(self._in_hand))

    async def close(self) -> None:
        """Leave to others what is in hand."""
        if self._in_hand:
            with suppress(StoreUnavailable):
                await self._stream.release(self._name, list(self._in_hand))
        await self._receiver.close()

    def _is_for_others(self, entry: Entry) -> bool:
        """Whether a newer replica may be able to read what this one cannot."""
        is_old = self._now_unix_s() - entry.at_unix_s > LONGEST_RETRY_S
        return entry.notice is None and not is_old

    async def _deliver(self, entry: Entry) -> None:
        if entry.notice is None:
            self._give_up(entry, "it cannot be read")
        else:
            await self._attempt(entry, entry.notice)
        await self._forget(entry)
        del self._in_hand[entry.id]

    async def _attempt(self, entry: Entry, notice: Notice) -> None:
        pause_s = FIRST_PAUSE_S
        until_unix_s = notice.at_unix_s + self._receiver.notification.retry_s
        while True:
            try:
                await self._receiver.send(notice)
            except Undelivered as error:
                reason = str(error)
            except Exception as error:  # noqa: BLE001 - one delivery fails, not all of them
                reason = f"the gateway failed unexpectedly ({type(error).__name__})"
            else:
                self._observer.delivered(self._name)
                return
            if self._now_unix_s() + pause_s > until_unix_s:
                self._give_up(entry, reason)
                return
            self._observer.delivery_failed(self._name)
            if pause_s == FIRST_PAUSE_S:
                _tell("a notification is not delivered yet", entry, reason)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _give_up(self, entry: Entry, reason: str) -> None:
        self._observer.notice_dropped(self._name)
        _tell("a notification was dropped", entry, reason)

    async def _forget(self, entry: Entry) -> None:
        while True:
            try:
                await self._stream.done(entry)
            except StoreUnavailable:
                await asyncio.sleep(POLL_S)
            else:
                return


def _tell(what: str, entry: Entry, reason: str) -> None:
    notice_id = entry.notice.id if entry.notice else ""
    keys = {"notification": entry.to, "notice": notice_id, "reason": reason}
    _log.warning(what, extra=keys)
