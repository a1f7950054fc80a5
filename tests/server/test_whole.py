"""Answers that are whole before they are sent."""

import asyncio
import re

import pytest
from aiohttp import web

from gateway.api.whole import Whole
from gateway.doors import Doors
from gateway.settings import Settings
from gateway.telemetry import Telemetry

BODY = b"{}\n"
HEADERS = {"Content-Type": "application/json", "Age": "3"}


async def whole(request: web.Request) -> web.StreamResponse:
    """Ours; the last one of its connection if the path says so."""
    return _last(request, Whole(BODY, 417, HEADERS))


async def plain(request: web.Request) -> web.StreamResponse:
    """The same as aiohttp has it."""
    return _last(request, web.Response(body=BODY, status=417, headers=HEADERS))


def _last(request: web.Request, response: web.Response) -> web.Response:
    if "last" in request.query:
        response.force_close()
    return response


async def heard(port: int, head: str) -> tuple[bytes, list[bytes], bytes]:
    """The status line, the headers in alphabetical order without the time, and the body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{head}\r\n\r\n".encode())
    status, *headers = (await reader.readuntil(b"\r\n\r\n")).rstrip().split(b"\r\n")
    body = b"" if head.startswith("HEAD") else await reader.readexactly(len(BODY))
    writer.close()
    await writer.wait_closed()
    dates = [each for each in headers if each.startswith(b"Date: ")]
    assert len(dates) == 1
    assert re.fullmatch(rb"Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", dates[0])
    return status, sorted(set(headers) - set(dates)), body


@pytest.mark.parametrize(
    "head",
    [
        pytest.param("GET {} HTTP/1.1\r\nHost: a", id="usual"),
        pytest.param("POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: 0", id="for-a-body"),
        pytest.param("GET {} HTTP/1.1\r\nHost: a\r\nConnection: close", id="once"),
        pytest.param("GET {}?last HTTP/1.1\r\nHost: a", id="never-again"),
        pytest.param("HEAD {} HTTP/1.1\r\nHost: a", id="head-alone"),
        pytest.param("GET {} HTTP/1.0", id="old"),
        pytest.param("GET {} HTTP/1.0\r\nConnection: keep-alive", id="old-and-again"),
    ],
)
async def test_the_head_is_as_aiohttp_makes_it(head: str) -> None:
    """Whoever asks, and however."""
    app = web.Application()
    for path, handler in (("/whole", whole), ("/plain", plain)):
        app.add_routes([web.get(path, handler), web.post(path, handler)])
    doors = Doors(app, None, Settings.model_validate({"port": 0}), Telemetry())
    await doors.open()
    try:
        port = int(doors.urls[0].rpartition(":")[2])
        ours = await heard(port, head.format("/whole"))
        assert ours == await heard(port, head.format("/plain"))
    finally:
        await doors.close()
    assert ours[0].endswith(b" 417 Expectation Failed")
    assert b"X-Content-Type-Options: nosniff" in ours[1]
