"""Real local HTTP servers: one that plays a script and records, one that says any bytes."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(frozen=True)
class Recorded:
    """One request as it arrived."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True)
class Play:
    """One answer of a script."""

    body: str | bytes = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0


@dataclass
class Backend:
    """A server that answers its plays in order, the last one for ever."""

    url: str = ""
    plays: Sequence[Play] = (Play(),)
    requests: list[Recorded] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Record a request, play the next answer."""
        play = self.plays[min(len(self.requests), len(self.plays) - 1)]
        body = (await request.read()).decode()
        self.requests.append(
            Recorded(request.method, request.raw_path, dict(request.headers), body)
        )
        await asyncio.sleep(play.delay_s)
        data = play.body if isinstance(play.body, bytes) else play.body.encode()
        return web.Response(status=play.status, body=data, headers=play.headers)


@asynccontextmanager
async def backend(*plays: Play, tls: ssl.SSLContext | None = None) -> AsyncIterator[Backend]:
    """A running server with a script, over HTTPS if ``tls`` is given."""
    running = Backend(plays=plays or (Play(),))
    app = web.Application(client_max_size=1 << 26)
    app.router.add_route("*", "/{rest:.*}", running.answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    running.url = f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield running
    finally:
        await runner.cleanup()


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw_server(talk: Talk) -> AsyncIterator[str]:
    """A TCP server that says whatever ``talk`` says; yields its URL."""
    open_writers: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_writers.add(writer)
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.close()
        for writer in open_writers:
            writer.transport.abort()


def saying(data: bytes) -> Talk:
    """A server that reads a request and says these bytes, then closes."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(data)
        await writer.drain()

    return talk
