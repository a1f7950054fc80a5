"""wavefront: the block, the request over HTTPS, and what an answer is worth."""

import json
from typing import Any

import pytest
from backends import NOW_UNIX_S, Play, backend, failure_text, world
from hypothesis import given
from hypothesis import strategies as st
from own_tls import server_tls, trust

from gateway.conditions import judge
from gateway.errors import ProviderError, ProviderInvalid
from gateway.model import Reading, ResultType
from gateway.provider import FoundSecret, HasCredential, HttpResponse, SecretUse, Surroundings
from gateway.secrets import Secret
from providers.wavefront import TYPE, WavefrontProvider, parse, read_response

NOW = int(NOW_UNIX_S)
QUERY = 'ts("http.errs", svc=cart)'
HOST = "shop.wavefront.com"


def found(**tokens: str) -> Surroundings:
    """A Secret with a token, and with others."""
    secrets = {address: Secret(token) for address, token in {HOST: "WT", **tokens}.items()}
    return Surroundings(secret=FoundSecret("own/wavefront-api-tokens", secrets))


def made(address: str = HOST, query: str = QUERY, **tokens: str) -> WavefrontProvider:
    """The provider of a block."""
    provider = parse({"address": address, "query": query}, found(**tokens))
    assert isinstance(provider, WavefrontProvider)
    return provider


@pytest.mark.parametrize(
    ("block", "surroundings", "message"),
    [
        pytest.param(
            {"address": HOST},
            Surroundings(secret=ProviderInvalid('secrets "wavefront-api-tokens" not found')),
            'secrets "wavefront-api-tokens" not found',
            id="no-secret",
        ),
        pytest.param(
            {"address": "other"}, found(), "API token not found", id="a-server-without-a-token"
        ),
        pytest.param({}, found(), "API token not found", id="no-address"),
        pytest.param(
            {"address": "h:x"}, found(**{"h:x": "WT"}), "API token not found", id="no-host"
        ),
    ],
)
def test_a_block_is_refused(
    block: dict[str, Any], surroundings: Surroundings, message: str
) -> None:
    """In Argo's words."""
    with pytest.raises(ProviderInvalid) as caught:
        parse(block, surroundings)
    assert str(caught.value) == message


@pytest.mark.parametrize("address", ["", "h:x"])
def test_lint_knows_an_address_that_is_none(address: str) -> None:
    """No token can be found for it."""
    assert TYPE.rules is not None
    assert TYPE.rules({"address": HOST}) is None
    with pytest.raises(ProviderInvalid, match="API token not found"):
        TYPE.rules({"address": address})


def test_only_the_token_of_the_server_is_asked_for() -> None:
    """Others are nobody's business."""
    assert TYPE.credentials({"address": HOST}, {}) == SecretUse("wavefront-api-tokens", (HOST,))
    provider = made(other="x")
    assert isinstance(provider, HasCredential)
    assert (provider.credential.name, provider.credential.secrets) == (
        "own/wavefront-api-tokens",
        (Secret("WT"),),
    )


def test_the_query_is_shown() -> None:
    """As it was written."""
    assert made().resolved_query() == QUERY


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        pytest.param(QUERY, "&q=ts%28%22http.errs%22%2C+svc%3Dcart%29", id="a-query"),
        pytest.param("", "", id="none"),
    ],
)
def test_a_request_is_built(query: str, shown: str) -> None:
    """For one second, with all that the client of Argo sends."""
    request = made(query=query).build_request(now_unix_s=NOW)
    assert request.method == "GET"
    assert request.headers == {"Accept": "application/json", "Authorization": "Bearer WT"}
    assert request.url == (
        f"https://{HOST}/api/v2/chart/api?autoEvents=false&e={NOW}000&g=s&i=true"
        f"&includeObsoleteMetrics=false&listmode=false&p=1{shown}&s={NOW}000&strict=false"
    )


