"""The value, its type and the error of expressions, as the reference gives them."""

import json
from pathlib import Path

import pytest

from gateway.conditions import decoded
from gateway.errors import ConditionError
from gateway.expr import Floats, Root, compile_expression
from gateway.expr.printing import printed
from gateway.expr.values import go_type
from gateway.model import ResultType

ROWS = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "conformance" / "expressions.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
]
GROUPS = sorted({row["id"].partition("-")[0] for row in ROWS})
ROOTS = {type(None): Root.NIL, bool: Root.BOOL, float: Root.FLOAT, str: Root.STRING}


def outcome(row: dict[str, object]) -> dict[str, str]:
    """What the expression of a row gives: Go's type and text of the value, or the error."""
    result, result_type = decoded(row.get("result"), str(row.get("type", "json")))
    root = ROOTS.get(type(result), Root.LIST if isinstance(result, tuple) else Root.MAP)
    if result_type is ResultType.FLOATS and isinstance(result, tuple):
        root, result = Root.FLOATS, Floats(result)
    try:
        value = compile_expression(str(row["expr"]), root).run(result)
    except ConditionError as error:
        return {"error": str(error)}
    return {"gives": f"{go_type(value)} {printed(value)}"}


@pytest.mark.parametrize("group", GROUPS)
def test_every_expression_of_the_table_gives_what_the_reference_gives(group: str) -> None:
    """Over 1,200 expressions that expr-lang v1.17.8 itself has run, with their whole texts."""
    differing = [
        (row, found)
        for row in ROWS
        if row["id"].partition("-")[0] == group
        and (found := outcome(row)) != {key: row[key] for key in ("gives", "error") if key in row}
    ]
    assert differing == []
