"""Lists of runs over HTTP: newest first, filtered, a page at a time."""

import asyncio
from datetime import datetime
from pathlib import Path

from backends import Backend, backend
from run_calls import CONDITION, GREEN, run_manifest, started
from running import Service, service, template, web_metric


async def names(gateway: Service, query: str) -> list[str]:
    """Which runs a list has."""
    reply = await gateway.get(f"/v1/runs?{query}")
    assert reply.status == 200, reply.text
    assert (reply.body["apiVersion"], reply.body["kind"]) == (
        "argoproj.io/v1alpha1",
        "AnalysisRunList",
    )
    return [each["metadata"]["name"] for each in reply.body["items"]]


async def four_runs(gateway: Service, upstream: Backend) -> str:
    """Runs a to d, oldest first; the time between b and c."""
    middle = ""
    for name, namespace, labels in (
        ("a", "shop", {"team": "one"}),
        ("b", "shop", {"team": "two", "app/tier": "1"}),
        ("c", "bank", {"team": "two"}),
        ("d", "bank", {}),
    ):
        metric = web_metric(upstream.url, CONDITION, **({} if name < "c" else {"interval": "1h"}))
        run = run_manifest(metric)
        run["metadata"] = {"name": name, "namespace": namespace, "labels": labels}
        reply = await started(gateway, run, "wait=5s" if name < "c" else "")
        await asyncio.sleep(0.01)
        if name == "c":
            middle = reply.body["metadata"]["creationTimestamp"]
    return middle


async def test_runs_are_listed_newest_first_and_filtered(tmp_path: Path) -> None:
    """By namespace, template, phase, labels and time; whole documents, a page at a time."""
    async with backend(GREEN) as upstream, service(tmp_path) as gateway:
        middle = await four_runs(gateway, upstream)
        zoned = datetime.fromisoformat(middle).isoformat().replace("+", "%2B")
        queries = {
            "": "dcba",
            "namespace=shop": "ba",
            "phase=Successful": "ba",
            "phase=Failed": "",
            "template=t": "",
            "label=team%3Dtwo": "cb",
            "label=team=two&label=app/tier=1": "b",
            f"createdAfter={middle}": "dc",
            f"createdAfter={zoned}": "dc",
            f"createdBefore={middle}": "ba",
            "namespace=bank&label=team=two": "c",
        }
        found = {query: "".join(await names(gateway, query)) for query in queries}
        first = await gateway.get("/v1/runs?limit=3")
        cursor = first.body["metadata"]["continue"]
        second = await gateway.get(f"/v1/runs?limit=3&continue={cursor}")
        one = await gateway.get(f"/v1/runs/{second.body['items'][0]['metadata']['uid']}")
    assert found == queries
    assert [each["metadata"]["name"] for each in first.body["items"]] == ["d", "c", "b"]
    assert second.body["metadata"] == {}
    assert second.body["items"] == [one.body]


async def test_runs_of_a_template_are_listed_by_its_name(tmp_path: Path) -> None:
    """Of one that came with the request as well."""
    async with backend(GREEN) as upstream, service(tmp_path) as gateway:
        await started(gateway, template(web_metric(upstream.url, CONDITION)), "wait=5s")
        assert len(await names(gateway, "template=t")) == 1
        assert await names(gateway, "template=other") == []
