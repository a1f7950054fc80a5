"""New runs, each made once."""

import asyncio

import pytest
from kept_runs import CREATED_AT, ended, finish, new_run, running, store_on
from redis_server import RedisServer

from gateway.errors import IdempotencyKeyReused, RunNotFound, TooManyRuns
from gateway.runs.store import Created, Idempotency, RunStore, Terminated

ONCE = Idempotency("key-of-a-caller", "digest")


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
        pytest.param(
            1,
            Idempotency(ONCE.key, ONCE.request_digest, "token:alice"),
            "b",
            id="another-callers-key-is-new",
        ),
        pytest.param(1, None, "b", id="no-key-is-new"),
    ],
)
async def test_an_idempotency_key_leads_to_the_run_that_it_made(
    store: RunStore, hours_later: float, once: Idempotency | None, outcome: str
) -> None:
    """For a day; looking for it and making it say the same."""
    await store.create(new_run("a"), ONCE)
    later = new_run("b", created_at=CREATED_AT + hours_later * 3600)
    try:
        found = once and await store.find(once, later.created_at_unix_s)
        made = await store.create(later, once)
    except IdempotencyKeyReused as error:
        assert str(error) == outcome
    else:
        assert made == Created(outcome, is_new=outcome == "b")
        assert found == (made if outcome == "a" else None)


async def test_a_key_whose_run_was_deleted_makes_no_second_one(store: RunStore) -> None:
    """The caller is told, and has to say that another run is wanted."""
    await store.create(new_run("a"), ONCE)
    await finish(store, "a", ended())
    await store.delete("a", CREATED_AT)
    with pytest.raises(RunNotFound) as raised:
        await store.create(new_run("b"), ONCE)
    with pytest.raises(RunNotFound, match="has been deleted"):
        await store.find(ONCE, CREATED_AT)
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


async def test_a_run_may_be_told_to_end_as_it_is_made(store: RunStore) -> None:
    """Its first pass will end it."""
    await store.create(new_run("a", is_terminated=True), None)
    state = await store.state("a")
    assert state is not None
    assert state.is_terminated
    assert await store.terminate("a") is Terminated.ALREADY
