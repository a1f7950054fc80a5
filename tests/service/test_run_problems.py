"""What the calls about runs refuse, and with which words."""

import logging
from pathlib import Path
from typing import Any

import pytest
import yaml
from run_calls import FAR, NOBODY, run_manifest
from running import service, template, web_metric

from gateway.logs import TextFormatter


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
        pytest.param("", "# all of curl -d", {}, 400, "--data-binary", id="a-comment-without-end"),
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
        pytest.param(
            "",
            template(web_metric(FAR, count=1, initialDelay="25h")),
            {},
            422,
            "initialDelay, longer than a run may last",
            id="later-than-a-run-may-last",
        ),
        pytest.param(
            "",
            {
                **run_manifest(web_metric(FAR)),
                "metadata": {"labels": {f"l{place}": "x" for place in range(65)}},
            },
            {},
            422,
            "metadata.labels: has 65 labels; at most 64",
            id="too-many-labels",
        ),
        pytest.param(
            "",
            template(web_metric(FAR, name="m" * 254)),
            {},
            422,
            "metrics[0].name: has 254 characters; a run takes up to 253",
            id="a-long-name-of-a-metric",
        ),
        pytest.param("", template(web_metric(FAR, count=-1)), {}, 422, "is -1", id="a-count-below"),
        pytest.param(
            # Cut to 32 bits it is reached before anything is measured: an Error would pass.
            "gate=true&wait=10s",
            template(web_metric(FAR, count="4294967296", interval="1s")),
            {},
            422,
            "count: is 0 in 32 bits",
            id="a-count-that-is-nothing-in-32-bits",
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


async def test_a_refusal_is_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Argo keeps the status only: the log says what it was, and nothing that the caller wrote."""
    caplog.set_level(logging.INFO, "gateway")
    async with service(tmp_path) as gateway:
        await gateway.post("/v1/runs?args.hunter2=1", bad())
    (line,) = [TextFormatter().format(each) for each in caplog.records if each.msg == "refused"]
    assert line.endswith("info    refused status=422 error=template_invalid path=/v1/runs")


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


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        pytest.param("GET", f"/v1/runs/{NOBODY}", 404, "there is no run", id="nobodys-id"),
        pytest.param("GET", "/v1/runs/x", 404, "metadata.uid", id="no-id"),
        pytest.param("GET", f"/v1/runs/{NOBODY.upper()}", 404, "uid", id="an-id-in-capitals"),
        pytest.param(
            "GET", f"/v1/runs/{NOBODY}?errors=status", 400, "errors", id="no-errors-there"
        ),
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
