"""Puts Python trees together, and fuses calls as it goes."""

import ast
from collections.abc import Sequence

from gateway.expr.fusing import Function, Stage, Unary, bound, chained

_STEPS_PER_NODE = 4
_STEPS_PER_STAGE = 2
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
        unknown = [
            index
            for index, argument in enumerate(arguments)
            if not isinstance(argument, ast.Constant)
        ]
        if len(unknown) != 1:
            return self._call(function, arguments, at)
        (index,) = unknown
        values = [
            argument.value if isinstance(argument, ast.Constant) else None for argument in arguments
        ]
        unary = bound(function, values[:index], values[index + 1 :])
        return self._then(arguments[index], (unary, at))

    def _then(self, argument: ast.expr, stage: Stage) -> ast.expr:
        stages = [stage]
        if isinstance(argument, ast.Call) and isinstance(argument.func, ast.Name):
            before = self._stages.pop(argument.func.id, None)
            if before is not None:
                del self.symbols[argument.func.id]
                stages = [*before, stage]
                argument = argument.args[0]
        function: Unary = stage[0] if len(stages) == 1 else chained(stages)
        call = self._call(function, [argument], stage[1])
        self._stages[call.func.id] = stages  # type: ignore[attr-defined] # a name
        return call

    def _call(self, function: Function, arguments: Sequence[ast.expr], at: int) -> ast.Call:
        name = self.fresh(getattr(function, "__name__", "call"))
        self.symbols[name] = function
        call = ast.Call(self.name(name), list(arguments), [])
        call.lineno, call.col_offset = 1, at
        return call

    def function(self, parameters: Sequence[str], body: ast.expr) -> ast.expr:
        """A function of the program: known at once if it is nothing but fused calls."""
        if len(parameters) == 1 and isinstance(body, ast.Call):
            stages = self._stages.get(body.func.id)  # type: ignore[attr-defined] # a name
            (*_, argument) = body.args
            if stages and isinstance(argument, ast.Name) and argument.id == parameters[0]:
                del self.symbols[body.func.id]  # type: ignore[attr-defined] # a name
                return ast.Constant(chained(stages))
        if len(parameters) == 1 and isinstance(body, ast.Constant):
            value = body.value
            return ast.Constant(lambda _: value)
        arguments = [ast.arg(parameter) for parameter in parameters]
        return ast.Lambda(ast.arguments([], arguments, None, [], [], None, []), body)

    def cost(self, function: ast.expr) -> int:
        """Steps that one call of a function of the program takes."""
        steps = 1
        for part in ast.walk(function):
            if isinstance(part, ast.expr):
                steps += _STEPS_PER_NODE
            if isinstance(part, ast.Call):
                stages = self._stages.get(part.func.id, [])  # type: ignore[attr-defined] # a name
                steps += _STEPS_PER_STAGE * len(stages)
        return steps
