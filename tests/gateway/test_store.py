"""Calls to a real Redis, within a budget."""

import asyncio
import time
from pathlib import Path

import pytest
from redis_server import Counted, RedisServer, StartRedis, until

from gateway.errors import StoreUnavailable
from gateway.secrets import Secret
from gateway.storage import store as store_module
from gateway.storage.store import MAX_CALLS, Store


async def test_a_call_gives_what_redis_answers(redis_server: RedisServer) -> None:
    """A store that works is up, and says since when."""
    counted = Counted()
    store = Store(redis_server.url, counted)
    await store.start()
    await store.call(lambda redis: redis.set("question", b"\x00answer"))
    answer = await store.call(lambda redis: redis.get("question"))
    details = store.details()
    await store.close()
    since = details["sinceUnixSeconds"]
    assert answer == b"\x00answer"
    assert isinstance(since, float)
    assert details == {"state": "up", "sinceUnixSeconds": since, "lastError": None}
    assert (counted.faults, counted.ups_and_downs) == ([], ["up"])


async def test_a_redis_that_is_away_at_the_start_costs_no_caller_time(
    redis_server: RedisServer,
) -> None:
    """The start finds out; the first call fails at once."""
    redis_server.kill()
    counted = Counted()
    store = Store(redis_server.url, counted)
    await store.start()
    with pytest.raises(StoreUnavailable, match=r"^Redis failed before and is being probed$"):
        await store.call(lambda redis: redis.get("question"))
    state = store.state
    await store.close()
    assert (state.is_up, state.last_fault) == (False, "unreachable")
    assert (counted.faults, counted.ups_and_downs) == (["circuit_open"], ["up", "down"])


@pytest.mark.parametrize(
    ("options", "text", "fault"),
    [
        pytest.param(
            ["--requirepass", "hunter2"],
            "Redis refuses the user name or the password of its URL",
            "denied",
            id="no-password",
        ),
        pytest.param(
            ["--replicaof", "127.0.0.1", "1"],
            "Redis does not accept writes: it is a replica",
            "read_only",
            id="a-replica",
        ),
        pytest.param(
            ["--maxmemory", "1"],
            "Redis is full: it takes nothing in before its maxmemory is raised",
            "full",
            id="out-of-memory",
        ),
    ],
)
async def test_a_refusal_is_a_failure_with_a_name(
    start_redis: StartRedis, options: list[str], text: str, fault: str
) -> None:
    """Whatever Redis says instead of an answer, the caller hears StoreUnavailable."""
    counted = Counted()
    store = Store(start_redis(*options).url, counted)
    with pytest.raises(StoreUnavailable) as raised:
        await store.call(lambda redis: redis.set("question", b"answer"))
    await store.close()
    assert (str(raised.value), counted.faults) == (text, [fault])


async def test_whatever_takes_too_long_fails(redis_server: RedisServer) -> None:
    """The budget holds for all of a call, not for its parts."""
    counted = Counted()
    store = Store(redis_server.url, counted)
    is_given_up = asyncio.Event()

    async def take_long() -> None:
        try:
            await asyncio.sleep(10)
        finally:
            is_given_up.set()

    started_s = time.monotonic()
    with pytest.raises(StoreUnavailable, match=r"^Redis did not answer within 150 ms$"):
        await store.call(lambda _redis: take_long())
    took_s = time.monotonic() - started_s
    await asyncio.wait_for(is_given_up.wait(), 1)
    await store.close()
    assert 0.15 <= took_s < 0.25
    assert counted.faults == ["timeout"]


