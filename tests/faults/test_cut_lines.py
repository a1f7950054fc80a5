"""A slow line to Redis on which callers lose their patience."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis_server import RedisServer, replica_of, until

from gateway.errors import StoreUnavailable
from gateway.model import Reading, ResultType
from gateway.readings import Freshness
from gateway.secrets import Secret
from gateway.storage import store as store_module


class SlowLine:
    """A proxy that holds back each piece of an answer, and cuts some in half."""

    def __init__(self, to: Path, *, cuts: set[int]) -> None:
        self._to = to
        self._cuts = cuts
        self._dice = random.Random(7)
        self._pieces = 0
        self.cut = 0
        """How many answers were cut so far."""
        self._served: list[asyncio.Task[None]] = []

    @asynccontextmanager
    async def listening(self, path: Path) -> AsyncIterator[Secret]:
        """Serve until left; gives the URL."""
        async with await asyncio.start_unix_server(self._serve, str(path)):
            yield Secret(f"unix://{path}")
        await asyncio.gather(*self._served)

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._served.append(asyncio.create_task(self._join(reader, writer)))

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_redis, to_redis = await asyncio.open_unix_connection(str(self._to))
        await asyncio.gather(self._up(reader, to_redis), self._down(from_redis, writer))

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError), contextlib.closing(writer):
            while data := await reader.read(65536):
                writer.write(data)

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError), contextlib.closing(writer):
            while data := await reader.read(65536):
                await asyncio.sleep(self._dice.random() / 100)
                self._pieces += 1
                if self._pieces in self._cuts:
                    self.cut += 1
                    writer.write(data[: len(data) // 2])
                    break
                writer.write(data)


@pytest.mark.alone
async def test_no_caller_gets_the_answer_to_another_question(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls are cancelled at all times and lines are cut; whoever is answered, is so rightly."""
    monkeypatch.setattr(store_module, "LONGEST_PAUSE_S", 0.1)
    dice = random.Random(8)
    line = SlowLine(redis_server.socket, cuts={*range(50, 60), *range(150, 160)})
    outcomes: Counter[str] = Counter()
    async with (
        line.listening(redis_server.folder / "slow") as url,
        replica_of(url) as replica,
    ):

        async def ask(number: int) -> None:
            text = f"question-{number % 7}".encode()
            try:
                async with asyncio.timeout(dice.random() * 0.03):
                    answer = await replica.store.call(lambda redis: redis.echo(text))
            except (TimeoutError, StoreUnavailable):
                outcomes["left"] += 1
            else:
                outcomes["right" if answer == text else "wrong"] += 1

        for _ in range(40):
            await until(lambda: replica.store.state.is_up)
            await asyncio.gather(*(ask(number) for number in range(20)))
    assert outcomes["wrong"] == 0
    assert min(outcomes["right"], outcomes["left"], line.cut) > 5


async def test_a_reading_of_another_question_is_not_believed(redis_server: RedisServer) -> None:
    """A value says which question it answers; one in the wrong place is a miss and goes."""

    async def measure() -> Reading:
        return Reading(0.5, ResultType.FLOAT, "0.5")

    freshness = Freshness(5, is_explicit=False)
    async with replica_of(redis_server.url) as first, replica_of(redis_server.url) as second:
        await first.readings.read("one", freshness, measure)
        await first.readings.drain(1)
        redis_server.cli(
            "copy", "analysis-gateway:1:{one}:reading", "analysis-gateway:1:{two}:reading"
        )
        answer = await second.readings.read("two", freshness, measure)
        assert answer.cache == "miss"
        assert second.counted.faults == ["unreadable"]
