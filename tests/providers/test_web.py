"""web: the block, the request, and what an answer is worth."""

from types import MappingProxyType
from typing import Any

import pytest
from backends import Play, backend, failure_text, world
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ProviderError, ProviderInvalid
from gateway.model import Reading, ResultType
from gateway.provider import HttpRequest, HttpResponse, Surroundings, Tls
from providers._jsonpath import JsonPath
from providers.web import TYPE, WebSpec, build_request, parse, read_response

JSON_TYPE = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("block", "message"),
    [
        pytest.param({}, "url: is required", id="no-url"),
        pytest.param(
            {"url": "http://h", "jsonPath": "{.a"}, "unclosed action", id="a-path-that-stays-open"
        ),
        pytest.param(
            {"url": "http://h", "body": "x"},
            "Body/JSONBody can only be used with POST or PUT WebMetric Method types",
            id="a-body-without-a-method",
        ),
        pytest.param(
            {"url": "http://h", "method": "GET", "jsonBody": {}},
            "Body/JSONBody can only be used with POST or PUT WebMetric Method types",
            id="an-empty-json-body-with-get",
        ),
        pytest.param(
            {"url": "http://h", "method": "POST", "jsonBody": {}, "body": "x"},
            "use either Body or JSONBody; both cannot exists for WebMetric payload",
            id="two-bodies",
        ),
        pytest.param(
            {"url": "http://h:x", "method": "GET"},
            'parse "http://h:x": invalid port ":x" after host',
            id="a-bad-url",
        ),
        pytest.param(
            {"url": "http://h", "method": "G T"},
            'net/http: invalid method "G T"',
            id="a-bad-method",
        ),
        pytest.param(
            {"url": "http://h", "method": "POST", "jsonBody": {"a": float("nan")}},
            "jsonBody: json: unsupported value: NaN",
            id="a-body-that-json-cannot-hold",
        ),
        pytest.param(
            {"url": "http://h", "authentication": {"oauth2": {"tokenUrl": "http://t"}}},
            "missing mandatory parameter in metric for OAuth2 setup",
            id="a-token-server-without-a-client",
        ),
    ],
)
def test_a_block_is_refused(block: dict[str, Any], message: str) -> None:
    """What can be known before the first request is told before it."""
    with pytest.raises(ProviderInvalid) as caught:
        parse(block, Surroundings())
    assert str(caught.value) == message


def test_all_that_is_wrong_with_a_shape_is_told() -> None:
    """A body that is no object, seconds that are no number, an unknown field."""
    bad = {"url": 1, "urll": "", "jsonBody": [], "timeoutSeconds": 1.5, "headers": {}}
    assert sorted(path for path, _ in TYPE.check(bad)) == [
        "headers",
        "jsonBody",
        "timeoutSeconds",
        "url",
        "urll",
    ]


@pytest.mark.parametrize(
    ("block", "request_"),
    [
        pytest.param({"url": "http://h/m?a=b c"}, HttpRequest("GET", "http://h/m?a=b c"), id="get"),
        pytest.param(
            {
                "url": "http://h",
                "method": "POST",
                "body": "k=é",
                "insecure": True,
                "headers": [{"key": "x-t", "value": "1"}, {"key": "X-T", "value": "2"}],
            },
            HttpRequest("POST", "http://h", {"X-T": "2"}, "k=é".encode(), Tls.UNVERIFIED),
            id="post-with-a-text",
        ),
        pytest.param(
            {
                "url": "http://h",
                "method": "PUT",
                "jsonBody": {"z": "a<b", "a": [1, 1.0, {"é": None}]},
                "headers": [{"key": "content-type", "value": "text/plain"}],
            },
            HttpRequest(
                "PUT", "http://h", JSON_TYPE, '{"z":"a\\u003cb","a":[1,1,{"é":null}]}'.encode()
            ),
            id="put-with-json-in-the-order-of-its-keys",
        ),
        pytest.param(
            {"url": "http://h", "method": "DELETE", "body": "x"},
            HttpRequest("DELETE", "http://h", {}, b"x"),
            id="any-method-but-get-may-have-a-body",
        ),
        pytest.param(
            {"url": "http://h", "method": "GET", "body": ""},
            HttpRequest("GET", "http://h"),
            id="an-empty-body-is-none",
        ),
    ],
)
def test_a_request_is_built(block: dict[str, Any], request_: HttpRequest) -> None:
    """As Argo builds it."""
    assert build_request(WebSpec.model_validate(block)) == request_


