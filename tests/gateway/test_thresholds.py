"""The number that a panel draws as a line."""

import pytest

from gateway.thresholds import MAX_LENGTH, threshold


@pytest.mark.parametrize(
    ("condition", "number"),
    [
        pytest.param("result >= 0.95", 0.95, id="a-scalar"),
        pytest.param("result[0] < 5", 5, id="an-item"),
        pytest.param("isNaN(result[0]) || result[0] > 0.90", 0.9, id="nan-is-let-through"),
        pytest.param("len(result) > 0 && result[0] < 5", 5, id="there-must-be-data"),
        pytest.param("0.01 > result[0]", 0.01, id="the-other-way-round"),
        pytest.param("result.stats.errors <= -3", -3, id="a-field"),
        pytest.param('result["p99"] < 250', 250, id="a-key"),
    ],
)
def test_one_comparison_with_a_number_is_a_threshold(condition: str, number: float) -> None:
    """Wherever it stands in the condition."""
    assert threshold(condition) == number


@pytest.mark.parametrize(
    "condition",
    [
        pytest.param("", id="no-condition"),
        pytest.param('result == "green"', id="a-word"),
        pytest.param("result > 1 && result < 5", id="a-range"),
        pytest.param("result[0] > result[1]", id="no-number"),
        pytest.param("len(result) > 3", id="not-of-the-value"),
        pytest.param('-"a" < result', id="minus-a-word"),
        pytest.param("result <", id="no-expression"),
        pytest.param("result < 1" + " " * MAX_LENGTH, id="too-long-to-read"),
    ],
)
def test_anything_else_has_none(condition: str) -> None:
    """Half a truth on a panel would be read as the whole."""
    assert threshold(condition) is None
