"""A run whose secrets vanish, whose driver has a fault, or whose Redis is away."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from redis_server import RedisServer, until
from runs_alone import RUN_ID, alone, metric

from gateway.args import MissingSecret
from gateway.errors import ClusterUnavailable, ProviderUnreachable
from gateway.model import Phase
from gateway.secret_files import SecretsFolder
from gateway.secrets import Secret
from gateway.template import SecretKeyRef


def fails(error: Exception) -> Any:
    """An answer that raises."""

    def answer() -> float:
        raise error

    return answer


async def test_a_secret_that_vanishes_ends_the_run(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    """In Error, with Argo's words; its value is in no text."""
    key = tmp_path / "shop" / "s" / "k"
    key.parent.mkdir(parents=True)
    key.write_text("hunter2-secret")
    answers = {"hunter2-secret": fails(ProviderUnreachable("hunter2-secret is away"))}
    async with alone(redis_server, answers, secrets=SecretsFolder(tmp_path)) as run:
        await run.start(
            metric(url="{{args.s}}"),
            args=[{"name": "s", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
        )
        await run.drive()
        key.unlink()
        run.now_unix_s += 11
        assert await run.drive() is None
        kept = await run.store.load(RUN_ID)
    assert kept.status.phase is Phase.ERROR
    assert kept.status.message.startswith("Unable to resolve metric arguments: ")
    (result,) = kept.status.metric_results
    assert result.measurements[0].message == "***** is away"
    assert result.metadata == {"Asked": "*****"}
    assert "hunter2" not in redis_server.cli("HGETALL", f"analysis-gateway:{{runs}}:run:{RUN_ID}")


class Vault:
    """Secrets that all have one value, or cannot be read now."""

    is_away = False

    async def read(
        self, _namespace: str, refs: Sequence[SecretKeyRef]
    ) -> Mapping[SecretKeyRef, Secret | MissingSecret]:
        """A value for every reference."""
        if self.is_away:
            raise ClusterUnavailable("the API server did not answer in time")
        return {ref: Secret("hunter2") for ref in refs}


WITH_SECRET = {"args": [{"name": "s", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]}


async def test_a_secret_that_cannot_be_read_now_ends_nothing(redis_server: RedisServer) -> None:
    """The run stays as it is, and goes on from there."""
    vault = Vault()
    async with alone(redis_server, {"hunter2": lambda: 0.9}, secrets=vault) as run:
        await run.start(metric(url="{{args.s}}", interval="60s", count=2), **WITH_SECRET)
        await run.drive()
        vault.is_away = True
        run.now_unix_s += 61
        with pytest.raises(ClusterUnavailable):
            await run.drive()
        standing = await run.store.load(RUN_ID)
        vault.is_away = False
        assert await run.drive() is None
        kept = await run.store.load(RUN_ID)
    assert (standing.status.phase, standing.status.metric_results[0].count) == (Phase.RUNNING, 1)
    assert (kept.status.phase, kept.status.metric_results[0].count) == (Phase.SUCCESSFUL, 2)


@pytest.mark.parametrize(
    "is_terminated",
    [
        pytest.param(False, id="one-that-would-go-on"),
        pytest.param(True, id="one-that-was-to-end-anyway"),
    ],
)
async def test_no_run_waits_for_a_secret_for_ever(
    redis_server: RedisServer,
    is_terminated: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """The longest time that a run may last is the longest that it waits."""
    vault = Vault()
    async with alone(
        redis_server, {"hunter2": lambda: 0.9}, secrets=vault, maxDuration="100s"
    ) as run:
        await run.start(metric(url="{{args.s}}", interval="60s", count=2), **WITH_SECRET)
        await run.drive()
        vault.is_away = True
        if is_terminated:
            await run.store.terminate(RUN_ID)
        run.now_unix_s += 99
        with pytest.raises(ClusterUnavailable):
            await run.drive()
        run.now_unix_s += 1
        assert await run.drive() is None
        kept = await run.store.load(RUN_ID)
    assert (kept.status.phase, kept.status.message) == (
        Phase.INCONCLUSIVE,
        "Run did not end within 100s (runs.maxDuration)",
    )


async def test_a_fault_of_the_gateway_ends_the_run_and_shows_no_text(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run is in Error; the log has the kind and the places."""
    secret = "hunter2"

    def broken(*_: object, **__: object) -> None:
        raise KeyError(secret)

    async with alone(redis_server, {"m": lambda: 1}) as run:
        await run.start(metric())
        monkeypatch.setattr("gateway.assess.record", broken)
        assert await run.drive() is None
        kept = await run.store.load(RUN_ID)
    assert (kept.status.phase, kept.status.message) == (
        Phase.ERROR,
        "the gateway failed unexpectedly (KeyError); its log says where",
    )
    assert secret not in caplog.text + repr(vars(caplog.records[0]))
    assert re.search("steps.py", vars(caplog.records[0])["places"])


async def test_what_was_measured_waits_for_redis(redis_server: RedisServer) -> None:
    """Redis dies while a measurement is under way, comes back, and has it."""
    redis_server.kill()
    redis_server.start()
    gate = asyncio.Event()

    async def answer() -> float:
        await gate.wait()
        return 1.0

    async with alone(redis_server, {"m": answer}) as run:
        await run.start(metric())
        driven = asyncio.create_task(run.drive())
        await until(lambda: run.script.asked == ["m"])
        redis_server.freeze()
        gate.set()
        await asyncio.sleep(3)
        assert not driven.done()
        redis_server.thaw()
        async with asyncio.timeout(10):
            assert await driven is None
        kept = await run.store.load(RUN_ID)
    assert kept.version == 1
    assert kept.status.phase is Phase.SUCCESSFUL
