"""Conditions: from a reading and two texts to a phase and a message."""

import json
from pathlib import Path

import pytest

from gateway.conditions import check_syntax, decoded, evaluate, judge
from gateway.errors import ConditionError
from gateway.freeze import freeze
from gateway.model import Judgement, Phase, Reading, ResultType
from gateway.secrets import Redaction, Secret

ROWS = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "conformance" / "conditions.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
]
GROUPS = sorted({row["id"].rpartition("-")[0] for row in ROWS})
NO_DATA = "metric result is nil or empty: no data returned from the metric provider"


def reading(result: object) -> Reading:
    """A reading as a provider makes it: floats, lists of floats, or JSON."""
    if isinstance(result, float):
        return Reading(result, ResultType.FLOAT, "")
    if isinstance(result, list) and all(isinstance(item, float) for item in result):
        return Reading(tuple(result), ResultType.FLOATS, "")
    return Reading(freeze(result), ResultType.JSON, "")


def outcome(row: dict[str, object]) -> object:
    """What a condition of the table gives here: a bool or an error's text."""
    result, result_type = decoded(row["result"], str(row["type"]))
    try:
        return evaluate(str(row["cond"]), result, result_type)
    except ConditionError as error:
        return str(error)


@pytest.mark.parametrize("group", GROUPS)
def test_every_condition_of_the_conformance_table_has_argos_outcome(group: str) -> None:
    """2,515 conditions that ran through Argo's own evaluation."""
    differing = []
    for row in ROWS:
        if row["id"].rpartition("-")[0] != group:
            continue
        found = outcome(row)
        if row["expect"] == "error":
            agrees = isinstance(found, str) and row["error_contains"] in found
        else:
            agrees = found is row["expect"]
        if not agrees:
            differing.append((row["id"], row["cond"], found))
    assert differing == []


YES, NO = "result > 1", "result > 9"


@pytest.mark.parametrize(
    ("success", "failure", "phase"),
    [
        pytest.param("", "", Phase.SUCCESSFUL, id="without-conditions-every-reading-succeeds"),
        pytest.param(YES, "", Phase.SUCCESSFUL, id="success-alone-that-holds"),
        pytest.param(NO, "", Phase.FAILED, id="success-alone-that-does-not-hold-is-a-failure"),
        pytest.param("", YES, Phase.FAILED, id="failure-alone-that-holds"),
        pytest.param("", NO, Phase.SUCCESSFUL, id="failure-alone-that-does-not-hold"),
        pytest.param(YES, YES, Phase.FAILED, id="failure-wins-over-success"),
        pytest.param(NO, YES, Phase.FAILED, id="only-failure-holds"),
        pytest.param(YES, NO, Phase.SUCCESSFUL, id="only-success-holds"),
        pytest.param(NO, NO, Phase.INCONCLUSIVE, id="neither-holds"),
    ],
)
def test_two_conditions_make_a_phase(success: str, failure: str, phase: Phase) -> None:
    """The whole table of Argo's evaluation, over the number 5."""
    found = judge(reading(5.0), success_condition=success, failure_condition=failure)
    assert found == Judgement(phase)


def error(which: str, text: str, inner: str) -> str:
    """Argo's message about a condition that cannot be evaluated."""
    return f'could not evaluate {which} "{text}": {inner}'


MISMATCH = "invalid operation: {} (mismatched types {} and {})"
STORY = {"a": 1.0, "b": True, "c": [1.0, 2.0, 3.0, 4.0], "d": None}
ALL_OF_IT = "result.a > 0 && result.b && all(result.c, {# < 5}) && result.d == nil"


