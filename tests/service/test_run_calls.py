"""The calls about durable runs over HTTP: start, read, list, terminate, delete."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from backends import Backend, Play, backend
from running import Reply, Service, service, template, web_metric

GREEN = Play('"green"')
RED = Play('"red"')
AWAY = Play("", status=503)
CONDITION = 'result == "green"'
NOBODY = "7e5f0c52-6a3f-4c85-9f0e-3c2f5d1f7b11"
FAR = "http://127.0.0.1:1"


def both(url: str) -> dict[str, Any]:
    """A metric that is Inconclusive unless the answer is green or red."""
    return web_metric(url, CONDITION, failureCondition='result == "red"', consecutiveErrorLimit=0)


def endless(url: str) -> dict[str, object]:
    """A template whose runs end only when they are told to."""
    return template(web_metric(url, CONDITION, interval="1h"))


def run_manifest(*metrics: dict[str, Any], **spec: object) -> dict[str, Any]:
    """An AnalysisRun that somebody sends."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisRun",
        "metadata": {"name": "mine", "namespace": "shop", "labels": {"team": "a"}},
        "spec": {"metrics": list(metrics), **spec},
    }


async def started(gateway: Service, content: object, query: str = "", **headers: str) -> Reply:
    """A run that has been started."""
    reply = await gateway.post(f"/v1/runs?{query}", content, **headers)
    assert reply.status in {200, 202}, reply.text
    return reply


@pytest.mark.parametrize(
    ("play", "query", "status", "phase"),
    [
        pytest.param(GREEN, "wait=5s", 200, "Successful", id="an-end-is-200"),
        pytest.param(RED, "wait=5s", 200, "Failed", id="a-bad-end-too"),
        pytest.param(GREEN, "wait=5s&gate=true", 200, "Successful", id="the-gate-is-open"),
        pytest.param(RED, "wait=5s&gate=true", 417, "Failed", id="the-gate-is-closed"),
        pytest.param(Play('"blue"'), "wait=5s&gate=true", 409, "Inconclusive", id="it-is-unsure"),
        pytest.param(AWAY, "wait=5s&gate=true", 502, "Error", id="it-cannot-tell"),
        pytest.param(RED, "wait=5s&gate=false", 200, "Failed", id="no-gate"),
    ],
)
async def test_the_status_of_a_run_that_ends(
    tmp_path: Path, play: Play, query: str, status: int, phase: str
) -> None:
    """200 once it has ended, or what the gate says; always the run's document."""
    async with backend(play) as upstream, service(tmp_path) as gateway:
        reply = await gateway.post(f"/v1/runs?{query}", template(both(upstream.url)))
    assert (reply.status, reply.body["status"]["phase"]) == (status, phase)
    assert reply.headers["Location"] == f"/v1/runs/{reply.body['metadata']['uid']}"
    assert "Retry-After" not in reply.headers


@pytest.mark.parametrize(
    ("query", "status"),
    [
        pytest.param("", 202, id="it-is-accepted"),
        pytest.param("wait=200ms", 202, id="and-waited-for-in-vain"),
        pytest.param("gate=true", 503, id="the-gate-asks-for-patience"),
    ],
)
async def test_the_status_of_a_run_that_goes_on(tmp_path: Path, query: str, status: int) -> None:
    """It says where to ask and when."""
    async with backend(GREEN) as upstream, service(tmp_path) as gateway:
        reply = await gateway.post(f"/v1/runs?{query}", endless(upstream.url))
        found = await gateway.get(reply.headers["Location"])
    assert (reply.status, reply.headers["Retry-After"]) == (status, "1")
    assert reply.body["status"]["phase"] in {"Pending", "Running"}
    assert (found.status, found.body["metadata"]) == (200, reply.body["metadata"])