async def test_a_server_is_asked_over_https(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a certificate that the gateway trusts."""
    trust(monkeypatch)
    answer = json.dumps({"timeseries": [{"data": [[NOW - 2, 7]]}]})
    async with backend(Play(answer), tls=server_tls()) as server, world() as context:
        host = server.url.removeprefix("https://")
        reading = await made(host, **{host: "T"}).measure(context)
    assert (reading.text, reading.value_metadata["drift"]) == ("7.00", "-2")
    assert server.requests[0].headers["Authorization"] == "Bearer T"


@pytest.mark.parametrize(
    ("token", "failure"),
    [
        pytest.param(
            "T",
            "ProviderUnreachable: Get <url>: tls: failed to verify certificate: x509: certificate"
            " signed by unknown authority",
            id="a-certificate-of-a-stranger",
        ),
        pytest.param(
            "hush\n",
            'ProviderInvalid: Get <url>: net/http: invalid header field value for "Authorization"',
            id="a-token-with-a-line-break",
        ),
    ],
)
async def test_nothing_is_sent(token: str, failure: str) -> None:
    """Each is an Error of the measurement, without a secret in it."""
    async with backend(tls=server_tls()) as server, world() as context:
        host = server.url.removeprefix("https://")
        provider = made(host, **{host: token})
        got = await failure_text(provider.measure(context))
    url = provider.build_request(now_unix_s=NOW).url
    assert isinstance(got, str)
    assert got.replace(f'"{url}"', "<url>") == failure
    assert server.requests == []


def outcome(content: object, status: int = 200) -> Reading | str:
    """The reading, or the error's class and text."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    try:
        return read_response(HttpResponse(status, "Reason", {}, body), now_unix_s=NOW)
    except ProviderError as error:
        return f"{type(error).__name__}: {error}"


def answer(*series: list[Any], **others: object) -> dict[str, Any]:
    """An answer with the points of each series, their times counted from now."""
    return {
        "timeseries": [
            {"label": "a", "data": [[NOW + seconds, value] for seconds, value in points]}
            for points in series
        ],
        **others,
    }


def reading(result: object, text: str, timestamps: str, drift: str, warnings: str = "") -> Reading:
    """One number, or one of each series."""
    return Reading(
        result,
        ResultType.FLOATS if isinstance(result, tuple) else ResultType.FLOAT,
        text,
        {"warnings": warnings} if warnings else {},
        {"timestamps": timestamps, "drift": drift},
        is_partial=bool(warnings),
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(
            answer([(0, 0.976)]),
            reading(0.976, "0.98", f"{NOW}", "0"),
            id="two-decimals-are-shown-and-all-are-judged",
        ),
        pytest.param(answer([(0, 0)]), reading(0.0, "0.00", f"{NOW}", "0"), id="zero-is-data"),
        pytest.param(
            answer([(0, 0.125), (0, 9)]), reading(0.125, "0.12", f"{NOW}", "0"), id="ties-to-even"
        ),
        pytest.param(
            answer([(0, 1)], [(60, 2.5)]),
            reading((1.0, 2.5), "[1.00,2.50]", f"[{NOW},{NOW + 60}]", "[0,60]"),
            id="several-series",
        ),
        pytest.param(
            answer([(-100, 9), (-3, 4), (5, 8)]),
            reading(4.0, "4.00", f"{NOW - 3}", "-3"),
            id="the-closest-point",
        ),
        pytest.param(
            answer([(-5, 1), (5, 2)]),
            reading(1.0, "1.00", f"{NOW - 5}", "-5"),
            id="the-first-of-two-that-are-as-close",
        ),
        pytest.param(
            answer([(-100, None), (0.9, 4)]),
            reading(4.0, "4.00", f"{NOW}", "0"),
            id="a-gap-that-is-not-the-closest",
        ),
        pytest.param(
            answer([(0, 1)], warnings="stale"),
            reading(1.0, "1.00", f"{NOW}", "0", "stale"),
            id="warnings",
        ),
        pytest.param(
            answer([(0, 1)], errorType="N/A", errorMessage="none", stats={"a": 1.5}, hostsUsed=1),
            reading(1.0, "1.00", f"{NOW}", "0"),
            id="what-is-not-used-may-be-anything",
        ),
        pytest.param(
            {"TimeSeries": [{"Data": [[NOW, 1, 2]]}]},
            reading(1.0, "1.00", f"{NOW}", "0"),
            id="names-in-any-case-and-a-third-number",
        ),
    ],
)
def test_an_answer_is_read(content: object, expected: Reading) -> None:
    """The point of each series that is closest in time."""
    assert outcome(content) == expected


NO_SERIES = "No TimeSeries found in response from Wavefront"
GO = "ProviderUnreadable: json: cannot unmarshal"
FIELD = "Go struct field TimeSeries.Alias.timeseries.data of type"


