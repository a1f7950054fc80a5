"""The demo application over real HTTP, and its traffic as arithmetic."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer
from demo.app import VERSIONS, Traffic, create_app
from prometheus_client.parser import text_string_to_metric_families


@pytest_asyncio.fixture
async def demo() -> AsyncIterator[TestClient]:
    """A client of a demo that serves its good version."""
    async with TestClient(TestServer(create_app())) as client:
        yield client


async def requests_by_status(demo: TestClient) -> dict[str, float]:
    """The counters of ingress demo as Prometheus would read them."""
    async with demo.get("/metrics") as response:
        (family,) = text_string_to_metric_families(await response.text())
    assert (family.name, family.type) == ("nginx_ingress_controller_requests", "counter")
    assert {sample.labels["ingress"] for sample in family.samples} == {"demo"}
    return {sample.labels["status"]: sample.value for sample in family.samples}


@pytest.mark.parametrize(
    ("version", "color"),
    [
        pytest.param("good", "green", id="the-good-version-is-green"),
        pytest.param("bad", "red", id="the-bad-version-is-red"),
    ],
)
async def test_switch_changes_color(demo: TestClient, version: str, color: str) -> None:
    """After a switch the colour and the page are those of the version that was released."""
    async with demo.post(f"/version/{version}") as response:
        assert await response.json() == {"version": version, "color": color}
    async with demo.get("/color") as response:
        assert (await response.text(), response.content_type) == (f'"{color}"', "application/json")
    async with demo.get("/") as response:
        assert f"<h1>{color}</h1>" in await response.text()


async def test_demo_starts_good(demo: TestClient) -> None:
    """Nobody has to switch before the first verdict passes."""
    async with demo.get("/color") as response:
        assert await response.json() == "green"


async def test_unknown_version_is_refused(demo: TestClient) -> None:
    """A typing error in the switch changes nothing."""
    async with demo.post("/version/ugly") as response:
        assert response.status == 404
    async with demo.get("/color") as response:
        assert await response.json() == "green"


async def test_traffic_flows_by_itself(demo: TestClient) -> None:
    """Both series exist from the first scrape on, and requests keep coming without a visitor."""
    first = await requests_by_status(demo)
    assert set(first) == {"200", "500"}
    async with asyncio.timeout(5):
        # No event crosses HTTP.
        while (await requests_by_status(demo))["200"] == first["200"]:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("version", "requests_by_status"),
    [
        pytest.param("good", {200: 980, 500: 20}, id="two-of-a-hundred-fail-in-the-good-version"),
        pytest.param("bad", {200: 700, 500: 300}, id="thirty-of-a-hundred-fail-in-the-bad-one"),
    ],
)
def test_failing_share_is_exact(version: str, requests_by_status: dict[int, int]) -> None:
    """The verdict of the demo follows from its version, not from chance."""
    traffic = Traffic(version=VERSIONS[version])
    traffic.serve(1000)
    assert traffic.requests_by_status == requests_by_status


def test_failures_are_spread_evenly() -> None:
    """Any short rate window sees the same share: no ten requests hold more than three failures."""
    traffic = Traffic(version=VERSIONS["bad"])
    failed = []
    for _ in range(20):
        traffic.serve(10)
        failed.append(traffic.requests_by_status[500])
    assert failed == [3 * (tens + 1) for tens in range(20)]
