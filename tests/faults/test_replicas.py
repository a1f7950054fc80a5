"""Replicas that ask the same question at the same time, as processes that can be killed."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis_server import RedisServer, wait_until

PROGRAM = Path(__file__).with_name("replica_process.py")
ROOT = Path(__file__).parents[2]


class Replicas:
    """Processes that share one Redis."""

    def __init__(self, server: RedisServer, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self.processes: list[subprocess.Popen[str]] = []

    def start(self, count: int, *, askers: int, measure_s: float) -> None:
        """Start them; they wait."""
        for _ in range(count):
            words = [self._server.url.reveal(), str(self._folder), str(askers), str(measure_s)]
            self.processes.append(
                subprocess.Popen(
                    [sys.executable, str(PROGRAM), *words],
                    stdout=subprocess.PIPE,
                    text=True,
                    env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
                )
            )
        wait_until(lambda: len(list(self._folder.glob("ready-*"))) == count)

    def go(self) -> None:
        """Let them ask."""
        (self._folder / "go").touch()

    def measured_by(self) -> list[int]:
        """The process of each measurement so far."""
        return [int(path.name.split("-")[1]) for path in self._folder.glob("measured-*")]

    def answers(self) -> list[Counter[str]]:
        """How each process that ended well was answered."""
        told = [process.communicate(timeout=20)[0] for process in self.processes]
        return [Counter(json.loads(text)) for text in told if text]


@pytest.fixture
def replicas(redis_server: RedisServer, tmp_path: Path) -> Iterator[Replicas]:
    """Replicas that end with the test."""
    replicas = Replicas(redis_server, tmp_path)
    yield replicas
    for process in replicas.processes:
        process.kill()
        process.communicate()


def test_fifty_askers_at_each_of_three_replicas_make_one_measurement(replicas: Replicas) -> None:
    """One process measures; every other asker gets its reading."""
    replicas.start(3, askers=50, measure_s=0.3)
    replicas.go()
    answers = replicas.answers()
    assert len(replicas.measured_by()) == 1
    assert sum(answers, Counter()) == {"miss": 1, "coalesced": 149}


def test_a_replica_killed_while_it_measures_is_replaced(replicas: Replicas) -> None:
    """Its lease runs out, one of the others measures, and nobody is left without an answer."""
    replicas.start(3, askers=20, measure_s=0.5)
    replicas.go()
    wait_until(lambda: len(replicas.measured_by()) == 1)
    leader = replicas.measured_by()[0]
    os.kill(leader, signal.SIGKILL)
    answers = replicas.answers()
    measured_by = replicas.measured_by()
    assert sum(answers, Counter()) == {"miss": 1, "coalesced": 39}
    assert (len(measured_by), measured_by.count(leader)) == (2, 1)
