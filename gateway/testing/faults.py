"""Real local HTTP servers that misbehave, each in its own way."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

from gateway.testing.servers import Play, backend, raw_server, saying

_OK: Final = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


async def _hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Take the request and say nothing."""
    await reader.read()


async def _drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A byte now and then, far from the announced length."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(f"{_OK}Content-Length: 100000\r\n\r\n".encode())
    for _ in range(1000):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def _flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Fifty megabytes, without saying so first."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(f"{_OK}Connection: close\r\n\r\n".encode())
    for _ in range(50):
        writer.write(b"1" * 1_000_000)
        await writer.drain()


@asynccontextmanager
async def _nobody() -> AsyncIterator[str]:
    """A port where nobody listens."""
    async with raw_server(_hang) as url:
        pass
    yield url


@asynccontextmanager
async def _playing(play: Play) -> AsyncIterator[str]:
    """A server that always answers the same."""
    async with backend(play) as server:
        yield server.url


BACKENDS: dict[str, Callable[[], AbstractAsyncContextManager[str]]] = {
    "refuses": _nobody,
    "hangs": lambda: raw_server(_hang),
    "drips": lambda: raw_server(_drip),
    "hangs up": lambda: raw_server(saying(b"")),
    "truncated": lambda: raw_server(saying(f'{_OK}Content-Length: 99\r\n\r\n{{"a'.encode())),
    "401": lambda: _playing(Play('{"error":"who are you"}', 401)),
    "429": lambda: _playing(Play("slow down", 429, {"Retry-After": "30"})),
    "500": lambda: _playing(Play("<h1>oops</h1>", 500)),
    "304": lambda: _playing(Play("", 304)),
    "204": lambda: _playing(Play("", 204)),
    "html": lambda: _playing(Play("<html></html>")),
    "empty": lambda: _playing(Play("")),
    "null": lambda: _playing(Play("null")),
    "nan": lambda: _playing(Play("NaN")),
    "half json": lambda: _playing(Play('{"a": ')),
    "deep": lambda: _playing(Play("[" * 100_000 + "]" * 100_000)),
    "huge": lambda: raw_server(_flood),
    "not http": lambda: raw_server(saying(b"nonsense\r\n\r\n")),
}
