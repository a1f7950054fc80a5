"""One browser for all tests of the page, and one gateway with runs for each module."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from backends import Play, backend
from browsing import Looking, chromium, looking
from guarded import put
from playwright.async_api import Browser
from running import service, web_metric
from shown_runs import Shown, keep, measured, result

from gateway.model import Phase

GOOD, BAD = Phase.SUCCESSFUL, Phase.FAILED


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """It takes a second to start."""
    async with chromium() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def look(browser: Browser) -> AsyncIterator[Looking]:
    """A page that must not complain: neither of a script nor of what its policy forbids."""
    async with looking(browser) as seen:
        yield seen
        assert seen.complaints == []


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shown(tmp_path_factory: object) -> AsyncIterator[Shown]:
    """A gateway that is open, with a run that has failed and two templates."""
    folder: Path = tmp_path_factory.mktemp("shown")  # type: ignore[attr-defined]
    async with backend(Play(b'"green"')) as upstream:
        metric = web_metric(upstream.url, "result == args", name="colour")
        put(folder / "templates", "shop", "colour", {**metric, "successCondition": "result == x"})
        put(
            folder / "templates",
            "shop",
            "good",
            web_metric(upstream.url, 'result == "{{args.wanted}}"', name="colour"),
            args=[{"name": "wanted", "value": "green"}],
        )
        async with service(
            folder / "state",
            templates=str(folder / "templates"),
            connections=[
                {"name": "prom", "url": "https://prometheus.example/", "namespaces": ["shop"]}
            ],
        ) as gateway:
            failed = await keep(
                gateway.gateway,
                "release",
                [
                    {
                        "name": "success-rate",
                        "interval": "30s",
                        "count": 6,
                        "failureLimit": 1,
                        "successCondition": "result[0] >= 0.95",
                        "provider": {"prometheus": {"address": "http://prom", "query": "up"}},
                    }
                ],
                [
                    result(
                        "success-rate",
                        BAD,
                        measured(
                            ["[0.99]", "[0.91]", "[0.97]", "[0.9]"],
                            [GOOD, BAD, GOOD, BAD],
                            start_unix_s=time.time() - 300,
                        ),
                        metadata={"ResolvedPrometheusQuery": "sum(rate(ok[1m]))"},
                    )
                ],
                phase=BAD,
                message='"success-rate" assessed Failed due to failed (2) > failureLimit (1)',
                start_unix_s=time.time() - 300,
            )
            yield Shown(gateway.url, gateway, upstream, failed)
