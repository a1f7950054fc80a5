"""Conditions over records and typed lists, with what expr-lang v1.17.8 made of them in Go."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.conditions import evaluate
from gateway.errors import ConditionError
from gateway.freeze import freeze
from gateway.model import ResultType, Typed

GROUPS = json.loads(
    (Path(__file__).parents[1] / "conformance" / "typed_results.json").read_text(), parse_int=float
)
LENIENT = {
    'result[0].Id[0:2] == "ra"',
    'map(result, .Id) == ["rate", "reqs"]',
    'groupBy(result, .Id)["rate"][0].Values[0] == 0.004',
    'sortBy(result, .Id)[0].Id == "rate"',
    'join(map(result, .Id), ",") == "rate,reqs"',
    "result[0].Messages == []",
    "take([1,2,3,4], result[9]) == [1,2,3]",
    "result[1] > 1",
}
"""What holds here, and fails or is false in Go: docs/differences.md"""
STRICT = {'result[0].Label == "x"', 'result[0].Label != "x"', "int(result[1]) == -1"}
"""What is an Error or false here: a record without Label, an unsigned number beyond 63 bits."""
OTHER_WORDS = {
    'find(result, .Id == "nope").Values[0] == 100',
    "isNaN(result[0].Id)",
    "result[0].Id() == 1",
}
"""Errors on both sides, in other words."""
ROWS = [
    pytest.param(group["type"], group["result"], *row, id=f"{number}-{row[0]}")
    for number, group in enumerate(GROUPS)
    for row in group["rows"]
]


def outcome(kind: str, result: list[Any], condition: str) -> list[object]:
    """What a condition gives: a bool, or the word error with its text."""
    items = (
        Typed(*next(iter(item.items()))) if kind == "typed" and isinstance(item, dict) else item
        for item in result
    )
    try:
        return [evaluate(condition, freeze(tuple(items)), ResultType(kind))]
    except ConditionError as error:
        return ["error", str(error)]


@pytest.mark.parametrize(("kind", "result", "condition", "expected"), [
    pytest.param(*row.values[:3], list(row.values[3:]), id=row.id) for row in ROWS
])  # fmt: skip
def test_conditions_hold_as_in_go(
    kind: str, result: list[Any], condition: str, expected: list[object]
) -> None:
    """Outcome and text are Go's, but for the named differences."""
    got = outcome(kind, result, condition)
    if condition in LENIENT and result:
        assert got == [True]
    elif condition in STRICT:
        assert got[0] in {"error", False}
    elif condition in OTHER_WORDS:
        assert got[0] == expected[0] == "error"
    else:
        assert got == expected


def test_a_record_can_be_printed() -> None:
    """Go prints pointers where the gateway prints texts."""
    record = {"Id": "a", "Label": "b", "StatusCode": "Complete", "Timestamps": [0.0], "Values": []}
    condition = 'string(result[0]) == "{a b [] Complete [1970-01-01 00:00:00 +0000 UTC] [] {}}"'
    assert outcome("metricData", [record], condition) == [True]


def test_much_data_may_take_many_steps() -> None:
    """Records weigh as much as what is in them."""
    record = {"Id": "a", "Values": [1.0] * 200_000}
    assert outcome("metricData", [record], "all(result[0].Values, # > 0 and # < 2)") == [True]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        pytest.param("{result[0]: 1}[result[0]] == 1", "error", id="no-key-of-a-map"),
        pytest.param("len(groupBy(result, #)) == 1", "error", id="no-group"),
    ],
)
def test_a_record_is_no_key(condition: str, expected: str) -> None:
    """Go cannot hash a struct that holds lists."""
    assert outcome("metricData", [{"Id": "a", "Values": [1.0]}], condition)[0] == expected
