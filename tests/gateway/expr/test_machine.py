"""asteval: it runs our programs, and nothing else can be reached through it."""

import ast

import pytest

from gateway.expr import Root, compile_expression, machine
from gateway.expr.faults import Fault


def call(name: str, *arguments: ast.expr) -> ast.Call:
    """A call as programs have them."""
    node = ast.Call(ast.Name(name, ast.Load()), list(arguments), [])
    node.lineno, node.col_offset = 1, 7
    return node


def test_a_program_holds_calls_of_its_own_functions_only() -> None:
    """No attribute, no subscript, no operator of Python's, no built-in."""
    text = (
        "result.a > 1 && !all(result.l, {let x = #; (x?.b ?? [x, {c: 1}][0:1]) != nil}) ? "
        "len($env) == 7 : now().Year() in 2000..3000 || 'a' matches 'b'"
    )
    program = compile_expression(text, Root.UNKNOWN).lowered
    kinds = {type(node) for node in ast.walk(program.tree)}
    assert kinds <= {
        ast.Name,
        ast.Load,
        ast.Constant,
        ast.Call,
        ast.BoolOp,
        ast.And,
        ast.Or,
        ast.IfExp,
        ast.Lambda,
        ast.arguments,
        ast.arg,
    }
    called = {node.func.id for node in ast.walk(program.tree) if isinstance(node, ast.Call)}  # type: ignore[attr-defined] # names
    assert called == set(program.symbols)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("open('/etc/passwd')", id="a-call"),
        pytest.param("(1).__class__", id="an-attribute"),
        pytest.param("[x for x in (1, 2)]", id="a-comprehension"),
        pytest.param("[1][0]", id="a-subscript"),
        pytest.param("1 + 1", id="an-operator"),
        pytest.param("print", id="asteval-s-own-print"),
        pytest.param("f'{1}'", id="a-format"),
    ],
)
def test_the_machine_has_no_hands(text: str) -> None:
    """Were such a tree ever lowered, it would not run, or find nothing."""
    try:
        found = machine.run(ast.parse(text, mode="eval").body, {})
    except (KeyError, NameError):
        return
    assert callable(found) is False


def test_exceptions_pass_through_as_they_are() -> None:
    """Neither wrapped, nor printed, nor remembered."""
    fault = Fault("no")

    def fail(*_: object) -> object:
        raise fault

    for _ in range(2):
        with pytest.raises(Fault) as caught:
            machine.run(call("f", ast.Constant(1)), {"f": fail})
        assert (caught.value is fault, fault.at) == (True, 7)


def test_an_inner_place_wins_over_an_outer_one() -> None:
    """A fault stays where it was placed first."""

    def fail(_: object) -> object:
        raise Fault("no", 3)

    with pytest.raises(Fault) as caught:
        machine.run(call("f", call("f", ast.Constant(1))), {"f": fail})
    assert caught.value.at == 3
