"""Real Redis servers for tests: private, on unix sockets or free ports, that can be hurt."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from gateway.memory import Memory
from gateway.readings import Readings
from gateway.secrets import Secret
from gateway.shared_readings import SharedReadings
from gateway.storage.store import Store


class Counted:
    """An observer that remembers what it was told."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.lookups: list[str] = []
        self.ups_and_downs: list[str] = []
        self.in_flight = 0
        self.flights = 0

    def store_failed(self, slug: str) -> None:
        """A call gave nothing."""
        self.faults.append(str(slug))

    def store_is_up(self) -> None:
        """Redis answers."""
        self.ups_and_downs.append("up")

    def store_is_down(self) -> None:
        """Redis does not answer."""
        self.ups_and_downs.append("down")

    def cache_lookup(self, state: str) -> None:
        """An answer was given."""
        self.lookups.append(str(state))

    def flight_started(self) -> None:
        """A measurement began."""
        self.in_flight += 1
        self.flights += 1

    def flight_finished(self) -> None:
        """A measurement ended."""
        self.in_flight -= 1


class RedisServer:
    """One redis-server process with its own folder."""

    def __init__(self, folder: Path, *options: str, port: int = 0) -> None:
        self.folder = folder
        self.port = port
        self.socket = folder / "s"
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> Secret:
        """Its unix socket as a URL."""
        return Secret(f"unix://{self.socket}")

    def start(self) -> None:
        """Start it, or start it again with what it kept, and wait until it listens."""
        command = ["redis-server", *self._options]
        if "--sentinel" not in self._options:
            command += ["--save", "", "--unixsocket", str(self.socket)]
        if "--tls-port" not in self._options:
            command += ["--port", str(self.port)]
        self._process = subprocess.Popen(
            [*command, "--dir", str(self.folder)],
            stdout=subprocess.DEVNULL,
        )
        wait_until(self._listens)

    def freeze(self) -> None:
        """Stop it from answering; connections stay open and new ones are accepted."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def cli(self, *words: str) -> str:
        """What redis-cli prints."""
        where = ["-p", str(self.port)] if self.port else ["-s", str(self.socket)]
        done = subprocess.run(
            ["redis-cli", *where, *words], capture_output=True, text=True, check=True
        )
        return done.stdout

    def _listens(self) -> bool:
        if self.port or "--tls-port" in self._options:
            port = self.port or int(self._options[self._options.index("--tls-port") + 1])
            with socket.socket() as line:
                return line.connect_ex(("127.0.0.1", port)) == 0
        with socket.socket(socket.AF_UNIX) as line:
            return line.connect_ex(str(self.socket)) == 0


StartRedis = Callable[..., RedisServer]


@pytest.fixture
def start_redis() -> Iterator[StartRedis]:
    """Start Redis servers; they end with the test."""
    servers: list[RedisServer] = []
    # Not pytest's folder: a socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="redis-"))

    def start(*options: str, port: int = 0) -> RedisServer:
        own = folder / str(len(servers))
        own.mkdir()
        server = RedisServer(own, *options, port=port)
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.kill()
    shutil.rmtree(folder)


@pytest.fixture
def redis_server(start_redis: StartRedis) -> RedisServer:
    """One Redis server on a unix socket."""
    return start_redis()


@pytest.fixture
def cluster(start_redis: StartRedis) -> list[RedisServer]:
    """Three masters that share the slots."""
    ports = free_ports(3)
    options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "1000")
    nodes = [start_redis(*options, port=port) for port in ports]
    for node, slots in zip(nodes, ("0 5460", "5461 10922", "10923 16383"), strict=True):
        node.cli("cluster", "addslotsrange", *slots.split())
        node.cli("cluster", "set-config-epoch", str(nodes.index(node) + 1))
        node.cli("cluster", "meet", "127.0.0.1", str(ports[0]))

    def agrees(node: RedisServer) -> Callable[[], bool]:
        return lambda: "cluster_state:ok" in node.cli("cluster", "info")

    for node in nodes:
        wait_until(agrees(node), within_s=15)
    return nodes


@pytest.fixture
def sentinels(start_redis: StartRedis, tmp_path: Path) -> tuple[Secret, RedisServer]:
    """The URL of a master with one replica, watched by one sentinel; and the master."""
    first, second, third = free_ports(3)
    login = ("--requirepass", "hunter2", "--masterauth", "hunter2")
    master = start_redis(*login, "--repl-diskless-sync-delay", "0", port=first)
    start_redis(*login, "--replicaof", "127.0.0.1", str(first), port=second)
    # Sentinels look for replicas every 10 seconds only: this one is to find it at once.
    wait_until(lambda: "state=online" in master.cli("-a", "hunter2", "info", "replication"))
    settings = tmp_path / "sentinel.conf"
    settings.write_text(
        f"sentinel monitor main 127.0.0.1 {first} 1\n"
        "sentinel auth-pass main hunter2\n"
        "sentinel down-after-milliseconds main 1000\n"
        "sentinel failover-timeout main 2000\n"
    )
    sentinel = start_redis(str(settings), "--sentinel", port=third)
    wait_until(lambda: "ip" in sentinel.cli("sentinel", "replicas", "main"))
    # The first address leads nowhere: clients try the next.
    url = f"redis+sentinel://:hunter2@127.0.0.1:1,127.0.0.1:{third}/main/0"
    return Secret(url), master


class Replica:
    """One gateway's store and readings."""

    def __init__(self, url: Secret) -> None:
        self.counted = Counted()
        self.store = Store(url, self.counted)
        self.readings = Readings(
            memory=Memory(max_entries=1_000, max_bytes=10_000_000),
            shared=SharedReadings(self.store, retention_s=300),
            observer=self.counted,
        )


ReplicaOf = Callable[[Secret], AbstractAsyncContextManager[Replica]]


@asynccontextmanager
async def replica_of(url: Secret) -> AsyncIterator[Replica]:
    """A replica that is closed when left."""
    replica = Replica(url)
    try:
        yield replica
    finally:
        await replica.readings.drain(0)
        await replica.store.close()


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address that nobody uses, nor those 10,000 higher (cluster buses)."""
    ports: set[int] = set()
    while len(ports) < count:
        port = 20_000 + int.from_bytes(os.urandom(2)) % 12_000
        with contextlib.suppress(OSError), socket.socket() as line, socket.socket() as bus:
            line.bind(("127.0.0.1", port))
            bus.bind(("127.0.0.1", port + 10_000))
            ports.add(port)
    return sorted(ports)


def wait_until(happens: Callable[[], bool], *, within_s: float = 10.0) -> None:
    """Wait for another process."""
    deadline_s = time.monotonic() + within_s
    while not happens():
        assert time.monotonic() < deadline_s, "it did not happen"
        time.sleep(0.005)


async def until(happens: Callable[[], bool], *, within_s: float = 10.0) -> None:
    """Wait for something in this process."""
    for _ in range(int(within_s / 0.005)):
        if happens():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not happen")
