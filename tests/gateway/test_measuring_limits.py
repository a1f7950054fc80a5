"""A measurement's requests honour the limits of its vendor, under the names of its plan."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from backends import Play, backend, world
from manifests import metric
from one_way import ways_of

from gateway.explanations import Explanations
from gateway.measuring import Measuring, Patience
from gateway.memory import Memory
from gateway.plan import MetricPlan
from gateway.planned import Planned, PlannedMetric
from gateway.quota_telemetry import QuotaTelemetry
from gateway.reading_telemetry import ReadingTelemetry
from gateway.readings import Freshness, Readings
from gateway.secrets import Redaction
from gateway.telemetry import Telemetry
from gateway.verdict import Measurement
from providers import PROVIDERS

NEW = Freshness(0, is_explicit=True)


@dataclass
class Replica:
    """One process that is asked."""

    measuring: Measuring
    telemetry: Telemetry

    async def ask(self, url: str, *, timeout_s: int = 10) -> Measurement:
        """Measure a web metric whose credentials have a name."""
        block = {"url": url, "timeoutSeconds": timeout_s}
        plan = MetricPlan(
            metric=metric("m", provider={"web": block}),
            path="spec.metrics[0]",
            provider_name="web",
            block=block,
            provider=PROVIDERS["web"].parse(block, {}),
            success_condition="",
            failure_condition="",
            is_dry_run=False,
            credential="team-a",
        )
        planned = PlannedMetric(plan, "key", "")
        question = Planned(
            namespace="n", label="t", templates=(), metrics=(planned,), redaction=Redaction(())
        )
        return await self.measuring.measure(
            planned, planned=question, freshness=NEW, patience=Patience.of(20)
        )


@asynccontextmanager
async def replica(*, longest_flight_s: float = 60.0) -> AsyncIterator[Replica]:
    """A process of its own."""
    telemetry = Telemetry()
    readings = Readings(
        memory=Memory(max_entries=10, max_bytes=10_000, retention_s=3_600),
        shared=None,
        observer=ReadingTelemetry(telemetry),
        longest_flight_s=longest_flight_s,
    )
    async with world() as context:
        measuring = Measuring(
            readings=readings,
            explanations=Explanations(budget_s=0, now_s=context.now_unix_s),
            ways=ways_of(context, QuotaTelemetry(telemetry)),
            now_unix_s=context.now_unix_s,
            telemetry=telemetry,
        )
        yield Replica(measuring, telemetry)
        await readings.drain(0)


async def test_a_quota_has_the_name_of_its_credentials() -> None:
    """As the plan has it."""
    told = Play("1", headers={"RateLimit": '"default";r=50;t=30'})
    async with backend(told) as vendor, replica() as asked:
        await asked.ask(vendor.url)
    labels = {"provider": "web", "credential": "team-a"}
    name = "analysis_gateway_provider_quota_remaining"
    assert asked.telemetry.registry.get_sample_value(name, labels) == 50


async def test_what_would_outlast_the_measurement_is_not_waited_for() -> None:
    """The metric has a minute, but the gateway gives up every measurement after two seconds."""
    later = Play("slow down", 429, {"Retry-After": "3"})
    async with backend(later) as vendor, replica(longest_flight_s=2) as asked:
        measurement = await asked.ask(vendor.url, timeout_s=60)
    assert measurement.message == "received non 2xx response code: 429"
    assert measurement.took_s < 1
