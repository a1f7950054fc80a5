"""What happened to a run, for those who come back."""

import pytest
from kept_runs import event, new_run, running, store_on
from redis_server import RedisServer

from gateway.errors import RequestInvalid
from gateway.runs.store import RunStore


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
