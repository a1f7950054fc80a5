"""asteval, cut down to what a lowered program is made of.

A program holds names, constants, calls of named functions, ``and``, ``or``, ``if``, and lambdas;
nothing else has a handler. The symbol table is the program's own: no built-in of asteval's, no
module and no attribute can be reached. Unlike asteval's own interpreter, exceptions pass through
as they are, and nothing is remembered from one run to the next.
"""

import ast
import threading
from collections.abc import Callable

from asteval import Interpreter

from gateway.expr.faults import Fault

Symbols = dict[str, object]


class _Machine(Interpreter):  # type: ignore[misc] # asteval has no types
    def __init__(self) -> None:
        super().__init__(symtable={}, minimal=True, use_numpy=False)
        self.handlers = {
            ast.Name: self.on_name,
            ast.Constant: self.on_constant,
            ast.BoolOp: self.on_boolop,
            ast.IfExp: self.on_ifexp,
            ast.Call: self.on_call,
            ast.Lambda: self.on_lambda,
        }

    def run(self, node: ast.expr, *_: object, **__: object) -> object:
        """The value of a node."""
        return self.handlers[node.__class__](node)

    def on_call(self, node: ast.Call) -> object:
        """The value of a named function; its faults are placed where the node stands."""
        function = self.symtable[node.func.id]  # type: ignore[attr-defined] # always a name
        arguments = node.args
        try:
            if len(arguments) == 1:
                return function(self.run(arguments[0]))
            return function(*[self.run(argument) for argument in arguments])
        except Fault as fault:
            fault.located(node.col_offset)
            raise

    def on_lambda(self, node: ast.Lambda) -> Callable[..., object]:
        """A Python function; every lambda of a program has parameters of its own names."""
        symbols, body = self.symtable, node.body
        names = [parameter.arg for parameter in node.args.args]
        if len(names) == 1:
            (name,) = names

            def call_with_one(value: object) -> object:
                symbols[name] = value
                return self.run(body)

            return call_with_one

        def call(*values: object) -> object:
            symbols.update(zip(names, values, strict=True))
            return self.run(body)

        return call


class _PerThread(threading.local):
    def __init__(self) -> None:
        self.machine = _Machine()


_this_thread = _PerThread()


def run(program: ast.expr, symbols: Symbols) -> object:
    """The value of a lowered program. ``symbols`` is used up: lambdas write into it."""
    machine = _this_thread.machine
    machine.symtable = symbols
    return machine.run(program)
