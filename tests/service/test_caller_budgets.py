"""A caller who asks too much, and the whole service over HTTP."""

import asyncio
import logging
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from backends import Play, backend
from guarded import ALICE, BOB, access, bearer, put, rule
from running import Reply, Service, service, web_metric

VERDICT = "/v1/namespaces/shop/analysistemplates/t/verdict"
REFUSED = "analysis_gateway_requests_refused_total"


def budgeted(tmp_path: Path, url: str, **budget: int) -> Any:
    """A gateway whose callers may ask only so much, with a template ``t``."""
    both = ["token:alice", "token:bob"]
    put(tmp_path / "templates", "shop", "t", web_metric(url, 'result == "green"'))
    known = access(
        tmp_path / "access",
        rule("verdict", "run", callers=both),
        rule("metrics", "admin", callers=both, namespaces=["*"]),
    )
    return service(
        tmp_path / "state",
        access={**known, "budget": budget},
        templates=tmp_path / "templates",
    )


async def asked(
    gateway: Service, times: int, path: str = VERDICT, token: str = ALICE
) -> list[Reply]:
    """Several requests at once."""
    return await asyncio.gather(*(gateway.get(path, **bearer(token)) for _ in range(times)))


def statuses(replies: list[Reply]) -> dict[int, int]:
    """How many have which."""
    return dict(Counter(each.status for each in replies))


async def test_who_asks_too_often_is_told_when_to_come_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Others, health and metrics are answered; the log tells it once."""
    caplog.set_level(logging.INFO)
    async with (
        backend(Play('"green"')) as upstream,
        budgeted(tmp_path, upstream.url, perSecond=1, burst=3, queue=0) as gateway,
    ):
        replies = await asked(gateway, 10)
        refused = next(each for each in replies if each.status == 429)
        others = await asked(gateway, 3, token=BOB)
        operations = [
            await gateway.get(path, **bearer(ALICE)) for path in ("/healthz", "/readyz", "/metrics")
        ]
        runs = await gateway.get("/v1/runs", **bearer(ALICE))
    assert statuses(replies) == {200: 3, 429: 7}
    assert refused.headers["Retry-After"] == "1"
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert (refused.body["error"], refused.body["phase"], refused.body["ok"]) == (
        "too_many_requests",
        "Error",
        False,
    )
    assert refused.body["detail"].startswith("caller token:alice asks more than 1 times a second")
    assert statuses(others) == {200: 3}
    assert [each.status for each in operations] == [200, 200, 200]
    assert runs.status == 429
    assert f'{REFUSED}{{reason="rate"}} 7.0' in operations[2].text
    told = [each.getMessage() for each in caplog.records if "too much" in each.getMessage()]
    assert len(told) == 1


async def test_people_are_told_on_a_page(tmp_path: Path) -> None:
    """With the same status, and when to come back; programs hear the same as elsewhere."""
    async with budgeted(tmp_path, "http://127.0.0.1:1", perSecond=1, burst=1, queue=0) as gateway:
        await gateway.get("/", **bearer(ALICE))
        page = await gateway.get("/", Accept="text/html", **bearer(ALICE))
        problem = await gateway.get("/", **bearer(ALICE))
    assert (page.status, page.headers["Retry-After"]) == (429, "1")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "caller token:alice asks more than 1 times a second" in page.text
    assert (problem.status, problem.body["error"]) == (429, "too_many_requests")


async def test_who_asks_too_much_at_once_waits_and_is_refused(tmp_path: Path) -> None:
    """Two are under way, two wait, and nobody waits for a run in such a place."""
    async with (
        backend(Play('"green"', delay_s=0.3)) as upstream,
        budgeted(tmp_path, upstream.url, concurrency=2, queue=2) as gateway,
    ):
        path = f"{VERDICT}?maxAge=0"
        asking = asyncio.create_task(asked(gateway, 6, path))
        await asyncio.sleep(0.15)
        metrics = await gateway.get("/metrics", **bearer(ALICE))
        runs = await gateway.get("/v1/runs", **bearer(ALICE))
        replies = await asking
        again = await asked(gateway, 1)
    assert statuses(replies) == {200: 4, 429: 2}
    assert runs.status == 200
    assert "analysis_gateway_requests_waiting 2.0" in metrics.text
    assert f'{REFUSED}{{reason="concurrency"}} 2.0' in metrics.text
    assert statuses(again) == {200: 1}


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        pytest.param({}, {200: 5}, id="nobody-is-bounded"),
        pytest.param(
            {"access": {"budget": {"perSecond": 1, "burst": 2, "queue": 0}}},
            {200: 2, 429: 3},
            id="unless-it-is-said",
        ),
    ],
)
async def test_a_gateway_that_is_tried_out(
    tmp_path: Path, chosen: dict[str, Any], told: dict[int, int]
) -> None:
    """It is open to this machine only."""
    async with service(tmp_path, **chosen) as gateway:
        replies = await asyncio.gather(*(gateway.get("/v1/templates") for _ in range(5)))
    assert statuses(list(replies)) == told
