"""The gateway's own metrics about single metrics and failing providers."""

from pathlib import Path

import pytest
from backends import Play, backend
from prometheus_client import generate_latest
from running import service, template, web_metric

from gateway.model import Phase
from gateway.telemetry import measurements as module
from gateway.telemetry.measurements import MeasurementTelemetry
from gateway.telemetry.registry import Telemetry


def sample(telemetry: Telemetry, name: str, **labels: str) -> float | None:
    """One number of the exposition."""
    return telemetry.registry.get_sample_value(f"analysis_gateway_{name}", labels)


def judged(metrics: MeasurementTelemetry, name: str, now_unix_s: float = 0.0) -> None:
    """Let a metric of a template be judged."""
    metrics.judged(
        template=name,
        namespace="n",
        metric="m",
        phase=Phase.FAILED,
        thresholds={"successCondition": 0.9},
        now_unix_s=now_unix_s,
    )


def test_the_rest_is_other_until_somebody_is_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """No caller can make the exposition grow without end."""
    monkeypatch.setattr(module, "MAX_METRICS", 1)
    telemetry = Telemetry()
    metrics = MeasurementTelemetry(telemetry)
    for name, now_unix_s in (("a", 0.0), ("b", 1.0), ("c", 9_999.0), ("c", 9_999.0)):
        judged(metrics, name, now_unix_s)
    labels = {"template": "c", "namespace": "n", "metric": "m"}
    assert sample(telemetry, "metric_measurements_total", **labels, phase="Failed") == 2
    assert sample(telemetry, "metric_threshold", **labels, condition="successCondition") == 0.9
    assert sample(telemetry, "dropped_series_total", family="metric_measurements") == 1
    assert 'template="a"' not in generate_latest(telemetry.registry).decode()


async def test_a_measurement_shows_its_phase_and_threshold(tmp_path: Path) -> None:
    """A run of a service: one metric that is judged, one whose provider is away."""
    async with backend(Play("0.5")) as upstream, service(tmp_path) as gateway:
        metrics = (
            web_metric(upstream.url, "result >= 0.9", name="rate"),
            web_metric("http://127.0.0.1:1/", "result >= 0.9", name="away"),
        )
        await gateway.post("/v1/verdict", template(*metrics))
        exposition = (await gateway.get("/metrics")).text.splitlines()
    of_rate = 'metric="rate",namespace="default",'
    of_it = 'template="inline"}'
    assert {
        f'analysis_gateway_metric_measurements_total{{{of_rate}phase="Failed",{of_it} 1.0',
        f'analysis_gateway_metric_threshold{{condition="successCondition",{of_rate}{of_it} 0.9',
        'analysis_gateway_provider_errors_total{provider="web",reason="provider_unreachable"} 1.0',
    } <= set(exposition)


async def test_a_secret_is_no_threshold(tmp_path: Path) -> None:
    """Not even one that is a number."""
    secret = tmp_path / "secrets/default/limits/rate"
    secret.parent.mkdir(parents=True)
    secret.write_text("31415")
    argument = {"name": "limit", "valueFrom": {"secretKeyRef": {"name": "limits", "key": "rate"}}}
    async with (
        backend(Play("0.5")) as upstream,
        service(tmp_path, secrets=tmp_path / "secrets") as gateway,
    ):
        metric = web_metric(upstream.url, "result < {{args.limit}}")
        reply = await gateway.post("/v1/verdict", template(metric, args=[argument]))
        exposition = (await gateway.get("/metrics")).text
    assert reply.body["phase"] == "Successful"
    assert "31415" not in exposition
    assert "analysis_gateway_metric_threshold{" not in exposition
