"""The command line in tests: real processes, their output as it comes, real terminals."""

import asyncio
import contextlib
import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from running import template, web_metric

_TERMINAL = {"COLUMNS", "LINES", "TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR"}
"""What would tell a command of another terminal than its own."""


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int | None
    out: str
    err: str


async def command(*words: str, stdin: str = "") -> Done:
    """Run ``analysis-gateway`` to its end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", *words),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(stdin.encode())
    return Done(process.returncode, out.decode(), err.decode())


@asynccontextmanager
async def started(*words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """``analysis-gateway`` at work; killed if it is still there at the end."""
    # A shell that starts tests in the background has them, and what they start, ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", *words),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line_of(stream: asyncio.StreamReader | None, sought: str) -> None:
    """Return when a line has come with this text."""
    assert stream is not None
    async with asyncio.timeout(20):
        async for line in stream:
            if sought in line.decode():
                return
    pytest.fail(f"no line said {sought}")


async def the_rest(process: asyncio.subprocess.Process) -> Done:
    """How a command ends, and what it says from here on."""
    out, err = await asyncio.wait_for(process.communicate(), 20)
    return Done(process.returncode, out.decode(), err.decode())


async def asked(requests: list[Any]) -> None:
    """Return when somebody has asked the backend."""
    async with asyncio.timeout(20):
        while not requests:  # noqa: ASYNC110 - a list knows of no event
            await asyncio.sleep(0.01)


def color(url: str, **fields: Any) -> dict[str, Any]:
    """A metric that wants green."""
    return web_metric(url, 'result == "green"', name="color", **fields)


def analysis_run(*metrics: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """A manifest."""
    return {
        **template(*metrics, **spec),
        "kind": "AnalysisRun",
        "metadata": {"name": "checks", "namespace": "shop"},
    }


def written(path: Path, content: object) -> str:
    """A YAML file."""
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return str(path)


def on_terminal(*words: str, columns: int, **environ: str) -> Done:
    """Run ``analysis-gateway`` to its end on a terminal of its own; all its output is ``out``."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    inherited = {name: value for name, value in os.environ.items() if name not in _TERMINAL}
    process = subprocess.Popen(
        (sys.executable, "-m", "gateway", *words),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**inherited, "TERM": "xterm-256color", **environ},
    )
    os.close(theirs)
    out = bytearray()
    # Linux says EIO when the other side of a terminal is gone.
    with process, os.fdopen(ours, "rb", buffering=0) as screen, contextlib.suppress(OSError):
        while data := screen.read(4096):
            out += data
    return Done(process.returncode, out.decode().replace("\r\n", "\n"), "")
