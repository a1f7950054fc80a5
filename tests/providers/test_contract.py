"""Every provider against every backend that misbehaves: the exact error or reading, in time.

A new provider is covered by one entry in ``SUBJECTS``.
"""

import asyncio
import json
import os
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from aws_account import aws_account
from backends import failure_text, raw_server, world
from faulty_backends import BACKENDS
from plugins import PROVIDERS

from gateway.model import Reading, ResultType
from gateway.provider import FoundSecret, Surroundings
from gateway.secrets import Secret
from gateway.telemetry.quotas import QuotaTelemetry
from gateway.telemetry.registry import Telemetry
from gateway.upstreams.rate_limits import RateLimits
from providers import _aws

TIME_LIMIT_S = 1
MAX_BODY_BYTES = 1_000_000


@dataclass(frozen=True)
class Subject:
    """A provider with a block, and what it makes of each backend; ``$URL`` is the request's URL."""

    block: Callable[[str], dict[str, Any]]
    path: str
    answers: dict[str, Reading | str]
    secrets: dict[str, Any] = field(default_factory=dict)
    """Fields in which secrets may stand, beside the address."""
    secret: dict[str, str] = field(default_factory=dict)
    """What is in the Secret that it wants; ``$URL`` and ``$HOST`` are the backend's."""
    limited: Callable[[Any], Any] = lambda provider: provider
    """The provider with the shortest time limit, where its block cannot say so."""

    def made(self, name: str, url: str, **fields: Any) -> Any:
        """The provider that asks a backend; ``fields`` are added to its block."""
        return self.limited(
            PROVIDERS[name].parse({**self.block(url), **fields}, self.surroundings(url))
        )

    def surroundings(self, url: str) -> Surroundings:
        """The Secret, if it wants one."""
        text = json.dumps(self.secret).replace("$URL", url).replace("$HOST", host_of(url))
        keys = {key: Secret(value) for key, value in json.loads(text).items()}
        return Surroundings(secret=FoundSecret("own/vendor", keys) if keys else None)


def host_of(url: str) -> str:
    """A URL without its scheme."""
    return url.partition("://")[2]


def limited(provider: Any) -> Any:
    """A provider whose time limit no block can change."""
    return replace(provider, timeout_s=TIME_LIMIT_S)


def prometheus_block(url: str) -> dict[str, Any]:
    """A query with the shortest time limit."""
    return {"address": url, "query": "up", "timeout": TIME_LIMIT_S}


def web_block(url: str) -> dict[str, Any]:
    """A request with the shortest time limit."""
    return {"url": f"{url}/m", "timeoutSeconds": TIME_LIMIT_S}


def graphite_block(url: str) -> dict[str, Any]:
    """A query of the render API."""
    return {"address": url, "query": "target=a"}


def skywalking_block(url: str) -> dict[str, Any]:
    """A GraphQL query."""
    return {"address": url, "query": "{ a }", "interval": "3m"}


def datadog_block(_: str) -> dict[str, Any]:
    """A scalar query with the shortest time limit."""
    return {"query": "a", "apiVersion": "v2", "requestTimeout": f"{TIME_LIMIT_S}s"}


def wavefront_block(url: str) -> dict[str, Any]:
    """A query of the chart API."""
    return {"address": host_of(url), "query": "a"}


def kpi_block(url: str) -> dict[str, Any]:
    """A figure, with the shortest time limit."""
    return {"address": url, "kpi": "orders", "timeoutSeconds": TIME_LIMIT_S}


def influxdb_block(_url: str) -> dict[str, Any]:
    """A Flux query; the address is in the Secret."""
    return {"query": 'from(bucket: "b")'}


def new_relic_block(_url: str) -> dict[str, Any]:
    """An NRQL query; the address is in the Secret."""
    return {"query": "SELECT count(*) FROM Transaction"}


def without_tls(provider: Any) -> Any:
    """It always asks over HTTPS, which the backends here do not speak."""
    return replace(limited(provider), url=replace(provider.url, scheme="http"))


