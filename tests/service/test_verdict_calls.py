"""The verdict calls over HTTP, as controllers, pipelines and people make them."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from backends import Play, backend
from multidict import CIMultiDict
from running import Service, service, template, until, web_metric

GREEN = Play('"green"')
RED = Play('"red"')
AWAY = Play("", status=503)
CONDITION = 'result == "green"'


def both(url: str) -> dict[str, Any]:
    """A metric that is Inconclusive unless the answer is green or red."""
    return web_metric(url, CONDITION, failureCondition='result == "red"')


@pytest.mark.parametrize(
    ("play", "query", "status", "phase"),
    [
        pytest.param(GREEN, "", 200, "Successful", id="a-success-is-200"),
        pytest.param(RED, "", 200, "Failed", id="a-failure-is-200-for-who-reads-the-body"),
        pytest.param(Play('"blue"'), "", 200, "Inconclusive", id="inconclusive-is-200"),
        pytest.param(AWAY, "", 200, "Error", id="an-error-is-200"),
        pytest.param(AWAY, "errors=status", 503, "Error", id="an-error-can-be-503"),
        pytest.param(RED, "errors=status", 200, "Failed", id="a-failure-is-no-error"),
        pytest.param(GREEN, "gate=true", 200, "Successful", id="the-gate-is-open"),
        pytest.param(RED, "gate=true", 417, "Failed", id="the-gate-is-closed"),
        pytest.param(Play('"blue"'), "gate=true", 409, "Inconclusive", id="the-gate-is-unsure"),
        pytest.param(AWAY, "gate=true", 502, "Error", id="the-gate-cannot-tell"),
        pytest.param(AWAY, "gate=true&errors=status", 502, "Error", id="the-gate-wins"),
        pytest.param(GREEN, "gate=false", 200, "Successful", id="no-gate"),
    ],
)
async def test_the_status_speaks_as_the_caller_wants(
    tmp_path: Path, play: Play, query: str, status: int, phase: str
) -> None:
    """The status code is about the request, or about the verdict for who asks for a gate."""
    async with backend(play) as upstream, service(tmp_path) as gateway:
        reply = await gateway.post(f"/v1/verdict?{query}", template(both(upstream.url)))
    assert (reply.status, reply.body["phase"], reply.body["ok"]) == (
        status,
        phase,
        phase == "Successful",
    )


async def test_a_whole_verdict(tmp_path: Path) -> None:
    """The document that the contract promises, with its headers."""
    async with backend(RED) as upstream, service(tmp_path, namespace="shop") as gateway:
        reply = await gateway.post("/v1/verdict", template(web_metric(upstream.url, CONDITION)))
    body = reply.body
    measured = body["metrics"]["m"]
    assert measured.pop("tookMs") > 0
    assert 0 <= measured.pop("ageSeconds") < 5
    assert measured == {
        "phase": "Failed",
        "value": "red",
        "text": '"red"',
        "message": "",
        "provider": "web",
        "successCondition": CONDITION,
        "failureCondition": "",
        "query": "",
        "cache": "miss",
        "dryRun": False,
        "metadata": {},
        "reason": '"red" does not satisfy result == "green"',
        "explanation": {
            "samples": 1,
            "successCondition": {
                "value": False,
                "parts": [
                    {"expression": "result", "value": "red"},
                    {"expression": CONDITION, "value": False},
                ],
                "comparisons": [],
            },
            "failureCondition": None,
            "retries": 0,
        },
    }
    assert body["reason"] == 'm: "red" does not satisfy result == "green"'
    assert (body["run"], body["namespace"]) == (None, "shop")
    (name,) = body["templates"]
    assert name.startswith("t@sha256:")
    assert (reply.headers["Cache-Status"], reply.headers["Age"]) == (
        "analysis-gateway; fwd=miss",
        "0",
    )
    assert (reply.headers["Content-Type"], reply.headers["Cache-Control"]) == (
        "application/json",
        "no-store",
    )


def write(folder: Path, **manifests: dict[str, Any]) -> Path:
    """A folder with one file for each manifest."""
    folder.mkdir()
    for name, manifest in manifests.items():
        manifest["metadata"]["name"] = name
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(manifest))
    return folder


async def test_templates_are_addressed_as_kubernetes_addresses_them(tmp_path: Path) -> None:
    """By namespace and name, or by a cluster template's name; both take arguments."""
    async with backend(GREEN) as upstream:
        metric = web_metric(upstream.url + "/{{args.path}}", CONDITION)
        own = template(metric, args=[{"name": "path"}])
        own["metadata"]["namespace"] = "shop"  # type: ignore[index]
        wide = template(metric, args=[{"name": "path", "value": "default"}])
        wide["kind"] = "ClusterAnalysisTemplate"
        folder = write(tmp_path / "t", own=own, wide=wide)
        async with service(tmp_path / "s", templates=folder) as gateway:
            found = await gateway.get(
                "/v1/namespaces/shop/analysistemplates/own/verdict?args.path=a"
            )
            wide_found = await gateway.get(
                "/v1/clusteranalysistemplates/wide/verdict?namespace=shop"
            )
            named = await gateway.post(
                "/v1/verdict?args.path=b",
                {
                    "templates": [{"templateName": "wide", "clusterScope": True}],
                    "namespace": "shop",
                    "context": {"revision": 7},
                },
            )
            missing = await gateway.get("/v1/namespaces/other/analysistemplates/own/verdict")
    assert [each.body["phase"] for each in (found, wide_found, named)] == ["Successful"] * 3
    assert {each.body["namespace"] for each in (found, wide_found, named)} == {"shop"}
    assert [each.target for each in upstream.requests] == ["/a", "/default", "/b"]
    assert named.body["context"] == {"revision": 7}
    assert (missing.status, missing.body["reason"]) == (
        404,
        (
            "AnalysisTemplate 'own' not found in namespace 'other';"
            " GET /v1/templates lists what there is"
        ),
    )


