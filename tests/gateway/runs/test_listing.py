"""Lists of runs in a real Redis."""

import logging
import random

import pytest
from kept_runs import CREATED_AT, ended, finish, new_run, running
from redis_server import RedisServer

from gateway.errors import RequestInvalid
from gateway.model import Phase
from gateway.runs import listing
from gateway.runs.store import Filter, RunStore

PREFIX = "analysis-gateway:{runs}:"


@pytest.fixture
async def six(store: RunStore) -> RunStore:
    """Six runs, a second apart."""
    runs = [
        new_run("a", namespace="shop", labels={"team": "red", "tier": "1"}),
        new_run("b", namespace="shop", templates=("latency",), created_at=CREATED_AT + 1),
        new_run("c", namespace="bank", labels={"team": "red"}, created_at=CREATED_AT + 2),
        new_run("d", namespace="bank", templates=(), created_at=CREATED_AT + 3),
        new_run("e", templates=("latency", "success-rate"), created_at=CREATED_AT + 4),
        new_run("f", labels={"team": "blue"}, created_at=CREATED_AT + 5),
    ]
    for run in runs:
        await store.create(run, None)
    await store.save("a", version=0, status=running(1), events=())
    await finish(store, "b", ended())
    await finish(store, "c", ended(Phase.FAILED))
    await finish(store, "d", ended(Phase.FAILED))
    return store


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        pytest.param(Filter(), "fedcba", id="all"),
        pytest.param(Filter(namespace="shop"), "feba", id="of-a-namespace"),
        pytest.param(Filter(namespace=""), "", id="of-the-namespace-without-a-name"),
        pytest.param(Filter(template="success-rate"), "feca", id="of-a-template"),
        pytest.param(Filter(template="latency"), "eb", id="also-if-it-has-others"),
        pytest.param(Filter(template="late"), "", id="of-a-template-with-its-whole-name"),
        pytest.param(Filter(phase=Phase.PENDING), "fe", id="not-yet-begun"),
        pytest.param(Filter(phase=Phase.RUNNING), "a", id="running"),
        pytest.param(Filter(phase=Phase.FAILED), "dc", id="failed"),
        pytest.param(Filter(phase=Phase.ERROR), "", id="in-a-phase-that-none-is-in"),
        pytest.param(Filter(labels={"team": "red"}), "ca", id="with-a-label"),
        pytest.param(Filter(labels={"team": "red", "tier": "1"}), "a", id="with-all-labels"),
        pytest.param(Filter(labels={"team": ""}), "", id="a-label-that-is-there-is-not-empty"),
        pytest.param(Filter(created_after_unix_s=CREATED_AT + 4), "fe", id="since-a-moment"),
        pytest.param(Filter(created_before_unix_s=CREATED_AT + 2), "ba", id="before-a-moment"),
        pytest.param(
            Filter(created_after_unix_s=CREATED_AT + 1, created_before_unix_s=CREATED_AT + 3),
            "cb",
            id="between-moments",
        ),
        pytest.param(Filter(created_before_unix_s=-1), "", id="before-time-began"),
        pytest.param(Filter(created_after_unix_s=1e12), "", id="when-nobody-lives-any-more"),
        pytest.param(
            Filter(namespace="bank", template="success-rate", phase=Phase.FAILED),
            "c",
            id="of-which-all-is-true",
        ),
    ],
)
@pytest.mark.parametrize("limit", [1, 2, 9])
async def test_runs_are_listed_newest_first(
    six: RunStore, wanted: Filter, ids: str, limit: int
) -> None:
    """Whatever the size of a page, all pages together are the list."""
    found, cursor, pages = "", None, 0
    while pages == 0 or cursor is not None:
        page = await six.list(wanted, limit=limit, cursor=cursor)
        found += "".join(run.id for run in page.runs)
        cursor, pages = page.cursor, pages + 1
    assert (found, pages) == (ids, max(1, -(-len(ids) // limit)))


async def test_a_list_has_whole_runs(six: RunStore) -> None:
    """The same as asked for one by one."""
    page = await six.list(Filter(), limit=9, cursor=None)
    assert list(page.runs) == [await six.load(run_id) for run_id in "fedcba"]


async def test_runs_of_the_same_millisecond_are_all_listed(store: RunStore) -> None:
    """A page may end between them."""
    for run_id in "abc":
        await store.create(new_run(run_id), None)
    first = await store.list(Filter(), limit=2, cursor=None)
    second = await store.list(Filter(), limit=2, cursor=first.cursor)
    assert [run.id for run in first.runs + second.runs] == ["c", "b", "a"]


async def test_pages_fit_together_while_runs_come_and_go(store: RunStore) -> None:
    """No run is listed twice, and none that was there all the time is left out."""
    chance = random.Random(7)
    for number in range(60):
        await store.create(new_run(f"{number:03}", created_at=CREATED_AT + number), None)
        await finish(store, f"{number:03}", ended())
    listed: list[str] = []
    deleted: set[str] = set()
    cursor, is_first = None, True
    while is_first or cursor is not None:
        page = await store.list(Filter(phase=Phase.SUCCESSFUL), limit=7, cursor=cursor)
        listed += [run.id for run in page.runs]
        cursor, is_first = page.cursor, False
        for _ in range(4):
            gone = f"{chance.randrange(60):03}"
            if gone not in deleted:
                await store.delete(gone, CREATED_AT)
                deleted.add(gone)
        new = f"new-{len(listed)}"
        await store.create(new_run(new, created_at=CREATED_AT + 1_000 + len(listed)), None)
        await finish(store, new, ended())
    assert listed == sorted(set(listed), reverse=True)
    assert {f"{number:03}" for number in range(60)} - deleted <= set(listed)


@pytest.mark.parametrize("cursor", ["", "a", "1790000000123", "1790000000123:", "1:a", "(+"])
async def test_what_is_no_cursor_is_refused(store: RunStore, cursor: str) -> None:
    """It comes from outside."""
    with pytest.raises(RequestInvalid) as raised:
        await store.list(Filter(), limit=1, cursor=cursor)
    assert str(raised.value) == "continue: is not one that a list of runs gave"


async def test_a_run_that_cannot_be_read_hides_no_others(
    six: RunStore, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """It is left out, and the log says which one."""
    redis_server.cli("hset", f"{PREFIX}run:c", "status", "{")
    redis_server.cli("hset", f"{PREFIX}facts", "d", "1790000003123 {")
    redis_server.cli("hdel", f"{PREFIX}facts", "e")
    redis_server.cli("del", f"{PREFIX}run:f")
    with caplog.at_level(logging.WARNING):
        unfiltered = await six.list(Filter(), limit=9, cursor=None)
        filtered = await six.list(Filter(labels={}, namespace="bank"), limit=9, cursor=None)
    assert [run.id for run in unfiltered.runs] == ["e", "d", "b", "a"]
    assert [run.id for run in filtered.runs] == []
    reasons = [getattr(record, "reason", "") for record in caplog.records]
    assert [reason.partition(":")[0] for reason in reasons] == [
        "run c cannot be read from Redis"
    ] * 2


async def test_a_run_that_went_on_meanwhile_is_not_listed_as_what_it_was(
    six: RunStore, redis_server: RedisServer
) -> None:
    """What is listed is what was asked for."""
    redis_server.cli("hset", f"{PREFIX}versions", "d", "0 Pending")
    page = await six.list(Filter(phase=Phase.PENDING), limit=9, cursor=None)
    assert [run.id for run in page.runs] == ["f", "e"]


async def test_a_page_looks_at_so_many_runs_only(
    six: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be empty then, and says where to go on."""
    monkeypatch.setattr(listing, "PORTION", 2)
    monkeypatch.setattr(listing, "MOST_LOOKED_AT", 4)
    first = await six.list(Filter(labels={"tier": "1"}), limit=9, cursor=None)
    second = await six.list(Filter(labels={"tier": "1"}), limit=9, cursor=first.cursor)
    assert (first.runs, [run.id for run in second.runs], second.cursor) == ((), ["a"], None)


async def test_a_page_has_so_many_bytes_only(
    six: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long documents make it end early, but not without one, and it says where to go on."""
    monkeypatch.setattr(listing, "_LOADED_AT_ONCE", 2)
    monkeypatch.setattr(listing, "MOST_BYTES", 1)
    pages, cursor = list[str](), None
    while not pages or cursor is not None:
        page = await six.list(Filter(), limit=5, cursor=cursor)
        pages.append("".join(run.id for run in page.runs))
        cursor = page.cursor
    assert pages == ["fe", "dc", "ba"]


def test_facts_of_older_versions_say_nothing_of_names() -> None:
    """What was made then is for the eyes of who may see what requests bring."""
    old = b'0000000000001 ["shop",["rate"],{}]'
    new = b'0000000000001 ["shop",["rate"],{},["rate"]]'
    seen: list[object] = []

    def sees(namespace: str, named: object) -> bool:
        seen.append((namespace, named))
        return named is not None

    assert not Filter(sees=sees).takes(old)
    assert Filter(sees=sees).takes(new)
    assert seen == [("shop", None), ("shop", ["rate"])]
    assert Filter(template="rate").takes(old)
