"""The answer of Prometheus' query API to a reading."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ProviderError
from gateway.model import Reading, ResultType
from gateway.provider import HttpResponse
from providers._prometheus_answer import read_answer

HISTOGRAM = (
    "the query answers native histograms, which are no numbers: ask for one, for instance with"
    " histogram_quantile(), histogram_avg() or histogram_count()"
)


def answer(body: object, status: int = 200) -> HttpResponse:
    """An answer with a JSON body."""
    return HttpResponse(status, "", {}, json.dumps(body).encode())


def data(kind: object, result: object, **more: object) -> HttpResponse:
    """A successful answer."""
    return answer({"status": "success", "data": {"resultType": kind, "result": result}, **more})


def vector(*values: str) -> list[object]:
    """Series with one sample each."""
    return [{"metric": {"pod": "a"}, "value": [1.5, value]} for value in values]


def outcome(response: HttpResponse) -> Reading | str:
    """The reading, or the error's class and text."""
    try:
        return read_answer(response)
    except ProviderError as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize(
    ("response", "reading"),
    [
        pytest.param(
            data("scalar", [1, "42.5"]), Reading(42.5, ResultType.FLOAT, "42.5"), id="a-scalar"
        ),
        pytest.param(
            data("scalar", [1, "-Inf"]),
            Reading(-math.inf, ResultType.FLOAT, "-Inf"),
            id="an-infinite-scalar",
        ),
        pytest.param(
            data("vector", vector("12", "0.0000004", "1e21", "+Inf", "-0")),
            Reading(
                (12.0, 4e-7, 1e21, math.inf, -0.0),
                ResultType.FLOATS,
                "[12,0.0000004,1000000000000000000000,+Inf,-0]",
            ),
            id="a-vector-in-the-servers-order",
        ),
        pytest.param(
            data("vector", []),
            Reading((), ResultType.FLOATS, "[]", is_empty=True),
            id="an-empty-vector-is-no-data",
        ),
        pytest.param(
            data(
                "matrix",
                [
                    {"metric": {}, "values": [[1, "210"], [2, "260.5"]]},
                    {"metric": {}, "values": [[1, "900"]], "histograms": []},
                ],
            ),
            Reading((210.0, 260.5, 900.0), ResultType.FLOATS, "[210,260.5,900]"),
            id="a-matrix-series-after-series",
        ),
        pytest.param(
            data("matrix", [{"metric": {}, "values": []}]),
            Reading((), ResultType.FLOATS, "[]", is_empty=True),
            id="a-matrix-without-samples-is-no-data",
        ),
        pytest.param(
            data("vector", vector("7"), warnings=["slow shard", "partial"], infos=["i"]),
            Reading(
                (7.0,),
                ResultType.FLOATS,
                "[7]",
                {"warnings": '"slow shard", "partial"'},
                is_partial=True,
            ),
            id="warnings-make-a-reading-partial",
        ),
        pytest.param(
            data("scalar", [1, "7"], warnings=["partial"]),
            Reading(7.0, ResultType.FLOAT, "7", {"warnings": '"partial"'}, is_partial=True),
            id="of-a-scalar-as-well",
        ),
        pytest.param(
            answer({"data": {"resultType": "scalar", "result": [1, "7"]}}, 400),
            Reading(7.0, ResultType.FLOAT, "7"),
            id="a-400-that-does-not-say-error-is-read",
        ),
    ],
)
def test_an_answer_is_read(response: HttpResponse, reading: Reading) -> None:
    """Numbers, their text, warnings and emptiness."""
    assert outcome(response) == reading


def test_nan_is_kept() -> None:
    """0/0 is a number to Prometheus, and for the conditions to judge."""
    reading = read_answer(data("vector", vector("NaN")))
    assert (reading.text, reading.is_empty) == ("[NaN]", False)
    assert isinstance(reading.result, tuple)
    assert math.isnan(reading.result[0])


