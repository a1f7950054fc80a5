"""The composition root: all concrete parts, and the order of their lives."""

import asyncio
import gc
import logging
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from aiohttp import web

from gateway.analysis import Analysis
from gateway.api.operations import Health, Operations
from gateway.api.problems import error_middleware
from gateway.api.run_events import RunEvents
from gateway.api.runs import RunCalls
from gateway.api.server import KEEPALIVE_S, Runner
from gateway.api.templates import Lints, Templates
from gateway.api.verdicts import Verdicts
from gateway.embedded_redis import embedded_redis
from gateway.explanations import Explanations
from gateway.hash_key import HashKey
from gateway.http_client import HttpClient
from gateway.lint import lint
from gateway.measuring import Measuring
from gateway.memory import Memory
from gateway.planner import Planner
from gateway.provider import Context
from gateway.readings import Readings
from gateway.repeats import Repeats
from gateway.run_telemetry import RunTelemetry
from gateway.runs.parts import RunParts, run_parts
from gateway.runs.runs import order_of_question
from gateway.secret_files import SecretsFolder
from gateway.secrets import Secret
from gateway.settings import Settings
from gateway.shared_readings import SharedReadings
from gateway.sources import FolderSource, TemplateIndex
from gateway.store import Store
from gateway.telemetry import Telemetry
from gateway.tokens import TokenCache
from providers import PROVIDERS

_ENVIRON: Final = ("ARGO_ROLLOUTS_PROMETHEUS_ADDRESS",)
"""What providers may read of the environment."""
_THREADS: Final = 8
_GC_THRESHOLDS: Final = (20_000, 20, 50)
"""Python's own thresholds look for garbage after every 700 objects, which is every other request,
and cost a third of the processor."""
_log: Final = logging.getLogger(__name__)


Source = FolderSource | TemplateIndex
"""A folder, or nothing: then all templates come with the requests."""


class CannotListen(Exception):
    """The address or the port cannot be had; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway that runs."""

    app: web.Application
    health: Health
    readings: Readings
    runs: RunParts


@dataclass(frozen=True, slots=True)
class Judges:
    """What plans and measures, for verdicts and for runs alike."""

    planner: Planner
    measuring: Measuring


@asynccontextmanager
async def gateway(settings: Settings, *, environ: Mapping[str, str]) -> AsyncIterator[Gateway]:
    """Start all parts; when left, end them in the reverse order.

    Raises:
        EmbeddedRedisError: there is no Redis and none can be started.
        StoreInvalid: the Redis URL cannot be used.

    """
    telemetry = Telemetry()
    async with AsyncExitStack() as parts:
        url = settings.redis
        if url is None:
            url = await parts.enter_async_context(embedded_redis(settings.state))
        store = await _store(url, telemetry, parts)
        source = await templates(settings, parts)
        readings = Readings(
            memory=memory(settings),
            shared=SharedReadings(store, retention_s=settings.readings.retention_s),
            observer=telemetry,
            longest_flight_s=settings.verdicts.measurement_timeout_s,
        )
        hash_key = HashKey(settings.readings.hash_key, store).current
        judges = await compose(settings, environ, source, readings, hash_key, telemetry, parts)
        runs = await parts.enter_async_context(
            run_parts(
                settings,
                url,
                planner=judges.planner,
                measuring=judges.measuring,
                telemetry=RunTelemetry(telemetry),
            )
        )
        health = Health({"store": store.details, "templates": partial(_template_details, source)})
        app = web.Application(
            middlewares=[error_middleware(telemetry)],
            client_max_size=settings.limits.request_bytes,
        )
        order_of = partial(order_of_question, judges.planner)
        for resource in (
            Verdicts(_analysis(judges, readings, telemetry), settings),
            RunCalls(runs.runs, runs.store, runs.watch, order_of, settings),
            RunEvents(runs.watch),
            Templates(source, linter(settings, source, environ), settings.limits),
            Operations(telemetry, health, source),
        ):
            app.add_routes(resource.routes())
        yield Gateway(app, health, readings, runs)


def _analysis(judges: Judges, readings: Readings, telemetry: Telemetry) -> Analysis:
    return Analysis(
        planner=judges.planner,
        measuring=judges.measuring,
        repeats=Repeats(readings),
        now_unix_s=time.time,
        telemetry=telemetry,
    )


def linter(settings: Settings, source: Source, environ: Mapping[str, str]) -> Lints:
    """What finds everything that is wrong with documents."""
    return partial(
        lint,
        provider_types=PROVIDERS,
        environ=_visible(environ),
        lookup=partial(source.find, namespace=settings.namespace),
    )