async def test_a_reading_serves_until_it_is_too_old(tmp_path: Path) -> None:
    """The default age shares, no-cache and maxAge=0 measure anew, max-age sets the limit.

    However the header is written.
    """
    async with backend(GREEN) as upstream, service(tmp_path) as gateway:
        content = template(web_metric(upstream.url, CONDITION))
        replies = [
            await gateway.post("/v1/verdict", content),
            await gateway.post("/v1/verdict", content),
            await gateway.post("/v1/verdict", content, **{"Cache-Control": "no-cache"}),
            await gateway.post("/v1/verdict?maxAge=0", content),
            await gateway.post("/v1/verdict", content, **{"Cache-Control": "max-age=60"}),
            await gateway.post("/v1/verdict", content, **{"Cache-Control": 'max-age="0"'}),
        ]
        twice = CIMultiDict({"Cache-Control": "no-transform", "Content-Type": "application/json"})
        twice.add("Cache-Control", "no-cache")
        replies.append(
            await gateway.send("POST", "/v1/verdict", data=json.dumps(content), headers=twice)
        )
    states = [each.headers["Cache-Status"].removeprefix("analysis-gateway; ") for each in replies]
    assert states == ["fwd=miss", "hit", "fwd=miss", "fwd=miss", "hit", "fwd=miss", "fwd=miss"]
    assert len(upstream.requests) == 5


async def test_many_who_ask_the_same_cost_one_question(tmp_path: Path) -> None:
    """Fifty callers at once, one request upstream."""
    async with backend(Play('"green"', delay_s=0.2)) as upstream, service(tmp_path) as gateway:
        content = template(web_metric(upstream.url, CONDITION))
        replies = await asyncio.gather(*(gateway.post("/v1/verdict", content) for _ in range(50)))
    assert {each.body["phase"] for each in replies} == {"Successful"}
    assert len(upstream.requests) == 1


async def test_work_that_outlives_its_caller_is_found_by_the_next(tmp_path: Path) -> None:
    """Who does not wait gets Running; the measurement ends once, for whoever asks next."""
    async with backend(Play('"green"', delay_s=0.5)) as upstream, service(tmp_path) as gateway:
        content = template(web_metric(upstream.url, CONDITION))
        first = await gateway.post("/v1/verdict?wait=0s&gate=true", content)
        preferred = await gateway.post("/v1/verdict", content, Prefer="wait=0")
        await until(lambda: not gateway.gateway.readings._flights)
        last = await gateway.post("/v1/verdict", content)
    assert (first.status, first.headers["Retry-After"], first.body["phase"]) == (
        503,
        "1",
        "Running",
    )
    assert first.body["reason"] == ("m: not measured within 0s; the measurement goes on, ask again")
    assert first.body["finishedAt"] is None
    assert (preferred.status, preferred.headers["Preference-Applied"]) == (200, "wait=0")
    assert (last.body["phase"], len(upstream.requests)) == ("Successful", 1)


