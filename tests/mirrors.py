"""Vendors that give their callers' credentials away, each in its own way."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final
from urllib.parse import quote

from backends import raw_server
from planted import Vault

_MESSAGE: Final = 4_096
_TOKEN_MESSAGE: Final = 1_024
"""So many characters of an answer a message shows, and one about a token."""


def _answer(body: str, status: str = "200 OK", **headers: str) -> bytes:
    data = body.encode()
    named = {"Content-Length": str(len(data)), "Connection": "close", **headers}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in named.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def _cut(chars: int) -> Callable[[str, str], bytes]:
    """The first secret stands where a message about the answer ends."""
    return lambda _all, first: _answer("x" * (chars - 6) + first, "400 Bad Request")


_WAYS: Final[Mapping[str, Callable[[str, str], bytes]]] = {
    "json": lambda all_, first: _answer(json.dumps({"k": first, "all": all_, all_: [1]})),
    "text": lambda all_, _: _answer(all_),
    "refusal": lambda all_, first: _answer(all_, "401 Unauthorized", **{"Retry-After": first}),
    "failure": lambda all_, _: _answer(all_, "500 Internal Server Error"),
    "reason": lambda _, first: _answer("{}", f"403 {first}"),
    "error": lambda all_, _: _answer(
        json.dumps({"status": "error", "errorType": "e", "error": all_, "message": all_}),
        "400 Bad Request",
    ),
    "errors": lambda _, first: _answer(json.dumps({"errors": ["x" * (_MESSAGE - 6) + first]})),
    "warnings": lambda all_, _: _answer(
        json.dumps(
            {
                "status": "success",
                "data": {"resultType": "scalar", "result": [1, "1"]},
                "warnings": [all_],
            }
        )
    ),
    "nothing": lambda all_, _: _answer(
        json.dumps({"status": "success", "data": {"resultType": "vector", "result": []}})
        if "/query" in all_.partition("\n")[0]
        else json.dumps({"status": "success", "data": [all_]})
    ),
    "cut-message": _cut(_MESSAGE),
    "cut-token": _cut(_TOKEN_MESSAGE),
    "elsewhere": lambda _, first: _answer(
        "", "302 Found", Location=f"http://127.0.0.1:1/{quote(first)}"
    ),
    "round": lambda _, first: _answer("", "302 Found", Location=f"/{quote(first)}"),
    "bad-location": lambda _, first: _answer("", "302 Found", Location=f"http://[{first}"),
    "bad-header": lambda _, first: f"HTTP/1.1 200 OK\r\n{first}\r\n\r\n".encode(),
    "bad-status": lambda _, first: f"HTTP/1.1 {first}\r\n\r\n".encode(),
    "half": lambda all_, _: _answer(all_, **{"Content-Length": "99999"}),
}
SLOW: Final = "slow"
WAYS: Final = (*_WAYS, SLOW)
"""How the mirrors answer."""


@asynccontextmanager
async def mirrors(vault: Vault) -> AsyncIterator[Mapping[str, str]]:
    """The URLs of mirrors by their ways. At ``/token`` each grants an access token."""
    async with AsyncExitStack() as servers:
        yield {way: await servers.enter_async_context(_mirror(way, vault)) for way in WAYS}


@asynccontextmanager
async def _mirror(way: str, vault: Vault) -> AsyncIterator[str]:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first_byte = await reader.readexactly(1)
        if first_byte == b"\x16":
            return  # Somebody wants TLS.
        request = first_byte.decode() + await _read(reader)
        if request.startswith("POST /token "):
            granted = vault.plain("an access token")
            writer.write(_answer(json.dumps({"access_token": granted})))
        elif way == SLOW:
            await reader.read()
        else:
            first = (vault.sent_in(request) or ["-"])[0]
            writer.write(_WAYS[way](request, first))
        await writer.drain()

    async with raw_server(talk) as url:
        yield url


async def _read(reader: asyncio.StreamReader) -> str:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    lines = [line.partition(": ") for line in head.split("\r\n")]
    length = next((int(value) for name, _, value in lines if name == "Content-Length"), 0)
    return head + (await reader.readexactly(length)).decode()
