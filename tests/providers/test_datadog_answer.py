"""datadog: what an answer is worth."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ProviderError
from gateway.model import Reading, ResultType
from gateway.provider import HttpResponse
from providers._datadog_answer import MAX_TOLD_GROUPS, read_v1, read_v2

Read = Callable[[HttpResponse], Reading]


def outcome(read: Read, content: object, status: int = 200) -> Reading | str:
    """The reading, or the error's class and text."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    try:
        return read(HttpResponse(status, "", {}, body))
    except ProviderError as error:
        return f"{type(error).__name__}: {error}"


def one(number: float, text: str) -> Reading:
    """A number."""
    return Reading(number, ResultType.FLOAT, text)


def nothing(text: str) -> Reading:
    """No data."""
    return Reading(None, ResultType.FLOAT, text, is_empty=True)


def points(*pairs: object) -> dict[str, Any]:
    """An answer of v1 with one series."""
    return {"series": [{"pointlist": list(pairs)}]}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(points([1, 0.4], [2, 0.2]), one(0.2, "0.2"), id="the-last-point"),
        pytest.param(points([1, 0]), one(0, "0"), id="zero-is-data"),
        pytest.param(points([1, 1e21]), one(1e21, "1000000000000000000000"), id="no-exponent"),
        pytest.param(points([1, -0.0]), one(-0.0, "-0"), id="minus-zero"),
        pytest.param(points([None, 5]), one(5, "5"), id="a-time-is-not-looked-at"),
        pytest.param(
            {"series": [{"pointlist": [[1, 2]]}, {"pointlist": [[1, 99]]}]},
            one(2, "2"),
            id="the-first-series",
        ),
        pytest.param({"SERIES": [{"PointList": [[1, 2]]}]}, one(2, "2"), id="names-in-any-case"),
        pytest.param(points([1, 0.4], [2, None]), nothing("null"), id="a-last-null-is-no-data"),
        pytest.param(points([1, None], [2, 0.4]), one(0.4, "0.4"), id="an-earlier-null"),
        pytest.param({"series": []}, nothing("[]"), id="no-series"),
        pytest.param({"status": "ok"}, nothing("null"), id="no-list-of-series"),
        pytest.param(None, nothing("null"), id="null"),
        pytest.param(points(), nothing('[{"pointlist":[]}]'), id="a-series-without-points"),
        pytest.param(
            {"series": [None, {"pointlist": [[1, 2.5], None, [3, None]]}]},
            nothing('[{"pointlist":null},{"pointlist":[[1,2.5],null,[3,null]]}]'),
            id="a-first-series-without-points",
        ),
        pytest.param({**points([1, 2]), "error": "", "errors": []}, one(2, "2"), id="no-errors"),
    ],
)
def test_an_answer_of_v1_is_read(content: object, expected: Reading) -> None:
    """The last point of the first series; a gap there is never 0."""
    assert outcome(read_v1, content) == expected


def columns(*content: dict[str, Any]) -> dict[str, Any]:
    """An answer of v2."""
    return {"data": {"type": "scalar_response", "attributes": {"columns": list(content)}}}


def number(*values: object, name: str = "query") -> dict[str, Any]:
    """A column of numbers."""
    return {"name": name, "type": "number", "values": list(values)}


def group(*values: object) -> dict[str, Any]:
    """A column of tag values."""
    return {"name": "tag", "type": "group", "values": list(values)}


