"""Server-Sent Events, as a client reads them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson


@dataclass(frozen=True)
class Told:
    """One event."""

    type: str
    data: Any
    id: str = ""


class Stream:
    """A response that is read event by event."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self.comments = 0

    async def events(self) -> AsyncIterator[Told]:
        """All events until the server closes."""
        fields: dict[str, str] = {}
        async for line in self.response.content:
            name, _, value = line.decode().rstrip("\n").partition(":")
            if name:
                fields[name] = value.removeprefix(" ")
            elif line == b"\n":
                if "data" in fields:
                    data = orjson.loads(fields["data"])
                    yield Told(fields["event"], data, fields.get("id", ""))
                fields = {}
            else:
                self.comments += 1

    async def all(self) -> list[Told]:
        """All events, once the server has closed."""
        return [each async for each in self.events()]


@asynccontextmanager
async def stream(
    session: aiohttp.ClientSession, url: str, headers: Mapping[str, str] | None = None
) -> AsyncIterator[Stream]:
    """A stream that has been opened."""
    async with session.get(url, headers=headers) as response:
        assert response.status == 200, await response.text()
        yield Stream(response)