async def test_a_whole_run(tmp_path: Path) -> None:
    """The document is an AnalysisRun, and its verdict reads like any other."""
    async with backend(GREEN) as upstream, service(tmp_path, namespace="shop") as gateway:
        metric = web_metric(upstream.url + "/{{args.x}}", CONDITION, count=2, interval="200ms")
        content = template(metric, args=[{"name": "x"}])
        reply = await started(gateway, content, "args.x=y&labels.team=a&wait=5s")
        verdict = await gateway.get(f"{reply.headers['Location']}/verdict")
        lone = await gateway.get(reply.headers["Location"])
    body = reply.body
    metadata, status = body["metadata"], body["status"]
    assert body == lone.body
    assert (body["apiVersion"], body["kind"]) == ("argoproj.io/v1alpha1", "AnalysisRun")
    assert metadata["name"].startswith("t-")
    assert (metadata["namespace"], metadata["labels"]) == ("shop", {"team": "a"})
    assert body["spec"] == {"metrics": [metric], "args": [{"name": "x", "value": "y"}]}
    (result,) = status["metricResults"]
    assert [each["value"] for each in result.pop("measurements")] == ['"green"', '"green"']
    assert result == {
        "name": "m",
        "phase": "Successful",
        "count": 2,
        "successful": 2,
        "consecutiveSuccess": 2,
    }
    assert [each.target for each in upstream.requests] == ["/y", "/y"]
    assert verdict.body["run"] == metadata["uid"]
    assert verdict.body["reason"] == "m: 2 measurements, 2 successful"
    assert verdict.body["templates"][0].startswith("t@sha256:")
    assert (verdict.status, verdict.headers["Cache-Control"]) == (200, "no-store")


@pytest.mark.parametrize(
    ("play", "query", "status", "phase"),
    [
        pytest.param(RED, "wait=5s", 200, "Failed", id="a-failure-is-200"),
        pytest.param(RED, "wait=5s&gate=true", 417, "Failed", id="the-gate-is-closed"),
        pytest.param(AWAY, "wait=5s", 200, "Error", id="an-error-is-200"),
        pytest.param(AWAY, "wait=5s&errors=status", 503, "Error", id="an-error-can-be-503"),
        pytest.param(AWAY, "wait=5s&gate=true&errors=status", 502, "Error", id="the-gate-wins"),
        pytest.param(RED, "wait=5s&errors=status", 200, "Failed", id="a-failure-is-no-error"),
    ],
)
async def test_the_status_of_a_runs_verdict(
    tmp_path: Path, play: Play, query: str, status: int, phase: str
) -> None:
    """As that of a verdict that is given at once."""
    async with backend(play) as upstream, service(tmp_path) as gateway:
        run = await started(gateway, template(both(upstream.url)))
        reply = await gateway.get(f"{run.headers['Location']}/verdict?{query}")
    assert (reply.status, reply.body["phase"], reply.body["ok"]) == (status, phase, False)


async def test_the_verdict_of_a_run_that_goes_on(tmp_path: Path) -> None:
    """Running, with what it waits for; the gate asks for patience."""
    async with backend(GREEN) as upstream, service(tmp_path) as gateway:
        run = await started(gateway, endless(upstream.url))
        plain = await gateway.get(f"{run.headers['Location']}/verdict")
        gated = await gateway.get(f"{run.headers['Location']}/verdict?gate=true&wait=200ms")
    assert (plain.status, plain.body["phase"], plain.headers["Retry-After"]) == (
        *(200, "Running"),
        "1",
    )
    assert (gated.status, gated.body["phase"], gated.headers["Retry-After"]) == (
        *(503, "Running"),
        "1",
    )
    assert gated.headers["Location"] == run.headers["Location"]
    assert gated.body["reason"].startswith("m: 1 measurement, the next at 20")


