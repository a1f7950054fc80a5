"""Callers who write HTTP by hand, well or badly."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from yarl import URL

SOON_S = 10.0


@dataclass(frozen=True)
class Answer:
    """An answer, read to its end; names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:
        """Its JSON."""
        return json.loads(self.text)


class Caller:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def says(self, data: bytes) -> None:
        """Send something."""
        self.writer.write(data)

    async def hears(self) -> Answer:
        """The next answer."""
        async with asyncio.timeout(SOON_S):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            status, *lines = head.strip().split("\r\n")
            headers = {name.lower(): value for name, _, value in (x.partition(": ") for x in lines)}
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(int(status.split()[1]), headers, body.decode())

    async def asks(self, path: str) -> Answer:
        """A good request and its answer."""
        self.says(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        return await self.hears()

    async def is_dropped(self) -> bytes:
        """Wait until the server has ended the connection; what came before is returned."""
        heard = b""
        async with asyncio.timeout(SOON_S):
            with suppress(ConnectionError):
                while piece := await self.reader.read(65536):
                    heard += piece
        return heard

    async def drips(self, data: bytes, every_s: float = 0.02) -> None:
        """Send byte by byte until the server has had enough."""
        for number in range(len(data)):
            if self.reader.at_eof() or self.writer.is_closing():
                return
            self.says(data[number : number + 1])
            await asyncio.sleep(every_s)


@asynccontextmanager
async def caller(url: str, *, buffer_bytes: int | None = None) -> AsyncIterator[Caller]:
    """A connection to the server at this URL; with a small buffer little can come unread."""
    address = URL(url)
    line = socket.socket()
    try:
        line.settimeout(0)
        if buffer_bytes is not None:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        await asyncio.get_running_loop().sock_connect(line, (address.host, address.port))
        reader, writer = await asyncio.open_connection(sock=line, limit=buffer_bytes or 2**16)
    except BaseException:
        line.close()
        raise
    try:
        yield Caller(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