def outcome(body: bytes, path: str = "{$}", status: int = 200) -> Reading | str:
    """The reading, or the error's class and text."""
    try:
        return read_response(HttpResponse(status, "", {}, body), JsonPath(path))
    except ProviderError as error:
        return f"{type(error).__name__}: {error}"


def reading(result: object, text: str) -> Reading:
    """A JSON reading that holds data."""
    return Reading(result, ResultType.JSON, text)


@pytest.mark.parametrize(
    ("body", "path", "expected"),
    [
        pytest.param(
            b'{"z":1,"a":[true,null],"m":"<b>"}',
            "{$}",
            reading(
                MappingProxyType({"z": 1.0, "a": (True, None), "m": "<b>"}),
                '{"a":[true,null],"m":"\\u003cb\\u003e","z":1}',
            ),
            id="a-document",
        ),
        pytest.param(b'"green"', "{$}", reading("green", '"green"'), id="a-json-text"),
        pytest.param(b"true", "{$}", reading(True, "true"), id="a-word-that-is-json"),  # noqa: FBT003 - a result
        pytest.param(b"0.97", "{$}", reading(0.97, "0.97"), id="a-number"),
        pytest.param(b"HEALTHY", "{$.a}", reading("HEALTHY", "HEALTHY"), id="a-plain-text"),
        pytest.param(b"", "{$.a}", reading("", ""), id="nothing-is-an-empty-text"),
        pytest.param(b"\xff", "{$}", reading("\ufffd", "\ufffd"), id="bytes-that-are-no-utf-8"),
        pytest.param(b'{"v":1e400}', "{.v}", reading('{"v":1e400}', '{"v":1e400}'), id="no-double"),
        pytest.param(b"{}", "{5}", reading(5.0, "5"), id="an-integer-of-the-path-is-a-float"),
        pytest.param(b"{}", "{true}", reading(True, "true"), id="a-truth-value-of-the-path"),  # noqa: FBT003 - a result
        pytest.param(
            b'{"v":null}',
            "{.v}",
            Reading(None, ResultType.JSON, "null", is_empty=True),
            id="null-is-no-data",
        ),
        pytest.param(
            b'{"v":[]}',
            "{.v}",
            Reading((), ResultType.JSON, "[]", is_empty=True),
            id="an-empty-list-is-no-data",
        ),
        pytest.param(b'{"v":0}', "{.v}", reading(0.0, "0"), id="zero-is-data"),
        pytest.param(b'{"v":-0.0}', "{.v}", reading(-0.0, "-0"), id="zero-keeps-its-sign"),
    ],
)
def test_an_answer_is_read(body: bytes, path: str, expected: Reading) -> None:
    """Whatever the content type says, JSON is JSON and all else is a text."""
    got = outcome(body, path)
    assert got == expected
    assert isinstance(got, Reading)
    assert type(got.result) is type(expected.result)


@pytest.mark.parametrize(
    ("body", "path", "status", "failure"),
    [
        pytest.param(
            b'{"v":1}',
            "{$}",
            503,
            "ProviderRejected: received non 2xx response code: 503",
            id="an-error-status",
        ),
        pytest.param(
            b'{"v":1}',
            "{.w}",
            200,
            "ProviderUnreadable: Could not find JSONPath in body: w is not found",
            id="a-path-that-leads-nowhere",
        ),
        pytest.param(
            b'{"v":[]}',
            "{.v[*]}",
            200,
            "ProviderUnreadable: result of web metric produced no value",
            id="a-path-that-selects-nothing",
        ),
        pytest.param(
            b"null",
            "{$}",
            200,
            "ProviderUnreadable: Could not find JSONPath in body: the document is null",
            id="a-null-body",
        ),
    ],
)
def test_an_answer_is_refused(body: bytes, path: str, status: int, failure: str) -> None:
    """No value is an error and never a pass."""
    assert outcome(body, path, status) == failure


@pytest.mark.parametrize("seconds", [0, -3])
async def test_no_limit_means_ten_seconds(seconds: int) -> None:
    """A limit that is not positive is none of the template's."""
    async with backend(Play("1")) as server, world() as context:
        provider = parse({"url": server.url, "timeoutSeconds": seconds}, Surroundings())
        assert await failure_text(provider.measure(context)) == reading(1.0, "1")


def test_a_request_is_no_query() -> None:
    """Reports show a query only where there is one."""
    assert parse({"url": "http://h"}, Surroundings()).resolved_query() == ""


@given(st.binary() | st.text(alphabet='{}[]":,.0123eE-nultrfas \\').map(str.encode))
def test_any_body_is_a_reading_or_an_error(body: bytes) -> None:
    """Nothing else comes of what a server says."""
    outcome(body)