async def test_bodies_are_those_of_a_verdict_and_runs(tmp_path: Path) -> None:
    """Templates, names of templates with labels and context, and an AnalysisRun manifest."""
    folder = tmp_path / "t"
    folder.mkdir()
    async with backend(GREEN) as upstream:
        named = template(web_metric(upstream.url + "/{{args.x}}", CONDITION), args=[{"name": "x"}])
        named["metadata"] = {"name": "named"}
        (folder / "named.yaml").write_text(yaml.safe_dump(named))
        body = {
            "templates": [{"templateName": "named"}],
            "args": [{"name": "x", "value": "1"}],
            "context": {"commit": "4f"},
            "labels": {"team": "a", "who": "body"},
        }
        own = run_manifest(
            web_metric(upstream.url + "/{{args.x}}", CONDITION),
            args=[{"name": "x", "value": "default"}],
        )
        async with service(tmp_path / "s", templates=folder) as gateway:
            by_name = await started(gateway, body, "labels.who=query&wait=5s")
            verdict = await gateway.get(f"{by_name.headers['Location']}/verdict")
            whole = await started(gateway, own, "wait=5s")
            given = await started(gateway, own, "wait=5s&args.x=2&namespace=other&dryRun=true")
    assert by_name.body["metadata"]["labels"] == {"team": "a", "who": "query"}
    assert verdict.body["context"] == {"commit": "4f"}
    assert (whole.body["metadata"]["name"], whole.body["metadata"]["namespace"]) == ("mine", "shop")
    assert whole.body["metadata"]["labels"] == {"team": "a"}
    assert given.body["metadata"]["namespace"] == "other"
    assert given.body["spec"]["dryRun"] == [{"metricName": ".*"}]
    assert [each.target for each in upstream.requests] == ["/1", "/default", "/2"]


def bad(**changes: object) -> dict[str, Any]:
    """A template with one thing changed."""
    return {**template(web_metric(FAR)), **changes}


@pytest.mark.parametrize(
    ("query", "content", "headers", "status", "words"),
    [
        pytest.param("wiat=1s", bad(), {}, 400, "'wiat' is unknown", id="an-unknown-parameter"),
        pytest.param("maxAge=1s", bad(), {}, 400, "'maxAge' is unknown", id="one-of-verdicts"),
        pytest.param("labels.=a", bad(), {}, 400, "'labels.' is unknown", id="a-nameless-label"),
        pytest.param("labels.a=-", bad(), {}, 400, "'labels.a': key and value", id="a-bad-label"),
        pytest.param("wait=5", bad(), {}, 400, "missing unit in duration", id="a-bare-number"),
        pytest.param("gate=yes", bad(), {}, 400, "must be true or false", id="no-boolean"),
        pytest.param("", bad(), {"Idempotency-Key": ""}, 400, "1 to 255", id="an-empty-key"),
        pytest.param("", bad(), {"Idempotency-Key": "k" * 256}, 400, "1 to 255", id="a-long-key"),
        pytest.param("", bad(), {"Idempotency-Key": "a b"}, 400, "visible", id="a-blank-in-a-key"),
        pytest.param("", "", {}, 400, "the body is empty", id="an-empty-body"),
        pytest.param("", bad(), {"Origin": "http://evil.example"}, 403, "origin", id="a-page"),
        pytest.param("", bad(), {"Content-Type": "text/html"}, 415, "text/html", id="html"),
        pytest.param("", bad(spec={}), {}, 422, "no metrics specified", id="no-metrics"),
        pytest.param("args.x=1", bad(), {}, 422, "declares", id="an-undeclared-argument"),
        pytest.param("", run_manifest(), {}, 422, "no metrics", id="a-run-without-metrics"),
        pytest.param("", run_manifest(x=1), {}, 422, "spec.x", id="an-unknown-field-of-a-run"),
        pytest.param(
            "",
            {**run_manifest(web_metric(FAR)), "metadata": {"labels": {"a": "b c"}}},
            {},
            422,
            "metadata.labels: a: 'b c' must be",
            id="a-bad-label-of-a-run",
        ),
        pytest.param(
            "",
            yaml.safe_dump_all([run_manifest(web_metric(FAR)), bad()]),
            {},
            422,
            "must stand alone",
            id="a-run-beside-a-template",
        ),
        pytest.param(
            "",
            {"templates": [{"templateName": "a"}], "labels": {"/": "x"}},
            {},
            422,
            "labels: key '/' must be",
            id="a-bad-label-in-the-body",
        ),
        pytest.param(
            "", {"templates": [{"templateName": "a"}]}, {}, 404, "not found", id="an-unknown-name"
        ),
        pytest.param(
            "",
            template(web_metric(FAR, count=4, interval="12h")),
            {},
            422,
            "runs.maxDuration",
            id="longer-than-a-run-may-last",
        ),
    ],
)
async def test_what_makes_no_run_is_a_problem(
    tmp_path: Path, query: str, content: object, headers: dict[str, str], status: int, words: str
) -> None:
    """Every refusal is problem+json with a sentence; nothing is started."""
    async with service(tmp_path) as gateway:
        reply = await gateway.post(f"/v1/runs?{query}", content, **headers)
        runs = await gateway.get("/v1/runs")
    assert (reply.status, reply.headers["Content-Type"]) == (status, "application/problem+json")
    assert words in reply.body["reason"]
    assert (reply.body["phase"], reply.body["ok"]) == ("Error", False)
    assert runs.body["items"] == []


