"""Measurements that argo-rollouts was seen to take, taken by us from the same wire answers."""

import json
import re
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from aws_account import ACCOUNT
from backends import NOW_UNIX_S, Play, Recorded, backend, world
from own_tls import server_tls, trust
from vector_rows import SHOWN_HEADERS, expectation, undated

from gateway.conditions import judge
from gateway.errors import ProviderError, ProviderInvalid
from gateway.gotext import plain_float
from gateway.lasting import Lasting
from gateway.model import Phase, Reading
from gateway.provider import Attempt, FoundSecret, LastingProvider, SecretOwner, Surroundings
from gateway.schedule import Action
from gateway.secrets import Redaction, Secret
from providers import PROVIDERS, _aws

ALL = json.loads((Path(__file__).parents[1] / "conformance" / "provider_vectors.json").read_text())
LASTING = [row for row in ALL if row["provider"] == "kayenta"]
"""Rows of what goes on while nobody looks."""
ROWS = [row for row in ALL if row not in LASTING and row["provider"] in PROVIDERS]
NOW = plain_float(1_700_000_000.25)
MINUTES = {
    f"<now{since}, YYYY-MM-DD HHMM>": time.strftime(
        "%Y-%m-%d %H%M", time.localtime(1_700_000_000.25 - age_s)
    )
    for since, age_s in (("", 0), (" - 3m", 180))
}
INSTANTS = {
    '"EndTime":"<now>"': f'"EndTime":{NOW}',
    '"StartTime":"<now - 600>"': '"StartTime":1699999400.25',
}
_SIGNATURE = re.compile(r"Authorization: AWS4-HMAC-SHA256 \S+/monitoring/.*?Signature=\w+; ")
"""Left out by the rows, whose requests nobody signed; ``test_sigv4.py`` verifies it."""
SPANS = {
    "1699999700000": "<from ms>",
    "1700000000000": "<now ms>",
    "1699999700": "<from>",
    "1700000000": "<now>",
}
SECONDS = {"2023-11-14T22:13:20Z": "<now>", "2023-11-14T22:03:20Z": "<now - interval>"}
MENDED: dict[str, dict[str, Any]] = {
    "KA06": {
        "phase": "Error",
        "message": "Invalid canaryExecutionId: the answer has none",
        "metadata": {},
        "resumeIn": None,
        "finished": True,
    },
    "KA10": {
        "phase": "Running",
        "value": "",
        "metadata": {"canaryExecutionId": "EX-1"},
        "resumeIn": 15,
        "finished": False,
        "requests": [
            text.replace("<now - interval>", "<now>")
            for row in LASTING
            if row["id"] == "KA07"
            for text in row["expect"]["requests"]
        ],
    },
    "KA23": {"phase": "Inconclusive", "message": "Metric Terminated", "finished": True},
}
"""Rows in which the gateway does something else, and what: docs/differences.md"""
NAMESPACES = {SecretOwner.GATEWAY: "ctl-ns", SecretOwner.ANALYSIS: "run-ns"}
ACTIONS = {"run": Action.MEASURE, "resume": Action.RESUME, "terminate": Action.TERMINATE}


def filled(value: Any, server: str) -> Any:
    """A row's JSON with the server's address in its place."""
    host = server.partition("://")[2]
    return json.loads(json.dumps(value).replace("$SERVER", server).replace("$TLSHOST", host))


def told(request: Recorded) -> str:
    """A request as the rows tell it."""
    shown = "; ".join(
        f"{name}: {request.headers[name]}" for name in SHOWN_HEADERS if name in request.headers
    )
    body = json.dumps(json.loads(request.body)) if request.body[:1] == "{" else request.body
    for second, name in SECONDS.items():
        body = body.replace(second, name)
    text = f"{request.method} {request.target} {{{shown}}} {body}".replace(NOW, "<now>")
    for instant, name in SPANS.items():
        # In JSON the rows have a text where the number was.
        text = text.replace(f": {instant}", f': "{name}"').replace(instant, name)
    return _SIGNATURE.sub("", text)


def expected(text: str) -> str:
    """A row's request, with its JSON body, its minutes and its stand-in signature in one form."""
    for name, told_as in {**MINUTES, **INSTANTS}.items():
        text = text.replace(name, told_as)
    head, brace, rest = text.partition("} ")
    body = json.dumps(json.loads(rest)) if rest[:1] == "{" else rest
    return f"{head}{brace}{body}".replace(NOW, "<now>")


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


def rows_where(key: str) -> list[Any]:
    """The rows whose outcome is of one kind, by id."""
    return [pytest.param(row, id=row["id"]) for row in ROWS if key in row["expect"]]


def surroundings(row: dict[str, Any], block: dict[str, Any], server: str) -> Surroundings:
    """The environment and the Secret that a row gives."""
    environ = filled(row.get("env", {}), server)
    try:
        use = PROVIDERS[row["provider"]].credentials(block, environ)
    except ProviderInvalid as error:
        return Surroundings(environ, error)
    if use is None:
        return Surroundings(environ)
    name = f"{NAMESPACES[use.owner]}/{use.name}"
    content = filled(row.get("secrets", {}), server).get(name)
    if content is None:
        return Surroundings(environ, ProviderInvalid(f'secrets "{use.name}" not found'))
    keys = {key: Secret(content[key]) for key in use.keys if key in content}
    return Surroundings(environ, FoundSecret(name, keys))


