"""Measurements that argo-rollouts was seen to take, asked of the running service."""

import json
from pathlib import Path
from typing import Any

import pytest
from backends import Play, Recorded, backend
from running import service, template

ROWS = json.loads((Path(__file__).parents[1] / "conformance" / "provider_vectors.json").read_text())
SHOWN_HEADERS = ("Accept", "Authorization", "Content-Type", "X-Scope-Orgid", "X-T")
EXPLAINED = {"PR03"}
"""Rows without data in which Prometheus is asked why: docs/differences.md. The stand-in is no
Prometheus, so nothing is certain and nothing is added to Argo's message."""
KEPT_BY_ARGO = {"GR03"}
"""Rows in which Argo leaves a value beside an Error; the gateway never does: docs/differences.md"""
SIGNED = {"PR31"}
"""Rows in which the real signature stands where the table has a stand-in's. Argo crashes there; the
gateway signs the second request, too, and gets its answer: docs/differences.md."""


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
        f"{name}: {request.headers[name]}" for name in SHOWN_HEADERS if name in request.headers
    ]
    return request.method, request.target.partition("?")[0], "; ".join(headers)


def expected(text: str) -> tuple[str, str, str]:
    """The same of a row's request."""
    head, _, rest = text.partition(" {")
    method, _, target = head.partition(" ")
    return method, target.partition("?")[0], rest.partition("}")[0]


@pytest.mark.parametrize("row", [pytest.param(row, id=row["id"]) for row in ROWS])
async def test_the_service_measures_as_argo_does(
    row: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Phase, value, message, metadata and the requests on the wire are Argo's."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "X")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "Y")
    async with backend(*plays(row)) as upstream:
        filled = json.loads(json.dumps(row).replace("$SERVER", upstream.url))
        async with service(tmp_path, environ=filled.get("env", {})) as gateway:
            reply = await gateway.post("/v1/verdict?maxAge=0", template(filled["metric"]))
    assert reply.status == 200, reply.text
    measured = reply.body["metrics"]["m"]
    expect = filled["expect"]
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
        kept = "" if row["id"] in KEPT_BY_ARGO else expect.get("value", "")
        assert measured["text"] == kept
        assert measured["metadata"] == expect.get("metadata", {})
        block = filled["metric"]["provider"][row["provider"]]
        assert measured["query"] == block.get("query", "")
    if row["id"] not in EXPLAINED | SIGNED:
        assert [told(each) for each in upstream.requests] == [
            expected(each) for each in row["expect"]["requests"]
        ]
