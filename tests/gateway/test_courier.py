"""Deliveries that a replica leaves to others, and those that nobody can make."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
from backends import Backend, backend
from redis_server import Counted, RedisServer
from running import until

from gateway import courier
from gateway.courier import Courier
from gateway.model import Phase
from gateway.notice_stream import GROUP, RECEIVERS, STREAM, NoticeStream
from gateway.notices import RUN_ENDED, Notice, packed
from gateway.notification_settings import Notification
from gateway.receivers import Receiver
from gateway.references import References
from gateway.secret_files import SecretsFolder
from gateway.store import Store

NOTICE = Notice(
    id="run-1",
    type=RUN_ENDED,
    at_unix_s=time.time(),
    namespace="shop",
    templates=(),
    label="t",
    phase=Phase.FAILED,
    reason="r",
)
NEWER = orjson.dumps({**orjson.loads(packed(NOTICE)), "phase": "Postponed"}).decode()


class Outcomes:
    """Remembers what was counted."""

    def __init__(self) -> None:
        self.counted = Counter[tuple[str, str]]()

    def delivered(self, notification: str) -> None:
        """A receiver has taken a notice."""
        self.counted["delivered", notification] += 1

    def delivery_failed(self, notification: str) -> None:
        """An attempt failed."""
        self.counted["failed", notification] += 1

    def notice_dropped(self, notification: str) -> None:
        """A notice that nobody gets."""
        self.counted["dropped", notification] += 1


@asynccontextmanager
async def delivering(redis: RedisServer, hook: Backend) -> AsyncIterator[Outcomes]:
    """A courier to one receiver, ``a``."""
    store, outcomes = Store(redis.url, Counted()), Outcomes()
    told = Notification.model_validate({"name": "a", "url": hook.url})
    receiver = Receiver(told, References(SecretsFolder(None), "own"), time.time)
    stream = NoticeStream(store, "me", receivers=1)
    serving = asyncio.create_task(
        Courier(stream, [receiver], outcomes, time.time, asyncio.Event()).serve()
    )
    yield outcomes
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    await store.close()


async def test_what_only_a_newer_replica_can_read_is_left_to_it(redis_server: RedisServer) -> None:
    """A day long; what is older is dropped, and what is behind it delivered."""
    notice = packed(NOTICE).decode()
    redis_server.cli("xadd", f"{STREAM}a", "1-0", "was", "", "notice", NEWER)
    redis_server.cli("xadd", f"{STREAM}a", "*", "was", "", "notice", NEWER)
    redis_server.cli("xadd", f"{STREAM}a", "*", "was", "", "notice", notice)
    async with backend() as hook, delivering(redis_server, hook) as outcomes:
        await until(lambda: outcomes.counted.total() == 2)
        await until(lambda: redis_server.cli("xlen", f"{STREAM}a").strip() == "1")
        pending = redis_server.cli("xpending", f"{STREAM}a", GROUP)
    assert outcomes.counted == {("dropped", "a"): 1, ("delivered", "a"): 1}
    assert len(hook.requests) == 1
    assert pending.split()[0] == "1"
    assert "Postponed" in redis_server.cli("xrange", f"{STREAM}a", "-", "+")


async def test_what_nobody_is_told_any_more_is_counted(redis_server: RedisServer) -> None:
    """Not what a receiver that only newer replicas know is still to get."""
    for name, entry_id in (("gone", "1-0"), ("newer", "*")):
        redis_server.cli("sadd", RECEIVERS, name)
        redis_server.cli("xadd", STREAM + name, entry_id, "was", "", "notice", NEWER)
    async with backend() as hook, delivering(redis_server, hook) as outcomes:
        await until(lambda: outcomes.counted.total() == 1)
    assert outcomes.counted == {("dropped", courier.UNKNOWN): 1}
    assert redis_server.cli("xlen", f"{STREAM}newer").strip() == "1"
