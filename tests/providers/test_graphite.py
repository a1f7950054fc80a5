"""graphite: the block, the request, and what an answer is worth."""

import json
from typing import Any

import pytest
from backends import Play, backend, failure_text, world
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ProviderError, ProviderInvalid
from gateway.model import Reading, ResultType
from gateway.provider import HttpResponse, Surroundings
from providers.graphite import TYPE, GraphiteSpec, build_request, parse, read_response


@pytest.mark.parametrize(
    ("block", "message"),
    [
        pytest.param({}, "Graphite address  is not a valid URL", id="no-address"),
        pytest.param(
            {"address": "http://h:x", "query": "target=a"},
            "Graphite address http://h:x is not a valid URL",
            id="a-bad-port",
        ),
        pytest.param(
            {"address": "http://h", "query": "target=a#%zz"},
            'parse "./render?target=a#%zz": invalid URL escape "%zz"',
            id="a-bad-escape-behind-a-hash",
        ),
        pytest.param(
            {"address": "http://h", "query": "target=a\x0bb"},
            'parse "./render?target=a\\vb": net/url: invalid control character in URL',
            id="a-control-character",
        ),
        pytest.param(
            {"address": 1},
            "address: must be a text, not the number 1; put it into quotes",
            id="a-number",
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
    bad = {"address": 1, "query": [], "target": "a"}
    assert sorted(path for path, _ in TYPE.check(bad)) == ["address", "query", "target"]


@pytest.mark.parametrize(
    ("address", "query", "url"),
    [
        pytest.param(
            "http://h",
            "target=sumSeries(shop.*.errs)&from=-5min",
            "http://h/render?format=json&from=-5min&target=sumSeries%28shop.%2A.errs%29",
            id="fields-are-escaped-and-sorted",
        ),
        pytest.param(
            "http://h",
            "target=b&target=a",
            "http://h/render?format=json&target=b&target=a",
            id="targets-keep-their-order",
        ),
        pytest.param(
            "http://h",
            "target=a&format=png&format=csv",
            "http://h/render?format=json&target=a",
            id="the-format-is-json",
        ),
        pytest.param(
            "http://h",
            "\n target=f(a,\t'x y') \r\n\f&from=1",
            "http://h/render?format=json&from=1&target=f%28a%2C%27xy%27%29",
            id="white-space-vanishes",
        ),
        pytest.param(
            "http://h",
            "target=a+b%20c",
            "http://h/render?format=json&target=a+b+c",
            id="a-plus-is-a-blank",
        ),
        pytest.param(
            "http://h",
            "target=a;b&target=%zz&x&=1&&target=c",
            "http://h/render?=1&format=json&target=c&x=",
            id="malformed-pairs-are-dropped",
        ),
        pytest.param(
            "http://h",
            "target=a#b&from=1",
            "http://h/render?format=json&target=a",
            id="a-hash-ends-the-query",
        ),
        pytest.param(
            "http://u:p@h/gr/?x=1#y",
            "target=é",
            "http://u:p@h/gr/render?format=json&target=%C3%A9",
            id="of-the-address-path-and-user-are-kept",
        ),
        pytest.param(
            "http://h/a%2Fb/../c d//",
            "target=a",
            "http://h/a/c%20d/render?format=json&target=a",
            id="the-path-is-cleaned",
        ),
        pytest.param(
            "graphite", "", "/graphite/render?format=json", id="a-relative-address-fails-later"
        ),
    ],
)
def test_a_request_is_built(address: str, query: str, url: str) -> None:
    """As Argo builds it."""
    request = build_request(GraphiteSpec(address=address, query=query))
    assert (request.method, request.url, request.headers) == ("GET", url, {})


@pytest.mark.parametrize(
    ("address", "failure"),
    [
        pytest.param(
            "graphite",
            'ProviderInvalid: Get "/graphite/render?format=json&target=a":'
            ' unsupported protocol scheme ""',
            id="a-path",
        ),
        pytest.param(
            "graphite:80",
            'ProviderInvalid: Get "graphite:/render?format=json&target=a":'
            ' unsupported protocol scheme "graphite"',
            id="a-host-without-a-scheme",
        ),
    ],
)
async def test_an_address_without_a_server_fails_when_it_is_asked(
    address: str, failure: str
) -> None:
    """It can be parsed, so that Argo creates the provider."""
    provider = parse({"address": address, "query": "target=a"}, Surroundings())
    async with world() as context:
        assert await failure_text(provider.measure(context)) == failure


async def test_credentials_of_the_address_are_sent() -> None:
    """The only way to authenticate."""
    async with backend(Play('[{"datapoints":[[1,1]]}]')) as server, world() as context:
        address = server.url.replace("http://", "http://u:p@")
        await parse({"address": address, "query": "target=a"}, Surroundings()).measure(context)
    assert server.requests[0].headers["Authorization"] == "Basic dTpw"


def test_the_query_is_shown_as_it_was_written() -> None:
    """Reports show the template's text, not the URL's."""
    query = " target=a\n&from=1"
    assert parse({"address": "http://h", "query": query}, Surroundings()).resolved_query() == query


def outcome(body: bytes, status: int = 200) -> Reading | str:
    """The reading, or the error's class and text."""
    try:
        return read_response(HttpResponse(status, "", {}, body))
    except ProviderError as error:
        return f"{type(error).__name__}: {error}"


def reading(*numbers: float, text: str) -> Reading:
    """A list of numbers."""
    return Reading(numbers, ResultType.FLOATS, text, is_empty=not numbers, outlives_error=True)


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        pytest.param("[[4,1],[6.5,2]]", reading(4, 6.5, text="[4.000000,6.500000]"), id="numbers"),
        pytest.param(
            "[[null,1],[7,2],[null,3]]", reading(7, text="[7.000000]"), id="gaps-are-left-out"
        ),
        pytest.param("[[null,1]]", reading(text="[]"), id="only-gaps-are-no-data"),
        pytest.param("[[0,1]]", reading(0, text="[0.000000]"), id="zero-is-data"),
        pytest.param(
            '[["8.25","1"],["0x1p-2",null]]',
            reading(8.25, 0.25, text="[8.250000,0.250000]"),
            id="texts-that-are-numbers",
        ),
        pytest.param(
            '[["inf",1.7],["-Infinity",1]]',
            reading(float("inf"), float("-inf"), text="[+Inf,-Inf]"),
            id="infinities",
        ),
        pytest.param(
            "[[-0.0,1],[1e21,1],[1234567.1234567,1],[1e-9,1]]",
            reading(
                -0.0,
                1e21,
                1234567.1234567,
                1e-9,
                text="[-0.000000,1000000000000000000000.000000,1234567.123457,0.000000]",
            ),
            id="six-decimals-are-shown-and-all-are-judged",
        ),
    ],
)
def test_points_are_read(points: str, expected: Reading) -> None:
    """The values, in their order."""
    assert outcome(f'[{{"target":"x","datapoints":{points}}}]'.encode()) == expected


def test_nan_is_read() -> None:
    """It satisfies no comparison."""
    got = outcome(b'[{"datapoints":[["NaN",1]]}]')
    assert isinstance(got, Reading)
    assert got.text == "[NaN]"


@pytest.mark.parametrize("status", [200, 302, 399])
def test_any_status_below_400_is_read(status: int) -> None:
    """As Argo does."""
    got = outcome(b'[{"datapoints":[[1,1]]}]', status)
    assert got == reading(1, text="[1.000000]")


@pytest.mark.parametrize(
    "document",
    [
        pytest.param('[{"datapoints":[[1,1]]},{"datapoints":[[99,1]]}]', id="several-series"),
        pytest.param('[{"DataPoints":[[1,1]],"TARGET":null}]', id="names-in-any-case"),
        pytest.param('[{"datapoints":[[1,1]]},null,{"x":{}}]', id="series-that-say-nothing"),
    ],
)
def test_the_first_series_counts(document: str) -> None:
    """All others are only looked at."""
    assert outcome(document.encode()) == reading(1, text="[1.000000]")


@pytest.mark.parametrize(
    ("document", "failure"),
    [
        pytest.param("null", "no values found", id="null"),
        pytest.param("[]", "no values found", id="no-series"),
        pytest.param("[null,{}]", "no values found", id="a-series-that-is-null"),
        pytest.param(
            '[{"datapoints":[]},{"datapoints":[[1,1]]}]',
            "no values found",
            id="a-first-series-without-points",
        ),
        pytest.param(
            '[{"datapoints":[[1,1]]},{"datapoints":[[1]]}]',
            "error unmarshaling data point: [1]",
            id="a-broken-point-of-another-series",
        ),
        pytest.param(
            '[{"datapoints":[null]}]', "error unmarshaling data point: []", id="a-null-point"
        ),
        pytest.param(
            '[{"datapoints":[[1e7,null,"x"]]}]',
            "error unmarshaling data point: [1e+07 <nil> x]",
            id="a-point-of-three",
        ),
        pytest.param(
            '[{"datapoints":[[{"a":[1]},1]]}]',
            "error unmarshaling value: map[a:[1]]",
            id="a-value-that-is-an-object",
        ),
        pytest.param(
            '[{"datapoints":[[true,1]]}]', "error unmarshaling value: true", id="a-truth-value"
        ),
        pytest.param(
            '[{"datapoints":[[2.5,[]]]}]',
            "error unmarshaling timestamp: 2.5",
            id="a-time-that-is-a-list-shows-the-value",
        ),
        pytest.param(
            '[{"datapoints":[["x",1]]}]',
            'strconv.ParseFloat: parsing "x": invalid syntax',
            id="a-text-that-is-no-number",
        ),
        pytest.param(
            '[{"datapoints":[["1e400",1]]}]',
            'strconv.ParseFloat: parsing "1e400": value out of range',
            id="a-text-beyond-a-double",
        ),
        pytest.param(
            '[{"datapoints":[[1,"1.5"]]}]',
            'strconv.ParseInt: parsing "1.5": invalid syntax',
            id="a-time-that-is-no-integer",
        ),
        pytest.param(
            '[{"datapoints":[[1e9999,1]]}]',
            "json: cannot unmarshal number 1e9999 into Go value of type float64",
            id="graphites-infinity",
        ),
        pytest.param(
            "{}",
            "json: cannot unmarshal object into Go value of type graphite.graphiteResponse",
            id="an-object",
        ),
        pytest.param(
            "[1]",
            "json: cannot unmarshal number into Go value of type graphite.graphiteTargetResp",
            id="a-series-that-is-a-number",
        ),
        pytest.param(
            '[{"target":1,"datapoints":[[1,1]]}]',
            "json: cannot unmarshal number into Go struct field graphiteTargetResp.target"
            " of type string",
            id="a-name-that-is-a-number",
        ),
        pytest.param(
            '[{"datapoints":"x"}]',
            "json: cannot unmarshal string into Go struct field graphiteTargetResp.datapoints"
            " of type []graphite.dataPoint",
            id="points-that-are-a-text",
        ),
        pytest.param(
            '[{"target":1,"datapoints":[5]}]',
            "json: cannot unmarshal number into Go struct field graphiteTargetResp.datapoints"
            " of type []interface {}",
            id="a-point-that-is-a-number-is-told-first",
        ),
        pytest.param(
            '[{"datapoints":[[1,1]]}]x',
            "invalid character 'x' after top-level value",
            id="text-behind-the-json",
        ),
        pytest.param(
            '[{"datapoints":[[-Infinity,1]]}]',
            "invalid character 'I' in numeric literal",
            id="a-word-that-json-lacks",
        ),
    ],
)
def test_an_answer_is_refused(document: str, failure: str) -> None:
    """In the words that Argo was seen to use."""
    assert outcome(document.encode()) == f"ProviderUnreadable: {failure}"


def test_a_long_error_page_is_cut() -> None:
    """A message is no place for a whole page."""
    got = outcome(b"x" * 5_000, 400)
    assert got == f"ProviderRejected: error response: {'x' * 4_096}..."


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=4),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(st.sampled_from(["target", "datapoints", "x"]), children, max_size=3)
    ),
    max_leaves=12,
)


@given(
    st.binary()
    | st.text(alphabet='{}[]":,.0123eE-nultrfas \\').map(str.encode)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.lists(JSON, max_size=3).map(lambda points: json.dumps([{"datapoints": points}]).encode())
)
def test_any_body_is_a_reading_or_an_error(body: bytes) -> None:
    """Nothing else comes of what a server says; and what has no number is no data."""
    got = outcome(body)
    if isinstance(got, Reading):
        assert isinstance(got.result, tuple)
        assert got.is_empty == (got.result == ())