@pytest.mark.alone
async def test_probes_are_made_less_and_less_often_while_failures_go_on(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Redis that comes and goes is left alone for longer; one that stayed is tried soon again."""
    monkeypatch.setattr(store_module, "FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(store_module, "LONGEST_PAUSE_S", 0.2)
    store = Store(redis_server.url, Counted())

    async def fail_and_recover() -> float:
        with pytest.raises(StoreUnavailable):
            await store.call(lambda _redis: fail())
        started_s = time.monotonic()
        await until(lambda: store.state.is_up)
        return time.monotonic() - started_s

    async def fail() -> None:
        raise ConnectionResetError

    first_s, second_s, third_s = [await fail_and_recover() for _ in range(3)]
    await asyncio.sleep(0.25)
    after_peace_s = await fail_and_recover()
    await store.close()
    assert 0.05 <= first_s < 0.1 <= second_s < 0.2 <= third_s
    assert after_peace_s < 0.1


async def test_a_refused_command_does_not_open_the_circuit(redis_server: RedisServer) -> None:
    """A command that Redis refuses costs no time, so that the next call is made."""
    counted = Counted()
    store = Store(redis_server.url, counted)
    await store.call(lambda redis: redis.set("word", b"text"))
    with pytest.raises(StoreUnavailable):
        await store.call(lambda redis: redis.incr("word"))
    answer = await store.call(lambda redis: redis.get("word"))
    await store.close()
    assert (answer, counted.faults, counted.ups_and_downs) == (b"text", ["rejected"], ["up"])


async def test_a_demoted_master_is_left_and_found_again(start_redis: StartRedis) -> None:
    """A replica's refusal opens the circuit; the probe closes it, on new connections."""
    server = start_redis("--replicaof", "127.0.0.1", "1")
    store = Store(server.url, Counted())
    with pytest.raises(StoreUnavailable):
        await store.call(lambda redis: redis.set("question", b"answer"))
    server.cli("replicaof", "no", "one")
    await until(lambda: store.state.is_up)
    stored = await store.call(lambda redis: redis.set("question", b"answer"))
    await store.close()
    assert stored is True


async def test_after_a_failover_old_connections_are_not_used_again(
    start_redis: StartRedis, tmp_path: Path
) -> None:
    """An address that leads to a new master is of use to new connections only."""
    demoted, promoted = start_redis("--replicaof", "127.0.0.1", "1"), start_redis()
    address = tmp_path / "redis"
    address.symlink_to(demoted.socket)
    store = Store(Secret(f"unix://{address}"), Counted())
    with pytest.raises(StoreUnavailable):
        await store.call(lambda redis: redis.set("question", b"answer"))
    address.unlink()
    address.symlink_to(promoted.socket)
    await until(lambda: store.state.is_up)
    stored = await store.call(lambda redis: redis.set("question", b"answer"))
    await store.close()
    assert stored is True


async def test_a_caller_who_leaves_is_no_failure(redis_server: RedisServer) -> None:
    """Cancelling a call says nothing about Redis."""
    counted = Counted()
    store = Store(redis_server.url, counted)
    for _ in range(20):
        leaving = asyncio.create_task(store.call(lambda redis: redis.blpop(["nothing"], 0.1)))
        await asyncio.sleep(0.002)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
    await store.call(lambda redis: redis.ping())
    await store.close()
    assert (counted.faults, counted.ups_and_downs) == ([], ["up"])


async def test_many_calls_share_few_connections(redis_server: RedisServer) -> None:
    """A burst waits for its turn instead of failing or of flooding Redis."""
    store = Store(redis_server.url, Counted())
    answers = await asyncio.gather(
        *(store.call(lambda redis: redis.incr("calls")) for _ in range(100))
    )
    clients = await store.call(lambda redis: redis.client_list())
    await store.close()
    assert sorted(answers) == list(range(1, 101))
    assert len(clients) <= MAX_CALLS


async def test_nothing_is_left_after_closing(redis_server: RedisServer) -> None:
    """Connections are closed, also while calls and probes are under way."""
    store = Store(redis_server.url, Counted())
    calls = [
        asyncio.create_task(store.call(lambda redis: redis.blpop(["nothing"], 1))) for _ in range(3)
    ]
    await asyncio.sleep(0.02)
    await store.close()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 3
    assert redis_server.cli("client", "list").count("\n") == 1


async def test_a_url_is_not_shown_when_redis_cannot_be_reached() -> None:
    """Neither the error nor the details name the password."""
    store = Store(Secret("redis://user:hunter2@127.0.0.1:1/0"), Counted())
    with pytest.raises(StoreUnavailable) as raised:
        await store.call(lambda redis: redis.get("question"))
    shown = f"{raised.value!r} {raised.value.__cause__!r} {store.details()} {store.state}"
    await store.close()
    assert str(raised.value) == "Redis cannot be reached"
    assert "hunter2" not in shown