def cloudwatch_block(url: str) -> dict[str, Any]:
    """Queries; the address is where the environment says that Amazon is."""
    os.environ["AWS_ENDPOINT_URL_CLOUDWATCH"] = url
    _aws.forget()
    # Finding it takes the first measurement of a process longer than all that follow.
    with suppress(_aws.AwsError):
        _aws.endpoint(_aws.Account(), "cloudwatch")
    return {"metricDataQueries": [{"id": "a"}]}


@pytest.fixture(autouse=True)
def _account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", "")
    monkeypatch.setattr(random, "random", lambda: 0.01)
    with aws_account(tmp_path, monkeypatch):
        monkeypatch.setenv("AWS_REGION", "eu-west-1")
        yield


def text(value: str) -> Reading:
    """What web makes of a body that is no JSON."""
    return Reading(value, ResultType.JSON, value)


NOT_JSON = "ProviderUnreadable: bad_response: the answer is not JSON: "
LATE_WEB = " (Client.Timeout exceeded while awaiting headers)"
LATE_BODY = "(Client.Timeout or context cancellation while reading body)"
SECRETS = {
    "headers": [{"key": "X-Key", "value": "hush"}],
    "authentication": {
        "oauth2": {"tokenUrl": "http://h/hush", "clientId": "id", "clientSecret": "hush"},
        "basicAuth": {"username": "hush", "password": "hush"},
    },
}
CUT_WEB = "ProviderUnreachable: Received no bytes in response: "
LATE_BODY_WEB = f" {LATE_BODY}"
NO_RECORDS = "ProviderUnreadable: no results returned from flux query"
GIVING_UP = "POST $URL giving up after 1 attempt(s)"
KPI = "plugin acme/kpi:"
UNDECODED = "ProviderUnreadable: decoding response:"
UNPARSED = "ProviderUnreadable: Could not parse JSON body:"
WAVEFRONT_QUERY = (
    "autoEvents=false&e=1700000000000&g=s&i=true&includeObsoleteMetrics=false&listmode=false&p=1"
    "&q=a&s=1700000000000&strict=false"
)
GET_METRIC_DATA = "operation error CloudWatch: GetMetricData"
REFUSED = f"{GET_METRIC_DATA}, https response error StatusCode:"
OF_NOBODY = "RequestID: -, api error"
NOT_SENT = f"{REFUSED} 0, RequestID: , request send failed"
NO_METRIC_DATA = f"ProviderUnreadable: {GET_METRIC_DATA}, deserialization failed"
SUBJECTS = {
    "prometheus": Subject(
        prometheus_block,
        "/api/v1/query",
        {
            "refuses": 'NoAnswer: Post "$URL": dial tcp $HOST: connect: connection refused',
            "hangs": 'NoAnswer: Post "$URL": context deadline exceeded',
            "drips": "NoAnswer: context deadline exceeded",
            "hangs up": 'NoAnswer: Post "$URL": EOF',
            "truncated": "NoAnswer: unexpected EOF",
            "401": "ProviderRejected: client_error: client error: 401",
            "429": "ProviderRejected: client_error: client error: 429",
            "500": "ProviderRejected: server_error: server error: 500",
            "304": "ProviderRejected: bad_response: bad response code 304",
            "204": "ProviderUnreadable: the answer holds no data",
            "html": f"{NOT_JSON}Expecting value: line 1 column 1 (char 0)",
            "empty": f"{NOT_JSON}Expecting value: line 1 column 1 (char 0)",
            "null": "ProviderUnreadable: bad_response: the answer is no JSON object",
            "nan": f"{NOT_JSON}NaN is no JSON",
            "half json": f"{NOT_JSON}Expecting value: line 1 column 7 (char 6)",
            "deep": "ProviderUnreadable: the answer is nested deeper than 200 levels",
            "huge": 'ProviderUnreadable: Post "$URL": the answer is larger than 1000000 bytes,'
            " the limit of this gateway",
            "not http": 'ProviderUnreadable: Post "$URL": net/http: HTTP/1.x transport connection'
            " broken: Bad status line: Expected HTTP/, RTSP/ or ICE/: b'nonsense' ^",
        },
        SECRETS,
    ),
    "web": Subject(
        web_block,
        "/m",
        {
            "refuses": 'ProviderUnreachable: Get "$URL": dial tcp $HOST: connect:'
            " connection refused",
            "hangs": f'ProviderUnreachable: Get "$URL": context deadline exceeded{LATE_WEB}',
            "drips": f"{CUT_WEB}context deadline exceeded{LATE_BODY_WEB}",
            "hangs up": 'ProviderUnreachable: Get "$URL": EOF',
            "truncated": f"{CUT_WEB}unexpected EOF",
            "401": "ProviderRejected: received non 2xx response code: 401",
            "429": "ProviderRejected: received non 2xx response code: 429",
            "500": "ProviderRejected: received non 2xx response code: 500",
            "304": "ProviderRejected: received non 2xx response code: 304",
            "204": text(""),
            "html": text("<html></html>"),
            "empty": text(""),
            "null": "ProviderUnreadable: Could not find JSONPath in body: the document is null",
            "nan": text("NaN"),
            "half json": text('{"a": '),
            "deep": "ProviderUnreadable: the answer is nested deeper than 200 levels",
            "huge": 'ProviderUnreadable: Get "$URL": the answer is larger than 1000000 bytes,'
            " the limit of this gateway",
            "not http": 'ProviderUnreadable: Get "$URL": net/http: HTTP/1.x transport connection'
            " broken: Bad status line: Expected HTTP/, RTSP/ or ICE/: b'nonsense' ^",
        },
        SECRETS,
    ),
    "graphite": Subject(
        graphite_block,
        "/render?format=json&target=a",
        {
            "refuses": 'ProviderUnreachable: Get "$URL": dial tcp $HOST: connect:'
            " connection refused",
            "hangs": f'ProviderUnreachable: Get "$URL": context deadline exceeded{LATE_WEB}',
            "drips": f"ProviderUnreachable: context deadline exceeded {LATE_BODY}",
            "hangs up": 'ProviderUnreachable: Get "$URL": EOF',
            "truncated": "ProviderUnreachable: unexpected EOF",
            "401": 'ProviderRejected: error response: {"error":"who are you"}',
            "429": "ProviderRejected: error response: slow down",
            "500": "ProviderRejected: error response: <h1>oops</h1>",
            "304": "ProviderUnreadable: unexpected end of JSON input",
            "204": "ProviderUnreadable: unexpected end of JSON input",
            "html": "ProviderUnreadable: invalid character '<' looking for beginning of value",
            "empty": "ProviderUnreadable: unexpected end of JSON input",
            "null": "ProviderUnreadable: no values found",
            "nan": "ProviderUnreadable: invalid character 'N' looking for beginning of value",
            "half json": "ProviderUnreadable: unexpected end of JSON input",
            "deep": "ProviderUnreadable: the answer is nested deeper than 200 levels",
            "huge": 'ProviderUnreadable: Get "$URL": the answer is larger than 1000000 bytes,'
            " the limit of this gateway",
            "not http": 'ProviderUnreadable: Get "$URL": net/http: HTTP/1.x transport connection'
            " broken: Bad status line: Expected HTTP/, RTSP/ or ICE/: b'nonsense' ^",
        },
        limited=limited,
    ),
    "skywalking": Subject(
        skywalking_block,
        "/graphql",
        {
            "refuses": 'ProviderUnreachable: Post "$URL": dial tcp $HOST: connect:'
            " connection refused",
            "hangs": 'ProviderUnreachable: Post "$URL": context deadline exceeded',
            "drips": "ProviderUnreachable: reading body: context deadline exceeded",
            "hangs up": 'ProviderUnreachable: Post "$URL": EOF',
            "truncated": "ProviderUnreachable: reading body: unexpected EOF",
            "401": "ProviderUnreadable: no results returned from SkyWalking query",
            "429": f"{UNDECODED} invalid character 's' looking for beginning of value",
            "500": f"{UNDECODED} invalid character '<' looking for beginning of value",
            "304": f"{UNDECODED} EOF",
            "204": f"{UNDECODED} EOF",
            "html": f"{UNDECODED} invalid character '<' looking for beginning of value",
            "empty": f"{UNDECODED} EOF",
            "null": f"{UNDECODED} the answer is null",
            "nan": f"{UNDECODED} invalid character 'N' looking for beginning of value",
            "half json": f"{UNDECODED} unexpected EOF",
            "deep": "ProviderUnreadable: the answer is nested deeper than 200 levels",
            "huge": 'ProviderUnreadable: Post "$URL": the answer is larger than 1000000 bytes,'
            " the limit of this gateway",
            "not http": 'ProviderUnreadable: Post "$URL": net/http: HTTP/1.x transport connection'
            " broken: Bad status line: Expected HTTP/, RTSP/ or ICE/: b'nonsense' ^",
        },
        limited=limited,
    ),
    "datadog": Subject(
        datadog_block,
        "/api/v2/query/scalar",
        {
            "refuses": 'ProviderUnreachable: Post "$URL": dial tcp $HOST: connect:'
            " connection refused",
            "hangs": f'ProviderUnreachable: Post "$URL": context deadline exceeded{LATE_WEB}',
            "drips": f"{CUT_WEB}context deadline exceeded{LATE_BODY_WEB}",
            "hangs up": 'ProviderUnreachable: Post "$URL": EOF',
            "truncated": f"{CUT_WEB}unexpected EOF",
            "401": "ProviderRejected: received authentication error response code: 401"
            ' {"error":"who are you"}',
            "429": "ProviderRejected: received non 2xx response code: 429 slow down",
            "500": "ProviderRejected: received non 2xx response code: 500 <h1>oops</h1>",
            "304": "ProviderRejected: received non 2xx response code: 304 ",
            "204": "ProviderRejected: received non 2xx response code: 204 ",
            "html": f"{UNPARSED} invalid character '<' looking for beginning of value",
            "empty": f"{UNPARSED} unexpected end of JSON input",
            "null": Reading(None, ResultType.FLOAT, "[]", is_empty=True),
            "nan": f"{UNPARSED} invalid character 'N' looking for beginning of value",
            "half json": f"{UNPARSED} unexpected end of JSON input",
            "deep": f"{UNPARSED} the answer is nested deeper than 200 levels",
            "huge": 'ProviderUnreadable: Post "$URL": the answer is larger than 1000000 bytes,'
            " the limit of this gateway",
            "not http": 'ProviderUnreadable: Post "$URL": net/http: HTTP/1.x transport connection'
            " broken: Bad status line: Expected HTTP/, RTSP/ or ICE/: b'nonsense' ^",
        },
        secret={"api-key": "hush", "app-key": "hush", "address": "$URL"},
    ),
    "wavefront": Subject(
        wavefront_block,
        f"/api/v2/chart/api?{WAVEFRONT_QUERY}",
        {
            "refuses": 'ProviderUnreachable: Get "$URL": dial tcp $HOST: connect:'
            " connection refused",
            "hangs": f'ProviderUnreachable: Get "$URL": context deadline exceeded{LATE_WEB}',
            "drips": f"ProviderUnreachable: context deadline exceeded {LATE_BODY}",
            "hangs up": 'ProviderUnreachable: Get "$URL": EOF',
            "truncated": "ProviderUnreachable: unexpected EOF",
            "401": 'ProviderRejected: server returned 401 Unauthorized\n{"error":"who are you"}\n',
            "429": "ProviderRejected: server returned 429 Too Many Requests\nslow down\n",
            "500": "ProviderRejected: server returned 500 Internal Server Error\n<h1>oops</h1>\n",
            "304": "ProviderRejected: server returned 304 Not Modified\n\n",
            "204": "ProviderRejected: server returned 204 No Content\n\n",
            "html": "ProviderUnreadable: invalid character '<' looking for beginning of value",
            "empty": "ProviderUnreadable: unexpected end of JSON input",
            "null": "ProviderUnreadable: No TimeSeries found in response from Wavefront",
            "nan": "ProviderUnreadable: invalid character 'N' looking for beginning of value",
            "half json": "ProviderUnreadable: unexpected end of JSON input",
            "deep": "ProviderUnreadable: the answer is nested deeper than 200 levels",
            "huge": 'ProviderUnreadable: Get "$URL": the answer is larger than 1000000 bytes,'
            " the limit of this gateway",
            "not http": 'ProviderUnreadable: Get "$URL": net/http: HTTP/1.x transport connection'
            " broken: Bad status line: Expected HTTP/, RTSP/ or ICE/: b'nonsense' ^",
        },
        secret={"$HOST": "hush"},
        limited=without_tls,
    ),
    "cloudWatch": Subject(
        cloudwatch_block,
        "/",
        {
            "refuses": f'ProviderUnreachable: {NOT_SENT}, Post "$URL": dial tcp $HOST: connect:'
            " connection refused",
            "hangs": f"ProviderUnreachable: {GET_METRIC_DATA}, canceled, context deadline exceeded",
            "drips": f"ProviderUnreachable: {GET_METRIC_DATA}, canceled, context deadline exceeded",
            "hangs up": f'ProviderUnreachable: {NOT_SENT}, Post "$URL": EOF',
            "truncated": f"ProviderUnreachable: {NOT_SENT}, unexpected EOF",
            "401": f'ProviderRejected: {REFUSED} 401, {OF_NOBODY}: {{"error":"who are you"}}',
            "429": f"ProviderRejected: {REFUSED} 429, {OF_NOBODY}: slow down",
            "500": f"MayPass: {REFUSED} 500, {OF_NOBODY}: <h1>oops</h1>",
            "304": f"ProviderRejected: {REFUSED} 304, {OF_NOBODY}: ",
            "204": f"ProviderRejected: {REFUSED} 204, {OF_NOBODY}: ",
            "html": f"{NO_METRIC_DATA}: invalid character '<' looking for beginning of value",
            "empty": f"{NO_METRIC_DATA}: unexpected end of JSON input",
            "null": f"{NO_METRIC_DATA}: the document must be an object, not null",
            "nan": f"{NO_METRIC_DATA}: invalid character 'N' looking for beginning of value",
            "half json": f"{NO_METRIC_DATA}: unexpected end of JSON input",
            "deep": "ProviderUnreadable: the answer is nested deeper than 200 levels",
            "huge": 'ProviderUnreadable: Post "$URL": the answer is larger than 1000000 bytes,'
            " the limit of this gateway",
            "not http": 'ProviderUnreadable: Post "$URL": net/http: HTTP/1.x transport connection'
            " broken: Bad status line: Expected HTTP/, RTSP/ or ICE/: b'nonsense' ^",
        },
        limited=limited,
    ),
    "acme/kpi": Subject(
        kpi_block,
        "/kpis.csv",
        {
            "refuses": f'ProviderUnreachable: {KPI} Get "$URL": dial tcp $HOST: connect:'
            " connection refused",
            "hangs": f'ProviderUnreachable: {KPI} Get "$URL": context deadline exceeded',
            "drips": f"ProviderUnreachable: {KPI} context deadline exceeded",
            "hangs up": f'ProviderUnreachable: {KPI} Get "$URL": EOF',
            "truncated": f"ProviderUnreachable: {KPI} unexpected EOF",
            "401": f"ProviderRejected: {KPI} the KPI service answered 401",
            "429": f"ProviderRejected: {KPI} the KPI service answered 429",
            "500": f"ProviderRejected: {KPI} the KPI service answered 500",
            "304": f"ProviderRejected: {KPI} the KPI service answered 304",
            "204": f"ProviderRejected: {KPI} the KPI service answered 204",
            "html": f"ProviderUnreadable: {KPI} the KPI service has no figure 'orders'",
            "empty": f"ProviderUnreadable: {KPI} the KPI service has no figure 'orders'",
            "null": f"ProviderUnreadable: {KPI} the KPI service has no figure 'orders'",
            "nan": f"ProviderUnreadable: {KPI} the KPI service has no figure 'orders'",
            "half json": f"ProviderUnreadable: {KPI} the KPI service has no figure 'orders'",
            "deep": f"ProviderUnreadable: {KPI} the answer is no CSV: field larger than field"
            " limit (131072)",
            "huge": f'ProviderUnreadable: {KPI} Get "$URL": the answer is larger than 1000000'
            " bytes, the limit of this gateway",
            "not http": f'ProviderUnreadable: {KPI} Get "$URL": net/http: HTTP/1.x transport'
            " connection broken: Bad status line: Expected HTTP/, RTSP/ or ICE/: b'nonsense' ^",
        },
    ),
    "influxdb": Subject(
        influxdb_block,
        "/api/v2/query?org=o",
        {
            "refuses": 'ProviderUnreachable: Post "$URL": dial tcp $HOST: connect:'
            " connection refused",
            "hangs": f'ProviderUnreachable: Post "$URL": context deadline exceeded{LATE_WEB}',
            "drips": f"ProviderUnreachable: context deadline exceeded {LATE_BODY}",
            "hangs up": 'ProviderUnreachable: Post "$URL": EOF',
            "truncated": "ProviderUnreachable: unexpected EOF",
            "401": 'ProviderRejected: 401 Unauthorized: {"error":"who are you"}',
            "429": "ProviderRejected: 429 Too Many Requests: slow down",
            "500": "ProviderRejected: 500 Internal Server Error: <h1>oops</h1>",
            "304": "ProviderRejected: Unexpected status code 304",
            "204": NO_RECORDS,
            "html": "ProviderUnreadable: parsing error, annotations not found",
            "empty": NO_RECORDS,
            "null": "ProviderUnreadable: parsing error, annotations not found",
            "nan": "ProviderUnreadable: parsing error, annotations not found",
            "half json": 'ProviderUnreadable: parse error on line 1: bare " in non-quoted-field',
            "deep": "ProviderUnreadable: parsing error, annotations not found",
            "huge": 'ProviderUnreadable: Post "$URL": the answer is larger than 1000000 bytes,'
            " the limit of this gateway",
            "not http": 'ProviderUnreadable: Post "$URL": net/http: HTTP/1.x transport connection'
            " broken: Bad status line: Expected HTTP/, RTSP/ or ICE/: b'nonsense' ^",
        },
        limited=limited,
        secret={"authToken": "hush", "org": "o", "address": "$URL"},
    ),
    "newRelic": Subject(
        new_relic_block,
        "/graphql",
        {
            "refuses": f'ProviderUnreachable: {GIVING_UP}: Post "$URL": dial tcp $HOST: connect:'
            " connection refused",
            "hangs": f'ProviderUnreachable: {GIVING_UP}: Post "$URL": context deadline exceeded'
            f"{LATE_WEB}",
            "drips": f"ProviderUnreachable: {GIVING_UP}: context deadline exceeded {LATE_BODY}",
            "hangs up": f'ProviderUnreachable: {GIVING_UP}: Post "$URL": EOF',
            "truncated": f"ProviderUnreachable: {GIVING_UP}: unexpected EOF",
            "401": "ProviderRejected: 401 response returned",
            "429": f"ProviderRejected: {GIVING_UP}: 429 response returned",
            "500": f"ProviderRejected: {GIVING_UP}: 500 response returned",
            "304": "ProviderRejected: 304 response returned",
            "204": "ProviderUnreadable: unexpected end of JSON input",
            "html": "ProviderUnreadable: invalid character '<' looking for beginning of value",
            "empty": "ProviderUnreadable: unexpected end of JSON input",
            "null": "ProviderUnreadable: no results returned from NRQL query",
            "nan": "ProviderUnreadable: invalid character 'N' looking for beginning of value",
            "half json": "ProviderUnreadable: unexpected end of JSON input",
            "deep": "ProviderUnreadable: the answer is nested deeper than 200 levels",
            "huge": 'ProviderUnreadable: Post "$URL": the answer is larger than 1000000 bytes,'
            " the limit of this gateway",
            "not http": 'ProviderUnreadable: Post "$URL": net/http: HTTP/1.x transport connection'
            " broken: Bad status line: Expected HTTP/, RTSP/ or ICE/: b'nonsense' ^",
        },
        limited=lambda provider: replace(provider, limit_s=TIME_LIMIT_S),
        secret={
            "personal-api-key": "hush",
            "account-id": "4711",
            "base-url-nerdgraph": "$URL/graphql",
        },
    ),
}