async def test_an_outcome_that_was_seen_is_kept_no_longer_than_any_other(tmp_path: Path) -> None:
    """Handing it to the next caller, whatever its age, happens once."""
    async with (
        backend(Play('"green"', delay_s=0.3)) as upstream,
        service(tmp_path, readings={"maxAge": "600ms"}) as gateway,
    ):
        content = template(web_metric(upstream.url, CONDITION))
        await gateway.post("/v1/verdict?wait=0s", content)
        await until(lambda: not gateway.gateway.readings._tasks)
        seen = [await gateway.post("/v1/verdict", content) for _ in range(2)]
        await asyncio.sleep(0.4)
        late = await gateway.post("/v1/verdict", content)
    assert [each.body["metrics"]["m"]["cache"] for each in (*seen, late)] == ["hit", "hit", "miss"]


async def test_templates_of_one_body_may_refer_to_each_other(tmp_path: Path) -> None:
    """In any order, and before those that have a name here."""
    async with backend(GREEN) as upstream, service(tmp_path) as gateway:
        outer = template(templates=[{"templateName": "inner"}])
        inner = template(web_metric(upstream.url, CONDITION))
        inner["metadata"] = {"name": "inner"}
        replies = [
            await gateway.post("/v1/verdict", yaml.safe_dump_all(order))
            for order in ([outer, inner], [inner, outer])
        ]
    assert [each.body["phase"] for each in replies] == ["Successful"] * 2


async def test_a_provider_that_fails_unexpectedly_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One metric's Error, not the whole verdict's end; its text is in no log and no answer."""

    async def broken(*_: object) -> None:
        raise KeyError("hunter2")

    monkeypatch.setattr("providers.web.WebProvider.measure", broken)
    async with service(tmp_path) as gateway:
        reply = await gateway.post("/v1/verdict", template(web_metric("http://127.0.0.1:1")))
    assert (reply.status, reply.body["metrics"]["m"]["message"]) == (
        200,
        "the provider failed unexpectedly (KeyError); the gateway's log says where",
    )
    assert "a provider failed as it never should" in caplog.text
    assert "hunter2" not in caplog.text + reply.text


async def test_a_large_answer_leaves_the_others_alone(tmp_path: Path) -> None:
    """While megabytes are read, the gateway answers."""
    large = Play("[" + ",".join(["[]"] * 1_000_000) + "]")
    async with backend(large) as upstream, service(tmp_path) as gateway:
        asked = asyncio.create_task(
            gateway.post("/v1/verdict?wait=60s", template(web_metric(upstream.url, "true")))
        )
        await until(lambda: upstream.requests)
        began_s = time.perf_counter()
        longest_s = 0.0
        while not asked.done():
            started_s = time.perf_counter()
            await gateway.get("/healthz")
            longest_s = max(longest_s, time.perf_counter() - started_s)
        assert (await asked).body["phase"] == "Successful"
        took_s = time.perf_counter() - began_s
    assert longest_s < took_s / 2


async def test_a_dry_run_judges_and_does_not_count(tmp_path: Path) -> None:
    """By request or by the template's rule, the true outcome is told and passes."""
    async with backend(RED) as upstream, service(tmp_path) as gateway:
        metric = web_metric(upstream.url, CONDITION)
        asked = await gateway.post("/v1/verdict?dryRun=true", template(metric))
        ruled = await gateway.post("/v1/verdict", template(metric, dryRun=[{"metricName": "m"}]))
    for reply in (asked, ruled):
        assert (reply.body["phase"], reply.body["metrics"]["m"]["phase"]) == (
            "Successful",
            "Failed",
        )
        assert reply.body["reason"].startswith("dry run only, not counted: m Failed: ")


async def test_the_worst_of_several_metrics_decides(tmp_path: Path) -> None:
    """Metrics are measured together; the reason names the one that decided."""
    async with (
        backend(Play('"green"', delay_s=0.3)) as slow,
        backend(Play('"red"', delay_s=0.3)) as bad,
        service(tmp_path) as gateway,
    ):
        content = template(
            web_metric(slow.url, CONDITION, name="a"), web_metric(bad.url, CONDITION, name="b")
        )
        started_s = time.perf_counter()
        reply = await gateway.post("/v1/verdict", content)
        took_s = time.perf_counter() - started_s
    assert reply.body["reason"] == 'b: "red" does not satisfy result == "green"'
    assert list(reply.body["metrics"]) == ["a", "b"]
    assert took_s < 0.55


