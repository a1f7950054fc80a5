"""What waits for Redis: nothing stops it, and nothing of it is lost unseen."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import NoReturn

import pytest
from redis_server import Counted, RedisServer

from gateway.config.notifications import Notification
from gateway.model import Phase
from gateway.notifications.notices import end_of_run
from gateway.notifications.notifier import Notifier
from gateway.notifications.stream import NoticeStream
from gateway.planned import Planned
from gateway.secrets import Redaction
from gateway.storage.store import Store
from gateway.verdict import Verdict

PLANNED = Planned(
    namespace="shop",
    label="t",
    templates=("t@sha256:1",),
    metrics=(),
    redaction=Redaction(()),
    origins=("AnalysisTemplate/t",),
)


class Outcomes:
    """Remembers what was counted."""

    def __init__(self) -> None:
        self.dropped = Counter[str]()

    def delivered(self, notification: str) -> None:
        """Nobody delivers here."""
        raise AssertionError(notification)

    def delivery_failed(self, notification: str) -> None:
        """Nobody delivers here."""
        raise AssertionError(notification)

    def notice_dropped(self, notification: str) -> None:
        """A notice that nobody gets."""
        self.dropped[notification] += 1


@pytest.fixture
async def store(redis_server: RedisServer) -> AsyncIterator[Store]:
    """A store that is up."""
    made = Store(redis_server.url, Counted())
    await made.start()
    yield made
    await made.close()


def verdict(reason: str) -> Verdict:
    """One that is told."""
    return Verdict(
        phase=Phase.FAILED,
        reason=reason,
        namespace="shop",
        templates=PLANNED.templates,
        started_at_unix_s=1_790_000_000.0,
        finished_at_unix_s=1_790_000_000.0,
        measurements=(),
    )


def tell_end(notifier: Notifier, run_id: str) -> None:
    """A run that is told of."""
    ended = end_of_run(
        run_id,
        at_unix_s=1_790_000_000.0,
        phase=Phase.FAILED,
        gate=Phase.FAILED,
        reason="r",
        namespace="shop",
        templates=(),
        label="t",
    )
    notifier.run_ended(ended)


def notifier_of(stream: NoticeStream, outcomes: Outcomes) -> Notifier:
    """One that tells two receivers."""
    told = [
        Notification.model_validate({"name": name, "url": "http://127.0.0.1:1/"})
        for name in ("a", "b")
    ]
    return Notifier(told, stream, outcomes)


class Faulty(NoticeStream):
    """A way to Redis with a fault in it."""

    async def change(self, *_args: object, **_more: object) -> NoReturn:
        """Verdicts do not get through."""
        raise RuntimeError


def reasons(caplog: pytest.LogCaptureFixture) -> set[str]:
    """Why notices were dropped, as the log says."""
    dropped = [each for each in caplog.records if each.message == "a notification was dropped"]
    return {vars(each)["reason"] for each in dropped}


async def test_what_cannot_be_written_stops_nothing(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """It is dropped, counted and logged, and what is behind it is told."""
    stream, outcomes = NoticeStream(store, "me", receivers=2), Outcomes()
    notifier = notifier_of(stream, outcomes)
    notifier.verdict_given(verdict("the upstream said \udcff"), PLANNED)
    tell_end(notifier, "r1")
    assert await notifier.flush()
    assert outcomes.dropped == {"a": 1, "b": 1}
    assert reasons(caplog) == {"its text holds one half of a surrogate pair"}
    (entry,) = await stream.take("a", 10)
    assert entry.notice is not None
    assert entry.notice.run == "r1"


async def test_a_fault_of_the_gateway_stops_nothing(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever it is."""
    stream, outcomes = Faulty(store, "me", receivers=2), Outcomes()
    notifier = notifier_of(stream, outcomes)
    notifier.verdict_given(verdict("r"), PLANNED)
    tell_end(notifier, "r1")
    assert await notifier.flush()
    assert outcomes.dropped == {"a": 1, "b": 1}
    assert reasons(caplog) == {"the gateway failed unexpectedly (RuntimeError)"}
    assert len(await stream.take("a", 10)) == 1


async def test_what_redis_does_not_take_at_the_end_is_counted(
    store: Store, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Once for each receiver."""
    stream, outcomes = NoticeStream(store, "me", receivers=2), Outcomes()
    notifier = notifier_of(stream, outcomes)
    redis_server.kill()
    for number in range(3):
        tell_end(notifier, f"r{number}")
    await notifier.close()
    assert outcomes.dropped == {"a": 3, "b": 3}
    assert reasons(caplog) == {"the gateway ended while Redis was away"}


async def test_what_redis_takes_at_the_end_is_not(store: Store) -> None:
    """Another replica delivers it."""
    stream, outcomes = NoticeStream(store, "me", receivers=2), Outcomes()
    notifier = notifier_of(stream, outcomes)
    tell_end(notifier, "r1")
    await notifier.close()
    assert outcomes.dropped == {}
    assert len(await stream.take("b", 10)) == 1