@pytest.mark.parametrize(
    ("result", "success", "failure", "phase", "message"),
    [
        pytest.param(
            5.0,
            "  ",
            "",
            Phase.ERROR,
            error("successCondition", "  ", "unexpected token EOF"),
            id="blanks-are-an-expression-and-a-wrong-one",
        ),
        pytest.param(None, "", "", Phase.SUCCESSFUL, "", id="no-data-and-no-condition"),
        pytest.param(
            None,
            YES,
            "",
            Phase.ERROR,
            error("successCondition", YES, NO_DATA),
            id="no-data-is-named",
        ),
        pytest.param(None, "", "isNil(result)", Phase.FAILED, "", id="no-data-can-be-a-failure"),
        pytest.param(
            None, "default(result, 0) < 0.05", "", Phase.SUCCESSFUL, "", id="a-default-for-no-data"
        ),
        pytest.param(
            [],
            "result[0] > 1",
            "",
            Phase.ERROR,
            error("successCondition", "result[0] > 1", NO_DATA),
            id="an-empty-list-is-no-data",
        ),
        pytest.param([], "all(result, # > 2)", "", Phase.SUCCESSFUL, "", id="all-of-nothing-hold"),
        pytest.param([], "isNil(result)", "", Phase.FAILED, "", id="an-empty-list-is-not-nil"),
        pytest.param(
            [], "default(result, 7) == 7", "", Phase.FAILED, "", id="nor-does-it-take-a-default"
        ),
        pytest.param(
            [],
            "1",
            "",
            Phase.ERROR,
            error("successCondition", "1", NO_DATA),
            id="no-data-hides-that-the-value-is-no-bool",
        ),
        pytest.param(
            [1.0, 2.0],
            "result[2] > 1",
            "",
            Phase.ERROR,
            error("successCondition", "result[2] > 1", "index out of range: 2 (array length is 2)"),
            id="an-index-out-of-range",
        ),
        pytest.param(
            float("nan"),
            "result >= 0.95",
            "result < 0.95",
            Phase.INCONCLUSIVE,
            "",
            id="nan-is-neither-above-nor-below",
        ),
        pytest.param(float("nan"), "result >= 0.95", "", Phase.FAILED, "", id="nan-alone-fails"),
        pytest.param(
            float("nan"),
            "isNaN(result) || result >= 0.95",
            "",
            Phase.SUCCESSFUL,
            "",
            id="nan-can-be-guarded",
        ),
        pytest.param(
            float("inf"), "result >= 0.95", "", Phase.SUCCESSFUL, "", id="infinity-is-above"
        ),
        pytest.param(float("inf"), "", "isInf(result)", Phase.FAILED, "", id="infinity-is-seen"),
        pytest.param(
            {"a": None}, "isNil(result.a)", "", Phase.FAILED, "", id="isnil-ignores-its-argument"
        ),
        pytest.param(
            {"a": None},
            "default(result.a, 3) == 3",
            "",
            Phase.FAILED,
            "",
            id="default-ignores-its-first-argument",
        ),
        pytest.param(
            {"a": 1.0},
            "result.b > 1",
            "",
            Phase.ERROR,
            error("successCondition", "result.b > 1", "invalid operation: <nil> > int"),
            id="a-missing-member-has-no-order",
        ),
        pytest.param(
            {"a": 1.0}, "(result.b ?? 5) == 5", "", Phase.SUCCESSFUL, "", id="coalescing-a-member"
        ),
        pytest.param(
            5.0,
            "args.x == 1",
            "",
            Phase.ERROR,
            error("successCondition", "args.x == 1", "unknown name args"),
            id="arguments-are-no-names",
        ),
        pytest.param(
            5.0,
            "result = 5",
            "",
            Phase.ERROR,
            error("successCondition", "result = 5", 'unexpected token Operator("=")'),
            id="one-equals-sign",
        ),
        pytest.param(
            5.0,
            "result > 1 ? 'x' : true",
            "",
            Phase.ERROR,
            error("successCondition", "result > 1 ? 'x' : true", "expected bool, but got string"),
            id="the-branch-that-is-taken-must-be-a-bool",
        ),
        pytest.param(
            5.0,
            "bad >",
            "foo > 1",
            Phase.ERROR,
            error("successCondition", "bad >", "unexpected token EOF"),
            id="the-success-condition-is-reported-first",
        ),
        pytest.param(
            5.0,
            YES,
            "bad bad",
            Phase.ERROR,
            error("failureCondition", "bad bad", 'unexpected token Identifier("bad")'),
            id="the-failure-condition-is-evaluated-even-after-success",
        ),
        pytest.param(
            "1.1",
            "asFloat(result) == '1.1'",
            "",
            Phase.ERROR,
            error(
                "successCondition",
                "asFloat(result) == '1.1'",
                MISMATCH.format("==", "float64", "string"),
            ),
            id="the-condition-stands-in-the-message-as-it-is",
        ),
        pytest.param(STORY, ALL_OF_IT, "", Phase.SUCCESSFUL, "", id="members-lists-and-closures"),
        pytest.param({}, "result.a == nil", "", Phase.SUCCESSFUL, "", id="an-empty-map-is-data"),
        pytest.param(
            "",
            "result > 1",
            "",
            Phase.ERROR,
            error("successCondition", "result > 1", MISMATCH.format(">", "string", "int")),
            id="an-empty-text-is-data",
        ),
        pytest.param(
            [3.0],
            "result > 2",
            "",
            Phase.ERROR,
            error("successCondition", "result > 2", MISMATCH.format(">", "[]float64", "int")),
            id="a-vector-is-no-number",
        ),
        pytest.param(5.0, "now().Year() > 2000", "", Phase.SUCCESSFUL, "", id="the-present"),
    ],
)
def test_a_reading_is_judged_as_argo_judges_it(
    result: object, success: str, failure: str, phase: Phase, message: str
) -> None:
    """Worked cases, each with its whole message."""
    found = judge(reading(result), success_condition=success, failure_condition=failure)
    assert (found.phase, found.message) == (phase, message)


