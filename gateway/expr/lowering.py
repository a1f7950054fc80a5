"""A checked and optimized tree to the small Python tree that asteval runs.

Every operation becomes a call of a function of ours under a name that only this program has; see
``gateway.expr.fusing`` for how calls become fewer.
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.expr import access, calls, nodes, operators, regexps, strings
from gateway.expr.assembly import Assembly, known
from gateway.expr.environment import (
    RESULT_FUNCTION_ARGUMENTS,
    RESULT_FUNCTIONS,
    SIMPLE_FUNCTIONS,
)
from gateway.expr.functions import ARITIES, FUNCTIONS
from gateway.expr.fusing import Function
from gateway.expr.lower_loops import lower_loop
from gateway.expr.lower_operators import LOGIC, OPERATORS, is_bool, operation
from gateway.expr.nodes import Node
from gateway.expr.signatures import PREDICATES
from gateway.expr.values import as_bool

_LONG_CHAIN = 8


_Link = nodes.Member | nodes.Call


@dataclass(frozen=True, slots=True)
class Lowered:
    """A program for the machine."""

    tree: ast.expr
    symbols: Mapping[str, object]
    """Its functions, by the names that it calls them by."""
    uses_environment: bool
    """Whether it names ``$env``."""


def lower(tree: Node) -> Lowered:
    """The program of a tree. Raises Fault for a literal pattern that RE2 refuses."""
    lowering = Lowering()
    expression = lowering.expression(tree)
    return Lowered(expression, lowering.assembly.symbols, lowering.uses_environment)


class Lowering:
    """Lowers the nodes of one tree."""

    def __init__(self) -> None:
        self.assembly = Assembly()
        self.pointers: list[dict[str, str]] = []
        """Innermost last: the names of the element, its index and the accumulator."""
        self.uses_environment = False
        self._variables: dict[str, str] = {}

    def expression(self, node: Node) -> ast.expr:
        """The Python expression of a node."""
        return _RULES[type(node)](self, node)

    def constant(self, node: nodes.Constant) -> ast.expr:
        """What is known already."""
        return known(node.value)

    def chain(self, node: nodes.Chain) -> ast.expr:
        """``a?.b.c``."""
        return self._chain(node.node, [])

    def member(self, node: nodes.Member) -> ast.expr:
        """``base.name`` or ``base[key]``."""
        return self._apply(access.fetch, node, node.base, node.key)

    def conditional(self, node: nodes.Conditional) -> ast.expr:
        """``condition ? then : otherwise``."""
        test = self._truth(node.condition, node)
        return ast.IfExp(test, self.expression(node.then), self.expression(node.otherwise))

    def sequence(self, node: nodes.Sequence) -> ast.expr:
        """``a; b``."""
        return self._apply(calls.last_of, node, *node.nodes)

    def array(self, node: nodes.Array) -> ast.expr:
        """``[a, b]``."""
        return self._apply(calls.make_list, node, *node.nodes)

    def map(self, node: nodes.Map) -> ast.expr:
        """``{a: b}``."""
        return self._apply(calls.make_map, node, *node.entries)

    def _apply(self, function: Function, node: Node, *operands: Node) -> ast.expr:
        values = [self.expression(operand) for operand in operands]
        return self.assembly.apply(function, values, node.at)

    def identifier(self, node: nodes.Identifier) -> ast.expr:
        """A variable, or a name of the environment."""
        if node.name in self._variables:
            return self.assembly.name(self._variables[node.name])
        if node.name == "result":
            return self.assembly.name("result")
        self.uses_environment = True
        environment = self.assembly.name("$env")
        if node.name == "$env":
            return environment
        return self.assembly.apply(access.fetch, [environment, known(node.name)], node.at)

    def pointer(self, node: nodes.Pointer) -> ast.expr:
        """``#``, ``#index`` or ``#acc``."""
        return self.assembly.name(self.pointers[-1][node.name])

    def unary(self, node: nodes.Unary) -> ast.expr:
        """``!``, ``-`` or ``+``."""
        if node.operator == "+":
            return self.expression(node.operand)
        function = operators.negate if node.operator == "-" else operators.not_
        return self._apply(function, node, node.operand)

    def binary(self, node: nodes.Binary) -> ast.expr:
        """Any binary operator."""
        if node.operator in LOGIC:
            return self._logic(node)
        if node.operator == "??":
            return self._coalesce(node)
        spine = [node]
        while isinstance(spine[-1].left, nodes.Binary) and spine[-1].left.operator in OPERATORS:
            spine.append(spine[-1].left)
        spine.reverse()
        if len(spine) > _LONG_CHAIN:
            operands = [spine[0].left, *(each.right for each in spine)]
            chain = calls.folded(*(operation(each) for each in spine))
            return self._apply(chain, node, *operands)
        value = self.expression(spine[0].left)
        for each in spine:
            value = self._operation_on(each, value)
        return value

    def _operation_on(self, node: nodes.Binary, left: ast.expr) -> ast.expr:
        if isinstance(node.right, nodes.ConstantSet):
            members = known(node.right.members)
            kind = known(node.right.member_type)
            return self.assembly.apply(access.in_constants, [left, members, kind], node.at)
        right = node.right
        pattern = right.value if isinstance(right, nodes.Constant) else None
        if node.operator == "matches" and isinstance(pattern, str):
            compiled = known(regexps.compiled(pattern))
            return self.assembly.apply(strings.matches_pattern, [left, compiled], node.at)
        return self.assembly.apply(operation(node), [left, self.expression(node.right)], node.at)

    def _logic(self, node: nodes.Binary) -> ast.expr:
        operator = LOGIC[node.operator]
        values: list[ast.expr] = [self.expression(node.right)]
        left: Node = node.left
        while isinstance(left, nodes.Binary) and LOGIC.get(left.operator) is operator:
            values.append(self._truth(left.right, left))
            left = left.left
        values.append(self._truth(left, node))
        return ast.BoolOp(operator(), values[::-1])

    def _truth(self, node: Node, asking: Node) -> ast.expr:
        value = self.expression(node)
        return value if is_bool(node) else self.assembly.apply(as_bool, [value], asking.at)

    def _coalesce(self, node: nodes.Binary) -> ast.expr:
        left, right = self.expression(node.left), self.expression(node.right)
        if isinstance(right, ast.Constant):
            return self.assembly.apply(calls.coalesce_constant, [left, right], node.at)
        otherwise, _ = self.assembly.function([], right)
        return self.assembly.apply(calls.coalesce, [left, otherwise], node.at)

    def _chain(self, node: Node, waiting: list[_Link]) -> ast.expr:
        """The links of a chain, outermost first in ``waiting``, down to where it begins."""
        if isinstance(node, nodes.Member):
            return self._chain(node.base, [*waiting, node])
        if isinstance(node, nodes.Call) and isinstance(node.callee, nodes.Member):
            return self._chain(node.callee, [*waiting, node])
        return self._links(self.expression(node), waiting)

    def _links(self, base: ast.expr, waiting: list[_Link]) -> ast.expr:
        while waiting:
            *waiting, link = waiting
            if isinstance(link, nodes.Call):
                arguments = [self.expression(argument) for argument in link.arguments]
                base = self.assembly.apply(calls.call, [*arguments, base], link.at)
            elif link.optional:
                name = self.assembly.fresh("link")
                fetched = self._fetched(self.assembly.name(name), link)
                rest, _ = self.assembly.function([name], self._links(fetched, waiting))
                return self.assembly.apply(calls.unless_nil, [base, rest], link.at)
            else:
                base = self._fetched(base, link)
        return base

    def _fetched(self, base: ast.expr, link: nodes.Member) -> ast.expr:
        return self.assembly.apply(access.fetch, [base, self.expression(link.key)], link.at)

    def slice(self, node: nodes.Slice) -> ast.expr:
        """``base[start:stop]``."""
        start = node.start or nodes.Constant(0)
        if node.stop is None:
            return self._apply(access.cut_from, node, node.base, start)
        return self._apply(access.cut, node, node.base, node.stop, start)

    def call(self, node: nodes.Call) -> ast.expr:
        """A call of something that is no function of the language."""
        callee = node.callee
        arguments = [self.expression(argument) for argument in node.arguments]
        if isinstance(callee, nodes.Identifier) and callee.name not in self._variables:
            if callee.name in SIMPLE_FUNCTIONS and len(arguments) == 1:
                return self.assembly.apply(SIMPLE_FUNCTIONS[callee.name], arguments, node.at)
            if (
                callee.name in RESULT_FUNCTIONS
                and len(arguments) == RESULT_FUNCTION_ARGUMENTS[callee.name]
            ):
                result = self.assembly.name("result")
                function = RESULT_FUNCTIONS[callee.name]
                return self.assembly.apply(function, [result, *arguments], node.at)
        return self.assembly.apply(calls.call, [*arguments, self.expression(callee)], node.at)

    def builtin(self, node: nodes.Builtin) -> ast.expr:
        """A function of the language."""
        if node.name in PREDICATES:
            return lower_loop(self, node)
        function = FUNCTIONS[node.name]
        if len(node.arguments) not in ARITIES[node.name]:
            # The checker lets this pass where it does not look: in slices of unknown values.
            function = calls.wrong_arity(node.name)
        return self._apply(function, node, *node.arguments)

    def let(self, node: nodes.Let) -> ast.expr:
        """``let name = value; body``."""
        value = self.expression(node.value)
        name = self.assembly.fresh(node.name)
        self._variables[node.name] = name
        body, _ = self.assembly.function([name], self.expression(node.body))
        del self._variables[node.name]
        return self.assembly.apply(calls.bind, [value, body], node.at)


_RULES: dict[type[Node], Callable[[Any, Any], ast.expr]] = {
    nodes.Constant: Lowering.constant,
    nodes.Identifier: Lowering.identifier,
    nodes.Pointer: Lowering.pointer,
    nodes.Unary: Lowering.unary,
    nodes.Binary: Lowering.binary,
    nodes.Chain: Lowering.chain,
    nodes.Member: Lowering.member,
    nodes.Slice: Lowering.slice,
    nodes.Call: Lowering.call,
    nodes.Builtin: Lowering.builtin,
    nodes.Conditional: Lowering.conditional,
    nodes.Let: Lowering.let,
    nodes.Sequence: Lowering.sequence,
    nodes.Array: Lowering.array,
    nodes.Map: Lowering.map,
}