def test_no_provider_is_left_out() -> None:
    """Those that last have a contract of their own: ``test_job.py``, ``test_kayenta_faults.py``."""
    assert {*SUBJECTS, "job", "kayenta"} == set(PROVIDERS)


@pytest.mark.parametrize("fault", BACKENDS)
@pytest.mark.parametrize("name", SUBJECTS)
async def test_a_fault_is_told_exactly_and_in_time(name: str, fault: str) -> None:
    """Nothing but a provider error or a reading comes of a backend, within the time limit."""
    subject = SUBJECTS[name]
    async with BACKENDS[fault]() as url, world(max_body_bytes=MAX_BODY_BYTES) as context:
        limits = RateLimits(QuotaTelemetry(Telemetry()))
        polite = limits.within(context, provider=name, credential="")
        measurement = subject.made(name, url).measure(polite)
        started_s = asyncio.get_running_loop().time()
        got = await failure_text(measurement)
        took_s = asyncio.get_running_loop().time() - started_s
    if isinstance(got, str):
        got = got.replace(f"{url}{subject.path}", "$URL").replace(host_of(url), "$HOST")
    assert got == subject.answers[fault]
    assert "hush" not in repr(got)
    assert took_s < TIME_LIMIT_S + 2


@pytest.mark.parametrize("name", SUBJECTS)
async def test_a_measurement_can_be_cancelled(name: str) -> None:
    """Cancelling is not swallowed, and closes the connection."""
    arrived, closed = asyncio.Event(), asyncio.Event()

    async def watch(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        arrived.set()
        await reader.read()
        closed.set()

    async with raw_server(watch) as url, world() as context:
        task = asyncio.create_task(SUBJECTS[name].made(name, url).measure(context))
        arrival = asyncio.create_task(arrived.wait())
        await asyncio.wait({task, arrival}, return_when=asyncio.FIRST_COMPLETED)
        assert arrival.done(), task
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(closed.wait(), 5)


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_block_is_checked_with_its_placeholders(name: str) -> None:
    """Texts may still hold arguments; a misspelt field is named with what was meant."""
    block = json.loads(json.dumps(SUBJECTS[name].block("{{args.address}}")))
    field, *_ = block
    assert PROVIDERS[name].check(block) == []
    assert PROVIDERS[name].check({**block, f"{field}s": 1}) == [
        (f"{field}s", f"unknown field; did you mean {field}?")
    ]


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_provider_keeps_its_secrets(name: str) -> None:
    """A provider in a traceback or a log shows no address, header or password."""
    subject = SUBJECTS[name]
    provider = subject.made(name, "http://u:hush@h", **subject.secrets)
    assert "hush" not in repr(provider)
    assert not subject.secret or Secret("hush") in provider.credential.secrets
