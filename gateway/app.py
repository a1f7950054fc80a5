"""The composition root: all concrete parts, and the order of their lives."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from aiohttp import web
from aiohttp.typedefs import Middleware

from gateway.access.parts import AccessParts, everybody, open_access
from gateway.access.rights import Rights
from gateway.access.sessions import StoredSessions
from gateway.analysis import Analysis
from gateway.api.admission import admission_of
from gateway.api.audit import AuditCalls, noting_refusals
from gateway.api.callers import caller_middleware, lets_everybody_in, lets_this_machine_in
from gateway.api.conditions import ConditionCalls
from gateway.api.connections import ConnectionCalls
from gateway.api.operations import Contract, Health, Operations
from gateway.api.problems import error_middleware
from gateway.api.run_events import RunEvents
from gateway.api.runs import RunCalls, order_of
from gateway.api.templates import Lints, Templates
from gateway.api.verdicts import Verdicts
from gateway.audit import Audit
from gateway.audit_trail import Trail
from gateway.background import keep
from gateway.cluster_telemetry import ClusterTelemetry
from gateway.combined_sources import Source
from gateway.connection_parts import open_upstreams
from gateway.egress_parts import policies_of
from gateway.embedded_redis import embedded_redis
from gateway.hash_key import HashKey
from gateway.job_rights import JobRights
from gateway.judge_parts import Judges, Reach, linter, open_judges
from gateway.notice_parts import open_notifications
from gateway.notifier import Notifies
from gateway.readings import Readings
from gateway.repeats import Repeats
from gateway.retold import Retold
from gateway.run_telemetry import RunTelemetry
from gateway.runs.parts import RunParts, open_runs
from gateway.secrets import Secret
from gateway.settings import Settings
from gateway.source_parts import Sources, cluster_client, open_sources
from gateway.store import Store
from gateway.store_telemetry import StoreTelemetry
from gateway.telemetry import Telemetry
from gateway.upstream_budget import UpstreamBudget
from gateway.upstream_telemetry import UpstreamTelemetry
from gateway.web.parts import Page, Resource, web_page


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway that runs."""

    app: web.Application
    operations: web.Application | None
    """What the port for operators answers, if there is one."""
    telemetry: Telemetry
    health: Health
    readings: Readings
    runs: RunParts


@dataclass(frozen=True, slots=True)
class _Running:
    """What answers requests, whichever port they come to."""

    telemetry: Telemetry
    store: Store
    trail: Trail
    access: AccessParts
    sources: Sources
    budgets: Mapping[str, UpstreamBudget]
    """What may be asked of named upstreams, by the connection's name."""
    judges: Judges
    runs: RunParts
    analysis: Analysis
    health: Health
    lints: Lints


@asynccontextmanager
async def gateway(settings: Settings, *, environ: Mapping[str, str]) -> AsyncIterator[Gateway]:
    """Start all parts; when left, end them in the reverse order.

    Raises:
        EmbeddedRedisError: there is no Redis and none can be started.
        StoreInvalid: the Redis URL cannot be used.
        SettingsInvalid: it is not to be found out how the cluster is reached.

    """
    async with AsyncExitStack() as parts:
        running = await _open(settings, environ, parts)
        yield Gateway(
            _for_callers(settings, running),
            _for_operators(settings, running),
            running.telemetry,
            running.health,
            running.judges.readings,
            running.runs,
        )


async def _open(settings: Settings, environ: Mapping[str, str], parts: AsyncExitStack) -> _Running:
    """Each part after those that it needs."""
    telemetry = Telemetry()
    url = await _redis_url(settings, parts)
    store = await _store(url, telemetry, parts)
    cluster = cluster_client(settings, parts)
    trail = _trail(store, settings, parts)
    access = await open_access(settings.access, cluster, parts)
    sources = await open_sources(settings, cluster, parts)
    upstreams = await open_upstreams(
        settings.connections, settings.limits, store, UpstreamTelemetry(telemetry), parts
    )
    judges = await open_judges(
        settings,
        environ,
        sources,
        store,
        HashKey(settings.readings.hash_key, store).current,
        telemetry,
        parts,
        reach=Reach(
            JobRights(settings.kubernetes.jobs.namespaces), policies_of(settings), upstreams
        ),
    )
    notifies = open_notifications(settings, store, sources.secrets.for_named, telemetry, parts)
    runs = await open_runs(
        settings,
        url,
        parts,
        planner=judges.planner,
        measuring=judges.measuring,
        telemetry=RunTelemetry(telemetry),
        audit=trail,
        notifies=notifies,
    )
    return _Running(
        telemetry=telemetry,
        store=store,
        trail=trail,
        access=access,
        sources=sources,
        budgets=upstreams.budgets,
        judges=judges,
        runs=runs,
        analysis=_analysis(judges, telemetry, trail, notifies, parts),
        health=_health(settings, store, sources, access, telemetry, judges),
        lints=linter(settings, sources.templates, environ, judges.plugins),
    )


