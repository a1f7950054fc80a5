"""One run in the hands of one driver: a real Redis, a clock to be set, answers to be given."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from fake_kayenta import FakeKayenta
from fake_kayenta import block as kayenta_block
from job_api import BLOCK, FakeJobs
from one_way import ways_of
from redis_server import RedisServer

from gateway.audit import Entry
from gateway.connection_secrets import Granting
from gateway.credentials import Credentials, SecretSource
from gateway.errors import ProviderInvalid
from gateway.explanations import Explanations
from gateway.job_rights import JobRights
from gateway.measuring import Measuring
from gateway.memory import Memory
from gateway.model import Phase, Reading, ResultType
from gateway.notifier import NobodyToTell
from gateway.planner import Planner, Secrets
from gateway.provider import Context, ProviderType
from gateway.quota_telemetry import QuotaTelemetry
from gateway.reading_telemetry import ReadingTelemetry
from gateway.readings import Readings
from gateway.run_document import status_json
from gateway.run_manifest import manifest, order_of, parse_run
from gateway.runs.driver import Driver
from gateway.runs.plans import RunPlans
from gateway.runs.steps import Steps
from gateway.runs.store import NewRun, RunStore
from gateway.secret_files import SecretsFolder
from gateway.settings import Runs
from gateway.sources import TemplateIndex
from gateway.store_client import Patience, connect
from gateway.telemetry import Telemetry
from providers import JobRules, kayenta
from providers.job import provider_type

PATIENCE = Patience(socket_timeout_s=5, max_connections=40, retries=1)
RUN_ID = "00000000-0000-4000-8000-000000000001"

Answer = Callable[[], Any]
"""Gives a number, or raises what a provider may raise, or anything else; may be a coroutine."""


@dataclass
class Scripted:
    """A provider whose answers are given by their metric's address."""

    answers: dict[str, Answer]
    asked: list[str] = field(default_factory=list)

    def type(self) -> ProviderType:
        """As ``web``."""
        return ProviderType(check=lambda _block: [], parse=self._parse, query_metadata="Asked")

    def _parse(self, block: Mapping[str, object], _environ: Mapping[str, str]) -> "_Source":
        url = str(block["url"])
        if url == "invalid":
            raise ProviderInvalid("this cannot be asked")
        return _Source(self, url)


@dataclass
class _Source:
    script: Scripted
    url: str

    async def measure(self, _context: Context) -> Reading:
        self.script.asked.append(self.url)
        given = self.script.answers[self.url]()
        value = float(await given if hasattr(given, "__await__") else given)
        return Reading(value, ResultType.FLOAT, f"{value:g}", {"by": "script"})

    def resolved_query(self) -> str:
        return self.url


class Observed:
    """Remembers the runs that ended."""

    def __init__(self) -> None:
        self.ended: list[tuple[str, str, Phase]] = []
        self.entries: list[Entry] = []

    def run_ended(self, *, template: str, namespace: str, phase: Phase, now_unix_s: float) -> None:
        """A run is completed."""
        assert now_unix_s > 0
        self.ended.append((template, namespace, phase))

    def note(self, entry: Entry) -> None:
        """A line of the audit."""
        self.entries.append(entry)


@dataclass
class Alone:
    """Everything that drives one run."""

    store: RunStore
    driver: Driver
    script: Scripted
    observed: Observed
    now_unix_s: float = 1_000.0

    async def start(self, *metrics: Mapping[str, Any], **spec: Any) -> None:
        """Keep a run of these metrics; nobody drives it."""
        content = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "AnalysisRun",
            "metadata": {"name": "r", "namespace": "shop"},
            "spec": {"metrics": list(metrics), **spec},
        }
        order = order_of(parse_run(content), namespace="shop", given=())
        made = manifest(order, run_id=RUN_ID, suffix="", created_at_unix_s=self.now_unix_s)
        new = NewRun(id=RUN_ID, manifest=made, created_at_unix_s=self.now_unix_s)
        await self.store.create(new, None)

    async def drive(self) -> float | None:
        """One visit of a worker."""
        return await self.driver.drive(RUN_ID)

    async def result(self, name: str) -> Any:
        """A metric's result as the run's document has it."""
        kept = await self.store.load(RUN_ID)
        shown: Any = status_json(kept.status)
        return next(each for each in shown["metricResults"] if each["name"] == name)

    async def ended(self) -> tuple[Phase, str]:
        """The phase of the run, and why."""
        status = (await self.store.load(RUN_ID)).status
        return status.phase, status.message

    async def drive_to_the_end(self) -> list[float]:
        """Visits, each when the run wanted it; when they were."""
        visits = [self.now_unix_s]
        while (wake_at := await self.drive()) is not None:
            # The clock has thousandths, and a gap has to be over.
            self.now_unix_s = max(self.now_unix_s, wake_at) + 0.001
            visits.append(self.now_unix_s)
        return visits


