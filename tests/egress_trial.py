"""Tries tricks on a gateway, one after the other, with listeners all around."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import aiohttp
from ears import Ears, Heard
from egress_tricks import Trick
from running import template


@dataclass(frozen=True)
class Trial:
    """What came of one trick."""

    phase: str
    message: str
    heard: Sequence[tuple[str, int, int]]
    """Of each connection its address, its port, and how many bytes came."""


def answer(good: str, place: str, head: bytes) -> bytes:
    """Whoever is asked says a number; who may be asked redirects if the path is a status."""
    target = head.split(b" ", 2)[1].decode()
    path, _, query = target.partition("?")
    if place == good and path.strip("/").isdigit():
        status, location = path.strip("/"), f"Location: {unquote(query)}\r\n"
    else:
        status, location = "200", ""
    head = f"HTTP/1.1 {status} X\r\n{location}Content-Type: application/json\r\n".encode()
    return head + b"Connection: close\r\nContent-Length: 1\r\n\r\n7"


async def ask(session: aiohttp.ClientSession, url: str, provider: Mapping[str, Any]) -> Any:
    """The verdict on one metric that a request brings."""
    content = template({"name": "m", "provider": provider, "successCondition": "true"})
    body = json.dumps(content, ensure_ascii=False)
    async with session.post(f"{url}/v1/verdict?maxAge=0", data=body.encode()) as response:
        return await response.json()


async def tried(
    session: aiohttp.ClientSession, url: str, trick: Trick, ears: Ears, **values: object
) -> Trial:
    """What comes of one trick."""
    if trick.first:
        before = await ask(session, url, trick.filled(trick.first, **values))
        assert before["phase"] == "Successful", before
        await ears.settled()
    ears.connections.clear()
    body = await ask(session, url, trick.filled(trick.provider, **values))
    heard = await ears.settled()
    measured = body.get("metrics", {}).get("m", {})
    return Trial(
        measured.get("phase", "none"),
        measured.get("message", str(body)),
        [_told(each) for each in heard],
    )


def _told(heard: Heard) -> tuple[str, int, int]:
    return (*heard.place, len(heard.data))