def several(text: str, groups: str) -> Reading:
    """A number for each group."""
    numbers = tuple(map(float, json.loads(text)))
    return Reading(numbers, ResultType.FLOATS, text, value_metadata={"groups": groups})


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(columns(number(0.012)), one(0.012, "0.012"), id="a-number"),
        pytest.param(columns(number(5, 6)), one(5, "5"), id="the-first-of-several"),
        pytest.param(columns(number(None, 6)), one(6, "6"), id="the-first-that-is-one"),
        pytest.param(
            columns({"values": [1]}, number(2)), one(1, "1"), id="a-column-without-a-type"
        ),
        pytest.param(columns(number(1), number("x")), one(1, "1"), id="later-columns"),
        pytest.param(
            columns({"type": "Number", "values": [1]}, number(2)), one(2, "2"), id="other-types"
        ),
        pytest.param(
            columns(group(["/cart"], ["/pay"]), number(0.01, 0.2)),
            several("[0.01,0.2]", '[{"name":"/cart","value":0.01},{"name":"/pay","value":0.2}]'),
            id="groups",
        ),
        pytest.param(
            columns(number(0.01), group(["/a"])),
            several("[0.01]", '[{"name":"/a","value":0.01}]'),
            id="one-group-is-a-list-too",
        ),
        pytest.param(
            columns(group(["prod"], ["prod"]), group(["/a"], ["/b"]), number(None, 3)),
            several("[3]", '[{"name":"prod,/b","value":3}]'),
            id="two-tags-and-a-group-without-a-value",
        ),
        pytest.param(
            columns(group(["x", None, "<y>"]), number(1e-7)),
            several("[0.0000001]", r'[{"name":"x,,\u003cy\u003e","value":1e-7}]'),
            id="several-values-of-a-tag",
        ),
        pytest.param(
            columns(group(None, ["b"]), number(None, 1)),
            several("[1]", '[{"name":"b","value":1}]'),
            id="a-label-that-nobody-needs",
        ),
        pytest.param(columns(number()), nothing("[]"), id="no-numbers"),
        pytest.param(columns(number(None)), nothing("[]"), id="only-a-null"),
        pytest.param(columns(group(["a"]), number(None)), nothing("[]"), id="a-group-of-null"),
        pytest.param(columns(group(["a"])), nothing("[]"), id="a-group-without-numbers"),
        pytest.param(columns(), nothing("[]"), id="no-columns"),
        pytest.param({}, nothing("[]"), id="no-data"),
        pytest.param(None, nothing("[]"), id="null"),
        pytest.param({"data": {"attributes": {"columns": [None]}}}, nothing("[]"), id="a-null"),
        pytest.param({"data": {"errors": None}}, nothing("[]"), id="errors-that-are-none"),
    ],
)
def test_an_answer_of_v2_is_read(content: object, expected: Reading) -> None:
    """The first column of numbers, with the labels of its groups."""
    assert outcome(read_v2, content) == expected


@pytest.mark.parametrize(
    ("count", "told"),
    [
        pytest.param(MAX_TOLD_GROUPS, [*range(99, -1, -1)], id="as-many-as-are-told"),
        pytest.param(MAX_TOLD_GROUPS + 1, [*range(50), *range(51, 101)], id="one-more"),
    ],
)
def test_of_many_groups_the_extremes_are_told(count: int, told: list[int]) -> None:
    """All are judged; ascending order shows that some are missing."""
    descending = [float(value) for value in range(count - 1, -1, -1)]
    content = columns(group(*([f"g{value:g}"] for value in descending)), number(*descending))
    reading = outcome(read_v2, content)
    assert isinstance(reading, Reading)
    assert reading.result == tuple(descending)
    shown = json.loads(reading.value_metadata["groups"])
    assert shown == [{"name": f"g{value}", "value": value} for value in told]
    is_cut = count > MAX_TOLD_GROUPS
    assert reading.value_metadata.get("groups_truncated") == ("true" if is_cut else None)


JSON = "Could not parse JSON body:"
GO = f"ProviderUnreadable: {JSON} json: cannot unmarshal"
V2_DATA = "struct { Columns []datadog.datadogV2Column }"


