"""Conditions taken apart: the value of each piece."""

import json
from typing import Any

import pytest

from gateway.conditions import decoded
from gateway.evidence import ConditionEvidence
from gateway.expr import Root, compile_expression, dissected
from gateway.expr.dissection import MAX_SHOWN
from gateway.expr.shown import MAX_CHARS, shown

MANY = list(range(30))


def pieces(text: str, result: object) -> list[tuple[str, Any]]:
    """What was evaluated, and to what."""
    found = taken_apart(text, result)
    return [(each.expression, each.error or each.value) for each in found.parts]


def taken_apart(text: str, result: object) -> ConditionEvidence:
    """A condition over decoded JSON; what comes of it is strict JSON."""
    root = Root.MAP if isinstance(result, dict) else Root.LIST
    found = dissected(text, root, decoded(result, "json")[0])
    json.dumps(found.json, allow_nan=False)
    return found


@pytest.mark.parametrize(
    ("text", "result", "expected"),
    [
        pytest.param(
            "result[0] >= 0.95",
            [0.91],
            [("result[0]", 0.91), ("result[0] >= 0.95", False)],
            id="a-comparison",
        ),
        pytest.param(
            "len(result) == 0 || result[0]>1",
            [],
            [
                ("len(result)", 0),
                ("len(result) == 0", True),
                ("len(result) == 0 || result[0]>1", True),
            ],
            id="what-nobody-looked-at-is-not-told",
        ),
        pytest.param(
            "result[0] > 1 and result[1] > 1",
            [0, 5],
            [
                ("result[0]", 0),
                ("result[0] > 1", False),
                ("result[0] > 1 and result[1] > 1", False),
            ],
            id="nor-behind-a-false-and",
        ),
        pytest.param(
            "!(result.a > 1)",
            {"a": 2},
            [("result.a", 2), ("result.a > 1", True), ("!(result.a > 1)", False)],
            id="behind-a-not",
        ),
        pytest.param(
            "result[0] == nil ? true : result[0] < 1",
            [2],
            [
                ("result[0]", 2),
                ("result[0] == nil", False),
                ("result[0] < 1", False),
                ("result[0] == nil ? true : result[0] < 1", False),
            ],
            id="the-way-that-was-taken",
        ),
        pytest.param(
            "(result.a ?? 3) / result.b < 2",
            {"b": 3},
            [
                ("result.a ?? 3", 3),
                ("result.b", 3),
                ("(result.a ?? 3) / result.b", 1),
                ("(result.a ?? 3) / result.b < 2", True),
            ],
            id="arithmetic",
        ),
        pytest.param(
            "all(result, # < 3)",
            [1, 2],
            [("all(result, # < 3)", True)],
            id="predicates-stay-whole",
        ),
        pytest.param(
            "result[3] > 1",
            [0],
            [
                ("result[3]", "index out of range: 3 (array length is 1)"),
                ("result[3] > 1", "index out of range: 3 (array length is 1)"),
            ],
            id="where-it-failed",
        ),
        pytest.param(
            "result >", [0], [("result >", "unexpected token EOF")], id="what-is-no-condition"
        ),
        pytest.param("result[0]", [5], [("result[0]", 5)], id="what-is-neither-true-nor-false"),
        pytest.param("true", [5], [("true", True)], id="a-constant"),
    ],
)
def test_the_pieces_of_a_condition(text: str, result: object, expected: object) -> None:
    """In the order in which they were needed."""
    assert pieces(text, result) == expected


def test_comparisons_are_told_with_their_margins() -> None:
    """The value stands on the left, wherever the number was."""
    found = taken_apart("0.9 < result[0] && result[1] != 3 && result[2] == true", [0.5])
    assert [each.json for each in found.comparisons] == [
        {
            "expression": "result[0]",
            "operator": ">",
            "limit": 0.9,
            "value": 0.5,
            "margin": -0.4,
            "holds": False,
        }
    ]