@asynccontextmanager
async def amazon(url: str) -> AsyncIterator[None]:
    """CloudWatch is there, and somebody has an account."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**ACCOUNT, "AWS_ENDPOINT_URL_CLOUDWATCH": url}.items():
            patch.setenv(name, value)
        _aws.forget()
        yield
    _aws.forget()


class Failure(str):
    """The text of an error, with what it brings for the measurement."""

    __slots__ = ("metadata",)

    metadata: Mapping[str, str]


def row_tls(row: dict[str, Any]) -> ssl.SSLContext | None:
    """What the server of a row speaks."""
    return server_tls() if "$TLSHOST" in json.dumps(row) else None


async def taken(row: dict[str, Any]) -> tuple[Reading | Failure, list[str], str]:
    """The reading or the error's text, the requests, and the server's address."""
    async with (
        backend(*plays(row), tls=row_tls(row)) as server,
        world() as context,
        amazon(server.url),
    ):
        block = filled(row["metric"]["provider"][row["provider"]], server.url)
        try:
            provider = PROVIDERS[row["provider"]].parse(block, surroundings(row, block, server.url))
            outcome: Reading | Failure = await provider.measure(context)
        except ProviderError as error:
            outcome = Failure(str(error).replace(server.url, "$SERVER"))
            outcome.metadata = error.metadata
        return outcome, [told(one) for one in server.requests], server.url


def judged(row: dict[str, Any], outcome: Reading | Failure) -> tuple[str, str, str, dict[str, str]]:
    """Phase, value, message and metadata, as Argo writes them into a measurement."""
    if isinstance(outcome, str):
        return Phase.ERROR, "", outcome, dict(outcome.metadata)
    metric = row["metric"]
    judgement = judge(
        outcome,
        success_condition=metric.get("successCondition", ""),
        failure_condition=metric.get("failureCondition", ""),
    )
    value = outcome.text if outcome.is_reported_with(judgement.phase) else ""
    metadata = undated(outcome.metadata_with(judgement.phase))
    return judgement.phase, value, judgement.message, metadata


@pytest.mark.parametrize("row", rows_where("createError"))
async def test_a_block_is_refused_as_argo_refuses_it(row: dict[str, Any]) -> None:
    """What cannot be made a provider is told in Argo's words, and nothing is sent."""
    outcome, requests, _ = await taken(row)
    assert (outcome, requests) == (row["expect"]["createError"], [])


@pytest.mark.parametrize("row", rows_where("phase"))
async def test_a_measurement_is_taken_as_argo_takes_it(
    row: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests, value, metadata and the provider's own errors are Argo's."""
    trust(monkeypatch)
    outcome, requests, _ = await taken(row)
    expect = expectation(row)
    assert requests == [expected(text) for text in expect["requests"]]
    assert judged(row, outcome) == (
        expect["phase"],
        expect["value"],
        expect.get("message", ""),
        expect.get("metadata", {}),
    )


def attempt_of(row: dict[str, Any]) -> Attempt:
    """What a run knows of the measurement of a row."""
    started_at = row.get("startedAt")
    return Attempt(
        owner="u-1",
        analysis="r",
        namespace="run-ns",
        metric=row["metric"]["name"],
        number=1,
        began_at_unix_s=NOW_UNIX_S,
        interval=row["metric"].get("interval", ""),
        analysis_began_at_unix_s=started_at and datetime.fromisoformat(started_at).timestamp(),
        metadata=row.get("measurement", {}).get("metadata", {}),
    )


@pytest.mark.parametrize("row", [pytest.param(row, id=row["id"]) for row in LASTING])
async def test_a_measurement_that_lasts_goes_on_as_in_argo(row: dict[str, Any]) -> None:
    """A beginning, a look or an end: what is sent, and what a run records of it."""
    expect = {**row["expect"], **MENDED.get(row["id"], {})}
    async with backend(*plays(row)) as server, world() as context:
        block = filled(row["metric"]["provider"][row["provider"]], server.url)
        provider = PROVIDERS[row["provider"]].parse(block, Surroundings())
        assert isinstance(provider, LastingProvider)
        taken = await Lasting(context).take(
            ACTIONS[row["op"]], provider, attempt_of(row), Redaction(())
        )
        sent = [told(one) for one in server.requests]
    assert sent == [expected(text) for text in expect["requests"]]
    outcome = {"outcome": taken.metadata["outcome"]} if taken.value else {}
    assert (taken.phase, taken.value, taken.message, taken.metadata) == (
        expect["phase"],
        expect["value"],
        expect.get("message", ""),
        {**outcome, **expect.get("metadata", {})},
    )
    resume_in = expect.get("resumeIn")
    assert taken.resume_at_unix_s == (resume_in and NOW_UNIX_S + resume_in)
    assert (taken.finished_at_unix_s is not None) is expect["finished"]


async def test_a_null_body_is_an_error_where_argo_crashes() -> None:
    """A web answer of null has no value to judge."""
    row = next(row for row in ROWS if row["id"] == "WE29")
    outcome, requests, _ = await taken(row)
    assert (outcome, requests) == (
        "Could not find JSONPath in body: the document is null",
        row["expect"]["requests"],
    )


async def test_a_signed_get_has_no_body_where_argo_crashes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Amazon's 403 for the POST is followed by a GET that is signed as it is: without a body."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    row = next(row for row in ROWS if row["id"] == "PR31")
    outcome, requests, _ = await taken(row)
    assert isinstance(outcome, Reading)
    assert outcome.text == "[1]"
    assert [request.split(" {")[0] for request in requests] == [
        "POST /aps-workspaces/ws-1/api/v1/query",
        "GET /aps-workspaces/ws-1/api/v1/query?query=checkout%3Aerr_ratio&time=<now>",
    ]
    assert all("/eu-west-1/aps/aws4_request, SignedHeaders=" in request for request in requests)