@pytest.mark.parametrize(
    ("read", "content", "failure"),
    [
        pytest.param(
            read_v1,
            points([1, 2, 3]),
            "ProviderUnreadable: Datapoint does not have 2 values",
            id="a-point-of-three",
        ),
        pytest.param(
            read_v1,
            points([1, 2], None),
            "ProviderUnreadable: Datapoint does not have 2 values",
            id="a-point-that-is-null",
        ),
        pytest.param(
            read_v1,
            b"<html>",
            f"ProviderUnreadable: {JSON} invalid character '<' looking for beginning of value",
            id="a-page",
        ),
        pytest.param(
            read_v1, [], f"{GO} array into Go value of type datadog.datadogResponseV1", id="a-list"
        ),
        pytest.param(
            read_v1,
            {"series": [5]},
            f"{GO} number into Go struct field datadogResponseV1.Series of type"
            ' struct { Pointlist [][]float64 "json:\\"pointlist\\"" }',
            id="a-series-that-is-a-number",
        ),
        pytest.param(
            read_v1,
            {"series": [{"pointlist": [[1, 2]]}, {"pointlist": [[1, "x"]]}]},
            f"{GO} string into Go struct field .Series.pointlist of type float64",
            id="a-text-in-any-series",
        ),
        pytest.param(
            read_v1,
            points([1, True]),
            f"{GO} bool into Go struct field .Series.pointlist of type float64",
            id="a-truth-value",
        ),
        pytest.param(
            read_v1,
            points(5),
            f"{GO} number into Go struct field .Series.pointlist of type []float64",
            id="a-point-that-is-a-number",
        ),
        pytest.param(
            read_v1,
            {"status": "error", "error": "bad query", "series": []},
            "ProviderRejected: There were errors in your query: bad query",
            id="an-error-of-v1",
        ),
        pytest.param(
            read_v2,
            {"errors": ["nope", {"title": "x"}], **columns(number(1))},
            'ProviderRejected: There were errors in your query: nope; {"title":"x"}',
            id="errors-beside-data",
        ),
        pytest.param(
            read_v2,
            {"data": {"errors": "query too wide"}},
            "ProviderRejected: There were errors in your query: query too wide",
            id="an-error-of-v2",
        ),
        pytest.param(
            read_v2,
            {"data": {"errors": ["x"]}},
            f"{GO} array into Go struct field .Data.Errors of type string",
            id="errors-that-are-a-list",
        ),
        pytest.param(
            read_v2,
            {"data": 5},
            f"{GO} number into Go struct field datadogResponseV2.Data of type"
            f" struct {{ Attributes {V2_DATA}; Errors string }}",
            id="data-that-are-a-number",
        ),
        pytest.param(
            read_v2,
            {"data": {"attributes": []}},
            f"{GO} array into Go struct field .Data.Attributes of type {V2_DATA}",
            id="attributes-that-are-a-list",
        ),
        pytest.param(
            read_v2,
            columns({"values": "invalid"}),
            f"{GO} string into Go struct field datadogV2Column.Data.Attributes.Columns.values"
            " of type []json.RawMessage",
            id="values-that-are-a-text",
        ),
        pytest.param(
            read_v2,
            columns(number(1, "oops")),
            r'ProviderUnreadable: could not parse numeric value "\"oops\"" in column "query":'
            " json: cannot unmarshal string into Go value of type float64",
            id="a-text-that-is-no-number",
        ),
        pytest.param(
            read_v2,
            columns(number({"a": [True]}, name="")),
            r'ProviderUnreadable: could not parse numeric value "{\"a\":[true]}" in column "":'
            " json: cannot unmarshal object into Go value of type float64",
            id="an-object-that-is-no-number",
        ),
        pytest.param(
            read_v2,
            columns(number(*[True])),
            'ProviderUnreadable: could not parse numeric value "true" in column "query":'
            " json: cannot unmarshal bool into Go value of type float64",
            id="a-truth-value-that-is-no-number",
        ),
        *(
            pytest.param(
                read_v2,
                columns(group(["/a"], *label), number(1, 2)),
                "ProviderUnreadable: could not parse group label at index 1",
                id=f"a-label-that-is-{name}",
            )
            for name, label in {
                "null": [None],
                "empty": [[]],
                "a-text": ["b"],
                "a-number": [[1]],
                "missing": [],
            }.items()
        ),
    ],
)
def test_an_answer_is_refused(read: Read, content: object, failure: str) -> None:
    """In the words that Go has for it."""
    assert outcome(read, content) == failure


@pytest.mark.parametrize("read", [read_v1, read_v2])
@pytest.mark.parametrize(
    ("status", "failure"),
    [
        pytest.param(403, "authentication error response code: 403 x", id="403"),
        pytest.param(401, "authentication error response code: 401 x", id="401"),
        pytest.param(429, "non 2xx response code: 429 x", id="429"),
        pytest.param(201, "non 2xx response code: 201 x", id="only-200-is-read"),
    ],
)
def test_a_status_is_told_with_its_body(read: Read, status: int, failure: str) -> None:
    """Whatever it holds."""
    assert outcome(read, b"x", status) == f"ProviderRejected: received {failure}"


def test_a_long_body_is_cut() -> None:
    """A message is no place for a whole page."""
    got = outcome(read_v1, b"x" * 5_000, 500)
    assert got == f"ProviderRejected: received non 2xx response code: 500 {'x' * 4_096}..."


ANY = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "type", "values", "pointlist"]), inner)
    ),
    max_leaves=8,
)
COLUMN = st.fixed_dictionaries(
    {"type": st.sampled_from(["group", "number", ""]), "values": st.lists(ANY, max_size=3)}
)


@given(
    st.binary()
    | ANY.map(lambda value: json.dumps(value).encode())
    | st.lists(ANY, max_size=3).map(lambda found: json.dumps({"series": found}).encode())
    | st.lists(ANY | COLUMN, max_size=3).map(lambda found: json.dumps(columns(*found)).encode())
)
def test_any_body_is_a_reading_or_an_error(body: bytes) -> None:
    """Nothing else comes of what a server says; and what has no number is no data."""
    for read in (read_v1, read_v2):
        got = outcome(read, body)
        if isinstance(got, Reading):
            assert got.is_empty == (got.result is None)
            assert got.is_empty or isinstance(got.result, float | tuple)
