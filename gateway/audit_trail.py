"""The audit's two ways out: a log line at once, and a capped Redis stream that replicas share.

Nobody waits for the stream. What Redis does not take is kept for it, up to a bound; the log has it
in any case.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from redis.asyncio import Redis

from gateway.audit import Entry
from gateway.errors import StoreUnavailable
from gateway.storage.store import Store

STREAM: Final = "analysis-gateway:audit"
PAUSE_S: Final = 0.25
"""Between two batches, so that callers who poll cost the stream little."""
MAX_BATCH: Final = 100
MAX_WAITING: Final = 2_000
"""Entries that wait for Redis; then the oldest give way."""
MAX_WAITING_WITH_REPEATS: Final = 200
"""Entries that wait when verdicts that repeat kept readings are no longer taken."""
_PAGE: Final = 200
_MAX_PAGES: Final = 25
_FIELD: Final = b"entry"
_log: Final = logging.getLogger("gateway.audit")
_own_log: Final = logging.getLogger(__name__)
Wanted = Callable[[Mapping[str, Any]], bool]


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, newest first, and where to go on; None at the end."""

    entries: tuple[Mapping[str, Any], ...]
    cursor: str | None


class Trail:
    """Keeps entries."""

    def __init__(self, store: Store, *, max_entries: int) -> None:
        self._store = store
        self._max_entries = max_entries
        self._waiting: deque[Entry] = deque()
        self._lost = 0
        self._is_wanted = asyncio.Event()

    @property
    def has_stream(self) -> bool:
        """Whether anything is kept beside the log."""
        return self._max_entries > 0

    def note(self, entry: Entry) -> None:
        """Tell the log now, and the stream soon."""
        _log.info("audit", extra=entry.document())
        # Who has no credential must not be able to push out what others did.
        if not self.has_stream or not entry.caller:
            return
        if entry.is_repeat and len(self._waiting) >= MAX_WAITING_WITH_REPEATS:
            return
        if len(self._waiting) >= MAX_WAITING:
            self._waiting.popleft()
            self._lost += 1
        self._waiting.append(entry)
        self._is_wanted.set()

    async def serve(self) -> None:
        """Write to the stream until cancelled."""
        while True:
            await self._is_wanted.wait()
            await self.flush()
            await asyncio.sleep(PAUSE_S)

    async def flush(self) -> None:
        """Write one batch; what Redis does not take waits on."""
        batch = [self._waiting.popleft() for _ in range(min(MAX_BATCH, len(self._waiting)))]
        if batch:
            texts = [orjson.dumps(each.document()) for each in batch]
            try:
                await self._store.call(lambda redis: self._add(redis, texts))
            except (StoreUnavailable, asyncio.CancelledError) as error:
                # A call that was late may have been obeyed: then these are there twice.
                self._waiting.extendleft(reversed(batch))
                if isinstance(error, StoreUnavailable):
                    return
                raise
        if self._lost:
            _own_log.warning("entries are missing in the audit stream", extra={"lost": self._lost})
            self._lost = 0
        if not self._waiting:
            self._is_wanted.clear()

    async def read(
        self, wanted: Wanted, *, limit: int, cursor: str | None, since_unix_s: float | None
    ) -> Page:
        """The newest wanted entries, older than the cursor, not older than ``since_unix_s``.

        Where few are wanted of very many, a page may have fewer than ``limit`` and still a cursor.

        Raises:
            StoreUnavailable: Redis does not say.

        """
        newest = "+" if cursor is None else f"({cursor}"
        oldest = "-" if since_unix_s is None else f"{max(0, int(since_unix_s * 1000))}"
        found: list[Mapping[str, Any]] = []
        last: str | None = None
        for _ in range(_MAX_PAGES):
            rows = await self._rows(newest, oldest)
            for row_id, text in rows:
                last = row_id
                entry = orjson.loads(text)
                if wanted(entry):
                    found.append(entry)
                    if len(found) == limit:
                        return Page(tuple(found), last)
            if len(rows) < _PAGE:
                return Page(tuple(found), None)
            newest = f"({last}"
        return Page(tuple(found), last)

    async def _rows(self, newest: str, oldest: str) -> list[tuple[str, bytes]]:
        rows: Any = await self._store.call(
            lambda redis: redis.xrevrange(STREAM, newest, oldest, count=_PAGE)
        )
        return [(row_id.decode(), fields[_FIELD]) for row_id, fields in rows]

    async def _add(self, redis: Redis, texts: list[bytes]) -> None:
        pipe = redis.pipeline(transaction=False)
        for text in texts:
            pipe.xadd(STREAM, {_FIELD: text}, maxlen=self._max_entries, approximate=True)
        await pipe.execute()
