"""Listening sockets that note who connects to them, and every byte that comes."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

SETTLE_S = 0.02
"""How long what was connected may take until it is noted."""

Answer = Callable[[str, bytes], bytes]
"""What to say at an address to the head of a request."""


@dataclass
class Heard:
    """One connection."""

    place: tuple[str, int]
    """Address and port that were connected to."""
    data: bytes = b""


@dataclass
class Ears:
    """All that was heard."""

    connections: list[Heard] = field(default_factory=list)
    port: int = 0
    """Of the last socket that listens."""

    async def settled(self) -> list[Heard]:
        """What was heard until now."""
        await asyncio.sleep(SETTLE_S)
        return list(self.connections)


@asynccontextmanager
async def ears(
    places: Iterable[tuple[str, int]] = (("127.0.0.1", 0),), answer: Answer | None = None
) -> AsyncIterator[Ears]:
    """Sockets that listen at addresses and ports, and say nothing unless they are told to."""
    heard = Ears()
    writers: set[asyncio.StreamWriter] = set()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        connection = Heard(writer.get_extra_info("sockname")[:2])
        heard.connections.append(connection)
        try:
            while data := await reader.read(65_536):
                connection.data += data
                if answer and b"\r\n\r\n" in data:
                    writer.write(answer(connection.place[0], data))
        except ConnectionError:
            pass
        finally:
            writers.discard(writer)
            writer.close()

    servers = []
    for host, port in places:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        server = await asyncio.start_server(listen, host, port, family=family)
        heard.port = server.sockets[0].getsockname()[1]
        servers.append(server)
    try:
        yield heard
    finally:
        for server in servers:
            server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)
