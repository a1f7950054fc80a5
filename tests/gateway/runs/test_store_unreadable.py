"""What Redis has under the name of a run, and is none."""

import pytest
from kept_runs import CREATED_AT, ended, finish, new_run
from redis_server import RedisServer

from gateway.errors import GatewayError, StoreUnavailable
from gateway.runs.store import RunStore, RunUnreadable

PREFIX = "analysis-gateway:{runs}:"


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
    await store.delete("a", CREATED_AT)
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


def test_a_run_that_cannot_be_read_is_an_outage_with_a_word_of_its_own() -> None:
    """Whoever waits for Redis waits for the gateway that can read it."""
    assert issubclass(RunUnreadable, StoreUnavailable)
    assert RunUnreadable.slug not in {each.slug for each in GatewayError.__subclasses__()}
