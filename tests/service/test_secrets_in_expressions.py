"""A secret in an expression that is wrong: no answer, event, line of a log or notice quotes it."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import yaml
from backends import Play, backend
from running import service, template, until, web_metric

from gateway.logs import JsonFormatter

SECRET = "hunter2-supersecret"
UMLAUTS = "p\N{LATIN SMALL LETTER A WITH DIAERESIS}ssword-x"
PATH = "/v1/namespaces/shop/analysistemplates/t/verdict?maxAge=0s&explain=true"
NOT_TOLD = "why is not told: a secret stands in it"
ARGS = [{"name": "token", "valueFrom": {"secretKeyRef": {"name": "s", "key": "token"}}}]


def judged(condition: str, **fields: str) -> dict[str, Any]:
    """A web metric that asks the server ``SERVER``."""
    return web_metric("SERVER", condition, **fields)


def ranged(**bounds: str) -> dict[str, Any]:
    """A Prometheus metric over some time."""
    named = {"start": "now() - duration('1h')", "end": "now()", "step": "1m", **bounds}
    block = {"address": "SERVER", "query": "up", "rangeQuery": named}
    return {"name": "m", "successCondition": "true", "provider": {"prometheus": block}}


def placed(folder: Path, secret: str, metric: dict[str, Any], url: str) -> dict[str, Path]:
    """Folders with a template of that metric, and with its secret."""
    templates, place = folder / "templates", folder / "secrets" / "shop" / "s"
    templates.mkdir()
    place.mkdir(parents=True)
    (place / "token").write_text(secret)
    content = template({"consecutiveErrorLimit": 0, **metric}, args=ARGS)
    content["metadata"] = {"name": "t", "namespace": "shop"}
    (templates / "t.yaml").write_text(yaml.safe_dump(content).replace("SERVER", url))
    return {"templates": templates, "secrets": folder / "secrets"}


@pytest.mark.parametrize(
    ("secret", "metric", "message"),
    [
        pytest.param(
            SECRET,
            judged("result.path == {{args.token}}"),
            'could not evaluate successCondition "result.path == *****": ',
            id="a-condition-without-quotes",
        ),
        pytest.param(
            UMLAUTS,
            judged("result.path == {{args.token}}"),
            'could not evaluate successCondition "result.path == *****": ',
            id="letters-of-any-language",
        ),
        pytest.param(
            SECRET,
            judged('asInt(join(split("{{args.token}}", ""), " ")) == 1'),
            'could not evaluate successCondition "asInt(join(split("*****", ""), " ")) == 1": ',
            id="letter-by-letter",
        ),
        pytest.param(
            "hunter2.x",
            judged("result == 1", jsonPath="{$.{{args.token}}}"),
            "Could not find JSONPath in body: ",
            id="a-path-that-leads-nowhere",
        ),
        pytest.param(
            "hunter2",
            judged("true", jsonPath="{$[{{args.token}}}"),
            "jsonPath is wrong: ",
            id="a-path-that-is-none",
        ),
        pytest.param(
            SECRET,
            ranged(end='duration(join(split("{{args.token}}", ""), " "))'),
            "failed to parse rangeQuery.end as time: ",
            id="a-time",
        ),
        pytest.param(
            "1hunter2",
            ranged(step="{{args.token}}"),
            "failed to parse rangeQuery.step as duration: ",
            id="a-duration",
        ),
    ],
)
async def test_what_is_wrong_is_not_told(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    secret: str,
    metric: dict[str, Any],
    message: str,
) -> None:
    """Only where."""
    caplog.set_level(logging.DEBUG)
    async with (
        backend(Play('{"path": "x"}')) as upstream,
        backend(Play()) as hook,
        service(
            tmp_path / "s",
            notifications=[{"name": "hook", "url": hook.url}],
            **placed(tmp_path, secret, metric, upstream.url),
        ) as gateway,
    ):
        verdict = await gateway.get(PATH)
        names = {"templates": [{"templateName": "t"}], "namespace": "shop"}
        run = await gateway.post("/v1/runs?wait=5s", names)
        place = f"/v1/runs/{run.body['metadata']['uid']}"
        told = [await gateway.get(f"{place}{each}") for each in ("", "/verdict", "/events")]
        page = await gateway.get("/v1/audit")
        await until(lambda: len(hook.requests) >= 2)
    found = verdict.body["metrics"]["m"]
    assert (found["phase"], found["message"]) == ("Error", message + NOT_TOLD)
    assert "hint" not in found
    assert "explanation" not in found
    result = told[0].body["status"]["metricResults"][0]
    assert result["measurements"][0]["message"] == message + NOT_TOLD
    assert "explanation" not in told[1].body["metrics"]["m"]
    outputs = [each.text for each in (verdict, run, page, *told)]
    outputs += [JsonFormatter().format(each) for each in caplog.records]
    outputs += [json.dumps(json.loads(each.body), ensure_ascii=False) for each in hook.requests]
    assert message + NOT_TOLD in json.loads(outputs[-1])["data"]["reason"]
    for output in outputs:
        for piece in (secret, secret[:5], " ".join(secret[:5]), r"p\xc3"):
            assert piece not in output


async def test_an_explanation_shows_no_piece_of_it(tmp_path: Path) -> None:
    """What a condition makes of a secret is shown for what stands in its place."""
    metric = judged('result.path == split("{{args.token}}", "")[0] || len("{{args.token}}") > 0')
    async with (
        backend(Play('{"path": "x"}')) as upstream,
        service(tmp_path / "s", **placed(tmp_path, "qwertz", metric, upstream.url)) as gateway,
    ):
        verdict = await gateway.get(PATH)
    found = verdict.body["metrics"]["m"]
    assert found["phase"] == "Successful"
    parts = {
        each["expression"]: each.get("value")
        for each in found["explanation"]["successCondition"]["parts"]
    }
    assert parts['split("*****", "")[0]'] == "*"
    assert parts['len("*****")'] == 5
    assert '"q"' not in verdict.text
