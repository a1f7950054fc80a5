"""kayenta: what it answers is read as Go reads it."""

from typing import Any

import pytest
from fake_kayenta import answer, completed
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ProviderError
from providers._kayenta_answers import read_config_id, read_execution_id, read_score


def problem(reader: Any, response: Any, **named: str) -> str:
    """The error of a reader, with its class."""
    with pytest.raises(ProviderError) as caught:
        reader(response, **named)
    return f"{type(caught.value).__name__}: {caught.value}"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param([{"id": "1", "name": "c"}, {"id": "2", "name": "c"}], "1", id="the-first"),
        pytest.param([{"ID": "1", "nAmE": "c"}], "1", id="in-any-case"),
        pytest.param([None, {"name": None}, {"name": "c", "x": 1}], "", id="without-an-id"),
        pytest.param(b'[{"id":"1","name":"c"}] and so on', "1", id="what-follows-is-not-read"),
        pytest.param(
            [
                {
                    "id": "1",
                    "name": "c",
                    "updatedTimestamp": 1556747152000,
                    "updatedTimestampIso": "2019-05-01T21:45:52Z",
                    "applications": ["cart", None],
                }
            ],
            "1",
            id="all-that-kayenta-tells",
        ),
    ],
)
def test_a_configuration_is_found_by_its_name(content: object, expected: str) -> None:
    """The first one counts."""
    assert read_config_id(answer(content), name="c") == expected


UNREADABLE = "ProviderUnreadable: json: cannot unmarshal"


@pytest.mark.parametrize(
    ("content", "status", "expected"),
    [
        pytest.param([], 503, "ProviderRejected: Invalid Response: HTTP 503", id="status-KA03"),
        pytest.param([], 200, "ProviderRejected: Canary config not found", id="none-KA02"),
        pytest.param(None, 200, "ProviderRejected: Canary config not found", id="null"),
        pytest.param(
            {},
            200,
            f"{UNREADABLE} object into Go value of type []kayenta.canaryConfig",
            id="object",
        ),
        pytest.param(
            ["c"], 200, f"{UNREADABLE} string into Go value of type kayenta.canaryConfig", id="text"
        ),
        pytest.param(
            [{"name": "c"}, {"id": 1}],
            200,
            f"{UNREADABLE} number into Go struct field canaryConfig.Id of type string",
            id="an-id-that-is-a-number-also-of-another-one",
        ),
        pytest.param(
            [{"applications": "cart"}],
            200,
            f"{UNREADABLE} string into Go struct field canaryConfig.Applications of type []string",
            id="applications",
        ),
        pytest.param(
            [{"applications": [True]}],
            200,
            f"{UNREADABLE} bool into Go struct field canaryConfig.Applications of type string",
            id="an-application",
        ),
        pytest.param(
            [{"updatedTimestamp": "now"}],
            200,
            f"{UNREADABLE} string into Go struct field canaryConfig.UpdatedTimestamp of type int",
            id="a-time",
        ),
        pytest.param(
            [{"id": "c\n", "name": "c"}],
            200,
            'ProviderUnreadable: Invalid id of the canary config: "c\\n"',
            id="an-id-that-is-none",
        ),
        pytest.param(
            [{"updatedTimestamp": 1.5}],
            200,
            f"{UNREADABLE} number into Go struct field canaryConfig.UpdatedTimestamp of type int",
            id="half-a-millisecond",
        ),
    ],
)
def test_a_configuration_that_is_not_found_is_an_error(
    content: object, status: int, expected: str
) -> None:
    """In Argo's words."""
    assert problem(read_config_id, answer(content, status), name="c") == expected


INVALID = "ProviderUnreadable: Invalid canaryExecutionId"


@pytest.mark.parametrize(
    ("content", "status", "expected"),
    [
        pytest.param({}, 500, "ProviderRejected: Invalid Response", id="status-KA04"),
        pytest.param({}, 201, "ProviderRejected: Invalid Response", id="created-is-not-200"),
        pytest.param({"canaryExecutionId": ""}, 200, INVALID, id="empty-KA05"),
        pytest.param({}, 200, f"{INVALID}: the answer has none", id="none-KA06"),
        pytest.param({"canaryExecutionId": None}, 200, f"{INVALID}: the answer has none", id="nil"),
        pytest.param({"CanaryExecutionID": "x"}, 200, f"{INVALID}: the answer has none", id="case"),
        pytest.param(
            {"canaryExecutionId": 7},
            200,
            f"{INVALID}: it is of the type float64, expected string",
            id="a-number",
        ),
        pytest.param(
            {"canaryExecutionId": "e 1"}, 200, f'{INVALID}: "e 1"', id="one-that-has-blanks"
        ),
        pytest.param(
            {"canaryExecutionId": "e\r\n"}, 200, f'{INVALID}: "e\\r\\n"', id="one-that-ends-a-line"
        ),
        pytest.param(
            {"canaryExecutionId": "e" * 257},
            200,
            f'{INVALID}: "{"e" * 256}..."',
            id="one-that-is-too-long-to-be-one",
        ),
        pytest.param(
            [],
            200,
            f"{UNREADABLE} array into Go value of type map[string]interface {{}}",
            id="list",
        ),
        pytest.param(
            b'{"canaryExecutionId":"x"} y',
            200,
            "ProviderUnreadable: invalid character 'y' after top-level value",
            id="what-follows-is-read",
        ),
    ],
)
def test_without_an_id_nothing_has_begun(content: object, status: int, expected: str) -> None:
    """Unlike in Argo, where the text ``<nil>`` is asked about from then on."""
    assert problem(read_execution_id, answer(content, status)) == expected


