"""What plans and measures, put together with the providers, and the order of their lives."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from gateway.api.templates import Lints, Sees
from gateway.combined_sources import Source, usable
from gateway.connection_parts import Upstreams
from gateway.connection_secrets import Granting
from gateway.credentials import Credentials
from gateway.documents import Document
from gateway.egress_parts import Policies, open_way
from gateway.explanations import Explanations
from gateway.job_parts import cluster_jobs
from gateway.job_rights import JobRights
from gateway.kubernetes_settings import Jobs
from gateway.lint import Finding, lint
from gateway.measuring import Measuring
from gateway.memory import Memory
from gateway.planner import Planner
from gateway.quota_telemetry import QuotaTelemetry
from gateway.reading_telemetry import ReadingTelemetry
from gateway.readings import Readings
from gateway.settings import Settings
from gateway.shared_readings import SharedReadings
from gateway.source_parts import Sources
from gateway.store import Store
from gateway.telemetry import Telemetry
from gateway.template import Template, TemplateRef
from gateway.ways import Way
from providers import JobRules, Plugins, load_plugins, provider_types

PLUGIN_IMPORT_S: Final = 10.0
"""How long a start waits for the imports of all plugins together."""
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


@dataclass(frozen=True, slots=True)
class Judges:
    """What plans and measures, for verdicts and for runs alike."""

    planner: Planner
    measuring: Measuring
    readings: Readings
    plugins: Plugins


@dataclass(frozen=True, slots=True)
class Reach:
    """How far analyses of this process may go."""

    jobs: JobRights
    egress: Policies
    upstreams: Upstreams = field(default_factory=Upstreams)


async def open_judges(
    settings: Settings,
    environ: Mapping[str, str],
    sources: Sources,
    store: Store | None,
    hash_key: Callable[[], Awaitable[bytes]],
    telemetry: Telemetry,
    parts: AsyncExitStack,
    *,
    reach: Reach,
) -> Judges:
    """What judges, with all that it needs; what must be closed goes to ``parts``.

    Args:
        settings: what may be chosen.
        environ: the environment; providers see little of it.
        sources: of templates and secrets.
        store: where readings are shared with other replicas; None if there are none.
        hash_key: under what no secret can be guessed from a reading's key.
        telemetry: who counts.
        parts: what is closed in the end.
        reach: how far analyses may go.

    """
    threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="provider")
    parts.callback(threads.shutdown, wait=False, cancel_futures=True)
    plugins = await asyncio.to_thread(plugins_of, settings)
    parts.enter_context(plugins.at_work())
    ways = await _open_ways(settings, reach, threads, telemetry, parts)
    readings = _readings(settings, telemetry, store)
    explanations = Explanations(budget_s=settings.verdicts.explain_no_data_s, now_s=time.monotonic)
    parts.push_async_callback(explanations.close)
    measuring = Measuring(
        readings=readings,
        explanations=explanations,
        ways=ways,
        now_unix_s=time.time,
        telemetry=telemetry,
    )
    planner = _planner(settings, environ, sources, plugins, hash_key, reach)
    return Judges(planner, measuring, readings, plugins)


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


def plugins_of(settings: Settings) -> Plugins:
    """The plugins that are listed; imports them, which may take seconds."""
    return load_plugins(
        settings.plugins,
        measurement_timeout_s=settings.verdicts.measurement_timeout_s,
        import_timeout_s=PLUGIN_IMPORT_S,
    )


def _readings(settings: Settings, telemetry: Telemetry, store: Store | None) -> Readings:
    kept = settings.readings
    return Readings(
        memory=Memory(
            max_entries=kept.local_entries,
            max_bytes=kept.local_bytes,
            retention_s=kept.retention_s,
        ),
        shared=None if store is None else SharedReadings(store, retention_s=kept.retention_s),
        observer=ReadingTelemetry(telemetry),
        longest_flight_s=settings.verdicts.measurement_timeout_s,
    )


def _planner(
    settings: Settings,
    environ: Mapping[str, str],
    sources: Sources,
    plugins: Plugins,
    hash_key: Callable[[], Awaitable[bytes]],
    reach: Reach,
) -> Planner:
    return Planner(
        templates=sources.templates,
        secrets=sources.secrets,
        credentials=Credentials(
            provider_types=provider_types(_job_rules(settings.kubernetes.jobs), plugins),
            own_namespace=settings.namespace,
            environ=_visible(environ),
        ),
        granting=Granting(
            reach.upstreams.connections, sources.secrets.for_named, settings.namespace
        ),
        hash_key=hash_key,
        job_rights=reach.jobs,
        ttl_s=settings.verdicts.plan_ttl_s,
        now_s=time.monotonic,
    )


async def _open_ways(
    settings: Settings,
    reach: Reach,
    threads: Executor,
    telemetry: Telemetry,
    parts: AsyncExitStack,
) -> Mapping[str, Way]:
    jobs = cluster_jobs(settings.kubernetes, parts)
    quotas = QuotaTelemetry(telemetry)
    budgets = reach.upstreams.budgets
    return {
        name: await open_way(policy, settings.limits, quotas, threads, jobs, budgets, parts)
        for name, policy in reach.egress.items()
    }


def _job_rules(jobs: Jobs) -> JobRules:
    return JobRules(
        namespace=jobs.namespace,
        active_deadline_s=jobs.active_deadline_whole_s,
        ttl_after_finished_s=jobs.ttl_after_finished_whole_s,
        allowed=frozenset(jobs.allow),
    )


def _visible(environ: Mapping[str, str]) -> Mapping[str, str]:
    return {name: environ[name] for name in _ENVIRON if name in environ}
