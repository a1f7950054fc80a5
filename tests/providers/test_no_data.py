"""Why a query found nothing: asked of a real Prometheus, and of servers that do not help."""

import asyncio
import time
from typing import Any

import pytest
from backends import Play, backend, raw_server, world

from gateway.errors import ProviderRejected
from gateway.model import Reading, ResultType
from gateway.provider import HttpResponse, Surroundings
from providers._no_data import _Bridge as Bridge
from providers._no_data import _GaveUp as GaveUp
from providers.prometheus import PrometheusProvider, parse


def provider(url: str, query: str, **fields: Any) -> PrometheusProvider:
    """A provider that asks one query."""
    parsed = parse({"address": url, "query": query, "timeout": 5, **fields}, Surroundings())
    assert isinstance(parsed, PrometheusProvider)
    return parsed


async def explained(url: str, query: str, **fields: Any) -> str:
    """The explanation, with the clock as it is."""
    async with world(now_unix_s=time.time()) as context:
        return await provider(url, query, **fields).explain_no_data(context)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        pytest.param(
            "sum(rate(no_such_metric[1m]))",
            "the metric no_such_metric is unknown to Prometheus",
            id="an-unknown-metric",
        ),
        pytest.param(
            'sum(rate(requests_total{ingress="cart",status!~"[4-5].*"}[1m]))',
            'the metric requests_total exists, but no series matches ingress="cart";'
            ' known values of ingress are "idle", "shop"',
            id="a-label-value-that-no-series-has",
        ),
        pytest.param(
            'many{item="z"}',
            'the metric many exists, but no series matches item="z"; known values of item are'
            ' "a", "b", "c", "d", "e" and 3 more',
            id="known-values-are-few-and-the-rest-is-counted",
        ),
        pytest.param(
            'busy{namespace="prod"}',
            'the metric busy exists, but no series matches namespace="prod":'
            " none has the label namespace",
            id="a-label-that-no-series-has",
        ),
        pytest.param(
            'busy{pod="a",zone="y"}',
            'no series of busy matches all of pod="a" and zone="y"',
            id="labels-that-never-meet",
        ),
        pytest.param(
            '{job="nowhere"}', 'no series matches {job="nowhere"}', id="a-selector-without-a-name"
        ),
        pytest.param(
            'requests_total{ingress="idle",status="500"} / requests_total',
            'no series of requests_total matches all of ingress="idle" and status="500"',
            id="values-that-exist-for-other-series",
        ),
        pytest.param(
            "rate(busy[100ms])",
            "no series of busy has two samples within [100ms]:"
            " the window is shorter than two scrape intervals",
            id="a-window-that-is-too-short",
        ),
        pytest.param(
            'sum(rate(requests_total{ingress="idle",status!~"5.*"}[1m])) /'
            ' sum(rate(requests_total{ingress="idle"}[1m]))',
            'the denominator sum(rate(requests_total{ingress="idle"}[1m])) is 0:'
            " there was no traffic to measure",
            id="nothing-divided-by-nothing",
        ),
        pytest.param("busy > 5", "", id="a-comparison-that-nothing-satisfies"),
        pytest.param("no_such_metric offset 1h", "", id="another-time-is-not-looked-into"),
        pytest.param("vector(1) / 0", "", id="a-number-is-no-traffic"),
        pytest.param("busy ~ 1", "", id="no-query"),
    ],
)
async def test_no_data_is_explained(prometheus_url: str, query: str, sentence: str) -> None:
    """One sentence that names metric, label and known values; nothing if nothing is certain."""
    assert await explained(prometheus_url, query) == sentence


async def test_a_range_is_explained_at_its_end(prometheus_url: str) -> None:
    """Before the first scrape nothing was known, whatever is known now."""
    bounds = {"start": "now()", "end": 'date("2024-05-06T07:00:00Z")', "step": "1m"}
    assert await explained(prometheus_url, "busy", rangeQuery=bounds) == (
        "the metric busy is known to Prometheus, but has no current samples"
    )


async def test_an_instant_query_is_measured(prometheus_url: str) -> None:
    """A vector and a scalar of a real server."""
    async with world(now_unix_s=time.time()) as context:
        vector = await provider(prometheus_url, "sort(busy)").measure(context)
        scalar = await provider(prometheus_url, "scalar(sum(busy))").measure(context)
    assert (vector, scalar) == (
        Reading((1.0, 2.0), ResultType.FLOATS, "[1,2]"),
        Reading(3.0, ResultType.FLOAT, "3"),
    )


