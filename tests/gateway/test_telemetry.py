"""The gateway's own metrics, and the page that documents them."""

from pathlib import Path

import pytest
from prometheus_client import generate_latest

from gateway import telemetry as module
from gateway import value_telemetry
from gateway.caller_telemetry import CallerTelemetry
from gateway.cluster_telemetry import ClusterTelemetry
from gateway.connection_telemetry import ConnectionTelemetry
from gateway.measurement_telemetry import MeasurementTelemetry
from gateway.model import Phase
from gateway.notice_telemetry import NoticeTelemetry
from gateway.quota_telemetry import QuotaTelemetry
from gateway.reading_telemetry import ReadingTelemetry
from gateway.run_telemetry import RunTelemetry
from gateway.store_telemetry import StoreTelemetry
from gateway.telemetry import Telemetry
from gateway.upstream_telemetry import UpstreamTelemetry
from gateway.value_telemetry import ValueTelemetry

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


def sample(telemetry: Telemetry, name: str, **labels: str) -> float | None:
    """One number of the exposition."""
    return telemetry.registry.get_sample_value(f"analysis_gateway_{name}", labels)


def test_a_verdict_is_counted_by_template_namespace_and_phase() -> None:
    """Two verdicts of one template."""
    telemetry = Telemetry()
    for phase in (Phase.FAILED, Phase.FAILED):
        telemetry.verdict_given(template="t", namespace="shop", phase=phase, now_unix_s=0.0)
    assert sample(telemetry, "verdicts_total", template="t", namespace="shop", phase="Failed") == 2


def test_a_measurement_is_counted_and_timed() -> None:
    """The histogram counts and sums."""
    telemetry = Telemetry()
    measurements = MeasurementTelemetry(telemetry)
    measurements.measured(provider="web", phase=Phase.ERROR, took_s=0.2)
    measurements.measured(provider="web", phase=Phase.ERROR, took_s=0.3)
    labels = {"provider": "web", "phase": "Error"}
    assert sample(telemetry, "measurement_duration_seconds_count", **labels) == 2
    assert sample(telemetry, "measurement_duration_seconds_sum", **labels) == 0.5


def test_the_last_value_has_a_time() -> None:
    """A gauge without a time looks current for ever."""
    telemetry = Telemetry()
    values = ValueTelemetry(telemetry)
    values.valued(template="t", namespace="n", metric="m", value=0.9, measured_at_unix_s=7.0)
    labels = {"template": "t", "namespace": "n", "metric": "m"}
    assert sample(telemetry, "metric_last_value", **labels) == 0.9
    assert sample(telemetry, "metric_last_value_timestamp_seconds", **labels) == 7.0


def test_the_rest_is_other_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the ceiling no new series appears, and the loss shows."""
    monkeypatch.setattr(module, "MAX_TEMPLATES", 1)
    monkeypatch.setattr(value_telemetry, "MAX_METRICS", 1)
    telemetry = Telemetry()
    values = ValueTelemetry(telemetry)
    for name in ("a", "b"):
        telemetry.verdict_given(template=name, namespace="n", phase=Phase.ERROR, now_unix_s=0.0)
        values.valued(template=name, namespace="n", metric="m", value=1, measured_at_unix_s=0)
    others = {"template": "other", "namespace": "other"}
    assert sample(telemetry, "verdicts_total", **others, phase="Error") == 1
    assert sample(telemetry, "metric_last_value", **others, metric="other") == 1
    assert sample(telemetry, "dropped_series_total", family="verdicts") == 1
    assert sample(telemetry, "dropped_series_total", family="metric_last_value") == 1


def test_an_idle_template_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its series go when another's come."""
    monkeypatch.setattr(module, "MAX_TEMPLATES", 1)
    monkeypatch.setattr(value_telemetry, "MAX_METRICS", 1)
    telemetry = Telemetry()
    values = ValueTelemetry(telemetry)
    for name, now_unix_s in (("old", 0.0), ("new", 9_999.0)):
        telemetry.verdict_given(
            template=name, namespace="n", phase=Phase.ERROR, now_unix_s=now_unix_s
        )
        values.valued(
            template=name, namespace="n", metric="m", value=1, measured_at_unix_s=now_unix_s
        )
    exposition = generate_latest(telemetry.registry).decode()
    assert 'template="new"' in exposition
    assert 'template="old"' not in exposition


def test_the_state_of_the_parts_shows() -> None:
    """Store, readings in flight, cache, templates and HTTP answers."""
    telemetry = Telemetry()
    store, readings = StoreTelemetry(telemetry), ReadingTelemetry(telemetry)
    store.store_is_up()
    assert sample(telemetry, "store_up") == 1
    store.store_is_down()
    store.store_failed("timeout")
    readings.flight_started()
    readings.flight_started()
    readings.flight_finished()
    readings.cache_lookup("hit")
    telemetry.templates_loaded(by_kind={"AnalysisTemplate": 3}, broken_files=1)
    telemetry.answered(route="/metrics", status=200, took_s=0.1)
    assert sample(telemetry, "store_up") == 0
    assert sample(telemetry, "store_errors_total", reason="timeout") == 1
    assert sample(telemetry, "upstream_queries_in_flight") == 1
    assert sample(telemetry, "readings_total", cache="hit") == 1
    assert sample(telemetry, "templates", kind="AnalysisTemplate") == 3
    assert sample(telemetry, "broken_template_files") == 1
    labels = {"route": "/metrics", "status": "200"}
    assert sample(telemetry, "http_request_duration_seconds_count", **labels) == 1


def test_the_page_and_the_code_are_equal() -> None:
    """Every metric is documented with its type, labels and help, and nothing else is."""
    telemetry = Telemetry()
    RunTelemetry(telemetry)
    MeasurementTelemetry(telemetry)
    ClusterTelemetry(telemetry, lambda: 0.0)
    QuotaTelemetry(telemetry)
    ConnectionTelemetry(telemetry, lambda: 0)
    UpstreamTelemetry(telemetry)
    CallerTelemetry(telemetry)
    NoticeTelemetry(telemetry, [])
    ReadingTelemetry(telemetry)
    StoreTelemetry(telemetry)
    ValueTelemetry(telemetry)
    rows = sorted(
        f"| `{_exposed_name(each)}` | {each._type} "
        f"| {', '.join(f'`{label}`' for label in _labels(each)) or '-'} | {each._documentation} |"
        for each in telemetry.registry._collector_to_names
    )
    documented = sorted(
        line for line in PAGE.read_text().splitlines() if line.startswith("| `analysis_gateway_")
    )
    assert documented == rows


def _exposed_name(metric: object) -> str:
    suffix = {"counter": "_total", "info": "_info"}.get(metric._type, "")  # type: ignore[attr-defined]
    return metric._name + suffix  # type: ignore[attr-defined,no-any-return]


def _labels(metric: object) -> tuple[str, ...]:
    if metric._type == "info":  # type: ignore[attr-defined]
        return ("version", "python")
    return metric._labelnames  # type: ignore[attr-defined,no-any-return]
