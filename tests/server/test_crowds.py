"""More callers than places: who sends requests is served, who only takes a place is not."""

import asyncio
from contextlib import AsyncExitStack, suppress

import pytest
from hall import LARGE_BYTES, Hall, hall
from raw_http import Caller, caller
from running import until

from gateway.api import crowd

HALF = b"GET /quick HTTP/1.1\r\nX-A: "
POST = b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1"
LARGE = b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n"
SLOW = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"


async def arrived(stack: AsyncExitStack, served: Hall, say: bytes = b"") -> Caller:
    """One more caller, whom the server has noticed."""
    before = served.connections()
    one = await stack.enter_async_context(caller(served.url))
    one.says(say)
    await until(lambda: served.connections() > before)
    await asyncio.sleep(0.01)
    return one


async def arrived_at_last(stack: AsyncExitStack, served: Hall) -> None:
    """One more caller, who is served whoever has to go for it."""
    one = await stack.enter_async_context(caller(served.url))
    assert (await one.asks("/quick")).status == 200


async def besiege(served: Hall, callers: int) -> list[asyncio.Task[None]]:
    """Attackers who send heads byte by byte, and come again when they are dropped."""

    async def attack() -> None:
        while True:
            with suppress(OSError):
                async with caller(served.url) as one:
                    await one.drips(HALF * 1000, every_s=0.25)
            await asyncio.sleep(0.25)

    return [asyncio.create_task(attack()) for _ in range(callers)]


async def test_good_callers_are_served_in_a_siege() -> None:
    """Three hundred slow ones for a hundred places: a request that is complete finds one."""
    async with hall(limits={"connections": 100}) as served, caller(served.url) as long_poll:
        long_poll.says(SLOW)
        await until(lambda: served.handled == 1)
        attackers = await besiege(served, 300)
        await until(lambda: served.cuts().get("crowded", 0) > 300)
        for _ in range(30):
            async with caller(served.url) as good:
                assert (await good.asks("/quick")).status == 200
            assert served.connections() <= 100
        served.opened.set()
        assert (await long_poll.hears()).text == '"slow"'
        for each in attackers:
            each.cancel()
        await asyncio.gather(*attackers, return_exceptions=True)


@pytest.mark.parametrize(
    ("patience_s", "waiting", "dropped"),
    [
        pytest.param(0, [HALF, POST, b""], 0, id="the-oldest-of-those-who-owe"),
        pytest.param(0, ["rests", "rests", HALF], 2, id="who-owes-before-who-rests"),
        pytest.param(0, ["rests", "rests", POST], 2, id="also-of-its-body"),
        pytest.param(0, ["rests", "rests", LARGE], 2, id="also-of-reading"),
        pytest.param(60, [HALF, "rests", "rests"], 1, id="not-before-its-patience-is-over"),
        pytest.param(60, ["rests", HALF, HALF], 1, id="unless-they-are-more-than-half"),
        pytest.param(60, [HALF, POST, b""], 0, id="or-there-is-nobody-else"),
        pytest.param(0, [SLOW, "rests", SLOW], 1, id="never-who-waits-for-an-answer"),
    ],
)
async def test_who_makes_room(
    monkeypatch: pytest.MonkeyPatch, patience_s: float, waiting: list[bytes | str], dropped: int
) -> None:
    """One more than there are places: one of those who are there goes, the new one is served."""
    monkeypatch.setattr(crowd, "PATIENCE_S", patience_s)
    async with hall(limits={"connections": 3}) as served, AsyncExitStack() as stack:
        there = []
        for what in waiting:
            one = await arrived(stack, served, what if isinstance(what, bytes) else b"")
            if what == "rests":
                assert (await one.asks("/quick")).status == 200
            there.append(one)
        await until(lambda: served.handled == sum(each in {SLOW, POST} for each in waiting))
        async with caller(served.url) as new:
            assert (await new.asks("/quick")).status == 200
        await there[dropped].is_dropped()
        assert served.cuts() == {"crowded": 1}


async def test_who_has_done_its_part_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """However it came about: a body that is complete at last, an answer that is read at last."""
    monkeypatch.setattr(crowd, "PATIENCE_S", 0)
    async with hall(limits={"connections": 3}) as served, AsyncExitStack() as stack:
        post = await arrived(stack, served, POST.replace(b"/body", b"/slow"))
        stream = await arrived(stack, served, LARGE.replace(b"/large", b"/stream"))
        await until(lambda: served.handled == 2)
        post.says(b"23456789")
        await stream.reader.readuntil(b"\r\n\r\n")
        await stream.reader.readexactly(LARGE_BYTES)
        for _ in range(3):
            await arrived_at_last(stack, served)
        served.opened.set()
        assert (await post.hears()).text == '"slow"'
        assert await stream.reader.readexactly(1) == b"."


async def test_there_may_be_no_room() -> None:
    """All places are taken by requests under way: the next one is dropped, until one is free."""
    async with hall(limits={"connections": 2}) as served, AsyncExitStack() as stack:
        waiting = [await arrived(stack, served, SLOW) for _ in range(2)]
        await until(lambda: served.handled == 2)
        async with caller(served.url) as third:
            assert await third.is_dropped() == b""
        assert served.cuts() == {"refused": 1}
        served.opened.set()
        for each in waiting:
            assert (await each.hears()).status == 200
        async with caller(served.url) as fourth:
            assert (await fourth.asks("/quick")).status == 200


async def test_who_leaves_gives_its_place_back() -> None:
    """However it leaves, and whatever it was doing."""
    async with hall(limits={"connections": 10}) as served:
        for what in (b"", HALF, POST, SLOW):
            async with AsyncExitStack() as stack:
                await arrived(stack, served, what)
            await until(lambda: served.connections() == 0)
    assert served.cuts() == {}
