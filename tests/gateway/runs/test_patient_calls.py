"""Calls to Redis that are given time, but no more than that."""

import asyncio

import pytest
from kept_runs import client_of
from redis_server import RedisServer

from gateway.errors import StoreUnavailable
from gateway.runs import patient_calls
from gateway.runs.patient_calls import MAX_CALLS, PatientCalls


class Stubborn:
    """A command that goes on when it is cancelled, as clients may, until it is let go."""

    def __init__(self) -> None:
        self.is_cancelled = asyncio.Event()
        self.may_end = asyncio.Event()

    async def __call__(self) -> None:
        """Be carried out."""
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.is_cancelled.set()
            await self.may_end.wait()


async def test_a_command_that_will_not_end_holds_nobody_up(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its caller hears of it in time."""
    monkeypatch.setattr(patient_calls, "CALL_BUDGET_S", 0.05)
    stubborn = Stubborn()
    async with client_of(redis_server) as redis, asyncio.timeout(5):
        with pytest.raises(StoreUnavailable, match=r"^Redis did not answer within 50 ms$"):
            await PatientCalls(redis).call(stubborn)
        await stubborn.is_cancelled.wait()
    stubborn.may_end.set()


async def test_waiting_for_a_turn_is_part_of_the_time(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where nobody ever makes room."""
    monkeypatch.setattr(patient_calls, "CALL_BUDGET_S", 0.05)
    stubborn = Stubborn()
    async with client_of(redis_server) as redis, asyncio.timeout(5):
        calls = PatientCalls(redis)
        outcomes = await asyncio.gather(
            *(calls.call(stubborn) for _ in range(3 * MAX_CALLS)), return_exceptions=True
        )
    stubborn.may_end.set()
    assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}


async def test_a_caller_who_leaves_takes_the_command_along(redis_server: RedisServer) -> None:
    """Nothing is left running for nobody."""
    stubborn = Stubborn()
    async with client_of(redis_server) as redis, asyncio.timeout(5):
        leaving = asyncio.create_task(PatientCalls(redis).call(stubborn))
        await asyncio.sleep(0.01)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        await stubborn.is_cancelled.wait()
    stubborn.may_end.set()


async def test_a_fault_of_the_gateway_is_not_taken_for_one_of_redis(
    redis_server: RedisServer,
) -> None:
    """It comes through as it is."""

    async def fail() -> None:
        raise KeyError("a word")

    async with client_of(redis_server) as redis:
        with pytest.raises(KeyError, match="a word"):
            await PatientCalls(redis).call(fail)


async def test_calls_of_one_moment_go_together_and_fail_apart(redis_server: RedisServer) -> None:
    """One that Redis refuses is no fault of the others'; one whose caller has left harms nobody."""
    async with client_of(redis_server) as redis:
        await redis.set("text", "x")
        await redis.hset("hash", "field", "1")
        calls = PatientCalls(redis)
        left = asyncio.create_task(calls.fields("hash", ["field"]))
        await asyncio.sleep(0)
        left.cancel()
        good, bad, many = await asyncio.gather(
            calls.fields("hash", ["field", "other"]),
            calls.fields("text", ["field"]),
            asyncio.gather(*(calls.fields("hash", ["field"]) for _ in range(500))),
            return_exceptions=True,
        )
    assert good == [b"1", None]
    assert isinstance(bad, StoreUnavailable)
    assert many == [[b"1"]] * 500


async def test_a_script_that_redis_forgot_is_told_again(redis_server: RedisServer) -> None:
    """After a restart, or SCRIPT FLUSH."""
    async with client_of(redis_server) as redis:
        calls = PatientCalls(redis)
        script = redis.register_script("return {KEYS[1], ARGV[1]}")
        for _ in range(2):
            redis_server.cli("SCRIPT", "FLUSH")
            assert await calls.run(script, ["key"], [7]) == [b"key", b"7"]


async def test_all_who_go_together_hear_that_redis_is_away(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In time, each of them, and who has left hears nothing."""
    monkeypatch.setattr(patient_calls, "CALL_BUDGET_S", 0.05)
    async with client_of(redis_server) as redis:
        calls = PatientCalls(redis)
        redis_server.freeze()
        asked = [asyncio.create_task(calls.fields("hash", ["field"])) for _ in range(10)]
        await asyncio.sleep(0.02)
        asked[0].cancel()
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        redis_server.thaw()
    assert isinstance(outcomes[0], asyncio.CancelledError)
    assert {type(outcome) for outcome in outcomes[1:]} == {StoreUnavailable}
