"""Trees as text: the same tree again."""

import json
from pathlib import Path

import pytest

from gateway.expr.environment import Root, of_condition
from gateway.expr.faults import Fault
from gateway.expr.nodes import Node
from gateway.expr.parser import parse
from gateway.expr.thresholds import MAX_PARTS
from gateway.expr.writing import text_of

DECLARED = frozenset(of_condition(Root.UNKNOWN))
CONFORMANCE = Path(__file__).parents[2] / "conformance"


def parsed(text: str) -> Node:
    """The tree of a text."""
    return parse(text, DECLARED)


@pytest.mark.parametrize(
    "text",
    [
        "result[0] >= 0.95",
        "result[0] * 100 + 1 < 5 && !isNaN(result[0]) || result.a == nil",
        "a - (b - c) - d",
        "(a < b) < c",
        "(a ?? b).c",
        "2 ** (3 ** 4)",
        "not (a in b)",
        "-(a + b)",
        "(1).a",
        'result["a b"]?.c[1:][:2][1:2]',
        "a?.[0]",
        "(a ? b : c) ? d : (e; f)",
        "all(result, {let x = #; x > #index})",
        'map(result, {{"a": #, (b): [1, (2; 3)]}})',
        "let a = (b; c); a",
        "(let a = 1; a)[0]",
        '"\\"\\\\\\n\\r\\t\\u0000" == b\'\\x00a\'',
        "{}",
        "true != false",
    ],
)
def test_a_part_reads_as_it_was_written(text: str) -> None:
    """Parentheses stand where they must."""
    assert text_of(parsed(text)).replace("\\x61", "a") == text


def test_the_text_of_a_tree_has_the_same_tree() -> None:
    """Every expression of the tables of the reference survives."""
    lines = [
        json.loads(line)
        for name in ("expressions", "conditions")
        for line in (CONFORMANCE / f"{name}.jsonl").read_text().splitlines()
    ]
    survived = 0
    for text in {line.get("expr", line.get("cond", "")) for line in lines}:
        try:
            tree = parsed(text)
        except Fault:
            continue
        if tree.size <= MAX_PARTS:
            # Where a node stood is no part of its repr.
            assert repr(parsed(text_of(tree))) == repr(tree), text
            survived += 1
    assert survived > 3_000
