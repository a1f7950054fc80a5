"""A vendor that limits its callers, and the whole service over HTTP."""

import time
from pathlib import Path

import pytest
from backends import Play, backend
from fake_kayenta import block
from running import Reply, Service, service, template, web_metric

GREEN = Play('"green"', headers={"X-RateLimit-Remaining": "41", "X-RateLimit-Limit": "100"})
LATER = Play("slow down", 429, {"Retry-After": "1"})
NEVER = Play("slow down", 429, {"Retry-After": "3600"})
NO_DATA = Play('{"status":"success","data":{"resultType":"vector","result":[]}}')
CONDITION = 'result == "green"'
REFUSED = "received non 2xx response code: 429"


async def verdict(gateway: Service, url: str) -> Reply:
    """A verdict that takes no reading but its own."""
    return await gateway.post("/v1/verdict?maxAge=0", template(web_metric(url, CONDITION)))


async def test_a_wait_that_fits_is_no_error(tmp_path: Path) -> None:
    """The vendor wants to be asked a second later."""
    async with backend(LATER, GREEN) as upstream, service(tmp_path) as gateway:
        started_s = time.monotonic()
        reply = await verdict(gateway, upstream.url)
        took_s = time.monotonic() - started_s
        metrics = await gateway.get("/metrics")
    assert reply.body["phase"] == "Successful"
    assert len(upstream.requests) == 2
    assert 1 <= took_s < 5
    labels = '{credential="inline",provider="web"}'
    assert {
        f"analysis_gateway_provider_quota_remaining{labels} 41.0",
        f"analysis_gateway_provider_quota_limit{labels} 100.0",
        f"analysis_gateway_provider_rate_limited_total{labels} 1.0",
    } <= set(metrics.text.splitlines())


@pytest.mark.parametrize(
    ("play", "sent"),
    [
        pytest.param(NEVER, 1, id="nobody-asks-for-an-hour"),
        pytest.param(Play("slow down", 429), 2, id="who-says-nothing-is-asked-again"),
    ],
)
async def test_a_wait_that_does_not_fit_is_an_error_at_once(
    tmp_path: Path, play: Play, sent: int
) -> None:
    """With the same words for all who ask while it lasts."""
    async with backend(play) as upstream, service(tmp_path) as gateway:
        started_s = time.monotonic()
        replies = [await verdict(gateway, upstream.url) for _ in range(2)]
        took_s = time.monotonic() - started_s
    measurements = [reply.body["metrics"]["m"] for reply in replies]
    assert [each["phase"] for each in measurements] == ["Error", "Error"]
    assert [each["message"] for each in measurements] == [REFUSED, REFUSED]
    assert len(upstream.requests) == sent
    assert took_s < 1


@pytest.mark.parametrize(
    ("provider", "fields", "plays", "sent"),
    [
        pytest.param("kayenta", block(), (LATER, Play("[]")), 2, id="what-lasts"),
        pytest.param("prometheus", {"query": "up"}, (NO_DATA, NEVER), 2, id="an-explanation"),
    ],
)
async def test_whatever_a_metric_asks_is_within_the_limits(
    tmp_path: Path, provider: str, fields: dict[str, object], plays: tuple[Play, ...], sent: int
) -> None:
    """Also where that is more than one measurement of a plain provider."""
    async with backend(*plays) as upstream, service(tmp_path) as gateway:
        asked = {provider: {**fields, "address": upstream.url}}
        metric = {"name": "m", "successCondition": "false", "provider": asked}
        await gateway.post("/v1/verdict", template(metric))
        metrics = await gateway.get("/metrics")
    assert len(upstream.requests) == sent
    labels = f'{{credential="inline",provider="{provider}"}}'
    assert f"analysis_gateway_provider_rate_limited_total{labels} 1.0" in metrics.text
