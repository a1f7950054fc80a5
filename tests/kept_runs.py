"""Runs to keep in a real Redis, and statuses for them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis
from redis_server import RedisServer

from gateway.config.settings import Runs
from gateway.model import Phase
from gateway.run_events import Event
from gateway.run_manifest import TEMPLATES_ANNOTATION
from gateway.run_status import Measurement, MetricResult, RunStatus, Summary
from gateway.runs.store import MAX_CALLS, NewRun, RunStore
from gateway.storage.client import Patience, connect

CREATED_AT = 1_790_000_000.123


def new_run(
    run_id: str,
    *,
    created_at: float = CREATED_AT,
    namespace: str = "shop",
    templates: Sequence[str] = ("success-rate",),
    labels: Mapping[str, str] | None = None,
    ttl_strategy: Mapping[str, int] | None = None,
    is_terminated: bool = False,
) -> NewRun:
    """A run of templates."""
    spec: dict[str, object] = {"metrics": [{"name": "success-rate"}]}
    if ttl_strategy is not None:
        spec["ttlStrategy"] = ttl_strategy
    metadata: dict[str, object] = {
        "name": f"success-rate-{run_id}",
        "namespace": namespace,
        "uid": run_id,
        "annotations": {TEMPLATES_ANNOTATION: ",".join(f"{name}@sha256:1f" for name in templates)},
    }
    if labels is not None:
        metadata["labels"] = labels
    manifest = {"kind": "AnalysisRun", "metadata": metadata, "spec": spec}
    return NewRun(
        id=run_id, manifest=manifest, created_at_unix_s=created_at, is_terminated=is_terminated
    )


def running(count: int) -> RunStatus:
    """A run that has measured its one metric so many times; the newest ten are kept."""
    measured = tuple(
        Measurement(
            phase=Phase.SUCCESSFUL,
            started_at_unix_s=CREATED_AT + 10 * number,
            finished_at_unix_s=CREATED_AT + 10 * number + 0.25,
            value=f"[0.99{number % 1000:03}]",
        )
        for number in range(count)
    )
    metric = MetricResult(
        name="success-rate",
        phase=Phase.RUNNING,
        measurements=measured[-10:],
        count=count,
        successful=count,
        consecutive_success=count,
    )
    return RunStatus(
        phase=Phase.RUNNING,
        metric_results=(metric,),
        started_at_unix_s=CREATED_AT,
        run_summary=Summary(count=1),
        dry_run_summary=Summary(),
    )


def ended(phase: Phase = Phase.SUCCESSFUL, *, at: float = CREATED_AT + 60) -> RunStatus:
    """A run that is over."""
    return RunStatus(
        phase=phase,
        message="so it is",
        started_at_unix_s=CREATED_AT,
        completed_at_unix_s=at,
        run_summary=Summary(count=1),
    )


def event(number: int) -> Event:
    """Something that happened."""
    return Event("measurement", {"metric": "success-rate", "count": number})


@asynccontextmanager
async def client_of(server: RedisServer) -> AsyncIterator[Redis]:
    """A client that does not give up before the store does."""
    patience = Patience(socket_timeout_s=10, max_connections=MAX_CALLS, retries=1)
    client = connect(server.url, patience)
    try:
        yield client.commands
    finally:
        await client.close()


@asynccontextmanager
async def store_on(server: RedisServer, **settings: Any) -> AsyncIterator[RunStore]:
    """A store of runs on a server, with settings as in the settings file."""
    async with client_of(server) as redis:
        yield RunStore(redis, Runs.model_validate(settings))


async def finish(store: RunStore, run_id: str, status: RunStatus, *, version: int = 0) -> None:
    """End a run."""
    await store.save(run_id, version=version, status=status, events=())
