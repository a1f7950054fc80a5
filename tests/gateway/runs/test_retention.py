"""Which runs are kept, and for how long."""

import pytest
from kept_runs import CREATED_AT, ended, event, finish, new_run, running, store_on
from redis_server import RedisServer

from gateway.model import Phase
from gateway.runs import retention
from gateway.runs.store import Created, Filter, Idempotency, RunStore

HOUR_S = 3600
DAY_S = 24 * HOUR_S
END = CREATED_AT + 60
PREFIX = "analysis-gateway:{runs}:"


async def kept(store: RunStore) -> str:
    """The ids of all runs, oldest first, as one text."""
    page = await store.list(Filter(), limit=99, cursor=None)
    return "".join(run.id for run in reversed(page.runs))


@pytest.mark.parametrize(
    ("phase", "later_s", "is_kept"),
    [
        pytest.param(Phase.SUCCESSFUL, DAY_S - 1, True, id="a-success-for-a-day"),
        pytest.param(Phase.SUCCESSFUL, DAY_S, False, id="a-success-no-longer-than-that"),
        pytest.param(Phase.FAILED, DAY_S, True, id="a-failure-for-longer"),
        pytest.param(Phase.FAILED, 7 * DAY_S - 1, True, id="a-failure-for-a-week"),
        pytest.param(Phase.FAILED, 7 * DAY_S, False, id="a-failure-no-longer-than-that"),
        pytest.param(Phase.ERROR, 7 * DAY_S - 1, True, id="an-error-like-a-failure"),
        pytest.param(Phase.INCONCLUSIVE, 7 * DAY_S - 1, True, id="inconclusive-like-a-failure"),
    ],
)
async def test_a_run_is_kept_for_some_time_after_its_end(
    store: RunStore, phase: Phase, later_s: float, *, is_kept: bool
) -> None:
    """How it ended decides for how long."""
    await store.create(new_run("a"), None)
    await finish(store, "a", ended(phase, at=END))
    removed = await store.collect_garbage(END + later_s)
    assert (removed, await kept(store)) == ((0, "a") if is_kept else (1, ""))


@pytest.mark.parametrize(
    ("strategy", "phase", "later_s", "is_kept"),
    [
        pytest.param({"secondsAfterCompletion": 60}, Phase.ERROR, 60, True, id="to-the-second"),
        pytest.param({"secondsAfterCompletion": 60}, Phase.ERROR, 61, False, id="after-it"),
        pytest.param({"secondsAfterSuccess": 60}, Phase.FAILED, 61, True, id="of-another-phase"),
        pytest.param({"secondsAfterFailure": 60}, Phase.FAILED, 61, False, id="of-its-phase"),
        pytest.param({}, Phase.SUCCESSFUL, 61, True, id="no-wish-at-all"),
        pytest.param(
            {"secondsAfterCompletion": 9 * DAY_S},
            Phase.SUCCESSFUL,
            DAY_S,
            False,
            id="a-wish-to-stay-longer-than-all-others",
        ),
    ],
)
async def test_a_run_may_wish_to_go_earlier(
    store: RunStore, strategy: dict[str, int], phase: Phase, later_s: float, *, is_kept: bool
) -> None:
    """Its ttlStrategy never keeps it for longer than the settings do."""
    await store.create(new_run("a", ttl_strategy=strategy), None)
    await finish(store, "a", ended(phase, at=END))
    removed = await store.collect_garbage(END + later_s)
    assert (removed, await kept(store)) == ((0, "a") if is_kept else (1, ""))


