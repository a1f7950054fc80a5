"""Thresholds: where a chart draws its lines."""

import pytest

from gateway.expr import Threshold, only_limit, thresholds


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        pytest.param("result < 0.01", [("result", "<", 0.01)], id="the-result"),
        pytest.param("result[0] >= 0.95", [("result[0]", ">=", 0.95)], id="its-first-element"),
        pytest.param("result.latency.p95 < 300", [("result.latency.p95", "<", 300)], id="a-member"),
        pytest.param("result?.p95 <= 3", [("result?.p95", "<=", 3)], id="a-member-that-may-lack"),
        pytest.param(
            "default(result, 0) <= 5", [("default(result, 0)", "<=", 5)], id="with-a-default"
        ),
        pytest.param("(result ?? 0) > 5", [("result ?? 0", ">", 5)], id="with-another-one"),
        pytest.param("asFloat(result.a) > 0.5", [("asFloat(result.a)", ">", 0.5)], id="converted"),
        pytest.param("max(result) < 9", [("max(result)", "<", 9)], id="the-largest"),
        pytest.param("0.95 <= result[0]", [("result[0]", ">=", 0.95)], id="the-number-first"),
        pytest.param("result > -1.5", [("result", ">", -1.5)], id="below-zero"),
        pytest.param("result > +2", [("result", ">", 2)], id="with-a-plus"),
        pytest.param("result == 0", [("result", "==", 0)], id="equal"),
        pytest.param('result != asInt("7")', [("result", "!=", 7)], id="a-number-in-quotes"),
        pytest.param('result < float("1e3")', [("result", "<", 1000)], id="another-one"),
        pytest.param('result < float("a")', [], id="no-number-in-quotes"),
        pytest.param('result < asFloat("NaN")', [], id="one-that-nobody-can-draw"),
        pytest.param("result < float(7)", [("result", "<", 7)], id="a-number-converted"),
        pytest.param(
            "0 < result && result <= 10",
            [("result", ">", 0), ("result", "<=", 10)],
            id="a-range",
        ),
        pytest.param(
            "0 < result < 10", [("result", ">", 0), ("result", "<", 10)], id="a-chained-range"
        ),
        pytest.param(
            "len(result) == 0 or result[0] < 3", [("result[0]", "<", 3)], id="an-alternative"
        ),
        pytest.param("!(result > 5)", [("result", "<=", 5)], id="negated"),
        pytest.param("not (not (result > 5))", [("result", ">", 5)], id="negated-twice"),
        pytest.param("all(result, # < 0.5)", [("#", "<", 0.5)], id="of-each-element"),
        pytest.param("none(result, {#.a > 2})", [("#.a", "<=", 2)], id="of-no-element"),
        pytest.param(
            "isNaN(result) ? false : result < 4", [("result", "<", 4)], id="unless-there-is-none"
        ),
        pytest.param("result[0] < result[1]", [], id="two-results"),
        pytest.param("len(result) > 3", [], id="a-length-is-on-another-scale"),
        pytest.param("result * 2 > 3", [], id="so-is-arithmetic"),
        pytest.param("result.at.Year() > 3", [], id="so-is-a-method"),
        pytest.param("now() > 3", [], id="no-result"),
        pytest.param("result == true", [], id="no-number"),
        pytest.param('result matches "a"', [], id="no-comparison"),
        pytest.param("any([1], # > 3)", [], id="elements-of-something-else"),
        pytest.param("result >", [], id="no-condition"),
        pytest.param("", [], id="nothing"),
        pytest.param(" && ".join(["result > 1"] * 100), [], id="more-than-anybody-reads"),
    ],
)
def test_the_thresholds_of_a_condition(
    condition: str, expected: list[tuple[str, str, float]]
) -> None:
    """Only what is on the scale of the result is told."""
    assert thresholds(condition) == tuple(Threshold(*each) for each in expected)


@pytest.mark.parametrize(
    ("condition", "limit"),
    [
        pytest.param("isNaN(result[0]) || result[0] > 0.90", 0.9, id="nan-is-let-through"),
        pytest.param("0.01 > result[0]", 0.01, id="the-other-way-round"),
        pytest.param("result != 3 && result.errors <= -3", -3, id="one-beside-what-has-no-order"),
        pytest.param("result > 1 && result < 5", None, id="a-range"),
        pytest.param('result == "green"', None, id="a-word"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_the_only_limit_of_a_condition(condition: str, limit: float | None) -> None:
    """Half of a range on a panel would be read as the whole."""
    assert only_limit(condition) == limit
