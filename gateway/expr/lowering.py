"""A checked and optimized tree to the small Python tree that asteval runs.

Every operation becomes a call of a function of ours under a name that only this program has; see
``gateway.expr.fusing`` for how calls become fewer.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.expr import access, calls, nodes, operators, regexps, strings
from gateway.expr.assembly import Assembly
from gateway.expr.environment import (
    RESULT_FUNCTION_ARGUMENTS,
    RESULT_FUNCTIONS,
    SIMPLE_FUNCTIONS,
)
from gateway.expr.functions import ARITIES, FUNCTIONS
from gateway.expr.fusing import Function
from gateway.expr.gotypes import INT, STRING
from gateway.expr.lower_loops import lower_loop
from gateway.expr.nodes import Node
from gateway.expr.signatures import PREDICATES
from gateway.expr.values import as_bool

_LONG_CHAIN = 8
_OPERATORS: dict[str, Function] = {
    "==": operators.equal,
    "!=": operators.unequal,
    "<": operators.less,
    ">": operators.more,
    "<=": operators.less_or_equal,
    ">=": operators.more_or_equal,
    "+": operators.add,
    "-": operators.subtract,
    "*": operators.multiply,
    "/": operators.divide,
    "%": operators.modulo,
    "**": operators.exponent,
    "^": operators.exponent,
    "..": operators.between,
    "in": access.contains,
    "matches": strings.matches,
    "contains": strings.contains,
    "startsWith": strings.starts_with,
    "endsWith": strings.ends_with,
}
_LOGIC: dict[str, type[ast.boolop]] = {"and": ast.And, "&&": ast.And, "or": ast.Or, "||": ast.Or}
_BOOL_OPERATORS = frozenset("== != < > <= >= in matches contains startsWith endsWith".split())
_BOOL_FUNCTIONS = frozenset("all any none one hasPrefix hasSuffix".split())


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
        match node:
            case nodes.Constant():
                return ast.Constant(node.value)
            case nodes.Identifier():
                return self._identifier(node)
            case nodes.Pointer():
                return self._pointer(node)
            case nodes.Unary():
                return self._unary(node)
            case nodes.Binary():
                return self._binary(node)
            case nodes.Chain():
                return self._chain(node.node, [])
            case nodes.Member():
                return self._apply(access.fetch, node, node.base, node.key)
            case nodes.Slice():
                return self._slice(node)
            case nodes.Call():
                return self._call(node)
            case nodes.Builtin():
                return self._builtin(node)
            case nodes.Conditional():
                test = self._truth(node.condition, node)
                then, otherwise = self.expression(node.then), self.expression(node.otherwise)
                return ast.IfExp(test, then, otherwise)
            case nodes.Let():
                return self._let(node)
            case nodes.Sequence():
                return self._apply(calls.last_of, node, *node.nodes)
            case nodes.Array():
                return self._apply(calls.make_list, node, *node.nodes)
            case nodes.Map():
                return self._apply(calls.make_map, node, *nodes.children(node))
        raise AssertionError(node)

    def _apply(self, function: Function, node: Node, *operands: Node) -> ast.expr:
        values = [self.expression(operand) for operand in operands]
        return self.assembly.apply(function, values, node.at)

    def _identifier(self, node: nodes.Identifier) -> ast.expr:
        if node.name in self._variables:
            return self.assembly.name(self._variables[node.name])
        if node.name == "result":
            return self.assembly.name("result")
        self.uses_environment = True
        environment = self.assembly.name("$env")
        if node.name == "$env":
            return environment
        return self.assembly.apply(access.fetch, [environment, ast.Constant(node.name)], node.at)

    def _pointer(self, node: nodes.Pointer) -> ast.expr:
        return self.assembly.name(self.pointers[-1][node.name])

    def _unary(self, node: nodes.Unary) -> ast.expr:
        if node.operator == "+":
            return self.expression(node.operand)
        function = operators.negate if node.operator == "-" else operators.not_
        return self._apply(function, node, node.operand)

    def _binary(self, node: nodes.Binary) -> ast.expr:
        if node.operator in _LOGIC:
            return self._logic(node)
        if node.operator == "??":
            return self._coalesce(node)
        spine = [node]
        while isinstance(spine[-1].left, nodes.Binary) and spine[-1].left.operator in _OPERATORS:
            spine.append(spine[-1].left)
        spine.reverse()
        if len(spine) > _LONG_CHAIN:
            operands = [spine[0].left, *(each.right for each in spine)]
            chain = calls.folded(*(_operation(each) for each in spine))
            return self._apply(chain, node, *operands)
        value = self.expression(spine[0].left)
        for each in spine:
            value = self._operation_on(each, value)
        return value

    def _operation_on(self, node: nodes.Binary, left: ast.expr) -> ast.expr:
        if isinstance(node.right, nodes.ConstantSet):
            members = ast.Constant(node.right.members)
            kind = ast.Constant(node.right.member_type)
            return self.assembly.apply(access.in_constants, [left, members, kind], node.at)
        if node.operator == "matches" and isinstance(node.right, nodes.Constant):
            pattern = node.right.value
            if isinstance(pattern, str):
                known = ast.Constant(regexps.compiled(pattern))
                return self.assembly.apply(strings.matches_pattern, [left, known], node.at)
        return self.assembly.apply(_operation(node), [left, self.expression(node.right)], node.at)

    def _logic(self, node: nodes.Binary) -> ast.expr:
        operator = _LOGIC[node.operator]
        values: list[ast.expr] = [self.expression(node.right)]
        left: Node = node.left
        while isinstance(left, nodes.Binary) and _LOGIC.get(left.operator) is operator:
            values.append(self._truth(left.right, left))
            left = left.left
        values.append(self._truth(left, node))
        return ast.BoolOp(operator(), values[::-1])

    def _truth(self, node: Node, asking: Node) -> ast.expr:
        value = self.expression(node)
        return value if _is_bool(node) else self.assembly.apply(as_bool, [value], asking.at)

    def _coalesce(self, node: nodes.Binary) -> ast.expr:
        left, right = self.expression(node.left), self.expression(node.right)
        if isinstance(right, ast.Constant):
            return self.assembly.apply(calls.coalesce_constant, [left, right], node.at)
        otherwise = self.assembly.function([], right)
        return self.assembly.apply(calls.coalesce, [left, otherwise], node.at)

    def _chain(self, node: Node, waiting: list[Node]) -> ast.expr:
        """The links of a chain, outermost first in ``waiting``, down to where it begins."""
        match node:
            case nodes.Member():
                return self._chain(node.base, [*waiting, node])
            case nodes.Call(callee=nodes.Member() as callee):
                return self._chain(callee, [*waiting, node])
        return self._links(self.expression(node), waiting)

    def _links(self, base: ast.expr, waiting: list[Node]) -> ast.expr:
        while waiting:
            *waiting, link = waiting
            if isinstance(link, nodes.Call):
                arguments = [self.expression(argument) for argument in link.arguments]
                base = self.assembly.apply(calls.call, [*arguments, base], link.at)
            elif isinstance(link, nodes.Member) and link.optional:
                name = self.assembly.fresh("link")
                fetched = self._fetched(self.assembly.name(name), link)
                rest = self.assembly.function([name], self._links(fetched, waiting))
                return self.assembly.apply(calls.unless_nil, [base, rest], link.at)
            elif isinstance(link, nodes.Member):
                base = self._fetched(base, link)
        return base

    def _fetched(self, base: ast.expr, link: nodes.Member) -> ast.expr:
        return self.assembly.apply(access.fetch, [base, self.expression(link.key)], link.at)

    def _slice(self, node: nodes.Slice) -> ast.expr:
        start = node.start or nodes.Constant(0)
        if node.stop is None:
            return self._apply(access.cut_from, node, node.base, start)
        return self._apply(access.cut, node, node.base, node.stop, start)

    def _call(self, node: nodes.Call) -> ast.expr:
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

    def _builtin(self, node: nodes.Builtin) -> ast.expr:
        if node.name in PREDICATES:
            return lower_loop(self, node)
        function = FUNCTIONS[node.name]
        if len(node.arguments) not in ARITIES[node.name]:
            # The checker lets this pass where it does not look: in slices of unknown values.
            function = calls.wrong_arity(node.name)
        return self._apply(function, node, *node.arguments)

    def _let(self, node: nodes.Let) -> ast.expr:
        value = self.expression(node.value)
        name = self.assembly.fresh(node.name)
        self._variables[node.name] = name
        body = self.assembly.function([name], self.expression(node.body))
        del self._variables[node.name]
        return self.assembly.apply(calls.bind, [value, body], node.at)


def _operation(node: nodes.Binary) -> Function:
    both = {node.left.nature.type, node.right.nature.type}
    for known, exact in ((INT, operators.equal_ints), (STRING, operators.equal_strings)):
        if both == {known} and node.operator in {"==", "!="}:
            return exact if node.operator == "==" else calls.negated(exact)
    return _OPERATORS[node.operator]


def _is_bool(node: Node) -> bool:
    """Whether the value is a bool for sure, whatever happens at run time."""
    match node:
        case nodes.Constant():
            return isinstance(node.value, bool)
        case nodes.Unary():
            return node.operator in {"!", "not"}
        case nodes.Binary():
            if node.operator in _LOGIC:
                return _is_bool(node.right)
            return node.operator in _BOOL_OPERATORS
        case nodes.Builtin():
            return node.name in _BOOL_FUNCTIONS
    return False
