"""The gateway's own metrics about runs."""

import pytest
from prometheus_client import generate_latest

from gateway.model import Phase
from gateway.telemetry import runs as module
from gateway.telemetry.registry import Telemetry
from gateway.telemetry.runs import RunTelemetry


def sample(telemetry: Telemetry, name: str, **labels: str) -> float | None:
    """One number of the exposition."""
    return telemetry.registry.get_sample_value(f"analysis_gateway_{name}", labels)


def test_the_ends_of_runs_are_counted() -> None:
    """By template, namespace and phase."""
    telemetry = Telemetry()
    runs = RunTelemetry(telemetry)
    for phase in (Phase.FAILED, Phase.FAILED, Phase.SUCCESSFUL):
        runs.run_ended(template="t", namespace="shop", phase=phase, now_unix_s=0.0)
    assert sample(telemetry, "runs_total", template="t", namespace="shop", phase="Failed") == 2


def test_lateness_and_the_number_of_live_runs_show() -> None:
    """Whether there are enough replicas."""
    telemetry = Telemetry()
    runs = RunTelemetry(telemetry)
    runs.run_stepped(late_s=0.3)
    runs.runs_live(7)
    assert sample(telemetry, "run_lateness_seconds_bucket", le="0.25") == 0
    assert sample(telemetry, "run_lateness_seconds_bucket", le="0.5") == 1
    assert sample(telemetry, "live_runs") == 7


def test_the_rest_is_other_until_somebody_is_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """No caller can make the exposition grow without end."""
    monkeypatch.setattr(module, "MAX_TEMPLATES", 1)
    telemetry = Telemetry()
    runs = RunTelemetry(telemetry)
    for name, now_unix_s in (("a", 0.0), ("b", 1.0), ("c", 9_999.0)):
        runs.run_ended(template=name, namespace="n", phase=Phase.ERROR, now_unix_s=now_unix_s)
    exposition = generate_latest(telemetry.registry).decode()
    assert sample(telemetry, "dropped_series_total", family="runs") == 1
    assert 'template="other"' in exposition
    assert 'template="c"' in exposition
    assert 'template="a"' not in exposition
