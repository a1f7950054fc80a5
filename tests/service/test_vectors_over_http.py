"""Measurements that argo-rollouts was seen to take, asked of the running service."""

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from aws_account import ACCOUNT
from backends import Play, Recorded, backend
from own_tls import server_tls, trust
from running import Service, service, template, until
from vector_rows import SHOWN_HEADERS, expectation, undated

from providers import PROVIDERS, _aws, kayenta

ALL = json.loads((Path(__file__).parents[1] / "conformance" / "provider_vectors.json").read_text())
LASTING = [row for row in ALL if row["provider"] == "kayenta"]
"""Rows of what goes on while nobody looks: asked of a run. The run has begun when it began, so what
KA09 says of its beginning cannot be told; ``tests/providers/test_vectors.py`` does."""
ROWS = [row for row in ALL if row not in LASTING and row["provider"] in PROVIDERS]
EXPLAINED = {"PR03"}
"""Rows without data in which Prometheus is asked why: docs/differences.md. The stand-in is no
Prometheus, so nothing is certain and nothing is added to Argo's message."""
SIGNED = {"PR31"}
"""Rows in which the real signature stands where the table has a stand-in's. Argo crashes there; the
gateway signs the second request, too, and gets its answer: docs/differences.md."""
MASKED = {"IN14": 'from(bucke*****:"b") |> range(s*****ar*****:-5m)'}
"""The query of a row whose token is one letter, as it is shown: a secret is masked wherever it
stands."""
NAMESPACES = {"ctl-ns": "gateways", "run-ns": "shop"}
"""Where the rows have the Secrets of the controller, and those of the run."""
BEGINNING = (
    Play('[{"id":"c-2","name":"cfg-b"}]'),
    Play('{"canaryExecutionId":"EX-1"}'),
)
"""What a run hears before it looks at an execution."""
MENDED: dict[str, dict[str, Any]] = {
    "KA06": {
        "phase": "Error",
        "message": "Invalid canaryExecutionId: the answer has none",
        "metadata": {},
    },
    "KA10": {
        **next(row for row in LASTING if row["id"] == "KA09")["expect"],
    },
    "KA23": {"phase": "Inconclusive", "message": "Metric Terminated"},
}
"""Rows in which the gateway does something else, and what: docs/differences.md"""


def plays(row: dict[str, Any]) -> list[Play]:
    """The answers of a row's server."""
    return [
        Play(
            one.get("body") or (json.dumps(one["json"]) if "json" in one else ""),
            one.get("status", 200),
            one.get("headers", {}),
            one.get("delayMs", 0) / 1000,
        )
        for one in row["responses"]
    ]


def told(request: Recorded) -> tuple[str, str, str]:
    """Method, path and headers of a request, as far as the clock does not change them."""
    headers = [
        f"{name}: {request.headers[name]}"
        for name in SHOWN_HEADERS
        if name in request.headers and not request.headers[name].startswith("AWS4-HMAC-SHA256")
    ]
    return request.method, request.target.partition("?")[0], "; ".join(headers)


def expected(text: str) -> tuple[str, str, str]:
    """The same of a row's request."""
    head, _, rest = text.partition(" {")
    method, _, target = head.partition(" ")
    return method, target.partition("?")[0], rest.partition("}")[0]


def secrets_folder(folder: Path, secrets: dict[str, dict[str, str]]) -> Path:
    """The Secrets of a row as files; those of the run's namespace are where verdicts are given."""
    for place, keys in secrets.items():
        namespace, _, name = place.partition("/")
        under = folder / NAMESPACES[namespace] / name
        under.mkdir(parents=True)
        for key, value in keys.items():
            (under / key).write_text(value)
    return folder


