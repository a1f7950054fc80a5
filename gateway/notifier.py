"""Who is to be told what: out of the way of verdicts and runs, to Redis, and nothing lost unseen.

a verdict or a run comes to something     a place in a queue, or a count of what had none
the queue                                 Redis: is it news? then one entry for each receiver
Redis                                     whoever delivers (``gateway/courier.py``)
"""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import uuid4

from gateway.errors import StoreUnavailable
from gateway.model import Phase
from gateway.newest import remember
from gateway.notice_stream import NoticeStream
from gateway.notices import (
    VERDICT_CHANGED,
    Notice,
    NoticeUnwritable,
    is_about,
    is_wanted,
    question_of,
)
from gateway.notification_settings import Notification
from gateway.planned import Planned
from gateway.verdict import Verdict

MAX_WAITING: Final = 2_000
"""Notices that wait for Redis; what comes then is dropped, and counted."""
QUIET_S: Final = 1.0
"""For so long the same phase of the same question is not even asked about."""
_MAX_SEEN: Final = 10_000
_PAUSE_S: Final = 0.5
_log: Final = logging.getLogger(__name__)


class NoticeObserver(Protocol):
    """Who counts."""

    def delivered(self, notification: str) -> None:
        """A receiver has taken a notice."""

    def delivery_failed(self, notification: str) -> None:
        """An attempt at it failed; there will be another."""

    def notice_dropped(self, notification: str) -> None:
        """A receiver will never get a notice."""


class Notifies(Protocol):
    """Who tells others."""

    def verdict_given(self, verdict: Verdict, planned: Planned) -> None:
        """A verdict was given, which may be another than before."""

    def run_ended(self, notice: Notice) -> None:
        """A run has ended."""


class NobodyToTell:
    """Implements ``Notifies`` where nobody wants to know."""

    def verdict_given(self, verdict: Verdict, planned: Planned) -> None:
        """Nothing happens."""

    def run_ended(self, notice: Notice) -> None:
        """Nothing happens."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    notice: Notice
    question: str
    """Of a verdict; empty for a run."""
    receivers: tuple[str, ...]
    since_s: float
    """By the loop: clocks of replicas differ, and can be set."""


class Notifier:
    """Implements ``Notifies``."""

    def __init__(
        self,
        notifications: Sequence[Notification],
        stream: NoticeStream,
        observer: NoticeObserver,
    ) -> None:
        self._notifications = notifications
        self._stream = stream
        self._observer = observer
        self._waiting: deque[_Waiting] = deque()
        self._seen: OrderedDict[str, tuple[Phase, float]] = OrderedDict()
        self._is_wanted = asyncio.Event()
        self.has_news = asyncio.Event()
        """Whether Redis got something to deliver."""

    def verdict_given(self, verdict: Verdict, planned: Planned) -> None:
        """A verdict was given, which may be another than before."""
        if not verdict.phase.is_completed:
            return
        notice = Notice(
            id=str(uuid4()),
            type=VERDICT_CHANGED,
            at_unix_s=verdict.finished_at_unix_s,
            namespace=verdict.namespace,
            templates=verdict.templates,
            label=planned.label,
            phase=verdict.phase,
            reason=verdict.reason,
            arguments=planned.arguments,
        )
        # Also who does not want this phase has to know it, to know of the next change.
        if not any(is_about(each, notice) for each in self._notifications):
            return
        question = question_of(planned.namespace, planned.origins, planned.arguments)
        if not self._is_quiet(question, notice):
            self._put(notice, question)

    def run_ended(self, notice: Notice) -> None:
        """A run has ended."""
        if any(is_wanted(each, notice) for each in self._notifications):
            self._put(notice, "")

    async def serve(self) -> None:
        """Take what waits to Redis until cancelled."""
        while True:
            await self._is_wanted.wait()
            if not await self.flush():
                await asyncio.sleep(_PAUSE_S)

    async def flush(self) -> bool:
        """Take all that waits to Redis; whether it took it."""
        while self._waiting:
            first = self._waiting[0]
            try:
                await self._tell(first)
            except StoreUnavailable:
                return False
            except NoticeUnwritable as error:
                self._drop(first.receivers, first.notice, str(error))
            except Exception as error:  # noqa: BLE001 - one notice is dropped, not all of them
                reason = f"the gateway failed unexpectedly ({type(error).__name__})"
                self._drop(first.receivers, first.notice, reason)
            self._waiting.popleft()
        self._is_wanted.clear()
        return True

    async def close(self) -> None:
        """Take what still waits to Redis; what it does not take now, nobody gets."""
        if await self.flush():
            return
        while self._waiting:
            left = self._waiting.popleft()
            self._drop(left.receivers, left.notice, "the gateway ended while Redis was away")

    def _is_quiet(self, question: str, notice: Notice) -> bool:
        seen = self._seen.get(question)
        if seen is not None:
            phase, at_unix_s = seen
            if phase is notice.phase and 0 <= notice.at_unix_s - at_unix_s < QUIET_S:
                return True
        remember(self._seen, question, (notice.phase, notice.at_unix_s), at_most=_MAX_SEEN)
        return False

    def _put(self, notice: Notice, question: str) -> None:
        receivers = tuple(each.name for each in self._notifications if is_wanted(each, notice))
        if len(self._waiting) >= MAX_WAITING:
            self._drop(receivers, notice, "too many wait for Redis")
            return
        now_s = asyncio.get_running_loop().time()
        self._waiting.append(_Waiting(notice, question, receivers, now_s))
        self._is_wanted.set()

    async def _tell(self, waiting: _Waiting) -> None:
        notice, receivers = waiting.notice, waiting.receivers
        if waiting.question:
            age_s = asyncio.get_running_loop().time() - waiting.since_s
            full = await self._stream.change(notice, waiting.question, receivers, age_s=age_s)
        else:
            full = await self._stream.add(notice, receivers)
        if full is not None:
            self._drop(full, notice, "too many wait to be delivered")
            self.has_news.set()

    def _drop(self, receivers: Sequence[str], notice: Notice, reason: str) -> None:
        for name in receivers:
            self._observer.notice_dropped(name)
            _log.warning(
                "a notification was dropped",
                extra={"notification": name, "notice": notice.id, "reason": reason},
            )
