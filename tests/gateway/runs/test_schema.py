"""A run that a newer gateway wrote: driven, kept whole, or left to it."""

from hashlib import sha256

import orjson
import pytest
from kept_runs import CREATED_AT, ended, finish, new_run, running
from redis_server import RedisServer
from runs_alone import RUN_ID, alone, metric

from gateway import run_document
from gateway.config.settings import Runs
from gateway.errors import RunUnderWay
from gateway.model import Phase
from gateway.run_manifest import RunSpec
from gateway.runs.schema import OLDEST_READER, OURS, SCHEMA, Schema, SchemaUnreadable, read_schema
from gateway.runs.store import RunOfNewer, RunStore, RunUnreadable
from gateway.template import Metric
from providers import PROVIDERS

KEY = "analysis-gateway:{runs}:run:"
READABLE = f"{SCHEMA + 1} {SCHEMA}"
FOREIGN = f"{SCHEMA + 1} {SCHEMA + 1}"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        pytest.param(None, Schema(1, 1), id="runs-of-before-say-nothing"),
        pytest.param(b"7 3", Schema(7, 3), id="both"),
        pytest.param(b"7 3 what comes later", Schema(7, 3), id="more-may-follow"),
        pytest.param(str(OURS).encode(), OURS, id="our-own"),
    ],
)
def test_a_schema_is_read(text: bytes | None, read: Schema) -> None:
    """Who wrote, and who may read."""
    assert read_schema(text) == read


@pytest.mark.parametrize("text", [b"", b"7", b"x 1", b"1 -1", b"1  1"])
def test_what_is_no_schema_is_refused(text: bytes) -> None:
    """Nobody guesses who may read it."""
    with pytest.raises(SchemaUnreadable):
        read_schema(text)


async def test_a_run_says_its_schema(store: RunStore, redis_server: RedisServer) -> None:
    """From its first moment, and again with every save."""
    await store.create(new_run("a"), None)
    assert redis_server.cli("hget", f"{KEY}a", "schema").strip() == str(OURS)
    redis_server.cli("hdel", f"{KEY}a", "schema")
    await store.save("a", version=0, status=running(1), events=())
    assert redis_server.cli("hget", f"{KEY}a", "schema").strip() == str(OURS)


async def test_what_a_newer_gateway_wrote_stays_newer(
    store: RunStore, redis_server: RedisServer
) -> None:
    """Also when an older one has saved the run: what it does not know is still in there."""
    await store.create(new_run("a"), None)
    redis_server.cli("hset", f"{KEY}a", "schema", READABLE)
    await store.save("a", version=0, status=running(1), events=())
    assert redis_server.cli("hget", f"{KEY}a", "schema").strip() == READABLE


async def test_a_run_for_newer_gateways_is_not_read(
    store: RunStore, redis_server: RedisServer
) -> None:
    """Whatever its fields seem to say."""
    await store.create(new_run("a"), None)
    redis_server.cli("hset", f"{KEY}a", "schema", FOREIGN)
    with pytest.raises(RunOfNewer) as raised:
        await store.load("a")
    assert str(raised.value) == (
        f"run a cannot be read from Redis: a newer gateway wrote it, with schema {SCHEMA + 1},"
        f" and this one knows up to {SCHEMA};"
        " it is left to newer replicas: ask again until one of them answers"
    )


async def test_a_schema_that_is_none_makes_a_run_unreadable(
    store: RunStore, redis_server: RedisServer
) -> None:
    """As every other field that is damaged."""
    await store.create(new_run("a"), None)
    redis_server.cli("hset", f"{KEY}a", "schema", "new")
    with pytest.raises(RunUnreadable, match="its schema is none"):
        await store.state("a")


async def test_a_run_for_newer_gateways_is_deleted_when_nobody_can_be_driving_it(
    store: RunStore, redis_server: RedisServer
) -> None:
    """An update that was taken back must leave nothing behind for ever."""
    max_duration_s = Runs().max_duration_s
    await store.create(new_run("a"), None)
    with pytest.raises(RunUnderWay):
        await store.delete("a", CREATED_AT + max_duration_s + 1)
    redis_server.cli("hset", f"{KEY}a", "schema", FOREIGN)
    with pytest.raises(RunOfNewer):
        await store.delete("a", CREATED_AT + max_duration_s - 1)
    await store.delete("a", CREATED_AT + max_duration_s + 1)
    assert redis_server.cli("keys", "*").split() == []