async def test_a_range_query_is_measured(prometheus_url: str) -> None:
    """A matrix of a real server, series after series."""
    bounds = {"start": 'now() - duration("1s")', "end": "now()", "step": "1s"}
    async with world(now_unix_s=time.time()) as context:
        reading = await provider(
            prometheus_url, 'busy{pod="b"} * 0 + 7', rangeQuery=bounds
        ).measure(context)
    assert reading == Reading((7.0, 7.0), ResultType.FLOATS, "[7,7]")


async def test_a_bad_query_is_an_error_with_its_reason(prometheus_url: str) -> None:
    """Prometheus' own words arrive."""
    async with world(now_unix_s=time.time()) as context:
        with pytest.raises(ProviderRejected, match=r"^bad_data: .*parse error: unclosed left"):
            await provider(prometheus_url, "sum(").measure(context)


@pytest.mark.parametrize(
    "play",
    [
        pytest.param(Play("", 500), id="an-error"),
        pytest.param(Play("<html>"), id="no-json"),
        pytest.param(Play('{"data":{"result":7}}'), id="another-shape"),
        pytest.param(Play('{"data":{"result":[7]}}'), id="series-that-are-none"),
        pytest.param(Play('{"data":{"result":[]}}'), id="the-same-to-every-question"),
        pytest.param(Play("{}"), id="nothing-that-is-known"),
    ],
)
async def test_a_server_that_does_not_help_is_not_quoted(play: Play) -> None:
    """Whatever it answers, there is nothing to say, and no exception."""
    async with backend(play) as server:
        assert await explained(server.url, "sum(a) / sum(b)") == ""


async def test_explaining_takes_its_second_at_most() -> None:
    """A server that hangs costs the budget, and no thread is left behind."""

    async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    started_s = time.monotonic()
    async with raw_server(hang) as url:
        assert await explained(url, "sum(a)") == ""
    assert time.monotonic() - started_s < 2


async def test_explaining_asks_a_bounded_number_of_questions() -> None:
    """A query of many selectors and divisions ends after a few requests."""
    series = '{"data":{"result":[{"value":[1,"1"]}]}}'
    async with backend(Play(series)) as server:
        query = " + ".join(f"a{n} / b{n}" for n in range(40))
        assert await explained(server.url, query) == ""
    assert len(server.requests) == 12


async def test_questions_carry_credentials_and_headers() -> None:
    """The library's requests leave as our own do, with all that authenticates them."""
    async with backend(Play("{}")) as server:
        await explained(
            f"{server.url}/prom/?tenant=x",
            'up{job="a b"}',
            headers=[{"key": "X-Scope-OrgID", "value": "team-a"}],
            authentication={"basicAuth": {"username": "u", "password": "p"}},
        )
    request = server.requests[0]
    assert request.target.startswith(
        "/prom/api/v1/query?tenant=x&query=count%28up%7Bjob%3D%22a+b%22%7D%29&time="
    )
    assert request.headers["Authorization"] == "Basic dTpw"
    assert request.headers["X-Scope-Orgid"] == "team-a"


async def test_a_range_that_cannot_be_read_is_not_explained() -> None:
    """The measurement has said so already."""
    assert await explained("http://127.0.0.1:1", "up", rangeQuery={"end": "1"}) == ""


async def test_a_loop_that_has_ended_is_no_failure() -> None:
    """A thread that outlives the loop by a moment gives up quietly."""

    async def ask(_: str, __: str) -> HttpResponse:
        raise AssertionError

    ended = asyncio.new_event_loop()
    bridge = Bridge(ask, "http://h", ended, until_s=ended.time() + 1)
    ended.close()
    with pytest.raises(GaveUp):
        bridge.fetch("http://h/api/v1/query?query=a")


async def test_an_explanation_can_be_cancelled() -> None:
    """Who stops waiting stops the questions, too."""
    arrived = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        arrived.set()
        await reader.read()

    async with raw_server(hang) as url, world() as context:
        task = asyncio.create_task(provider(url, "up").explain_no_data(context))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