def memory(settings: Settings) -> Memory:
    """What this process remembers of readings."""
    return Memory(
        max_entries=settings.readings.local_entries,
        max_bytes=settings.readings.local_bytes,
        retention_s=settings.readings.retention_s,
    )


async def templates(settings: Settings, parts: AsyncExitStack) -> Source:
    """The templates that have a name, watched until ``parts`` are closed."""
    if settings.templates is None:
        return TemplateIndex(settings.namespace)
    source = FolderSource(settings.templates, own_namespace=settings.namespace)
    await source.load()
    watch = asyncio.create_task(source.watch(), name="watch templates")

    async def stop_watching() -> None:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)

    parts.push_async_callback(stop_watching)
    return source


async def compose(
    settings: Settings,
    environ: Mapping[str, str],
    source: Source,
    readings: Readings,
    hash_key: Callable[[], Awaitable[bytes]],
    telemetry: Telemetry,
    parts: AsyncExitStack,
) -> Judges:
    """What judges, with all that it needs; what must be closed goes to ``parts``."""
    threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="provider")
    parts.callback(threads.shutdown, wait=False, cancel_futures=True)
    http = await parts.enter_async_context(
        HttpClient(
            max_body_bytes=settings.limits.response_bytes,
            connections_per_host=settings.limits.connections_per_host,
        )
    )
    context = Context(http=http, now_unix_s=time.time, tokens=TokenCache(), threads=threads)
    explanations = Explanations(
        context, budget_s=settings.verdicts.explain_no_data_s, now_s=time.monotonic
    )
    parts.push_async_callback(explanations.close)
    planner = Planner(
        templates=source,
        secrets=SecretsFolder(settings.secrets),
        provider_types=PROVIDERS,
        environ=_visible(environ),
        hash_key=hash_key,
        ttl_s=settings.verdicts.plan_ttl_s,
        now_s=time.monotonic,
    )
    measuring = Measuring(
        readings=readings, explanations=explanations, context=context, telemetry=telemetry
    )
    return Judges(planner, measuring)


async def serve(settings: Settings) -> None:
    """Answer requests until SIGTERM or SIGINT, then let everything under way finish."""
    stop = _stop_signal()
    async with gateway(settings, environ=os.environ) as running:
        runner = Runner(
            running.app,
            access_log=None,
            keepalive_timeout=KEEPALIVE_S,
            shutdown_timeout=settings.shutdown.grace_s,
            auto_decompress=False,
        )
        await runner.setup()
        await _listen(runner, settings)
        # What was made during the start stays: looking through it again costs requests time.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GC_THRESHOLDS)
        running.health.is_ready = True
        _announce(settings, runner)
        received = await stop
        _log.info("stopping", extra={"signal": received.name})
        running.health.is_ready = False
        if received is signal.SIGTERM:
            await asyncio.sleep(settings.shutdown.delay_s)
        deadline_s = time.monotonic() + settings.shutdown.grace_s
        # Who waits for a run hears how it stands, and asks another replica.
        await running.runs.watch.close()
        await asyncio.gather(runner.cleanup(), running.runs.worker.stop(settings.shutdown.grace_s))
        await running.readings.drain(max(0.0, deadline_s - time.monotonic()))
    _log.info("stopped")


async def _listen(runner: Runner, settings: Settings) -> None:
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
    except OSError as error:
        raise CannotListen(
            f"cannot listen on {settings.host} port {settings.port}: {error.strerror or error};"
            " choose another one (--host, --port)"
        ) from None


async def _store(url: Secret, telemetry: Telemetry, parts: AsyncExitStack) -> Store:
    store = Store(url, telemetry)
    parts.push_async_callback(store.close)
    await store.start()
    return store


def _template_details(source: Source) -> Mapping[str, object]:
    return {
        "count": sum(1 for _ in source.entries()),
        "broken": [file for file, _ in source.broken()],
    }


def _visible(environ: Mapping[str, str]) -> Mapping[str, str]:
    return {name: environ[name] for name in _ENVIRON if name in environ}


def _stop_signal() -> asyncio.Future[signal.Signals]:
    loop = asyncio.get_running_loop()
    stop: asyncio.Future[signal.Signals] = loop.create_future()

    def received(which: signal.Signals) -> None:
        if not stop.done():
            stop.set_result(which)

    for which in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(which, received, which)
    return stop


def _announce(settings: Settings, runner: Runner) -> None:
    for host, port, *_ in runner.addresses:
        _log.info("listening", extra={"url": f"http://{host}:{port}"})
    if settings.listens_on_loopback:
        _log.warning("open to everybody on this machine: there is no authentication on loopback")
    else:
        _log.warning("open to everybody who can reach this address: put authentication before it")