async def test_inline_templates_and_runs_can_be_closed(tmp_path: Path) -> None:
    """Then runs are made of templates with a name only."""
    async with service(tmp_path, verdicts={"inlineTemplates": "deny"}) as gateway:
        replies = [
            await gateway.post("/v1/runs", content)
            for content in (bad(), run_manifest(web_metric(FAR)))
        ]
    assert [(each.status, "inlineTemplates" in each.body["reason"]) for each in replies] == [
        (403, True)
    ] * 2


async def test_a_verdict_takes_no_run_and_no_labels(tmp_path: Path) -> None:
    """It says where they belong."""
    async with service(tmp_path) as gateway:
        run = await gateway.post("/v1/verdict", run_manifest(web_metric(FAR)))
        named = {"templates": [{"templateName": "a"}], "labels": {"a": "b"}}
        labels = await gateway.post("/v1/verdict", named)
    assert (run.status, labels.status) == (422, 422)
    assert "POST /v1/runs makes a run of it" in run.body["reason"]
    assert "labels: unknown field" in labels.body["reason"]


async def test_the_same_key_gets_the_same_run(tmp_path: Path) -> None:
    """Running or ended, with whatever wait and gate; another request with it is refused."""
    async with backend(GREEN) as upstream, service(tmp_path) as gateway:
        content = template(web_metric(upstream.url, CONDITION, count=2, interval="300ms"))
        key = {"Idempotency-Key": "build-4711"}
        first = await started(gateway, content, "labels.a=1", **key)
        again = await started(gateway, content, "labels.a=1&wait=5s&gate=true", **key)
        over = await started(gateway, content, "labels.a=1", **key)
        other = await started(gateway, content, "labels.a=1", **{"Idempotency-Key": "4712"})
        label = await gateway.post("/v1/runs?labels.a=2", content, **key)
        body = await gateway.post("/v1/runs?labels.a=1", template(web_metric(FAR)), **key)
        await gateway.send("DELETE", first.headers["Location"])
        deleted = await gateway.post("/v1/runs?labels.a=1", content, **key)
    ids = {each.headers["Location"] for each in (first, again, over)}
    assert len(ids) == 1
    assert other.headers["Location"] not in ids
    replayed = [each.headers.get("Idempotency-Replayed") for each in (first, again, over)]
    assert replayed == [None, "true", "true"]
    assert [each.status for each in (first, again, over)] == [202, 200, 200]
    assert again.body["status"]["phase"] == "Successful"
    for reply in (label, body):
        assert (reply.status, reply.body["error"]) == (422, "idempotency_key_reused")
    assert (deleted.status, deleted.body["error"]) == (404, "run_not_found")
    assert len(upstream.requests) <= 4


