"""Calls to Redis that are given time, but no more than that."""

import asyncio
import time

import pytest
from kept_runs import client_of
from redis_server import RedisServer

from gateway.errors import StoreUnavailable
from gateway.runs import patient_calls
from gateway.runs.patient_calls import MAX_CALLS, PatientCalls


async def stubborn(ended: asyncio.Event) -> None:
    """Go on for a while after being cancelled, as clients may."""
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError:
        await asyncio.sleep(0.3)
        ended.set()


async def test_a_command_that_will_not_end_holds_nobody_up(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its caller hears of it in time."""
    monkeypatch.setattr(patient_calls, "CALL_BUDGET_S", 0.05)
    ended = asyncio.Event()
    async with client_of(redis_server) as redis:
        started_s = time.monotonic()
        with pytest.raises(StoreUnavailable, match=r"^Redis did not answer within 50 ms$"):
            await PatientCalls(redis).call(lambda: stubborn(ended))
        took_s = time.monotonic() - started_s
        await asyncio.wait_for(ended.wait(), 1)
    assert took_s < 0.2


async def test_waiting_for_a_turn_is_part_of_the_time(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many wait, nobody waits for longer."""
    monkeypatch.setattr(patient_calls, "CALL_BUDGET_S", 0.05)
    async with client_of(redis_server) as redis:
        calls = PatientCalls(redis)
        started_s = time.monotonic()
        outcomes = await asyncio.gather(
            *(calls.call(lambda: asyncio.sleep(10)) for _ in range(3 * MAX_CALLS)),
            return_exceptions=True,
        )
        took_s = time.monotonic() - started_s
    assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
    assert took_s < 0.2


async def test_a_caller_who_leaves_takes_the_command_along(redis_server: RedisServer) -> None:
    """Nothing is left running for nobody."""
    ended = asyncio.Event()
    async with client_of(redis_server) as redis:
        leaving = asyncio.create_task(PatientCalls(redis).call(lambda: stubborn(ended)))
        await asyncio.sleep(0.01)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        await asyncio.wait_for(ended.wait(), 1)


async def test_a_fault_of_the_gateway_is_not_taken_for_one_of_redis(
    redis_server: RedisServer,
) -> None:
    """It comes through as it is."""

    async def fail() -> None:
        raise KeyError("a word")

    async with client_of(redis_server) as redis:
        with pytest.raises(KeyError, match="a word"):
            await PatientCalls(redis).call(fail)