def job_metric(name: str = "smoke", **fields: Any) -> dict[str, Any]:
    """A metric that is a Job; ``fields`` in wire names."""
    return {"name": name, "provider": {"job": BLOCK}, **fields}


def kayenta_metric(name: str = "canary", **fields: Any) -> dict[str, Any]:
    """A metric that is a canary analysis; ``fields`` in wire names."""
    return {"name": name, "provider": {"kayenta": kayenta_block()}, **fields}


def metric(name: str = "m", *, url: str = "", **fields: Any) -> dict[str, Any]:
    """A metric that is Successful above 0.5; ``fields`` in wire names."""
    return {
        "name": name,
        "successCondition": "result > 0.5",
        "provider": {"web": {"url": url or name}},
        **fields,
    }


@asynccontextmanager
async def alone(
    redis: RedisServer,
    answers: dict[str, Answer],
    *,
    secrets: SecretSource | None = None,
    jobs: FakeJobs | None = None,
    canaries: FakeKayenta | None = None,
    **settings: Any,
) -> AsyncIterator[Alone]:
    """A driver over a real Redis; ``settings`` of runs, in wire names."""
    jobs = jobs or FakeJobs()
    client = connect(redis.url, PATIENCE)
    chosen = Runs.model_validate({"shortestGap": "0s", **settings})
    script, observed, telemetry = Scripted(answers), Observed(), Telemetry()
    store = RunStore(client.commands, chosen)

    def now_unix_s() -> float:
        return running.now_unix_s

    jobs.clock = now_unix_s

    async def hash_key() -> bytes:
        return bytes(32)

    planner = Planner(
        templates=TemplateIndex("shop"),
        secrets=Secrets(secrets or SecretsFolder(None), secrets or SecretsFolder(None)),
        granting=Granting((), SecretsFolder(None), "own"),
        credentials=Credentials(
            provider_types={
                "web": script.type(),
                "job": provider_type(JobRules()),
                "kayenta": kayenta.TYPE,
            },
            own_namespace="own",
        ),
        job_rights=JobRights(("shop",)),
        hash_key=hash_key,
        ttl_s=10,
        now_s=now_unix_s,
    )
    context = replace(jobs.context(), http=canaries or FakeKayenta())
    explanations = Explanations(budget_s=0, now_s=now_unix_s)
    readings = Readings(
        memory=Memory(max_entries=10, max_bytes=10_000, retention_s=60),
        shared=None,
        observer=ReadingTelemetry(telemetry),
        monotonic_s=now_unix_s,
    )
    measuring = Measuring(
        readings=readings,
        explanations=explanations,
        ways=ways_of(context, QuotaTelemetry(telemetry)),
        now_unix_s=context.now_unix_s,
        telemetry=telemetry,
    )
    driver = Driver(
        states=store,
        plans=RunPlans(planner, store, secrets_ttl_s=10, now_s=now_unix_s),
        steps=Steps(measuring, now_unix_s=now_unix_s, max_age_s=5),
        settings=chosen,
        now_unix_s=now_unix_s,
        observer=observed,
        audit=observed,
        notifies=NobodyToTell(),
    )
    running = Alone(store, driver, script, observed)
    try:
        yield running
    finally:
        await readings.drain(0)
        await explanations.close()
        await client.close()