@pytest.mark.parametrize(
    ("content", "failure"),
    [
        pytest.param({"timeseries": []}, f"ProviderUnreadable: {NO_SERIES}", id="no-series"),
        pytest.param({}, f"ProviderUnreadable: {NO_SERIES}", id="no-list-of-series"),
        pytest.param(
            {"errorType": "QuerySyntaxError", "errorMessage": "bad"},
            f"ProviderRejected: {NO_SERIES}: QuerySyntaxError: bad",
            id="an-error-that-is-told",
        ),
        pytest.param(
            answer([(0, 1)], errorType="Timeout"),
            "ProviderRejected: Error in response from Wavefront: Timeout",
            id="an-error-beside-series",
        ),
        pytest.param(
            answer([(0, 1)], []),
            "ProviderUnreadable: a TimeSeries in response from Wavefront has no points",
            id="a-series-without-points",
        ),
        pytest.param(
            {"timeseries": [None]},
            "ProviderUnreadable: a TimeSeries in response from Wavefront has no points",
            id="a-series-that-is-null",
        ),
        pytest.param(
            answer([(-60, 1), (0, None)]),
            "ProviderUnreadable: the closest point in response from Wavefront has no value",
            id="a-point-without-a-value",
        ),
        *(
            pytest.param(
                {"timeseries": [{"data": [point, [NOW, 1]]}]},
                "ProviderUnreadable: a point in response from Wavefront is no time with a value",
                id=f"a-point-that-is-{name}",
            )
            for name, point in {
                "null": None,
                "empty": [],
                "only-a-time": [NOW],
                "without-a-time": [None, 1],
            }.items()
        ),
        pytest.param(
            b"<html>",
            "ProviderUnreadable: invalid character '<' looking for beginning of value",
            id="a-page",
        ),
        pytest.param(
            [], f"{GO} array into Go value of type struct {{ *wavefront.Alias }}", id="a-list"
        ),
        pytest.param(
            {"timeseries": 5},
            f"{GO} number into Go struct field .Alias.timeseries of type []wavefront.TimeSeries",
            id="series-that-are-a-number",
        ),
        pytest.param(
            {"timeseries": [5]},
            f"{GO} number into Go struct field .Alias.timeseries of type wavefront.TimeSeries",
            id="a-series-that-is-a-number",
        ),
        pytest.param(
            {"timeseries": [{"data": "x"}]},
            f"{GO} string into {FIELD} []wavefront.DataPoint",
            id="points-that-are-a-text",
        ),
        pytest.param(
            {"timeseries": [{"data": [5]}]},
            f"{GO} number into {FIELD} wavefront.DataPoint",
            id="a-point-that-is-a-number",
        ),
        pytest.param(
            {"timeseries": [{"data": [[NOW, "NaN"]]}]},
            f"{GO} string into {FIELD} float64",
            id="a-value-that-is-a-text",
        ),
        pytest.param(
            {"warnings": ["x"]},
            f"{GO} array into Go struct field .Alias.warnings of type string",
            id="warnings-that-are-a-list",
        ),
    ],
)
def test_an_answer_is_refused(content: object, failure: str) -> None:
    """Nothing that is missing becomes a 0."""
    assert outcome(content) == failure


@pytest.mark.parametrize("status", [201, 401, 503])
def test_a_status_is_told_with_its_body(status: int) -> None:
    """Only 200 is read; what Wavefront says is told as far as a message can bear it."""
    body = b"x" * 5_000
    shown = f"{'x' * 4_096}..."
    assert outcome(body, status) == f"ProviderRejected: server returned {status} Reason\n{shown}\n"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param({}, id="no-series"),
        pytest.param({"errorType": "Timeout"}, id="an-error"),
        pytest.param(answer([]), id="no-points"),
    ],
)
def test_warnings_are_told_beside_an_error(content: dict[str, Any]) -> None:
    """They may say why there is nothing."""
    with pytest.raises(ProviderError) as caught:
        read_response(
            HttpResponse(200, "OK", {}, json.dumps({**content, "warnings": "No such"}).encode()),
            now_unix_s=NOW,
        )
    assert caught.value.metadata == {"warnings": "No such"}


@pytest.mark.parametrize(
    ("condition", "metadata"),
    [
        pytest.param(
            "result == 1",
            {"warnings": "stale", "timestamps": f"{NOW}", "drift": "0"},
            id="a-value",
        ),
        pytest.param("result[0] == 1", {"warnings": "stale"}, id="a-condition-that-fails"),
    ],
)
def test_when_it_was_measured_is_told_with_the_value(
    condition: str, metadata: dict[str, str]
) -> None:
    """As in Argo; warnings are told in any case."""
    got = outcome(answer([(0, 1)], warnings="stale"))
    assert isinstance(got, Reading)
    phase = judge(got, success_condition=condition, failure_condition="").phase
    assert got.metadata_with(phase) == metadata


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["data", "timeseries", "warnings", "errorType"]), inner)
    ),
    max_leaves=8,
)


@given(
    st.binary()
    | VALUES.map(lambda value: json.dumps(value).encode())
    | st.lists(VALUES, max_size=3).map(
        lambda points: json.dumps({"timeseries": [{"data": points}]}).encode()
    )
)
def test_any_body_is_a_reading_or_an_error(body: bytes) -> None:
    """Nothing else comes of what a server says, and a reading always has a number."""
    got = outcome(body)
    if isinstance(got, Reading):
        assert isinstance(got.result, float | tuple)
        assert not got.is_empty
