"""``analysis-gateway condition``: try an expression against a result."""

import json
import sys
from collections.abc import Iterable, Iterator

import click
import orjson

from gateway import conditions
from gateway.cli.exits import Exit
from gateway.errors import ConditionError
from gateway.model import ResultType

_INT64_DIGITS = 18


@click.command("condition")
@click.argument("expression", required=False)
@click.option("--result", "result_json", help="What the provider measured, as JSON.")
@click.option(
    "--type",
    "result_type",
    type=click.Choice([each.value for each in ResultType]),
    default=ResultType.JSON.value,
    show_default=True,
    help="How result is typed: a Prometheus scalar is a float, a vector is floats.",
)
@click.option(
    "--jsonl", is_flag=True, help='Read lines {"id","cond","result","type"} from standard input.'
)
def command(
    expression: str | None,
    result_json: str | None,
    result_type: str,
    jsonl: bool,  # noqa: FBT001 - click hands flags over like this
) -> Exit:
    """Say whether EXPRESSION is true of a result: exit code 0 true, 1 false, 3 error."""
    if jsonl:
        for answer in answers(sys.stdin):
            sys.stdout.write(f"{answer}\n")
        return Exit.SUCCESSFUL
    if expression is None or result_json is None:
        raise click.UsageError("give an EXPRESSION and --result, or --jsonl")
    try:
        result, kind = conditions.decoded(_decoded(result_json), result_type)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--result") from None
    try:
        holds = conditions.evaluate(expression, result, kind)
    except ConditionError as error:
        click.echo(error.pointed(), err=True)
        return Exit.ERROR
    click.echo("true" if holds else "false")
    return Exit.SUCCESSFUL if holds else Exit.FAILED


def answers(lines: Iterable[str]) -> Iterator[str]:
    """One line of JSON for each line of JSON: ``{"id", "ok"}`` or ``{"id", "error"}``."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield orjson.dumps(_answer(line, number)).decode()


def _answer(line: str, number: int) -> dict[str, object]:
    identity: object = None
    try:
        match _decoded(line):
            case {"cond": str(text), "result": value, **rest}:
                identity = rest.get("id")
                result, kind = conditions.decoded(value, str(rest.get("type", "json")))
                return {"id": identity, "ok": conditions.evaluate(text, result, kind)}
            case _:
                error = 'must be an object with "cond", "result" and "type"'
                return {"id": identity, "error": f"line {number}: {error}"}
    except ConditionError as error:
        return {"id": identity, "error": str(error)}
    except ValueError as error:
        return {"id": identity, "error": f"line {number}: {error}"}


def _decoded(text: str) -> object:
    try:
        return json.loads(text, parse_int=_number)
    except RecursionError:
        raise ValueError("is nested too deeply") from None


def _number(digits: str) -> int | float:
    # An id stays an integer; a number that no id needs may as well be what Go makes of it.
    return int(digits) if len(digits) <= _INT64_DIGITS else float(digits)