def test_an_error_points_at_the_offending_character() -> None:
    """The hint is the message with the condition and a caret below."""
    found = judge(reading(5.0), success_condition="result > 'a'", failure_condition="")
    assert found.hint == (
        "invalid operation: > (mismatched types float64 and string)\n | result > 'a'\n |        ^"
    )


SECRET = "hunter2-supersecret"
NOT_TOLD = "why is not told: a secret stands in it"


@pytest.mark.parametrize(
    ("condition", "shown"),
    [
        pytest.param(f"result == {SECRET}", "result == *****", id="quotes-that-were-forgotten"),
        pytest.param(
            f'asInt(join(split("{SECRET}", ""), " ")) == 1',
            'asInt(join(split("*****", ""), " ")) == 1',
            id="what-it-made-of-it",
        ),
        pytest.param(f'duration("{SECRET}")', 'duration("*****")', id="a-wrong-argument"),
        pytest.param(f'"{SECRET}"', '"*****"', id="no-bool"),
        pytest.param(f'result > "{SECRET}"', 'result > "*****"', id="not-even-the-types"),
    ],
)
def test_what_is_wrong_with_a_secret_is_not_told(condition: str, shown: str) -> None:
    """Errors quote words of a condition; of one without a secret they still may."""
    secrets = Redaction([Secret(SECRET)])
    for success, failure, which in (
        (condition, "", "successCondition"),
        (YES, condition, "failureCondition"),
    ):
        found = judge(
            reading(5.0), success_condition=success, failure_condition=failure, redaction=secrets
        )
        assert found == Judgement(Phase.ERROR, error(which, shown, NOT_TOLD))
    other = judge(
        reading(5.0), success_condition="x > 1", failure_condition=condition, redaction=secrets
    )
    assert other.message == error("successCondition", "x > 1", "unknown name x")
    assert other.hint


def test_a_condition_with_a_secret_tells_of_missing_data() -> None:
    """That says nothing of the secret."""
    found = judge(
        reading(None),
        success_condition=f"result.x == {SECRET}",
        failure_condition="",
        redaction=Redaction([Secret(SECRET)]),
    )
    assert found.message == error("successCondition", "result.x == *****", NO_DATA)