async def test_one_without_a_time_is_not_deleted(
    store: RunStore, redis_server: RedisServer
) -> None:
    """Its age is not known."""
    await store.create(new_run("a"), None)
    redis_server.cli("hset", f"{KEY}a", "schema", FOREIGN, "created", "long ago")
    with pytest.raises(RunOfNewer):
        await store.delete("a", CREATED_AT * 2)


async def test_one_that_has_ended_is_deleted_at_once(
    store: RunStore, redis_server: RedisServer
) -> None:
    """It takes no knowledge of what is in it."""
    await store.create(new_run("a"), None)
    await finish(store, "a", ended())
    redis_server.cli("hset", f"{KEY}a", "schema", FOREIGN)
    await store.delete("a", CREATED_AT)
    assert redis_server.cli("keys", "*").split() == []


async def test_fields_of_a_newer_gateway_outlive_an_older_driver(redis_server: RedisServer) -> None:
    """In the status, in a metric's result and in a measurement."""
    async with alone(redis_server, {"m": lambda: 0.9}) as run:
        await run.start(metric(interval="10s", count=2))
        await run.drive()
        key = f"{KEY}{RUN_ID}"
        status = orjson.loads(redis_server.cli("hget", key, "status"))
        (result,) = status["metricResults"]
        new = {"confidence": 0.75, "from": ["a", {"newer": "gateway"}]}
        for place in (status, result, result["measurements"][0]):
            place.update(new)
        redis_server.cli("hset", key, "status", orjson.dumps(status).decode(), "schema", READABLE)
        await run.drive_to_the_end()
        after = orjson.loads(redis_server.cli("hget", key, "status"))
        assert await run.ended() == (Phase.SUCCESSFUL, "")
    (result,) = after["metricResults"]
    assert result["count"] == 2
    for place in (after, result, result["measurements"][0]):
        assert {name: place[name] for name in new} == new
    assert not new.keys() & result["measurements"][1].keys()


@pytest.mark.parametrize(
    ("written", "phase"),
    [pytest.param(READABLE, Phase.PENDING, id="left"), pytest.param("1 1", Phase.ERROR, id="ours")],
)
async def test_a_run_that_only_a_newer_gateway_can_plan_is_left_to_it(
    redis_server: RedisServer, written: str, phase: Phase
) -> None:
    """One of our own cannot be planned by anybody: it ends in Error."""
    async with alone(redis_server, {"m": lambda: 0.9}) as run:
        await run.start(metric(provider={"oracle": {"question": "all well?"}}))
        redis_server.cli("hset", f"{KEY}{RUN_ID}", "schema", written)
        if phase is Phase.PENDING:
            with pytest.raises(RunOfNewer, match="and this one cannot plan it"):
                await run.drive()
        else:
            await run.drive()
        assert (await run.ended())[0] is phase


async def test_a_manifest_with_an_unknown_field_is_not_judged(redis_server: RedisServer) -> None:
    """What it wants is not known."""
    async with alone(redis_server, {"m": lambda: 0.9}) as run:
        await run.start(metric())
        key = f"{KEY}{RUN_ID}"
        manifest = orjson.loads(redis_server.cli("hget", key, "manifest"))
        manifest["spec"]["quorum"] = 3
        redis_server.cli("hset", key, "manifest", orjson.dumps(manifest).decode())
        with pytest.raises(RunUnreadable, match=r"spec\.quorum: unknown field"):
            await run.drive()
        assert (await run.ended())[0] is Phase.PENDING


def held() -> list[str]:
    """What a run may hold."""
    document = run_document
    names = {
        "status": document._OF_STATUS,
        "result": document._OF_RESULT,
        "measurement": document._OF_MEASUREMENT,
        "spec": {field.alias for field in RunSpec.model_fields.values()},
        "metric": {field.alias for field in Metric.model_fields.values()},
        "provider": PROVIDERS.keys(),
        "phase": set(Phase),
    }
    return sorted(f"{part}.{name}" for part, its in names.items() for name in its)


def test_the_schema_goes_up_with_what_a_run_holds() -> None:
    """Add one to SCHEMA, and raise OLDEST_READER if older gateways would misjudge what is new.

    Between two releases once is enough. Then put the new digest here.
    """
    digest = sha256(" ".join(held()).encode()).hexdigest()[:12]
    assert (SCHEMA, OLDEST_READER, digest) == (1, 1, "f983ceebee99")
