"""What is told of those whom the gateway asks."""

from typing import Any

import pytest

from gateway.config.connections import Connection
from gateway.web.upstream_view import Sample, connection_view, upstreams_view

BASE = {"name": "prom", "url": "https://prom.example/", "namespaces": ["*"]}


@pytest.mark.parametrize(
    ("fields", "credential"),
    [
        pytest.param({}, "none", id="nothing"),
        pytest.param({"bearer": {"secret": "prom/token"}}, "bearer token", id="a-token"),
        pytest.param(
            {
                "basicAuth": {"username": "anna", "secret": "prom/password"},
                "headers": [{"name": "X-Scope", "value": "shop"}],
            },
            "basic auth, headers",
            id="a-password-and-a-header",
        ),
    ],
)
def test_a_credential_is_told_by_its_kind(fields: dict[str, Any], credential: str) -> None:
    """Neither user nor Secret nor value."""
    view = connection_view(Connection.model_validate({**BASE, **fields}), {})
    assert view.credential == credential
    assert "prom/" not in repr(view)


def test_figures_are_summed_up_over_their_labels() -> None:
    """Measurements by provider, readings by where they came from, quotas by credential."""
    duration = "analysis_gateway_measurement_duration_seconds"
    quota = {"provider": "datadog", "credential": "dd"}
    view = upstreams_view(
        [],
        {},
        [
            Sample(f"{duration}_count", {"provider": "web", "phase": "Error"}, 1),
            Sample(f"{duration}_count", {"provider": "web", "phase": "Failed"}, 3),
            Sample(f"{duration}_count", {"provider": "job", "phase": "Failed"}, 0),
            Sample(f"{duration}_sum", {"provider": "web", "phase": "Error"}, 1),
            Sample(f"{duration}_sum", {"provider": "web", "phase": "Failed"}, 1),
            Sample("analysis_gateway_readings_total", {"cache": "hit"}, 2),
            Sample("analysis_gateway_readings_total", {"cache": "coalesced"}, 1),
            Sample("analysis_gateway_readings_total", {"cache": "miss"}, 1),
            Sample("analysis_gateway_upstream_queries_in_flight", {}, 5),
            Sample("analysis_gateway_provider_quota_remaining", quota, 7),
            Sample("analysis_gateway_provider_rate_limited_total", quota, 2),
        ],
    )
    (provider,), (told,) = view.providers, view.quotas
    assert (provider.name, provider.measured, provider.errors, provider.mean_s) == (
        "web",
        4,
        1,
        0.5,
    )
    assert (view.readings, view.kept_share, view.under_way) == (4, 75, 5)
    assert (told.remaining, told.limit, told.refused) == (7, None, 2)


def test_nothing_has_been_asked_yet() -> None:
    """There is no share of nothing."""
    view = upstreams_view([], {}, [])
    assert (view.readings, view.kept_share, view.providers) == (0, None, ())