async def test_many_at_once_with_one_key_start_one_run(tmp_path: Path) -> None:
    """A nervous client makes no second run."""
    async with backend(GREEN) as upstream, service(tmp_path) as gateway:
        replies = await asyncio.gather(
            *(
                started(gateway, endless(upstream.url), "", **{"Idempotency-Key": "k"})
                for _ in range(30)
            )
        )
    assert len({each.headers["Location"] for each in replies}) == 1
    assert sum("Idempotency-Replayed" not in each.headers for each in replies) == 1


async def test_a_run_is_told_to_end(tmp_path: Path) -> None:
    """202 while it is about to, and a sentence when there is nothing to be done."""
    async with backend(GREEN) as upstream, service(tmp_path) as gateway:
        path = (await started(gateway, endless(upstream.url))).headers["Location"]
        early = await gateway.send("DELETE", path)
        told = await gateway.send("POST", f"{path}/terminate")
        over = await gateway.get(f"{path}?wait=5s")
        late = await gateway.send("POST", f"{path}/terminate")
        after = await gateway.get(path)
    assert (early.status, early.body["error"]) == (409, "run_under_way")
    assert (told.status, told.body["spec"]["terminate"]) == (202, True)
    assert (over.body["status"]["phase"], over.body["status"]["message"]) == (
        "Successful",
        "Run Terminated",
    )
    note = "nothing was to be done: the run had ended before, Successful"
    assert (late.status, late.headers["Warning"]) == (200, f'299 - "{note}"')
    body = late.body
    assert body["metadata"]["annotations"].pop("analysis-gateway/note") == note
    assert body == after.body == over.body


async def test_a_run_that_has_ended_can_be_deleted(tmp_path: Path) -> None:
    """Then nobody knows it any more."""
    async with backend(GREEN) as upstream, service(tmp_path) as gateway:
        reply = await started(gateway, template(web_metric(upstream.url, CONDITION)), "wait=5s")
        path = reply.headers["Location"]
        gone = await gateway.send("DELETE", path)
        replies = [
            await gateway.send(method, path + below)
            for method, below in (
                *(("DELETE", ""), ("GET", ""), ("GET", "?wait=1s"), ("GET", "/verdict")),
                *(("GET", "/events"), ("POST", "/terminate")),
            )
        ]
    assert (gone.status, gone.text) == (204, "")
    assert {(each.status, each.body["error"]) for each in replies} == {(404, "run_not_found")}


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        pytest.param("GET", f"/v1/runs/{NOBODY}", 404, "there is no run", id="nobodys-id"),
        pytest.param("GET", "/v1/runs/x", 404, "metadata.uid", id="no-id"),
        pytest.param("GET", f"/v1/runs/{NOBODY.upper()}", 404, "uid", id="an-id-in-capitals"),
        pytest.param("GET", f"/v1/runs/{NOBODY}?gate=true", 400, "'gate'", id="no-gate-there"),
        pytest.param("GET", f"/v1/runs/{NOBODY}?args.x=1", 400, "'args.x'", id="no-arguments"),
        pytest.param("GET", f"/v1/runs/{NOBODY}?wait=x", 400, "invalid duration", id="no-wait"),
        pytest.param("GET", f"/v1/runs/{NOBODY}/verdict?errors=x", 400, "status", id="no-mode"),
        pytest.param("GET", f"/v1/runs/{NOBODY}/events?x=1", 400, "'x'", id="no-such-parameter"),
        pytest.param("POST", f"/v1/runs/{NOBODY}/terminate?x=1", 400, "'x'", id="nor-there"),
        pytest.param("POST", f"/v1/runs/{NOBODY}/terminate", 404, "no run", id="nobody-to-end"),
        pytest.param("DELETE", f"/v1/runs/{NOBODY}?x=1", 400, "'x'", id="nor-here"),
        pytest.param("DELETE", f"/v1/runs/{NOBODY}", 404, "no run", id="nobody-to-delete"),
        pytest.param("PUT", f"/v1/runs/{NOBODY}", 405, "method", id="no-such-method"),
        pytest.param("HEAD", f"/v1/runs/{NOBODY}/events", 405, "", id="no-stream-without-body"),
        pytest.param("GET", "/v1/runs?limit=0", 400, "from 1 to 500", id="no-limit"),
        pytest.param("GET", "/v1/runs?limit=501", 400, "from 1 to 500", id="too-much"),
        pytest.param("GET", "/v1/runs?limit=a", 400, "from 1 to 500", id="no-number"),
        pytest.param("GET", "/v1/runs?phase=Good", 400, "must be one of", id="no-phase"),
        pytest.param("GET", "/v1/runs?label=a", 400, "KEY=VALUE", id="no-value"),
        pytest.param("GET", "/v1/runs?label=%3D", 400, "'label'", id="no-key"),
        pytest.param("GET", "/v1/runs?createdAfter=1", 400, "2026-11-23T", id="no-time"),
        pytest.param(
            "GET",
            "/v1/runs?createdAfter=2026-11-23T10:00:00+01:00",
            400,
            "a + is written %2B",
            id="a-plus-is-a-blank",
        ),
        pytest.param(
            "GET", "/v1/runs?createdBefore=2026-13-01T00:00:00Z", 400, "RFC", id="no-month"
        ),
        pytest.param("GET", "/v1/runs?continue=x", 400, "continue", id="no-cursor"),
        pytest.param("GET", "/v1/runs?phase=Failed&phase=Error", 400, "than once", id="two-phases"),
    ],
)
async def test_what_cannot_be_answered_is_a_problem(
    tmp_path: Path, method: str, path: str, status: int, words: str
) -> None:
    """Unknown runs and parameters; every refusal says what is wrong."""
    async with service(tmp_path) as gateway:
        reply = await gateway.send(method, path)
    assert (reply.status, reply.headers["Content-Type"]) == (status, "application/problem+json")
    assert method == "HEAD" or words in reply.body["reason"]