SCORE_ERROR = ".result.judgeResult.score.score accessor error"
LIST = "[]interface {}"
WANTED = "expected map[string]interface{}"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param({"status": "x"}, "Missing Complete Status", id="complete-KA18"),
        pytest.param(None, "Missing Complete Status", id="null"),
        pytest.param(
            {"complete": "true"},
            ".complete accessor error: true is of the type string, expected bool",
            id="complete-is-a-text-KA19",
        ),
        pytest.param(
            {"complete": None},
            ".complete accessor error: <nil> is of the type <nil>, expected bool",
            id="complete-is-null",
        ),
        pytest.param(
            {"complete": 1},
            ".complete accessor error: 1 is of the type float64, expected bool",
            id="complete-is-a-number",
        ),
        pytest.param({"complete": True}, "Missing Score", id="no-result-KA17"),
        pytest.param({"complete": True, "result": None}, "Missing Score", id="result-is-null"),
        pytest.param(
            {"complete": True, "result": {"judgeResult": {"score": {}}}},
            "Missing Score",
            id="no-score",
        ),
        pytest.param(
            {"complete": True, "result": {"judgeResult": []}},
            f".result.judgeResult.score accessor error: [] is of the type {LIST}, {WANTED}",
            id="a-list-on-the-way",
        ),
        pytest.param(
            {"complete": True, "result": "x" * 5_000},
            f".result.judgeResult accessor error: {'x' * 4_096}... is of the type string, {WANTED}",
            id="a-long-text-on-the-way",
        ),
        pytest.param(
            completed("81"),
            f"{SCORE_ERROR}: 81 is of the type string, expected float64",
            id="a-text-KA20",
        ),
        pytest.param(
            completed(None),
            f"{SCORE_ERROR}: <nil> is of the type <nil>, expected float64",
            id="null-as-score",
        ),
        pytest.param(
            completed(True),  # noqa: FBT003 - JSON
            f"{SCORE_ERROR}: true is of the type bool, expected float64",
            id="a-bool-is-no-number",
        ),
        pytest.param(
            completed({"a": 1}),
            f'{SCORE_ERROR}: {{"a":1}} is of the type map[string]interface {{}}, expected float64',
            id="an-object",
        ),
        pytest.param(
            [],
            "json: cannot unmarshal array into Go value of type map[string]interface {}",
            id="[]",
        ),
    ],
)
def test_what_does_not_tell_the_score_is_an_error(content: object, message: str) -> None:
    """No evidence is never a pass."""
    assert problem(read_score, answer(content)) == f"ProviderUnreadable: {message}"


def test_a_look_that_is_refused_is_an_error() -> None:
    """As in Argo, at once (KA21)."""
    assert problem(read_score, answer({}, 500)) == "ProviderRejected: Invalid Response"


WORDS = st.sampled_from(
    ["id", "name", "complete", "result", "judgeResult", "score", "canaryExecutionId", "x"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


def taken(reader: Any, content: object, **named: str) -> object:
    """What a reader makes of an answer; its error if it is one of a provider."""
    try:
        return reader(answer(content), **named)
    except ProviderError as error:
        assert str(error)
        return error


@given(JSON)
def test_whatever_is_answered_is_a_value_or_an_error_of_the_provider(content: object) -> None:
    """Nothing else comes out of the readers."""
    assert isinstance(taken(read_config_id, content, name="c"), str | ProviderError)
    execution_id = taken(read_execution_id, content)
    assert isinstance(execution_id, str | ProviderError)
    assert execution_id != ""
    assert isinstance(taken(read_score, content), int | None | ProviderError)


@given(st.binary(max_size=40))
def test_whatever_bytes_are_answered_are_an_error_or_a_value(body: bytes) -> None:
    """The same of what is no JSON."""
    assert isinstance(taken(read_config_id, body, name="c"), str | ProviderError)
    assert isinstance(taken(read_execution_id, body), str | ProviderError)
    assert isinstance(taken(read_score, body), int | None | ProviderError)


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9))
def test_a_score_is_cut_towards_zero(score: float) -> None:
    """Never rounded up to a pass."""
    cut = read_score(answer(completed(score)))
    assert cut is not None
    assert abs(cut) <= abs(score) < abs(cut) + 1
