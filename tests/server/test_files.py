"""The limit of open files, which ends what the settings allow."""

import asyncio
import os
import resource
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from hall import hall
from raw_http import caller
from running import until
from yarl import URL

from gateway import doors
from gateway.api import listener


@contextmanager
def open_files(most: int) -> Iterator[None]:
    """No file gets a number from here on."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def no_files_left() -> Iterator[None]:
    """Every number below the limit is taken."""
    with ExitStack() as stack, socket.socket() as last:
        stack.enter_context(open_files(last.fileno() + 1))
        while True:
            try:
                stack.callback(os.close, os.dup(last.fileno()))
            except OSError:
                break
        yield


async def test_who_comes_waits_until_there_are_files(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The log tells of it, a few times; nobody is turned away."""
    monkeypatch.setattr(listener, "PAUSE_S", 0.05)
    async with hall() as served:
        port = URL(served.url).port
        with socket.create_connection(("127.0.0.1", port)) as waiting:
            with no_files_left():
                await until(lambda: "cannot take more connections" in caplog.text)
                await asyncio.sleep(0.2)
            assert len(caplog.records) < 10
            waiting.settimeout(0)
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(waiting, b"GET /quick HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await loop.sock_recv(waiting, 12)) == b"HTTP/1.1 200"


async def test_the_limit_is_raised() -> None:
    """As far as it is needed, for this process."""
    with open_files(1000):
        async with hall(limits={"connections": 2000}) as served, caller(served.url) as good:
            soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
            assert soft == 2000 + doors.RESERVED_FILES
            assert (await good.asks("/quick")).status == 200


async def test_some_files_are_left_for_others(tmp_path: Path) -> None:
    """Where the limit cannot be raised fewer are let in, and the log tells of it."""
    command = f"ulimit -n 600; exec {sys.executable} -m gateway serve --port 0 --state {tmp_path}"
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", command, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    told = b""
    while b"listening" not in told:
        told = told + await process.stderr.readline()
    process.send_signal(signal.SIGINT)
    await process.communicate()
    assert b"limits.connections is more than the limit of open files allows" in told
    assert f"connections={600 - doors.RESERVED_FILES} open_files=600".encode() in told
