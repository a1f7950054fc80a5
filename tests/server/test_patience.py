"""How long a caller may take for what it owes, and what is not held against it."""

import asyncio

import pytest
from hall import LARGE_BYTES, Hall, hall
from raw_http import caller
from running import until

from gateway.api import connection, server

IN_TIME = {"limits": {"requestHead": "200ms"}}
LONGER_S = 0.5
HEAD = b"GET /quick HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    ("first", "drips"),
    [
        pytest.param(b"", b"", id="silence"),
        pytest.param(HEAD, b"", id="half-a-head"),
        pytest.param(b"", HEAD + b"X-A: a\r\n" * 1000, id="byte-by-byte"),
        pytest.param(b"\r\n", b"\r\n" * 1000, id="blank-lines"),
    ],
)
async def test_a_head_has_its_time(first: bytes, drips: bytes) -> None:
    """From the connection on, whatever comes of it."""
    async with hall(**IN_TIME) as served, caller(served.url) as slow:
        slow.says(first)
        dripping = asyncio.create_task(slow.drips(drips))
        assert await slow.is_dropped() == b""
        assert served.cuts() == {"head": 1}
        await until(lambda: served.connections() == 0)
        await dripping


async def test_the_head_of_a_later_request_has_its_time() -> None:
    """From its first byte on; before it the connection may rest."""
    async with hall(**IN_TIME) as served, caller(served.url) as slow:
        for _ in range(2):
            assert (await slow.asks("/quick")).status == 200
            await asyncio.sleep(LONGER_S)
        slow.says(HEAD)
        assert await slow.is_dropped() == b""
        assert served.cuts() == {"head": 1}


async def test_a_slow_answer_is_nothing_that_the_caller_owes() -> None:
    """Nor is the next request that it has begun in the meantime."""
    async with hall(**IN_TIME) as served, caller(served.url) as patient:
        patient.says(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda: served.handled == 1)
        patient.says(HEAD)
        await asyncio.sleep(LONGER_S)
        served.opened.set()
        assert (await patient.hears()).text == '"slow"'
        patient.says(b"\r\n")
        assert (await patient.hears()).text == '"quick"'
        assert served.cuts() == {}


async def test_a_slow_answer_is_no_time_to_fill_the_memory() -> None:
    """A second head that never ends costs its sender the first answer."""
    async with hall() as served, caller(served.url) as hostile:
        hostile.says(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda: served.handled == 1)
        hostile.says(HEAD + (b"X-A: " + b"a" * 4000 + b"\r\n") * 9)
        assert await hostile.is_dropped() == b""
        assert served.cuts() == {"head": 1}


async def test_heads_are_counted_one_by_one() -> None:
    """Many large ones are none that is too large."""
    async with hall() as served, caller(served.url) as good:
        for _ in range(5):
            good.says(HEAD + (b"X-A: " + b"a" * 4000 + b"\r\n") * 5)
            await asyncio.sleep(0.02)
            good.says(b"\r\n")
            assert (await good.hears()).status == 200


async def test_requests_may_come_all_at_once() -> None:
    """They are answered in turn."""
    async with hall(**IN_TIME) as served, caller(served.url) as hasty:
        hasty.says((HEAD + b"\r\n") * 50)
        for _ in range(50):
            assert (await hasty.hears()).status == 200
        await asyncio.sleep(LONGER_S)
        assert (await hasty.asks("/quick")).status == 200


async def test_a_body_has_a_time_of_its_own() -> None:
    """It may take longer than a head; then its sender is told."""
    limits = {"requestHead": "100ms", "requestRead": "400ms"}
    post = b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n"
    async with hall(limits=limits) as served, caller(served.url) as slow:
        slow.says(post)
        dripping = asyncio.create_task(slow.drips(b" " * 2000))
        answer = await slow.hears()
        dripping.cancel()
        assert (answer.status, served.cuts()) == (408, {})
        assert answer.body["reason"] == "the body did not arrive within 0.4s"


async def test_what_nobody_wants_is_not_read_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its sender hears at once, and can go on sending until it has had time to notice."""
    monkeypatch.setattr(server, "LINGER_S", 0.2)
    post = b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n"
    async with hall() as served, caller(served.url) as stubborn:
        stubborn.says(post)
        answer = await stubborn.hears()
        dripping = asyncio.create_task(stubborn.drips(b" " * 2000))
        await stubborn.is_dropped()
        await dripping
        assert (answer.status, answer.headers["connection"]) == (413, "close")
        assert served.handled == 0


async def test_who_reads_nothing_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer would lie here for ever."""
    monkeypatch.setattr(connection, "UNREAD_S", 0.1)
    async with hall() as served, caller(served.url, buffer_bytes=4096) as sleepy:
        sleepy.says(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda: served.cuts() == {"unread": 1})
        await until(lambda: served.connections() == 0)


async def test_who_reads_slowly_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the whole takes."""
    monkeypatch.setattr(connection, "UNREAD_S", 0.2)
    async with hall() as served, caller(served.url, buffer_bytes=2**16) as slow:
        slow.says(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        await slow.reader.readuntil(b"\r\n\r\n")
        await _reads(slow.reader, served)


async def _reads(reader: asyncio.StreamReader, served: Hall) -> None:
    for _ in range(16):
        await reader.readexactly(LARGE_BYTES // 16)
        await asyncio.sleep(0.05)
    assert served.cuts() == {}
