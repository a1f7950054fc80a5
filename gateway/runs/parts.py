"""All parts of durable runs, put together, and the order of their lives."""

import logging
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

from redis.asyncio import Redis

from gateway.audit import Audit
from gateway.background import keep
from gateway.errors import StoreUnavailable
from gateway.measuring import Measuring
from gateway.notifier import Notifies
from gateway.planner import Planner
from gateway.run_telemetry import RunTelemetry
from gateway.runs.driver import Driver
from gateway.runs.plans import RunPlans
from gateway.runs.queue import RunQueue
from gateway.runs.redis_advice import redis_advice
from gateway.runs.runs import Runs
from gateway.runs.steps import Steps
from gateway.runs.store import RunStore
from gateway.runs.upkeep import Upkeep
from gateway.runs.watch import Watch
from gateway.runs.worker import RunWorker
from gateway.secrets import Secret
from gateway.settings import Settings
from gateway.store_client import Patience, connect

PATIENCE: Final = Patience(
    # Above what any call is given: it ends those that nobody waits for any more.
    socket_timeout_s=10.0,
    # Above the number of calls that are let through at a time.
    max_connections=64,
    retries=1,
)
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunParts:
    """What the HTTP side needs of runs."""

    runs: Runs
    store: RunStore
    watch: Watch
    worker: RunWorker


async def open_runs(
    settings: Settings,
    url: Secret,
    parts: AsyncExitStack,
    *,
    planner: Planner,
    measuring: Measuring,
    telemetry: RunTelemetry,
    audit: Audit,
    notifies: Notifies,
) -> RunParts:
    """Drive runs until ``parts`` are closed; those in hand are given back then, for others to take.

    Raises:
        StoreInvalid: the Redis URL cannot be used.

    """
    client = connect(url, PATIENCE)
    parts.push_async_callback(client.close)
    await _advise(client.commands)
    store = RunStore(client.commands, settings.runs)
    queue = RunQueue(client.commands)
    driver = _driver(settings, store, planner, measuring, telemetry, audit, notifies)
    worker = RunWorker(
        queue, driver.drive, concurrency=settings.runs.concurrency, observer=telemetry
    )
    await worker.start()
    parts.push_async_callback(worker.stop, 0)
    watch = Watch(store)
    parts.push_async_callback(watch.close)
    upkeep = Upkeep(store, queue, telemetry, now_unix_s=time.time)
    keep(upkeep.serve(), "look after runs", parts)
    runs = Runs(
        planner=planner,
        store=store,
        queue=queue,
        settings=settings.runs,
        now_unix_s=time.time,
        audit=audit,
    )
    return RunParts(runs, store, watch, worker)


def _driver(
    settings: Settings,
    store: RunStore,
    planner: Planner,
    measuring: Measuring,
    telemetry: RunTelemetry,
    audit: Audit,
    notifies: Notifies,
) -> Driver:
    return Driver(
        states=store,
        plans=RunPlans(
            planner, store, secrets_ttl_s=settings.verdicts.plan_ttl_s, now_s=time.monotonic
        ),
        steps=Steps(measuring, now_unix_s=time.time, max_age_s=settings.readings.max_age_s),
        settings=settings.runs,
        now_unix_s=time.time,
        observer=telemetry,
        audit=audit,
        notifies=notifies,
    )


async def _advise(redis: Redis) -> None:
    try:
        for sentence in await redis_advice(redis):
            _log.warning(sentence)
    except StoreUnavailable:
        _log.debug("Redis does not say how it is set up")