async def test_pages_of_another_origin_change_nothing(tmp_path: Path) -> None:
    """Nor end or delete a run."""
    async with backend(GREEN) as upstream, service(tmp_path) as gateway:
        path = (await started(gateway, endless(upstream.url))).headers["Location"]
        headers = {"Origin": "http://evil.example"}
        ended = await gateway.send("POST", f"{path}/terminate", headers=headers)
        gone = await gateway.send("DELETE", path, headers=headers)
        run = await gateway.get(path)
    assert (ended.status, gone.status, "terminate" in run.body["spec"]) == (403, 403, False)


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


async def test_so_many_runs_and_no_more(tmp_path: Path) -> None:
    """429 says when to try again; a run that ends makes room."""
    async with (
        backend(GREEN) as upstream,
        service(tmp_path, runs={"maxLive": 2}) as gateway,
    ):
        runs = [await started(gateway, endless(upstream.url)) for _ in range(2)]
        full = await gateway.post("/v1/runs", endless(upstream.url))
        await gateway.send("POST", f"{runs[0].headers['Location']}/terminate")
        await gateway.get(f"{runs[0].headers['Location']}?wait=5s")
        again = await gateway.post("/v1/runs", endless(upstream.url))
    assert (full.status, full.body["error"], full.headers["Retry-After"]) == (
        *(429, "too_many_runs"),
        "1",
    )
    assert again.status == 202


async def test_routes_in_metrics_are_few(tmp_path: Path) -> None:
    """No id of a run becomes a label."""
    async with backend(GREEN) as upstream, service(tmp_path) as gateway:
        path = (
            await started(gateway, template(web_metric(upstream.url, CONDITION)), "wait=5s")
        ).headers["Location"]
        for below in ("", "/verdict", "/events"):
            await gateway.get(path + below)
        await gateway.send("POST", f"{path}/terminate")
        await gateway.send("DELETE", path)
        metrics = (await gateway.get("/metrics")).text
    for route in ("", "/{id}", "/{id}/verdict", "/{id}/events", "/{id}/terminate"):
        assert f'request_duration_seconds_count{{route="/v1/runs{route}",status="20' in metrics
    assert path.rpartition("/")[2] not in metrics