def test_no_data_needs_no_hint() -> None:
    """Where data are missing, the condition is not to blame."""
    found = judge(reading(None), success_condition=YES, failure_condition="")
    assert found.hint == ""


@pytest.mark.parametrize(
    ("result", "message"),
    [
        pytest.param(None, "invalid operation: > (mismatched types unknown and int)", id="nil"),
        pytest.param((), "invalid operation: > (mismatched types []float64 and int)", id="empty"),
    ],
)
def test_evaluating_tells_what_is_wrong_even_without_data(result: object, message: str) -> None:
    """Only a judgement replaces the text for missing data."""
    result_type = ResultType.JSON if result is None else ResultType.FLOATS
    with pytest.raises(ConditionError) as caught:
        evaluate("result > 1", result, result_type)
    assert str(caught.value) == message


def test_what_is_no_value_of_a_reading_is_refused() -> None:
    """A provider that hands over anything else is broken."""
    with pytest.raises(TypeError, match="set is no value of a reading"):
        evaluate("true", set(), ResultType.JSON)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("result > 1", id="a-number-is-possible"),
        pytest.param("result.a.b == 'x' && result[0] < 2", id="so-are-maps-and-lists"),
        pytest.param("default(result, 0) < 0.05", id="argos-functions"),
    ],
)
def test_a_condition_that_can_fit_some_result_passes_the_check(text: str) -> None:
    """The check knows no result, and so no types."""
    check_syntax(text)


@pytest.mark.parametrize(
    ("text", "message", "offset"),
    [
        pytest.param("result >", "unexpected token EOF", 7, id="it-ends-too-early"),
        pytest.param("true && foo > 1", "unknown name foo", 8, id="a-name-that-does-not-exist"),
        pytest.param("isNil()", "not enough arguments to call isNil", 0, id="too-few-arguments"),
        pytest.param(
            "result matches '('",
            "error parsing regexp: missing closing ): `(`",
            15,
            id="a-pattern-that-is-none",
        ),
        pytest.param(
            "len(1) > result", "invalid argument for len (type int)", 0, id="a-wrong-argument"
        ),
    ],
)
def test_what_no_result_can_mend_is_found_by_the_check(
    text: str, message: str, offset: int
) -> None:
    """Syntax, names, arguments and patterns."""
    with pytest.raises(ConditionError) as caught:
        check_syntax(text)
    assert (str(caught.value), caught.value.offset) == (message, offset)


@pytest.mark.parametrize(
    ("result", "kind", "value"),
    [
        pytest.param(5, "float", (5.0, ResultType.FLOAT), id="a-whole-number-is-a-float"),
        pytest.param("+Inf", "float", (float("inf"), ResultType.FLOAT), id="infinity-by-name"),
        pytest.param(
            [1, "-Inf"], "floats", ((1.0, float("-inf")), ResultType.FLOATS), id="a-vector"
        ),
        pytest.param(
            {"a": [1, True, None, "1"]},
            "json",
            ({"a": (1.0, True, None, "1")}, ResultType.JSON),
            id="numbers-inside-json-are-floats",
        ),
    ],
)
def test_plain_json_is_read_as_a_result(
    result: object, kind: str, value: tuple[object, ResultType]
) -> None:
    """As the command line and the conformance table spell results."""
    found, result_type = decoded(result, kind)
    assert (found, result_type) == value


@pytest.mark.parametrize(
    ("result", "kind", "message"),
    [
        pytest.param("5", "float", "'5' is no number", id="a-text-is-no-number"),
        pytest.param(True, "float", "True is no number", id="nor-is-a-bool"),
        pytest.param(
            5,
            "floats",
            "result type 'floats' does not fit: use float, floats or json",
            id="a-number-is-no-vector",
        ),
        pytest.param(
            5, "int", "result type 'int' does not fit: use float, floats or json", id="no-type"
        ),
    ],
)
def test_a_result_that_does_not_fit_its_type_is_refused(
    result: object, kind: str, message: str
) -> None:
    """The message says what would fit."""
    with pytest.raises(ValueError, match=message):
        decoded(result, kind)