async def test_a_condition_error_points_at_its_place(tmp_path: Path) -> None:
    """The message is Argo's, the hint has a caret."""
    async with backend(GREEN) as upstream, service(tmp_path) as gateway:
        reply = await gateway.post(
            "/v1/verdict", template(web_metric(upstream.url, "result >= >= 1"))
        )
    measured = reply.body["metrics"]["m"]
    assert measured["message"] == (
        'could not evaluate successCondition "result >= >= 1": unexpected token Operator(">=")'
    )
    assert measured["hint"].splitlines()[1:] == [" | result >= >= 1", " |           ^"]


def bad(**changes: object) -> dict[str, Any]:
    """A template with one thing changed."""
    return {**template(web_metric("http://127.0.0.1:1")), **changes}


@pytest.mark.parametrize(
    ("query", "content", "headers", "status", "words"),
    [
        pytest.param("wiat=1s", bad(), {}, 400, "'wiat' is unknown", id="an-unknown-parameter"),
        pytest.param("args.", bad(), {}, 400, "'args.' is unknown", id="an-argument-without-name"),
        pytest.param("wait=5", bad(), {}, 400, "missing unit in duration", id="a-bare-number"),
        pytest.param("wait=-1s", bad(), {}, 400, "must not be negative", id="a-negative-wait"),
        pytest.param("maxAge=x", bad(), {}, 400, "invalid duration", id="no-duration"),
        pytest.param("gate=yes", bad(), {}, 400, "must be true or false", id="no-boolean"),
        pytest.param("errors=no", bad(), {}, 400, "can only be 'status'", id="no-status-mode"),
        pytest.param("gate=true&gate=true", bad(), {}, 400, "more than once", id="twice"),
        pytest.param("args.x=%FF", bad(), {}, 400, "not valid UTF-8", id="bytes-of-no-text"),
        pytest.param("args.%ED%A0%80=1", bad(), {}, 400, "not valid UTF-8", id="half-a-character"),
        pytest.param(
            "namespace=shop",
            {"templates": [{"templateName": "a"}], "namespace": "other"},
            {},
            400,
            "is 'other' in the body and 'shop' in the query; say one",
            id="two-namespaces",
        ),
        pytest.param("", "", {}, 400, "the body is empty", id="an-empty-body"),
        pytest.param("", "a: [", {}, 400, "line", id="no-yaml"),
        pytest.param("", "{", {"Content-Type": "application/json"}, 400, "body", id="no-json"),
        pytest.param(
            "", bad(), {"Origin": "http://evil.example"}, 403, "origin", id="foreign-page"
        ),
        pytest.param(
            "",
            bad(),
            {"Origin": "http://evil.example:1", "Host": "evil.example:1"},
            403,
            "answers its own machine alone",
            id="a-page-whose-name-was-rebound",
        ),
        pytest.param(
            "",
            bad(),
            {"Host": "evil.example:1"},
            403,
            "answers its own machine alone, not 'evil.example:1'",
            id="a-name-of-elsewhere",
        ),
        pytest.param("", "x" * 2_000_000, {}, 413, "larger than", id="too-large"),
        pytest.param("", bad(), {"Content-Type": "text/html"}, 415, "text/html", id="html"),
        pytest.param("", bad(), {"Content-Encoding": "gzip"}, 415, "compressed", id="compressed"),
        pytest.param("", bad(spec={}), {}, 422, "no metrics specified", id="no-metrics"),
        pytest.param("", bad(kind="Pod"), {}, 422, "kind", id="another-kind"),
        pytest.param("args.x=1", bad(), {}, 422, "declares", id="an-undeclared-argument"),
        pytest.param(
            "", {"templates": []}, {}, 422, "templates: must not be empty", id="nothing-named"
        ),
        pytest.param(
            "",
            {"templates": [{"templateName": "a"}], "x": 1},
            {},
            422,
            "unknown",
            id="an-unknown-field",
        ),
        pytest.param(
            "", {"templates": [{"templateName": "a"}]}, {}, 404, "not found", id="an-unknown-name"
        ),
        pytest.param("", [1], {}, 422, "", id="a-list"),
    ],
)
async def test_what_is_not_judged_is_a_problem(
    tmp_path: Path, query: str, content: object, headers: dict[str, str], status: int, words: str
) -> None:
    """Every refusal is problem+json with a sentence, and never reads as a pass."""
    async with service(tmp_path) as gateway:
        reply = await gateway.post(f"/v1/verdict?{query}", content, **headers)
    assert (reply.status, reply.headers["Content-Type"]) == (status, "application/problem+json")
    assert words in reply.body["reason"]
    assert (reply.body["phase"], reply.body["ok"], reply.body["status"]) == ("Error", False, status)


