"""Who gets through to an upstream, and when, in virtual time."""

import asyncio
from collections.abc import Sequence

import pytest
from virtual_time import in_virtual_time, now_s

from gateway.upstreams.buckets import Rate
from gateway.upstreams.gate import Gate
from gateway.upstreams.shared_bucket import SharedBucket


def gate(places: int, rate: Rate | None = None) -> Gate:
    """One of a process that is alone."""
    bucket = None if rate is None else SharedBucket("u", rate, None)
    return Gate(places=places, bucket=bucket)


async def through(
    way: Gate, tenants: Sequence[str], *, takes_s: float = 1.0, until_s: float = 1e9
) -> list[str]:
    """All at once; ``TENANT@SECONDS`` in the order in which they got through."""
    told: list[str] = []

    async def one(tenant: str) -> None:
        try:
            async with way.place(tenant, until_s=until_s):
                told.append(f"{tenant}@{now_s():g}")
                await asyncio.sleep(takes_s)
        except TimeoutError:
            told.append(f"{tenant}!{now_s():g}")

    await asyncio.gather(*(one(tenant) for tenant in tenants))
    return told


@pytest.mark.parametrize(
    ("places", "rate", "told"),
    [
        pytest.param(
            2, None, ["a@0", "a@0", "a@1", "b@1", "a@2", "b@2"], id="so-many-at-once-in-turns"
        ),
        pytest.param(
            9,
            Rate(2),
            ["a@0", "b@0.5", "a@1", "b@1.5", "a@2", "a@2.5"],
            id="so-many-a-second-in-turns",
        ),
        pytest.param(
            9,
            Rate(2, burst=3),
            ["a@0", "b@0", "a@0", "b@0.5", "a@1", "a@1.5"],
            id="a-burst-in-turns",
        ),
        pytest.param(
            1, Rate(100), ["a@0", "b@1", "a@2", "b@3", "a@4", "a@5"], id="both-must-be-there"
        ),
    ],
)
def test_a_flood_and_a_modest_tenant(places: int, rate: Rate | None, told: list[str]) -> None:
    """Of whom the flood came first."""

    @in_virtual_time
    async def story() -> None:
        assert await through(gate(places, rate), "aaaabb") == told

    story()


@in_virtual_time
async def test_a_modest_tenant_waits_for_one_turn() -> None:
    """However many of a flood wait before it."""
    way = gate(4)
    flood = asyncio.create_task(through(way, "a" * 1_000))
    await asyncio.sleep(0.5)
    waits_s = []
    for _ in range(20):
        began_s = now_s()
        async with way.place("b", until_s=1e9):
            waits_s.append(now_s() - began_s)
        await asyncio.sleep(0.8)
    flood.cancel()
    await asyncio.gather(flood, return_exceptions=True)
    assert max(waits_s) <= 1.0
    assert (way.under_way, way.waiting) == (0, 0)


@in_virtual_time
async def test_a_quarter_of_the_places_is_for_who_has_few() -> None:
    """Once there are two tenants; who was alone for a minute has them all."""
    way = gate(8)
    told = asyncio.create_task(through(way, "a" * 40, takes_s=10.0))
    await asyncio.sleep(15)
    assert way.under_way == 8
    assert await through(way, "b", takes_s=0.0) == ["b@20"]
    await asyncio.sleep(5)
    assert way.under_way == 6
    assert await through(way, "bb", takes_s=0.0) == ["b@25", "b@25"]
    assert await through(way, "bbb", takes_s=1.0) == ["b@25", "b@25", "b@26"]
    await told
    assert len(await through(way, "a" * 8, takes_s=100.0)) == 8
    began_s = now_s()
    assert await through(way, "a" * 8, takes_s=0.0) == [f"a@{began_s:g}"] * 8


@pytest.mark.parametrize("rate", [None, Rate(1)])
def test_who_does_not_get_through_in_time_is_told(rate: Rate | None) -> None:
    """And leaves its place to the others."""

    @in_virtual_time
    async def story() -> None:
        way = gate(1, rate)
        assert await through(way, "ab", takes_s=10.0, until_s=3.0) == ["a@0", "b!3"]
        assert (way.under_way, way.waiting) == (0, 0)
        assert await through(way, "c", until_s=99.0) == ["c@10"]

    story()


@in_virtual_time
async def test_who_gives_up_in_the_moment_it_is_let_through_takes_no_place() -> None:
    """Whichever of the two happens first."""
    way = gate(1)
    async with way.place("a", until_s=9.0):
        late = [asyncio.create_task(through(way, "b")) for _ in range(2)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        late[0].cancel()
    late[1].cancel()
    await asyncio.gather(*late, return_exceptions=True)
    assert (way.under_way, way.waiting) == (0, 0)
    assert await through(way, "c") == ["c@0"]


@in_virtual_time
async def test_a_closed_one_waits_for_nothing() -> None:
    """Neither twice, nor if it never did."""
    way = gate(1, Rate(0.001))
    async with way.place("a", until_s=9.0):
        pass
    waiting = asyncio.create_task(through(way, "a"))
    await asyncio.sleep(1)
    await way.close()
    await way.close()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