@pytest.mark.parametrize("row", [pytest.param(row, id=row["id"]) for row in ROWS])
async def test_the_service_measures_as_argo_does(
    row: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Phase, value, message, metadata and the requests on the wire are Argo's."""
    trust(monkeypatch)
    text = json.dumps(row)
    async with backend(*plays(row), tls=server_tls() if "$TLSHOST" in text else None) as upstream:
        for name, value in {**ACCOUNT, "AWS_ENDPOINT_URL_CLOUDWATCH": upstream.url}.items():
            monkeypatch.setenv(name, value)
        _aws.forget()
        host = upstream.url.partition("://")[2]
        filled = json.loads(text.replace("$SERVER", upstream.url).replace("$TLSHOST", host))
        async with service(
            tmp_path / "state",
            environ=filled.get("env", {}),
            namespace=NAMESPACES["ctl-ns"],
            secrets=secrets_folder(tmp_path / "secrets", filled.get("secrets", {})),
        ) as gateway:
            path = f"/v1/verdict?maxAge=0&namespace={NAMESPACES['run-ns']}"
            reply = await gateway.post(path, template(filled["metric"]))
    assert reply.status == 200, reply.text
    measured = reply.body["metrics"]["m"]
    expect = expectation(filled)
    if row["id"] in SIGNED:
        assert (measured["phase"], measured["text"]) == ("Successful", "[1]")
    elif "panic" in expect:
        assert measured["phase"] == "Error"
        assert measured["message"]
    elif "createError" in expect:
        assert (measured["phase"], measured["message"]) == ("Error", expect["createError"])
    else:
        assert measured["phase"] == expect["phase"]
        assert measured["message"] == expect.get("message", "")
        assert measured["text"] == expect.get("value", "")
        assert undated(measured["metadata"]) == expect.get("metadata", {})
        block = filled["metric"]["provider"][row["provider"]]
        assert measured["query"] == MASKED.get(row["id"], block.get("query", ""))
    if row["id"] not in EXPLAINED | SIGNED:
        assert [told(each) for each in upstream.requests] == [
            expected(each) for each in row["expect"]["requests"]
        ]


async def measurement_of(gateway: Service, path: str) -> dict[str, Any]:
    """The only measurement of a run; nothing before it is there."""
    (result,) = (await gateway.get(path)).body["status"].get("metricResults", [{}])
    measured: dict[str, Any]
    (measured,) = result.get("measurements", [{}])
    return measured


async def recorded(gateway: Service, path: str, phase: str) -> dict[str, Any]:
    """The only measurement of a run, once it stands so."""
    async with asyncio.timeout(10):
        while (measured := await measurement_of(gateway, path)).get("phase") != phase:  # noqa: ASYNC110 - a run that goes on can only be asked
            await asyncio.sleep(0.02)
    return measured


def span_s(measured: dict[str, Any]) -> float:
    """From the beginning of a measurement to the next look at it."""
    began, resumes = (datetime.fromisoformat(measured[name]) for name in ("startedAt", "resumeAt"))
    return (resumes - began).total_seconds()


@pytest.mark.parametrize("row", [pytest.param(row, id=row["id"]) for row in LASTING])
async def test_a_run_measures_as_argo_does(
    row: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is sent, and what stands in the document of a run that begins, looks, or is ended."""
    expect = {**row["expect"], **MENDED.get(row["id"], {})}
    before = () if row["op"] == "run" else BEGINNING
    if row["op"] == "resume":
        monkeypatch.setattr(kayenta, "LOOK_EVERY_S", 0.3)
    async with backend(*before, *plays(row)) as upstream, service(tmp_path) as gateway:
        metric = {**row["metric"], "consecutiveErrorLimit": 0}
        content = template(json.loads(json.dumps(metric).replace("$SERVER", upstream.url)))
        path = (await gateway.post("/v1/runs", content)).headers["Location"]
        if row["op"] == "terminate":
            await recorded(gateway, path, "Running")
            await gateway.send("POST", f"{path}/terminate")
        await until(lambda: len(upstream.requests) >= len(before) + len(expect["requests"]))
        measured = await recorded(gateway, path, expect["phase"])
        sent = [told(each) for each in upstream.requests][len(before) :]
    outcome = {"outcome": measured["metadata"]["outcome"]} if expect["value"] else {}
    assert (measured.get("value", ""), measured.get("message", "")) == (
        expect["value"],
        expect.get("message", ""),
    )
    assert measured.get("metadata", {}) == {**outcome, **expect.get("metadata", {})}
    assert ("finishedAt" in measured) is (expect["phase"] != "Running")
    # What is looked at again and again may have been by now.
    wanted = [expected(each) for each in expect["requests"]]
    assert sent[: len(wanted)] == wanted
    assert set(sent) == set(wanted)
    if row["op"] == "run" and expect["phase"] == "Running":
        assert span_s(measured) == pytest.approx(expect["resumeIn"], abs=1)
