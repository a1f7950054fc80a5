"""The calls about durable runs over HTTP: start, read, terminate, delete."""

import asyncio
from pathlib import Path

import pytest
import yaml
from backends import Play, backend
from run_calls import AWAY, CONDITION, FAR, GREEN, RED, both, endless, run_manifest, started
from running import service, template, web_metric


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
    assert verdict.body["reason"] == (
        'm: "green" satisfies result == "green"; 2 measurements, 2 successful'
    )
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
    assert gated.body["reason"].startswith("m: 1 measurement and no count, the next at 20")


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
        gated = await gateway.get(f"{path}/verdict?gate=true")
        whole = await gateway.get(f"{path}?gate=true")
    assert (gated.status, gated.body["phase"], gated.body["ok"]) == (409, "Successful", False)
    assert (whole.status, whole.body) == (409, over.body)
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


async def test_pages_of_another_origin_change_nothing(tmp_path: Path) -> None:
    """Nor end or delete a run."""
    async with backend(GREEN) as upstream, service(tmp_path) as gateway:
        path = (await started(gateway, endless(upstream.url))).headers["Location"]
        headers = {"Origin": "http://evil.example"}
        ended = await gateway.send("POST", f"{path}/terminate", headers=headers)
        gone = await gateway.send("DELETE", path, headers=headers)
        run = await gateway.get(path)
    assert (ended.status, gone.status, "terminate" in run.body["spec"]) == (403, 403, False)


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


async def test_a_key_outlives_the_templates_of_its_run(tmp_path: Path) -> None:
    """Who repeats gets the run, also when nobody could start it any more."""
    folder = tmp_path / "t"
    folder.mkdir()
    async with backend(GREEN) as upstream:
        named = template(web_metric(upstream.url, CONDITION))
        (folder / "t.yaml").write_text(yaml.safe_dump(named))
        body = {"templates": [{"templateName": "t"}]}
        key = {"Idempotency-Key": "k"}
        async with service(tmp_path / "s", templates=folder) as gateway:
            first = await started(gateway, body, "wait=5s", **key)
        (folder / "t.yaml").unlink()
        async with service(tmp_path / "s", templates=folder) as gateway:
            again = await started(gateway, body, **key)
            new = await gateway.post("/v1/runs", body)
    assert (again.headers["Idempotency-Replayed"], again.body) == ("true", first.body)
    assert new.status == 404
