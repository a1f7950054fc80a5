"""skywalking: the block, the request, and what an answer is worth."""

import json
import time
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any, cast

import pytest
from backends import NOW_UNIX_S, Play, backend, failure_text, world
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ProviderError, ProviderInvalid
from gateway.model import Reading, ResultType
from gateway.provider import HttpRequest, HttpResponse, Surroundings
from providers.skywalking import TYPE, SkyWalkingProvider, parse, read_response

JSON_TYPE = "application/json; charset=utf-8"
HEADERS = {"Content-Type": JSON_TYPE, "Accept": JSON_TYPE}


@pytest.fixture(name="zone")
def _zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def provider(**block: str) -> SkyWalkingProvider:
    """A provider of three minutes, unless the block says otherwise."""
    whole = {"address": "http://h", "query": "{ a }", "interval": "3m", **block}
    return cast("SkyWalkingProvider", parse(whole, Surroundings()))


@pytest.mark.parametrize(
    ("block", "message"),
    [
        pytest.param({}, 'time: invalid duration ""', id="no-interval"),
        pytest.param(
            {"address": "http://h", "interval": "3"},
            'time: missing unit in duration "3"',
            id="an-interval-without-a-unit",
        ),
        pytest.param(
            {"address": "http://h", "interval": "3d"},
            'time: unknown unit "d" in duration "3d"',
            id="an-interval-in-days",
        ),
        pytest.param(
            {"address": "http://h:x", "interval": "3m"},
            'parse "http://h:x/graphql": invalid port ":x" after host',
            id="a-bad-address",
        ),
        pytest.param(
            {"address": "http://h", "interval": 3},
            "interval: must be a text, not the number 3; put it into quotes",
            id="an-interval-that-is-a-number",
        ),
    ],
)
def test_a_block_is_refused(block: dict[str, Any], message: str) -> None:
    """What can be known before the request is told before it."""
    with pytest.raises(ProviderInvalid) as caught:
        parse(block, Surroundings())
    assert str(caught.value) == message


def test_all_that_is_wrong_with_a_shape_is_told() -> None:
    """Texts that are none, and an unknown field."""
    bad = {"address": 1, "query": [], "interval": 3, "step": "MINUTE"}
    wrong = ["address", "interval", "query", "step"]
    assert sorted(path for path, _ in TYPE.check(bad)) == wrong


@pytest.mark.parametrize(
    ("zone", "start", "end"),
    [
        pytest.param("UTC", "2023-11-14 2210", "2023-11-14 2213", id="utc"),
        pytest.param("Asia/Kolkata", "2023-11-15 0340", "2023-11-15 0343", id="half-hours"),
        pytest.param("America/Lima", "2023-11-14 1710", "2023-11-14 1713", id="yesterday"),
    ],
    indirect=["zone"],
)
@pytest.mark.usefixtures("zone")
def test_the_interval_is_told_in_local_time(start: str, end: str) -> None:
    """As Argo's controller tells it: in the zone of the process."""
    assert provider(query='{ a(x: "<é>") }').build_request(now_unix_s=NOW_UNIX_S) == HttpRequest(
        "POST",
        "http://h/graphql",
        HEADERS,
        (
            '{"query":"{ a(x: \\"\\u003cé\\u003e\\") }","variables":{"duration":'
            f'{{"start":"{start}","end":"{end}","step":"MINUTE"}}}}}}\n'
        ).encode(),
        is_repeatable=True,
    )


@pytest.mark.parametrize("zone", ["Europe/Berlin"], indirect=True)
@pytest.mark.usefixtures("zone")
def test_an_interval_may_cross_a_change_of_the_clock() -> None:
    """Half past one in summer time is an hour and a half before half past two in winter time."""
    request = provider(interval="1h30m").build_request(now_unix_s=1_698_543_000)  # 02:30 CET
    assert request.body is not None
    assert json.loads(request.body)["variables"]["duration"] == {
        "start": "2023-10-29 0200",
        "end": "2023-10-29 0230",
        "step": "MINUTE",
    }


@pytest.mark.parametrize(
    ("address", "url"),
    [
        pytest.param("http://h/", "http://h//graphql", id="a-trailing-slash"),
        pytest.param("http://h?x=1", "http://h?x=1/graphql", id="a-query"),
        pytest.param("", "/graphql", id="nothing"),
    ],
)
def test_the_path_is_appended_to_the_text(address: str, url: str) -> None:
    """Without looking at it."""
    assert provider(address=address).build_request(now_unix_s=0).url == url


def test_what_changes_something_is_sent_once() -> None:
    """A query may be sent again over a new connection, a mutation may not."""
    request = provider(query="mutation { a }").build_request(now_unix_s=0)
    assert not request.is_repeatable


async def test_an_address_without_a_server_fails_when_it_is_asked() -> None:
    """It can be parsed, so that Argo creates the provider."""
    async with world() as context:
        assert await failure_text(provider(address="").measure(context)) == (
            'ProviderInvalid: Post "/graphql": unsupported protocol scheme ""'
        )


async def test_credentials_of_the_address_are_sent() -> None:
    """The only way to authenticate."""
    async with backend(Play('{"data":1}')) as server, world() as context:
        address = server.url.replace("http://", "http://u:p@")
        await provider(address=address).measure(context)
    assert server.requests[0].headers["Authorization"] == "Basic dTpw"


def test_the_query_is_shown() -> None:
    """As it was written."""
    assert provider(query=" { a }\n").resolved_query() == " { a }\n"


def outcome(body: bytes, status: int = 200) -> Reading | str:
    """The reading, or the error's class and text."""
    try:
        return read_response(HttpResponse(status, "", {}, body))
    except ProviderError as error:
        return f"{type(error).__name__}: {error}"


