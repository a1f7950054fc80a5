"""The composition root: all concrete parts, and the order of their lives."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

from aiohttp import web
from aiohttp.typedefs import Middleware

from gateway.access.parts import AccessParts, everybody, open_access
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
from gateway.api.templates import Lints, Sees, Templates
from gateway.api.verdicts import Verdicts
from gateway.audit import Audit
from gateway.audit_trail import Trail
from gateway.background import keep
from gateway.cluster_telemetry import ClusterTelemetry
from gateway.combined_sources import Source, usable
from gateway.connection_parts import Upstreams, open_upstreams
from gateway.connection_secrets import Granting
from gateway.credentials import Credentials
from gateway.documents import Document
from gateway.egress_parts import Policies, open_way, policies_of
from gateway.embedded_redis import embedded_redis
from gateway.explanations import Explanations
from gateway.hash_key import HashKey
from gateway.job_parts import cluster_jobs
from gateway.job_rights import JobRights
from gateway.kubernetes_settings import Jobs
from gateway.lint import Finding, lint
from gateway.measuring import Measuring
from gateway.memory import Memory
from gateway.notice_parts import open_notifications
from gateway.notifier import Notifies
from gateway.planner import Planner
from gateway.quota_telemetry import QuotaTelemetry
from gateway.readings import Readings
from gateway.repeats import Repeats
from gateway.retold import Retold
from gateway.run_telemetry import RunTelemetry
from gateway.runs.parts import RunParts, run_parts
from gateway.secrets import Secret
from gateway.settings import Settings
from gateway.shared_readings import SharedReadings
from gateway.source_parts import Sources, cluster_client, open_sources
from gateway.store import Store
from gateway.telemetry import Telemetry
from gateway.template import Template, TemplateRef
from gateway.upstream_telemetry import UpstreamTelemetry
from gateway.web.parts import web_page
from providers import JobRules, Plugins, load_plugins, provider_types

_ENVIRON: Final = (
    "ARGO_ROLLOUTS_PROMETHEUS_ADDRESS",
    "DD_ADDRESS",
    "DD_API_KEY",
    "DD_APP_KEY",
    "NEW_RELIC_NERDGRAPH_BASE_URL",
    "NEW_RELIC_SERVICE_NAME",
)
"""What providers may read of the environment."""
_THREADS: Final = 8
PLUGIN_IMPORT_S: Final = 10.0
"""How long a start waits for the imports of all plugins together."""


class Resource(Protocol):
    """A part of the HTTP interface."""

    def routes(self) -> list[web.RouteDef]:
        """The paths that it answers."""


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
class Judges:
    """What plans and measures, for verdicts and for runs alike."""

    planner: Planner
    measuring: Measuring
    plugins: Plugins


@dataclass(frozen=True, slots=True)
class Rights:
    """What analyses of this process may do."""

    jobs: JobRights
    egress: Policies
    upstreams: Upstreams = field(default_factory=Upstreams)


@asynccontextmanager
async def gateway(settings: Settings, *, environ: Mapping[str, str]) -> AsyncIterator[Gateway]:
    """Start all parts; when left, end them in the reverse order.

    Raises:
        EmbeddedRedisError: there is no Redis and none can be started.
        StoreInvalid: the Redis URL cannot be used.
        SettingsInvalid: it is not to be found out how the cluster is reached.

    """
    telemetry = Telemetry()
    async with AsyncExitStack() as parts:
        url = settings.redis
        if url is None:
            url = await parts.enter_async_context(embedded_redis(settings.state))
        store = await _store(url, telemetry, parts)
        cluster = cluster_client(settings, parts)
        trail = _trail(store, settings, parts)
        access = await open_access(settings.access, cluster, parts)
        sources = await open_sources(settings, cluster, parts)
        readings = readings_of(settings, telemetry, store)
        hash_key = HashKey(settings.readings.hash_key, store).current
        upstreams = await open_upstreams(
            settings.connections, settings.limits, store, UpstreamTelemetry(telemetry), parts
        )
        judges = await compose(
            settings,
            environ,
            sources,
            readings,
            hash_key,
            telemetry,
            parts,
            rights=Rights(
                JobRights(settings.kubernetes.jobs.namespaces),
                policies_of(settings),
                upstreams,
            ),
        )
        notifies = open_notifications(settings, store, sources.secrets.for_named, telemetry, parts)
        runs = await parts.enter_async_context(
            run_parts(
                settings,
                url,
                planner=judges.planner,
                measuring=judges.measuring,
                telemetry=RunTelemetry(telemetry),
                audit=trail,
                notifies=notifies,
            )
        )
        source = sources.templates
        health = _health(store, sources, access, telemetry, judges.plugins)
        if settings.connections:
            health.details["connections"] = lambda: {"names": settings.connection_names}
        orders = partial(order_of, judges.planner)
        rights = access.rights
        lints = linter(settings, source, environ, judges.plugins)
        sessions = StoredSessions(store)
        page = web_page(
            settings,
            telemetry,
            access,
            sessions=sessions,
            runs=runs.store,
            templates=source,
            lint=lints,
            budgets=upstreams.budgets,
        )
        is_apart = settings.operations.port is not None
        operations = Operations(telemetry, health, source, rights)
        analysis = _analysis(judges, readings, telemetry, trail, notifies, parts)
        app = _application(
            settings,
            [
                error_middleware(telemetry, noting_refusals(trail, page.answer_failure)),
                (
                    caller_middleware(access.door, sessions)
                    if settings.access.is_configured
                    else lets_this_machine_in
                ),
                *admission_of(settings.access, access.policy, telemetry),
            ],
            Verdicts(analysis, rights, settings),
            RunCalls(runs.runs, runs.store, runs.watch, orders, rights, settings, trail),
            RunEvents(runs.watch, rights),
            AuditCalls(trail, rights),
            Templates(source, lints, rights, settings),
            ConditionCalls(rights, settings),
            ConnectionCalls(upstreams.budgets, rights),
            Contract(),
            *page.resources,
            *(() if is_apart else (operations,)),
        )
        apart = _apart(settings, telemetry, health, source) if is_apart else None
        yield Gateway(app, apart, telemetry, health, readings, runs)


def _apart(
    settings: Settings, telemetry: Telemetry, health: Health, source: Source
) -> web.Application:
    """For a port of its own, which asks for no credentials."""
    return _application(
        settings,
        [error_middleware(telemetry), lets_everybody_in],
        Operations(telemetry, health, source, everybody().rights),
    )


def _health(
    store: Store, sources: Sources, access: AccessParts, telemetry: Telemetry, plugins: Plugins
) -> Health:
    templates = partial(_template_details, sources.templates)
    health = Health({"store": store.details, "templates": templates})
    if sources.cluster is not None:
        ClusterTelemetry(telemetry, sources.cluster.templates_age_s)
        health.details["kubernetes"] = sources.cluster.details
        health.prerequisites.append(sources.cluster.is_synced)
    if access.details:
        health.details["access"] = access.state
    if plugins.kinds:
        health.details["plugins"] = plugins.details
    return health


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


def _analysis(
    judges: Judges,
    readings: Readings,
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
        repeats=Repeats(readings),
        now_unix_s=time.time,
        telemetry=telemetry,
        audit=audit,
        retold=retold,
        notifies=notifies,
    )


def linter(
    settings: Settings, source: Source, environ: Mapping[str, str], plugins: Plugins
) -> Lints:
    """What finds everything that is wrong with documents."""
    known = partial(
        lint, provider_types=provider_types(JobRules(), plugins), environ=_visible(environ)
    )

    def linted(documents: Sequence[Document], sees: Sees) -> tuple[Finding, ...]:
        def lookup(ref: TemplateRef) -> Template | None:
            return usable(source, ref, settings.namespace) if sees(ref) else None

        return known(documents, lookup=lookup)

    return linted


def readings_of(settings: Settings, telemetry: Telemetry, store: Store | None) -> Readings:
    """What is known of the providers' answers; shared if there is a store."""
    kept = settings.readings
    return Readings(
        memory=Memory(
            max_entries=kept.local_entries,
            max_bytes=kept.local_bytes,
            retention_s=kept.retention_s,
        ),
        shared=None if store is None else SharedReadings(store, retention_s=kept.retention_s),
        observer=telemetry,
        longest_flight_s=settings.verdicts.measurement_timeout_s,
    )