@pytest.mark.parametrize("value", [True, "x", None, float("nan")])
def test_what_is_no_number_has_no_margin(value: object) -> None:
    """Whatever it was compared with."""
    assert taken_apart("result[0] == 1", [value]).comparisons == ()


def test_not_more_pieces_than_anybody_reads() -> None:
    """The whole is told in any case."""
    text = " && ".join(f"result[{number}] == {number}" for number in MANY)
    found = pieces(text, MANY)
    assert len(found) == MAX_SHOWN + 1
    assert found[-1] == (text, True)


def test_a_condition_that_nobody_could_read_stays_whole() -> None:
    """However long it is."""
    text = " && ".join(["result[0] == 1"] * 100)
    assert pieces(text, [1]) == [(text, True)]


def costly(count: int) -> str:
    """A condition that takes about ``count`` times an eighth of what one may spend."""
    return " && ".join(f"none(1..{3_000 + each}, {{# + 1 < 0 || # < -2}})" for each in range(count))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(costly(2), 2, id="there-is-room-for-the-pieces-of-a-small-one"),
        pytest.param(costly(5), 2, id="for-some-pieces-of-a-larger-one"),
        pytest.param(costly(8), 0, id="for-none-of-one-that-takes-nearly-all"),
    ],
)
def test_a_condition_and_its_pieces_share_one_budget(text: str, told: int) -> None:
    """What it is too small for is left out, and nothing is said to have failed."""
    found = taken_apart(text, [])
    assert [each.error for each in found.parts] == [""] * (told + 1)
    assert (found.value, found.parts[-1].expression) == (True, text)


def test_nor_is_anything_left_for_a_condition_that_costs_too_much() -> None:
    """It is told alone, with its error."""
    (whole,) = taken_apart(costly(9), []).parts
    assert "too many steps" in whole.error


def test_printing_the_pieces_is_paid_from_it_as_well() -> None:
    """A value may hold another one a thousand times."""
    text = "map(1..10, {map(1..10, {map(1..10, {result})})}) != nil"
    found = taken_apart(text, [0] * 500)
    assert json.dumps(found.json).count('"[]interface {}"') > 900


@pytest.mark.parametrize(
    ("text", "result", "expected"),
    [
        pytest.param("result", [1] * 12, [*[1] * 10, "... 2 more"], id="a-long-list"),
        pytest.param(
            "result",
            {"a": {"b": {"c": {"d": [1]}}}},
            {"a": {"b": {"c": "map[d:[1]]"}}},
            id="a-deep-one",
        ),
        pytest.param(
            "result",
            {str(number): 1 for number in range(11)},
            {**{str(number): 1 for number in range(10)}, "...": "1 more"},
            id="a-large-object",
        ),
        pytest.param(
            "result[0]", ["<script>" * 100], ("<script>" * 100)[:MAX_CHARS] + "...", id="a-text"
        ),
        pytest.param("result[0]", [float("inf")], "+Inf", id="infinity"),
        pytest.param("result[0]", [None], None, id="null"),
        pytest.param('duration("90s")', [], "1m30s", id="a-duration"),
        pytest.param('b"ab"', [], "[97 98]", id="bytes"),
        pytest.param(
            'map(1..3000, repeat("ab", 100))[0:3000] | groupBy(#)', [], "map", id="what-is-a-map"
        ),
    ],
)
def test_values_are_shown_as_far_as_one_reads(text: str, result: object, expected: Any) -> None:
    """Cut, and strict JSON."""
    value = compile_expression(text, Root.UNKNOWN).run(decoded(result, "json")[0])
    found = shown(value)
    json.dumps(found, allow_nan=False)
    assert found == expected or str(found).startswith(f"{expected}[")


def test_what_costs_too_much_to_print_is_named() -> None:
    """By the name of its type."""
    deep: object = tuple([0.5] * 50_000)
    for _ in range(4):
        deep = (deep,)
    assert shown(deep) == [[["[]interface {}"]]]
