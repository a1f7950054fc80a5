"""Puts Python trees together, and fuses calls as it goes."""

import ast
from collections.abc import Sequence
from typing import cast

from gateway.expr.fusing import Function, Stage, Unary, both, bound, chained, either

_STEPS_PER_NODE = 5
_STEPS_PER_STAGE = 2.5
_STEPS_PER_TURN = 0.7
"""Of a loop; a step is about a tenth of a microsecond, see ``gateway.expr.budget``."""
_LOAD = ast.Load()


class Assembly:
    """The symbols of one program, and the expressions that use them."""

    def __init__(self) -> None:
        self.symbols: dict[str, object] = {}
        """Functions by the names that the program calls them by."""
        self._stages: dict[str, list[Stage]] = {}
        self._names = 0

    def fresh(self, word: str) -> str:
        """A name that the program does not have yet."""
        self._names += 1
        return f"{word}.{self._names}"

    def name(self, name: str) -> ast.Name:
        """The value of a name."""
        return ast.Name(name, _LOAD)

    def apply(self, function: Function, arguments: Sequence[ast.expr], at: int) -> ast.expr:
        """A call whose faults are at ``at``; what is known of its arguments is put in at once."""
        open_places = [
            place for place, each in enumerate(arguments) if not isinstance(each, ast.Constant)
        ]
        if len(open_places) != 1:
            return self._call(function, arguments, at)
        (place,) = open_places
        values = [each.value if isinstance(each, ast.Constant) else None for each in arguments]
        return self._then(arguments[place], (bound(function, values, place), at))

    def _then(self, argument: ast.expr, stage: Stage) -> ast.expr:
        stages = [stage]
        if isinstance(argument, ast.Call) and name_of(argument) in self._stages:
            stages = [*self._stages[name_of(argument)], stage]
            del self.symbols[name_of(argument)]
            argument = argument.args[0]
        function = stage[0] if len(stages) == 1 else chained(stages)
        call = self._call(function, [argument], stage[1])
        self._stages[name_of(call)] = stages
        return call

    def _call(self, function: Function, arguments: Sequence[ast.expr], at: int) -> ast.Call:
        name = self.fresh(getattr(function, "__name__", "call"))
        self.symbols[name] = function
        call = ast.Call(self.name(name), list(arguments), [])
        call.lineno, call.col_offset = 1, at
        return call

    def function(self, parameters: Sequence[str], body: ast.expr) -> tuple[ast.expr, float]:
        """A function of the program, and the steps that one call of it takes.

        It is a plain Python function if its body is nothing but fused calls on its one parameter,
        joined by ``and`` and ``or``; else it is a lambda that the interpreter runs.
        """
        calls = [part for part in ast.walk(body) if isinstance(part, ast.Call)]
        stages = sum(len(self._stages.get(name_of(call), [])) for call in calls)
        if len(parameters) == 1 and (plain := self._plain(parameters[0], body)) is not None:
            for call in calls:
                del self.symbols[name_of(call)]
            return known(plain), _STEPS_PER_TURN + _STEPS_PER_STAGE * stages
        arguments = [ast.arg(parameter) for parameter in parameters]
        count = sum(isinstance(part, ast.expr) for part in ast.walk(body))
        steps = _STEPS_PER_TURN + _STEPS_PER_NODE * count + _STEPS_PER_STAGE * stages
        return ast.Lambda(ast.arguments([], arguments, None, [], [], None, []), body), steps

    def _plain(self, parameter: str, body: ast.expr) -> Unary | None:
        match body:
            case ast.Constant(value=value):
                return lambda _: value
            case ast.Name(id=name) if name == parameter:
                return lambda item: item
            case ast.Call(args=[ast.Name(id=name)]) if name == parameter:
                stages = self._stages.get(name_of(body))
                return None if stages is None else chained(stages)
            case ast.BoolOp(op=operator, values=values):
                tests = [self._plain(parameter, value) for value in values]
                plain = [test for test in tests if test is not None]
                if len(plain) == len(tests):
                    return (both if isinstance(operator, ast.And) else either)(plain)
        return None


def known(value: object) -> ast.Constant:
    """A value that the program has from the start, whatever its Python type."""
    return ast.Constant(cast("str", value))


def name_of(call: ast.Call) -> str:
    """The name of the function that a call calls."""
    return call.func.id if isinstance(call.func, ast.Name) else ""