async def compose(
    settings: Settings,
    environ: Mapping[str, str],
    sources: Sources,
    readings: Readings,
    hash_key: Callable[[], Awaitable[bytes]],
    telemetry: Telemetry,
    parts: AsyncExitStack,
    *,
    rights: Rights,
) -> Judges:
    """What judges, with all that it needs; what must be closed goes to ``parts``."""
    threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="provider")
    parts.callback(threads.shutdown, wait=False, cancel_futures=True)
    plugins = await asyncio.to_thread(plugins_of, settings)
    parts.enter_context(plugins.at_work())
    jobs = cluster_jobs(settings.kubernetes, parts)
    quotas = QuotaTelemetry(telemetry)
    budgets = rights.upstreams.budgets
    ways = {
        name: await open_way(policy, settings.limits, quotas, threads, jobs, budgets, parts)
        for name, policy in rights.egress.items()
    }
    explanations = Explanations(budget_s=settings.verdicts.explain_no_data_s, now_s=time.monotonic)
    parts.push_async_callback(explanations.close)
    planner = Planner(
        templates=sources.templates,
        secrets=sources.secrets,
        credentials=Credentials(
            provider_types=provider_types(_job_rules(settings.kubernetes.jobs), plugins),
            own_namespace=settings.namespace,
            environ=_visible(environ),
        ),
        granting=Granting(
            rights.upstreams.connections, sources.secrets.for_named, settings.namespace
        ),
        hash_key=hash_key,
        job_rights=rights.jobs,
        ttl_s=settings.verdicts.plan_ttl_s,
        now_s=time.monotonic,
    )
    measuring = Measuring(
        readings=readings,
        explanations=explanations,
        ways=ways,
        now_unix_s=time.time,
        telemetry=telemetry,
    )
    return Judges(planner, measuring, plugins)


