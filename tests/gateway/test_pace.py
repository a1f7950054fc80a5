"""Whose measurements begin first where there are many."""

import asyncio

from redis_server import Counted

from gateway.memory import Memory
from gateway.model import Reading, ResultType
from gateway.pace import PER_TURN, Pace
from gateway.readings import Freshness, Readings

READING = Reading(0.5, ResultType.FLOAT, "0.5")
FLOOD = 500


async def test_a_modest_tenant_begins_in_the_next_turn() -> None:
    """Though 500 measurements of another one were asked for before."""
    readings = Readings(
        memory=Memory(max_entries=0, max_bytes=0, retention_s=1), shared=None, observer=Counted()
    )
    begun: list[str] = []

    async def ask(tenant: str, number: int) -> None:
        async def measure() -> Reading:
            begun.append(tenant)
            return READING

        freshness = Freshness(0, is_explicit=True)
        await readings.read(f"{tenant}{number}", freshness, measure, tenant=tenant)

    flood = [asyncio.create_task(ask("flood", number)) for number in range(FLOOD)]
    await asyncio.sleep(0)
    await asyncio.gather(*flood, *(ask("modest", number) for number in range(3)))
    places = [place for place, tenant in enumerate(begun) if tenant == "modest"]
    assert len(begun) == FLOOD + 3
    assert max(places) < 4 * PER_TURN


async def test_who_gives_up_takes_no_turn() -> None:
    """Neither while it waits nor when its turn has just come."""
    pace = Pace()
    for _ in range(PER_TURN):
        await pace.turn("a")
    late = [asyncio.create_task(pace.turn("a")) for _ in range(2 * PER_TURN + 1)]
    await asyncio.sleep(0)
    for task in late[:-1]:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    # The turn that came before the first of them could ask.
    begun = [False] * PER_TURN
    assert [task.cancelled() for task in late] == [*begun, *[True] * PER_TURN, False]


async def test_where_there_is_little_to_do_nobody_waits() -> None:
    """Not even for one turn of the loop."""
    pace = Pace()
    for _ in range(3):
        coroutine = pace.turn("a")
        try:
            coroutine.send(None)
        except StopIteration:
            pass
        else:
            raise AssertionError("it waits")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
