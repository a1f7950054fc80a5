"""What a test of survival needs: replicas that can be killed, and an upstream that numbers answers.

The upstream answers ``{"n": N, "value": V}``: N counts the questions of one run, so that a document
tells which answers were recorded; V is what the run's kind says, the same for every question, so
that the run's phase is known whatever is asked twice after a crash.
"""

import asyncio
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
from aiohttp import web

ROOT: Final = Path(__file__).parents[1]
VALUES: Final[Mapping[str, float | None]] = {
    "Successful": 1.0,
    "Failed": 0.0,
    "Inconclusive": 0.5,
    "Error": None,
}
"""What the upstream answers for a run that is to end in this phase; None is a 500."""


@dataclass
class Upstream:
    """Answers every run according to its kind."""

    url: str = ""
    asked: Counter[str] = field(default_factory=Counter)
    asked_at_s: dict[str, list[float]] = field(default_factory=dict)

    async def answer(self, request: web.Request) -> web.Response:
        """The next numbered answer of ``/{phase}/{run}``."""
        name = request.match_info["run"]
        self.asked[name] += 1
        self.asked_at_s.setdefault(name, []).append(time.monotonic())
        value = VALUES[request.match_info["phase"]]
        if value is None:
            return web.Response(status=500)
        return web.json_response({"n": self.asked[name], "value": value})


@asynccontextmanager
async def upstream() -> AsyncIterator[Upstream]:
    """A running upstream."""
    running = Upstream()
    app = web.Application()
    app.router.add_get("/{phase}/{run}", running.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    running.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield running
    finally:
        await runner.cleanup()


class Replica:
    """One gateway as a process of its own."""

    def __init__(self, redis_url: str, folder: Path, *options: str, tree: Path = ROOT) -> None:
        with socket.socket() as place:
            place.bind(("127.0.0.1", 0))
            self.port = place.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = folder / f"replica-{self.port}.log"
        self._command = [sys.executable, "-m", "gateway", "serve", "--redis", redis_url]
        self._command += ["--port", str(self.port), "--state", str(folder), *options]
        self._tree = tree
        self._process: subprocess.Popen[bytes] | None = None
        self.kills = 0

    async def start(self) -> None:
        """Start it and wait until it listens."""
        self._launch()
        async with asyncio.timeout(30):
            while not self._listens():  # noqa: ASYNC110 # another process has no event
                await asyncio.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL: nothing of it is left but what is in Redis."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None
            self.kills += 1

    @property
    def log(self) -> str:
        """All that it has said."""
        return self._log.read_text()

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def _launch(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, cwd=self._tree, stdout=log, stderr=log)

    def _listens(self) -> bool:
        assert self.is_alive, self._log.read_text()[-2000:]
        with socket.socket() as line:
            return line.connect_ex(("127.0.0.1", self.port)) == 0


@asynccontextmanager
async def replicas(
    count: int, redis_url: str, folder: Path, *options: str
) -> AsyncIterator[list[Replica]]:
    """So many replicas on one Redis."""
    running = [Replica(redis_url, folder, *options) for _ in range(count)]
    try:
        await asyncio.gather(*(each.start() for each in running))
        yield running
    finally:
        for each in running:
            each.kill()


class Caller:
    """Asks whichever replica answers, again until one does."""

    def __init__(self, session: aiohttp.ClientSession, running: list[Replica]) -> None:
        self._session = session
        self._running = running

    async def ask(self, method: str, path: str, **options: Any) -> Any:
        """The JSON of the first answer that is no 503."""
        async with asyncio.timeout(60):
            while True:
                replica = random.choice(self._running)  # no secret
                try:
                    async with self._session.request(
                        method, replica.url + path, **options
                    ) as response:
                        body = await response.json(content_type=None)
                        if response.status != 503:
                            assert response.status < 400, body
                            return body
                except (aiohttp.ClientError, TimeoutError):
                    pass
                await asyncio.sleep(0.2)


def analysis_run(
    url: str, phase: str, name: str, *, interval_s: float, count: int
) -> dict[str, Any]:
    """A run that ends in ``phase`` after all that its limits allow, or after ``count``."""
    metric = {
        "name": "m",
        "interval": f"{interval_s:g}s",
        "count": count,
        "failureLimit": 2,
        "inconclusiveLimit": 2,
        "successCondition": "result.value > 0.9",
        "failureCondition": "result.value < 0.1",
        "provider": {"web": {"url": f"{url}/{phase}/{name}", "timeoutSeconds": 5}},
    }
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisRun",
        "metadata": {"name": name, "labels": {"kind": phase}},
        "spec": {
            "metrics": [metric],
            "measurementRetention": [{"metricName": "m", "limit": 100}],
        },
    }