async def _redis_url(settings: Settings, parts: AsyncExitStack) -> Secret:
    if settings.redis is None:
        return await parts.enter_async_context(embedded_redis(settings.state))
    return settings.redis


async def _store(url: Secret, telemetry: Telemetry, parts: AsyncExitStack) -> Store:
    store = Store(url, StoreTelemetry(telemetry))
    parts.push_async_callback(store.close)
    await store.start()
    return store


def _trail(store: Store, settings: Settings, parts: AsyncExitStack) -> Trail:
    trail = Trail(store, max_entries=settings.audit.entries)
    parts.push_async_callback(trail.flush)
    keep(trail.serve(), "write the audit", parts)
    return trail


def _analysis(
    judges: Judges,
    telemetry: Telemetry,
    audit: Audit,
    notifies: Notifies,
    parts: AsyncExitStack,
) -> Analysis:
    retold = Retold(audit)
    parts.callback(retold.close)
    return Analysis(
        planner=judges.planner,
        measuring=judges.measuring,
        repeats=Repeats(judges.readings),
        now_unix_s=time.time,
        telemetry=telemetry,
        audit=audit,
        retold=retold,
        notifies=notifies,
    )


def _health(
    settings: Settings,
    store: Store,
    sources: Sources,
    access: AccessParts,
    telemetry: Telemetry,
    judges: Judges,
) -> Health:
    templates = partial(_template_details, sources.templates)
    health = Health({"store": store.details, "templates": templates})
    if sources.cluster is not None:
        ClusterTelemetry(telemetry, sources.cluster.templates_age_s)
        health.details["kubernetes"] = sources.cluster.details
        health.prerequisites.append(sources.cluster.is_synced)
    if access.details:
        health.details["access"] = access.state
    if judges.plugins.kinds:
        health.details["plugins"] = judges.plugins.details
    if settings.connections:
        health.details["connections"] = lambda: {"names": settings.connection_names}
    return health


def _template_details(source: Source) -> Mapping[str, object]:
    return {
        "count": sum(1 for _ in source.entries()),
        "broken": [file for file, _ in source.broken()],
    }


def _for_callers(settings: Settings, running: _Running) -> web.Application:
    rights, runs, trail = running.access.rights, running.runs, running.trail
    orders = partial(order_of, running.judges.planner)
    sessions = StoredSessions(running.store)
    page = _page(settings, running, sessions)
    operators = () if settings.operations.port is not None else (_operations(running, rights),)
    return _application(
        settings,
        [
            error_middleware(running.telemetry, noting_refusals(trail, page.answer_failure)),
            (
                caller_middleware(running.access.door, sessions)
                if settings.access.is_configured
                else lets_this_machine_in
            ),
            *admission_of(settings.access, running.access.policy, running.telemetry),
        ],
        Verdicts(running.analysis, rights, settings),
        RunCalls(runs.runs, runs.store, runs.watch, orders, rights, settings, trail),
        RunEvents(runs.watch, rights),
        AuditCalls(trail, rights),
        Templates(running.sources.templates, running.lints, rights, settings),
        ConditionCalls(rights, settings),
        ConnectionCalls(running.budgets, rights),
        Contract(),
        *page.resources,
        *operators,
    )


def _for_operators(settings: Settings, running: _Running) -> web.Application | None:
    """For a port of its own, if there is one, which asks for no credentials."""
    if settings.operations.port is None:
        return None
    return _application(
        settings,
        [error_middleware(running.telemetry), lets_everybody_in],
        _operations(running, everybody().rights),
    )


def _page(settings: Settings, running: _Running, sessions: StoredSessions) -> Page:
    return web_page(
        settings,
        running.telemetry,
        running.access,
        sessions=sessions,
        runs=running.runs.store,
        templates=running.sources.templates,
        lint=running.lints,
        budgets=running.budgets,
    )


def _operations(running: _Running, rights: Rights) -> Operations:
    return Operations(running.telemetry, running.health, running.sources.templates, rights)


def _application(
    settings: Settings, middlewares: Sequence[Middleware], *resources: Resource
) -> web.Application:
    app = web.Application(
        middlewares=middlewares,
        client_max_size=settings.limits.request_bytes,
    )
    for resource in resources:
        app.add_routes(resource.routes())
    return app