def reading(result: object, text: str) -> Reading:
    """A JSON reading that holds data."""
    return Reading(result, ResultType.JSON, text)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(
            b'{"data":{"z":9920,"a":"<b>"}}',
            reading(
                MappingProxyType({"z": 9920.0, "a": "<b>"}), '{"a":"\\u003cb\\u003e","z":9920}'
            ),
            id="an-object",
        ),
        pytest.param(
            b'{"data":{"apdex":null}}',
            reading(MappingProxyType({"apdex": None}), '{"apdex":null}'),
            id="null-further-inside-is-data",
        ),
        pytest.param(b'{"data":[1,2]}', reading((1.0, 2.0), "[1,2]"), id="a-list"),
        pytest.param(b'{"data":1e21}', reading(1e21, "1e+21"), id="a-number"),
        pytest.param(b'{"data":0}', reading(0.0, "0"), id="zero-is-data"),
        pytest.param(b'{"data":false}', reading(False, "false"), id="false-is-data"),  # noqa: FBT003 - a result
        pytest.param(
            b'{"data":{}}',
            Reading(MappingProxyType({}), ResultType.JSON, "{}", is_empty=True),
            id="an-empty-object",
        ),
        pytest.param(
            b'{"data":[]}', Reading((), ResultType.JSON, "[]", is_empty=True), id="an-empty-list"
        ),
        pytest.param(
            b'{"DATA":1,"Errors":[]}', reading(1.0, "1"), id="names-in-any-case-and-no-errors"
        ),
        pytest.param(b'{"data":1,"errors":null}', reading(1.0, "1"), id="errors-that-are-null"),
        pytest.param(b' \n{"data":1} <html>', reading(1.0, "1"), id="text-behind-the-json"),
    ],
)
@pytest.mark.parametrize("status", [200, 401, 500])
def test_data_are_read(body: bytes, expected: Reading, status: int) -> None:
    """Whatever the status says."""
    assert outcome(body, status) == expected


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        pytest.param(
            b'{"data":null}',
            "ProviderUnreadable: no results returned from SkyWalking query",
            id="data-that-are-null",
        ),
        pytest.param(
            b"{}",
            "ProviderUnreadable: no results returned from SkyWalking query",
            id="no-data",
        ),
        pytest.param(
            b'{"data":1,"errors":[{"message":"unknown field"},{"message":"2nd"}]}',
            "ProviderRejected: graphql: unknown field",
            id="the-first-error-even-beside-data",
        ),
        pytest.param(
            b'{"data":1,"errors":[null]}', "ProviderRejected: graphql: ", id="an-error-that-is-null"
        ),
        pytest.param(
            b'{"errors":[{"MESSAGE":null}]}',
            "ProviderRejected: graphql: ",
            id="an-error-without-a-message",
        ),
        pytest.param(
            b"null", "ProviderUnreadable: decoding response: the answer is null", id="null"
        ),
        pytest.param(b"", "ProviderUnreadable: decoding response: EOF", id="an-empty-body"),
        pytest.param(b" \n", "ProviderUnreadable: decoding response: EOF", id="blanks"),
        pytest.param(
            b'{"data":1',
            "ProviderUnreadable: decoding response: unexpected EOF",
            id="json-that-ends-early",
        ),
        pytest.param(
            b"<html>",
            "ProviderUnreadable: decoding response:"
            " invalid character '<' looking for beginning of value",
            id="html",
        ),
        pytest.param(
            b'{"data":1e400}',
            "ProviderUnreadable: decoding response:"
            " json: cannot unmarshal number 1e400 into Go value of type float64",
            id="a-number-beyond-a-double",
        ),
        pytest.param(
            b"[]",
            "ProviderUnreadable: decoding response:"
            " json: cannot unmarshal array into Go value of type graphql.graphResponse",
            id="a-list",
        ),
        pytest.param(
            b'{"errors":"x"}',
            "ProviderUnreadable: decoding response: json: cannot unmarshal string into Go"
            " struct field graphResponse.Errors of type []graphql.graphErr",
            id="errors-that-are-a-text",
        ),
        pytest.param(
            b'{"errors":[{"message":"x"},true]}',
            "ProviderUnreadable: decoding response: json: cannot unmarshal bool into Go"
            " struct field graphResponse.Errors of type graphql.graphErr",
            id="an-error-that-is-a-truth-value",
        ),
        pytest.param(
            b'{"errors":[{"message":{}}]}',
            "ProviderUnreadable: decoding response: json: cannot unmarshal object into Go"
            " struct field graphErr.Errors.Message of type string",
            id="a-message-that-is-an-object",
        ),
    ],
)
def test_an_answer_is_refused(body: bytes, failure: str) -> None:
    """In the words that Argo was seen to use; where Argo crashes, in ours."""
    assert outcome(body) == failure


def test_a_long_message_is_cut() -> None:
    """A server may echo a whole query."""
    got = outcome(json.dumps({"errors": [{"message": "x" * 5_000}]}).encode())
    assert got == f"ProviderRejected: graphql: {'x' * 4_096}..."


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=4),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(st.sampled_from(["data", "errors", "message"]), children, max_size=3)
    ),
    max_leaves=12,
)


@given(
    st.binary()
    | st.text(alphabet='{}[]":,.0123eE-nultrfas \\').map(str.encode)
    | JSON.map(lambda value: json.dumps(value).encode())
    | JSON.map(lambda value: json.dumps({"data": value}).encode())
)
def test_any_body_is_a_reading_or_an_error(body: bytes) -> None:
    """Nothing else comes of what a server says; and null is no reading."""
    got = outcome(body)
    if isinstance(got, Reading):
        assert got.result is not None
