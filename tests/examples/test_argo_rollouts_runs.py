"""Argo waits for a run of the gateway: the manifest for it, with our own engine in Argo's place."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from backends import Backend, Play, backend
from running import Service, service, template, web_metric

MANIFEST = Path(__file__).resolve().parents[2] / "examples/argo-rollouts/gateway-run.yaml"
KEY = {"rollout": "uid-1", "revision": "2", "pod-hash": "7d9c", "at": "step-at-50"}
ONCE = {"consecutiveErrorLimit": 0}
FOR_HOURS = {"interval": "1h", "count": 3}
THREE_TIMES = {"interval": "50ms", "count": 3}
GREEN = Play('"green"')
NOTHING: Mapping[str, str] = {}


@asynccontextmanager
async def world(
    folder: Path, play: Play, **schedule: Any
) -> AsyncIterator[tuple[Service, Backend]]:
    """A gateway, which is Argo as well, and the upstream that its template ``judged`` asks."""
    async with backend(play) as upstream:
        metric = web_metric(
            upstream.url + "/{{args.service}}",
            'result == "green"',
            failureCondition='result == "red"',
            **schedule,
        )
        content = template(metric, args=[{"name": "service"}])
        content["metadata"] = {"name": "judged"}
        templates = folder / "templates"
        templates.mkdir()
        (templates / "judged.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        async with service(folder / "state", templates=templates) as gateway:
            yield gateway, upstream


def query_of(gateway: Service, arguments: Mapping[str, str]) -> str:
    """The arguments of the manifest as parameters of a call."""
    given = {"gateway": gateway.url, "template": "judged", "service": "shop", **KEY, **arguments}
    return "&".join(f"args.{name}={value}" for name, value in given.items())


async def measured(
    gateway: Service, arguments: Mapping[str, str] = NOTHING
) -> dict[str, tuple[str, object, str]]:
    """One measurement of each metric as Argo takes it: its phase, value and message."""
    query = query_of(gateway, {"wait": "2s", **arguments})
    reply = await gateway.post(f"/v1/verdict?maxAge=0&{query}", MANIFEST.read_text("utf-8"))
    assert reply.status == 200, reply.text
    return {
        name: (each["phase"], each["value"], each["message"])
        for name, each in reply.body["metrics"].items()
    }


async def runs(gateway: Service) -> list[dict[str, Any]]:
    """All runs that the gateway has."""
    return list((await gateway.get("/v1/runs")).body["items"])


@pytest.mark.parametrize(
    ("play", "schedule", "expected"),
    [
        pytest.param(GREEN, ONCE, ("Successful", "Successful", ""), id="successful"),
        pytest.param(Play('"red"'), ONCE, ("Failed", "Failed", ""), id="failed"),
        pytest.param(Play('"blue"'), ONCE, ("Inconclusive", "Inconclusive", ""), id="inconclusive"),
        pytest.param(Play(status=500), ONCE, ("Failed", "Error", ""), id="an-error-stays-one"),
        pytest.param(GREEN, THREE_TIMES, ("Successful", "Successful", ""), id="waits-for-the-end"),
    ],
)
async def test_ended_run_becomes_a_measurement(
    tmp_path: Path, play: Play, schedule: Mapping[str, object], expected: tuple[str, str, str]
) -> None:
    """Its phase, from the one run that both metrics started together."""
    async with world(tmp_path, play, **schedule) as (gateway, upstream):
        found = await measured(gateway)
        again = await measured(gateway)
        (run,) = await runs(gateway)
    assert found["verdict"] == again["verdict"] == expected
    assert found["is-new"][0] == "Successful"
    assert found["is-new"][1] == run["metadata"]["creationTimestamp"]
    assert len(upstream.requests) == schedule.get("count", 1)


async def test_run_of_a_rollout_is_found_by_its_labels(tmp_path: Path) -> None:
    """Who is on call knows the rollout, not the run."""
    async with world(tmp_path, Play('"red"')) as (gateway, _):
        await measured(gateway)
        await measured(gateway, {"rollout": "uid-2"})
        found = await gateway.get("/v1/runs?label=rollout%3Duid-1&label=revision%3D2")
    (run,) = found.body["items"]
    assert run["metadata"]["labels"] == {"rollout": "uid-1", "revision": "2"}


async def test_run_under_way_is_not_known_yet(tmp_path: Path) -> None:
    """Argo asks again, and finds the same run."""
    async with world(tmp_path, GREEN, **FOR_HOURS) as (gateway, _):
        first = await measured(gateway, {"wait": "50ms"})
        second = await measured(gateway, {"wait": "50ms"})
        found = await runs(gateway)
    assert first["verdict"] == second["verdict"] == ("Inconclusive", "Running", "")
    assert first["is-new"][0] == "Successful"
    assert len(found) == 1


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"rollout": "uid-2"}, id="another-rollout"),
        pytest.param({"revision": "3"}, id="another-revision"),
        pytest.param({"pod-hash": "5f4b"}, id="another-version"),
        pytest.param({"at": "pre-promotion"}, id="another-analysis-of-the-rollout"),
        pytest.param({"attempt": "2"}, id="another-attempt"),
    ],
)
async def test_each_part_of_the_key_makes_a_run(tmp_path: Path, changed: dict[str, str]) -> None:
    """A failed run decides nothing for what is not the same analysis."""
    async with world(tmp_path, Play('"red"')) as (gateway, upstream):
        before = await measured(gateway)
        upstream.plays = (GREEN,)
        same = await measured(gateway)
        other = await measured(gateway, changed)
        found = await runs(gateway)
    assert [each["verdict"][0] for each in (before, same, other)] == [
        "Failed",
        "Failed",
        "Successful",
    ]
    assert len(found) == 2


async def test_another_question_with_the_same_key_is_an_error(tmp_path: Path) -> None:
    """Never the verdict on something else."""
    async with world(tmp_path, GREEN) as (gateway, _):
        await measured(gateway)
        found = await measured(gateway, {"service": "cart"})
    refused = ("Error", None, "received non 2xx response code: 422")
    assert found == {"verdict": refused, "is-new": refused}


async def test_old_run_is_inconclusive(tmp_path: Path) -> None:
    """A pass that was there before the analysis began does not promote."""
    manifest = MANIFEST.read_text("utf-8")
    strict = manifest.replace('duration("5m")', 'duration("1ns")')
    assert strict != manifest
    async with world(tmp_path, GREEN) as (gateway, _):
        query = query_of(gateway, {})
        reply = await gateway.post(f"/v1/verdict?{query}", strict)
    assert reply.body["phase"] == "Inconclusive"
    assert reply.body["metrics"]["verdict"]["phase"] == "Successful"


async def test_argo_asks_until_the_run_has_ended(tmp_path: Path) -> None:
    """The whole analysis, as a run that waits for a run."""
    hasty = MANIFEST.read_text("utf-8").replace("interval: 2s", "interval: 1ms")
    async with world(tmp_path, GREEN, **THREE_TIMES) as (gateway, upstream):
        query = query_of(gateway, {"wait": "20ms"})
        reply = await gateway.post(f"/v1/runs?wait=20s&{query}", hasty)
    status = reply.body["status"]
    verdict, is_new = status["metricResults"]
    assert (status["phase"], verdict["phase"], is_new["phase"]) == ("Successful",) * 3
    assert verdict["inconclusive"] >= 1
    assert (verdict["successful"], verdict["measurements"][-1]["value"]) == (1, '"Successful"')
    assert len(upstream.requests) == 3