@pytest.mark.parametrize(
    ("settings", "left"),
    [
        pytest.param({"keepSuccessful": 3, "keepUnsuccessful": 3}, "abcdef", id="as-many-as-fit"),
        pytest.param({"keepSuccessful": 1}, "bdef", id="successes-that-ended-first-go"),
        pytest.param({"keepUnsuccessful": 2}, "acdef", id="so-do-the-others-apart"),
        pytest.param({"keepSuccessful": 0, "keepUnsuccessful": 0}, "", id="none"),
    ],
)
async def test_so_many_runs_are_kept(
    redis_server: RedisServer, settings: dict[str, int], left: str
) -> None:
    """Those that ended last."""
    phases = {
        "a": Phase.SUCCESSFUL,
        "b": Phase.FAILED,
        "c": Phase.SUCCESSFUL,
        "d": Phase.ERROR,
        "e": Phase.SUCCESSFUL,
        "f": Phase.INCONCLUSIVE,
    }
    async with store_on(redis_server, **settings) as store:
        for number, (run_id, phase) in enumerate(phases.items()):
            await store.create(new_run(run_id, created_at=CREATED_AT + number), None)
            await finish(store, run_id, ended(phase, at=END + number))
        removed = await store.collect_garbage(END)
        assert (removed, await kept(store)) == (6 - len(left), left)


async def test_a_run_under_way_never_goes(redis_server: RedisServer) -> None:
    """However old it is, and whatever it wishes for its end."""
    async with store_on(redis_server, keepSuccessful=0, keepUnsuccessful=0) as store:
        await store.create(new_run("a", ttl_strategy={"secondsAfterCompletion": 0}), None)
        await store.save("a", version=0, status=running(1), events=[event(1)])
        assert await store.collect_garbage(END + 1_000 * DAY_S) == 0
        assert await kept(store) == "a"


async def test_what_goes_leaves_nothing(redis_server: RedisServer) -> None:
    """Also where it takes Redis several turns; used keys go as well."""
    async with store_on(redis_server) as store:
        number_of_runs = 2 * retention.REMOVED_AT_ONCE + 50
        for number in range(number_of_runs):
            run_id = f"{number}"
            strategy = {"secondsAfterCompletion": 60}
            await store.create(
                new_run(run_id, ttl_strategy=strategy), Idempotency(run_id, "digest")
            )
            await store.save(run_id, version=0, status=running(1), events=[event(1)])
            await finish(store, run_id, ended(), version=1)
        assert await store.collect_garbage(END + 2 * DAY_S) == number_of_runs
    assert redis_server.cli("keys", "*").split() == []


async def test_a_key_that_was_used_is_remembered_for_a_day(store: RunStore) -> None:
    """Collecting garbage does not forget it earlier."""
    await store.create(new_run("a"), Idempotency("key", "digest"))
    await store.collect_garbage(CREATED_AT + DAY_S - 1)
    later = new_run("b", created_at=CREATED_AT + DAY_S - 1)
    assert await store.create(later, Idempotency("key", "digest")) == Created("a", is_new=False)


async def test_two_who_collect_at_once_count_each_run_once(redis_server: RedisServer) -> None:
    """Every replica looks after all runs."""
    async with store_on(redis_server) as store:
        for number in range(30):
            await store.create(new_run(f"{number}"), None)
            await finish(store, f"{number}", ended())
        removed = [await store.collect_garbage(END + DAY_S) for _ in range(2)]
    assert removed == [30, 0]


async def test_live_runs_are_told_in_portions(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them, and no others."""
    monkeypatch.setattr(retention, "IDS_AT_ONCE", 4)
    for number in range(12):
        await store.create(new_run(f"{number:02}"), None)
    await finish(store, "05", ended())
    assert await store.live_ids() == tuple(f"{number:02}" for number in range(12) if number != 5)


async def test_a_live_run_that_lost_its_document_is_forgotten(
    store: RunStore, redis_server: RedisServer
) -> None:
    """It would take the place of another one for ever."""
    await store.create(new_run("a"), None)
    await store.create(new_run("b"), None)
    redis_server.cli("del", f"{PREFIX}run:a")
    assert await store.live_ids() == ("b",)
    redis_server.cli("del", f"{PREFIX}run:b")
    assert await store.live_ids() == ()
    assert redis_server.cli("keys", "*").split() == []