async def test_all_problems_come_at_once_with_their_paths(tmp_path: Path) -> None:
    """Nobody has to correct and ask again for each of them."""
    metric = web_metric("http://x", count=2, failureLimit=5, interval="1d")
    metric["provider"]["web"]["urll"] = "x"
    async with service(tmp_path) as gateway:
        reply = await gateway.post(
            "/v1/verdict", template(metric, args=[{"name": "a"}, {"name": "b"}])
        )
        assert [each["path"] for each in reply.body["problems"]] == ["args.a", "args.b"]
        reply = await gateway.post("/v1/verdict", template(metric))
    assert reply.status == 422
    assert [each["path"] for each in reply.body["problems"]] == [
        "spec.metrics[0].count",
        "spec.metrics[0].interval",
        "spec.metrics[0].provider.web.urll",
    ]


async def test_a_body_that_drips_is_given_up(tmp_path: Path) -> None:
    """Who sends too slowly is told so."""

    async def drip() -> Any:
        yield b"a"
        await asyncio.sleep(5)

    async with service(tmp_path, limits={"requestRead": "200ms"}) as gateway:
        reply = await gateway.send("POST", "/v1/verdict", data=drip())
    assert (reply.status, reply.body["reason"]) == (408, "the body did not arrive within 0.2s")


async def test_a_body_without_end_is_refused_while_it_comes(tmp_path: Path) -> None:
    """A chunked body has no length to refuse beforehand."""

    async def flood() -> Any:
        for _ in range(100):
            yield b"x" * 65536

    async with service(tmp_path, limits={"requestBytes": 100_000}) as gateway:
        reply = await gateway.send("POST", "/v1/verdict", data=flood())
    assert (reply.status, reply.headers["Content-Type"]) == (413, "application/problem+json")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "/nowhere", 404, id="no-such-path"),
        pytest.param("DELETE", "/v1/verdict", 405, id="no-such-method"),
        pytest.param("POST", "/v1/namespaces/a/analysistemplates/b/verdict", 405, id="not-by-post"),
        pytest.param("GET", "/v1/namespaces//analysistemplates/b/verdict", 404, id="no-namespace"),
    ],
)
async def test_paths_and_methods_that_do_not_exist(
    tmp_path: Path, method: str, path: str, status: int
) -> None:
    """Also these are problem documents."""
    async with service(tmp_path) as gateway:
        reply = await gateway.send(method, path)
    assert (reply.status, reply.headers["Content-Type"]) == (status, "application/problem+json")
    assert reply.body["ok"] is False


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"GARBAGE\r\n\r\n", id="no-http"),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nBad Header: y\r\n\r\n", id="a-bad-header"
        ),
        pytest.param(
            b"GET /v1/clusteranalysistemplates/a/verdict?args.x=\xff HTTP/1.1\r\n"
            b"Host: localhost\r\nConnection: close\r\n\r\n",
            id="no-utf-8",
        ),
    ],
)
async def test_what_is_no_http_gets_a_problem_too(tmp_path: Path, data: bytes) -> None:
    """The server itself answers in our shape."""
    async with service(tmp_path) as gateway:
        answer = await exchange(gateway, data)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.")
    assert b"400 Bad Request" in head.splitlines()[0]
    assert b"application/problem+json" in head
    assert b'"ok":false' in body


async def exchange(gateway: Service, data: bytes) -> bytes:
    """Send bytes over a bare connection and read to its end."""
    port = int(gateway.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    return answer


async def test_inline_templates_can_be_closed(tmp_path: Path) -> None:
    """Then only templates with a name are judged."""
    async with service(tmp_path, verdicts={"inlineTemplates": "deny"}) as gateway:
        reply = await gateway.post("/v1/verdict", bad())
    assert (reply.status, "inlineTemplates" in reply.body["reason"]) == (403, True)
