"""The gateway's own metrics about the rate limits of vendors."""

import pytest
from prometheus_client import generate_latest

from gateway.telemetry import quotas as module
from gateway.telemetry.quotas import QuotaTelemetry
from gateway.telemetry.registry import Telemetry


def sample(telemetry: Telemetry, name: str, **labels: str) -> float | None:
    """One number of the exposition."""
    return telemetry.registry.get_sample_value(f"analysis_gateway_provider_{name}", labels)


def told(quotas: QuotaTelemetry, credential: str, *, now_unix_s: float = 0.0) -> None:
    """A quota of credentials."""
    quotas.quota_told(
        provider="web", credential=credential, remaining=7, limit=10, now_unix_s=now_unix_s
    )


def test_nothing_shows_before_a_vendor_has_told() -> None:
    """An absent number is not 0."""
    telemetry = Telemetry()
    QuotaTelemetry(telemetry)
    exposition = generate_latest(telemetry.registry).decode()
    shown = [line for line in exposition.splitlines() if "_gateway_provider_" in line]
    assert [line for line in shown if not line.startswith("#")] == []


def test_what_remains_shows_by_provider_and_credential() -> None:
    """What a vendor does not tell this time stays as it was."""
    telemetry = Telemetry()
    quotas = QuotaTelemetry(telemetry)
    told(quotas, "team-a")
    quotas.quota_told(provider="web", credential="team-a", remaining=6, limit=None, now_unix_s=0.0)
    quotas.quota_told(provider="web", credential="", remaining=None, limit=3, now_unix_s=0.0)
    named, inline = {"credential": "team-a"}, {"credential": "inline"}
    assert sample(telemetry, "quota_remaining", provider="web", **named) == 6
    assert sample(telemetry, "quota_limit", provider="web", **named) == 10
    assert sample(telemetry, "quota_remaining", provider="web", **inline) is None
    assert sample(telemetry, "quota_limit", provider="web", **inline) == 3


def test_refusals_are_counted() -> None:
    """By the same labels."""
    telemetry = Telemetry()
    quotas = QuotaTelemetry(telemetry)
    for _ in range(2):
        quotas.rate_limited(provider="web", credential="", now_unix_s=0.0)
    assert sample(telemetry, "rate_limited_total", provider="web", credential="inline") == 2


def test_the_rest_is_other_until_somebody_is_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """No template can make the exposition grow without end."""
    monkeypatch.setattr(module, "MAX_CREDENTIALS", 1)
    telemetry = Telemetry()
    quotas = QuotaTelemetry(telemetry)
    for credential, now_unix_s in (("a", 0.0), ("b", 1.0), ("c", 9_999.0)):
        told(quotas, credential, now_unix_s=now_unix_s)
    exposition = generate_latest(telemetry.registry).decode()
    dropped = {"family": "provider_quota"}
    value = telemetry.registry.get_sample_value("analysis_gateway_dropped_series_total", dropped)
    assert value == 1
    assert 'credential="other"' in exposition
    assert 'credential="c"' in exposition
    assert 'credential="a"' not in exposition