def plugins_of(settings: Settings) -> Plugins:
    """The plugins that are listed; imports them, which may take seconds."""
    return load_plugins(
        settings.plugins,
        measurement_timeout_s=settings.verdicts.measurement_timeout_s,
        import_timeout_s=PLUGIN_IMPORT_S,
    )


def _job_rules(jobs: Jobs) -> JobRules:
    return JobRules(
        namespace=jobs.namespace,
        active_deadline_s=jobs.active_deadline_whole_s,
        ttl_after_finished_s=jobs.ttl_after_finished_whole_s,
        allowed=frozenset(jobs.allow),
    )


async def _store(url: Secret, telemetry: Telemetry, parts: AsyncExitStack) -> Store:
    store = Store(url, telemetry)
    parts.push_async_callback(store.close)
    await store.start()
    return store


def _trail(store: Store, settings: Settings, parts: AsyncExitStack) -> Trail:
    trail = Trail(store, max_entries=settings.audit.entries)
    parts.push_async_callback(trail.flush)
    keep(trail.serve(), "write the audit", parts)
    return trail


def _template_details(source: Source) -> Mapping[str, object]:
    return {
        "count": sum(1 for _ in source.entries()),
        "broken": [file for file, _ in source.broken()],
    }


def _visible(environ: Mapping[str, str]) -> Mapping[str, str]:
    return {name: environ[name] for name in _ENVIRON if name in environ}