@pytest.mark.parametrize(
    ("response", "failure"),
    [
        pytest.param(
            answer({"status": "error", "errorType": "bad_data", "error": "1:4: parse error"}, 400),
            "ProviderRejected: bad_data: 1:4: parse error",
            id="a-400-with-its-reason",
        ),
        pytest.param(
            answer({"status": "error", "errorType": "execution", "error": "too many"}, 422),
            "ProviderRejected: execution: too many",
            id="a-422-with-its-reason",
        ),
        pytest.param(
            answer({"status": "error", "errorType": "timeout", "error": "slow"}),
            "ProviderRejected: timeout: slow",
            id="an-error-with-status-200",
        ),
        pytest.param(
            answer({"status": "error"}), "ProviderRejected: : ", id="an-error-without-words"
        ),
        pytest.param(
            answer({"status": "success"}, 422),
            "ProviderUnreadable: bad_response: inconsistent body for response code",
            id="a-422-that-says-success",
        ),
        pytest.param(
            data("string", [1, "x"]),
            'ProviderUnreadable: unexpected value type "string"',
            id="a-string",
        ),
        pytest.param(
            data(None, []), 'ProviderUnreadable: unexpected value type ""', id="no-type-at-all"
        ),
        pytest.param(
            data("vector", {}),
            "ProviderUnreadable: the vector is no list",
            id="a-vector-of-nothing",
        ),
        pytest.param(
            data("vector", None),
            "ProviderUnreadable: the vector is no list",
            id="a-null-vector-is-no-empty-one",
        ),
        pytest.param(
            answer({"status": "success", "data": {"resultType": "vector"}}),
            "ProviderUnreadable: the vector is no list",
            id="a-vector-that-is-missing-is-no-empty-one",
        ),
        pytest.param(
            answer({"status": "success", "data": {"resultType": "matrix"}}),
            "ProviderUnreadable: the matrix is no list",
            id="a-matrix-that-is-missing-is-no-empty-one",
        ),
        pytest.param(
            answer({"status": "success", "data": {"resultType": "scalar"}}),
            "ProviderUnreadable: a sample is no pair of a time and a value",
            id="a-scalar-that-is-missing",
        ),
        pytest.param(
            data("matrix", [1]),
            "ProviderUnreadable: the matrix holds something other than series",
            id="a-matrix-of-numbers",
        ),
        pytest.param(
            data("matrix", [{"metric": {}}]),
            "ProviderUnreadable: a series of the matrix has no values",
            id="a-series-without-values",
        ),
        pytest.param(
            data("vector", [{"metric": {}}]),
            "ProviderUnreadable: a sample is no pair of a time and a value",
            id="a-series-without-a-value",
        ),
        pytest.param(
            data("vector", [{"metric": {}, "histogram": [1, {"count": "1"}]}]),
            f"ProviderUnreadable: {HISTOGRAM}",
            id="a-native-histogram",
        ),
        pytest.param(
            data("matrix", [{"metric": {}, "values": [], "histograms": [[1, {"count": "1"}]]}]),
            f"ProviderUnreadable: {HISTOGRAM}",
            id="native-histograms-over-time",
        ),
        pytest.param(
            data("scalar", [1, 5]),
            "ProviderUnreadable: sample value must be a quoted string",
            id="a-value-without-quotes",
        ),
        pytest.param(
            data("scalar", ["1", "5"]),
            "ProviderUnreadable: a sample is no pair of a time and a value",
            id="a-time-in-quotes",
        ),
        pytest.param(
            data("scalar", [1, "x" * 41]),
            f'ProviderUnreadable: the sample value "{"x" * 40}..." is no number',
            id="a-long-text-is-cut",
        ),
        *(
            pytest.param(
                data("scalar", [1, text]),
                f'ProviderUnreadable: the sample value "{text}" is no number',
                id=name,
            )
            for text, name in (
                ("1_0", "an-underscore-in-a-number"),
                (" 1", "a-blank-before-a-number"),
                ("٣", "digits-of-another-script"),
                ("1e400", "a-number-beyond-a-double"),
                ("e", "letters"),
                ("", "nothing-as-a-number"),
            )
        ),
        pytest.param(
            data("scalar", [1, "1"], warnings="x"),
            "ProviderUnreadable: the warnings are no list of texts",
            id="warnings-that-are-a-text",
        ),
        pytest.param(
            data("scalar", [1, "1"], warnings=[1]),
            "ProviderUnreadable: the warnings are no list of texts",
            id="warnings-that-are-numbers",
        ),
    ],
)
def test_an_answer_is_refused(response: HttpResponse, failure: str) -> None:
    """What has no number, or is not as documented, is an error and never a pass."""
    assert outcome(response) == failure


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["status", "data", "resultType", "result", "value", "values", "warnings"]
            ),
            inner | st.sampled_from(["success", "vector", "matrix", "scalar"]),
            max_size=4,
        )
    ),
    max_leaves=15,
)


@given(JSON, st.sampled_from([200, 204, 400, 422]))
def test_any_answer_is_a_reading_or_an_error(body: object, status: int) -> None:
    """Whatever a server says, nothing else comes of it."""
    outcome(answer(body, status))


@given(st.binary())
def test_any_bytes_are_a_reading_or_an_error(body: bytes) -> None:
    """Nor of bytes that are no JSON."""
    outcome(HttpResponse(200, "", {}, body))
