"""Workers of runs as processes that are killed or stopped, and a Redis that goes away."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis_server import RedisServer, StartRedis, wait_until

from gateway.runs.queue import RunQueue
from gateway.storage.client import Patience, connect

PROGRAM = Path(__file__).with_name("worker_process.py")
ROOT = Path(__file__).parents[2]
PATIENCE = Patience(socket_timeout_s=10, max_connections=32, retries=1)
FAR_S = 600.0
AOF = ("--appendonly", "yes", "--appendfsync", "always")


@dataclass(frozen=True, slots=True)
class Noted:
    """What one process did, and when."""

    what: str
    run_id: str
    at_unix_s: float


class Replica:
    """A process that drives runs."""

    def __init__(self, server: RedisServer, folder: Path, step_s: float, interval_s: float) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            [
                *(sys.executable, str(PROGRAM), server.url.reveal(), str(folder)),
                *(str(step_s), str(interval_s)),
            ],
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
        )

    def send(self, number: signal.Signals) -> None:
        """End it, politely or not, and wait for its end."""
        self._process.send_signal(number)
        self._process.wait(10)

    @property
    def noted(self) -> list[Noted]:
        """Its steps so far."""
        path = self._folder / f"steps-{self._process.pid}"
        lines = path.read_text().splitlines() if path.exists() else []
        words = [line.split() for line in lines]
        return [Noted(what, run_id, float(at)) for what, run_id, at in words]

    @property
    def log(self) -> list[str]:
        """What it had to say."""
        return (self._folder / f"log-{self._process.pid}").read_text().splitlines()

    @property
    def cpu_s(self) -> float:
        """Its processor seconds so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def count(self, what: str) -> int:
        """How many steps began, or ended."""
        return sum(note.what == what for note in self.noted)


Start = Callable[..., Replica]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start replicas; they end with the test."""
    replicas: list[Replica] = []

    def start(server: RedisServer, *, step_s: float, interval_s: float) -> Replica:
        replicas.append(Replica(server, tmp_path, step_s, interval_s))
        return replicas[-1]

    yield start
    for replica in replicas:
        replica.send(signal.SIGKILL)


@pytest.fixture
def server(start_redis: StartRedis) -> RedisServer:
    """A Redis that forgets nothing."""
    return start_redis(*AOF)


@pytest.fixture
async def queue(server: RedisServer) -> AsyncIterator[RunQueue]:
    """Who puts runs."""
    client = connect(server.url, PATIENCE)
    yield RunQueue(client.commands)
    await client.close()


async def put(queue: RunQueue, count: int) -> list[str]:
    """So many runs, all due."""
    runs = [f"run-{number}" for number in range(count)]
    await asyncio.gather(*(queue.put(run_id) for run_id in runs))
    return runs


async def test_the_runs_of_a_killed_replica_go_on_within_ten_seconds(
    server: RedisServer, queue: RunQueue, start: Start
) -> None:
    """All 250 that it had in hand, each once."""
    runs = await put(queue, 250)
    killed = start(server, step_s=FAR_S, interval_s=FAR_S)
    wait_until(lambda: killed.count("began") == 250)
    other = start(server, step_s=FAR_S, interval_s=FAR_S)
    killed_unix_s = time.time()
    killed.send(signal.SIGKILL)
    wait_until(lambda: other.count("began") == 250, within_s=15)
    assert sorted(note.run_id for note in other.noted) == sorted(runs)
    assert max(note.at_unix_s for note in other.noted) - killed_unix_s < 10


async def test_the_runs_of_a_stopped_replica_go_on_at_once(
    server: RedisServer, queue: RunQueue, start: Start
) -> None:
    """Its grace of half a second is all that they wait."""
    runs = await put(queue, 100)
    stopped = start(server, step_s=FAR_S, interval_s=FAR_S)
    wait_until(lambda: stopped.count("began") == 100)
    other = start(server, step_s=FAR_S, interval_s=FAR_S)
    wait_until(lambda: server.cli("zcard", f"saq:{queue.name}:workers") == "2\n")
    stopped_unix_s = time.time()
    stopped.send(signal.SIGTERM)
    wait_until(lambda: other.count("began") == 100)
    assert sorted(note.run_id for note in other.noted) == sorted(runs)
    assert max(note.at_unix_s for note in other.noted) - stopped_unix_s < 2


async def test_a_frozen_redis_is_waited_out(
    server: RedisServer, queue: RunQueue, start: Start
) -> None:
    """For longer than a lease: nobody loses what it has in hand, and nothing spins or chatters."""
    await put(queue, 100)
    replicas = [start(server, step_s=10.5, interval_s=0.1) for _ in range(2)]
    wait_until(lambda: sum(replica.count("began") for replica in replicas) == 100)
    wait_until(lambda: server.cli("zcard", f"saq:{queue.name}:workers") == "2\n")
    cpu_s = sum(replica.cpu_s for replica in replicas)
    server.freeze()
    await asyncio.sleep(8.5)
    server.thaw()
    cpu_s = sum(replica.cpu_s for replica in replicas) - cpu_s
    thawed_unix_s = time.time()
    wait_until(lambda: sum(replica.count("began") for replica in replicas) == 200)
    noted = [note for replica in replicas for note in replica.noted]
    assert set(_most_at_once(noted).values()) == {1}
    assert max(note.at_unix_s for note in noted) - thawed_unix_s < 5
    assert cpu_s < 0.5
    for replica in replicas:
        said = [line.rpartition(":")[2] for line in replica.log]
        assert said == ["runs wait for Redis", "runs go on"]


async def test_a_redis_that_is_killed_and_comes_back_has_lost_no_run(
    server: RedisServer, queue: RunQueue, start: Start
) -> None:
    """Whatever was in hand or on its way, every run goes on, in one replica at a time."""
    await put(queue, 100)
    replicas = [start(server, step_s=0.05, interval_s=0.1) for _ in range(2)]
    wait_until(lambda: sum(replica.count("ended") for replica in replicas) > 500)
    server.kill()
    await asyncio.sleep(1)
    cpu_s = sum(replica.cpu_s for replica in replicas)
    await asyncio.sleep(2)
    assert sum(replica.cpu_s for replica in replicas) - cpu_s < 0.2
    server.start()
    back_unix_s = time.time()
    wait_until(lambda: len(_driven_since(replicas, back_unix_s + 1)) == 100)
    noted = [note for replica in replicas for note in replica.noted]
    assert set(_most_at_once(noted).values()) == {1}
    assert int(server.cli("zcard", f"saq:{queue.name}:incomplete")) == 100


def _driven_since(replicas: list[Replica], unix_s: float) -> set[str]:
    noted = [note for replica in replicas for note in replica.noted]
    return {note.run_id for note in noted if note.at_unix_s > unix_s}


def _most_at_once(noted: list[Noted]) -> Counter[str]:
    now: Counter[str] = Counter()
    most: Counter[str] = Counter()
    for note in sorted(noted, key=lambda note: note.at_unix_s):
        now[note.run_id] += 1 if note.what == "began" else -1
        most[note.run_id] = max(most[note.run_id], now[note.run_id])
    return most
