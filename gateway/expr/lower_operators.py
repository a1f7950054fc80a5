"""The functions behind operators, and which operations always give a bool."""

import ast

from gateway.expr import access, calls, nodes, operators, strings
from gateway.expr.fusing import Function
from gateway.expr.gotypes import INT, STRING
from gateway.expr.nodes import Node

OPERATORS: dict[str, Function] = {
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
LOGIC: dict[str, type[ast.boolop]] = {"and": ast.And, "&&": ast.And, "or": ast.Or, "||": ast.Or}
_BOOL_OPERATORS = frozenset(
    ["==", "!=", "<", ">", "<=", ">=", "in", "matches", "contains", "startsWith", "endsWith"]
)
_BOOL_FUNCTIONS = frozenset(["all", "any", "none", "one", "hasPrefix", "hasSuffix"])


def operation(node: nodes.Binary) -> Function:
    """The function of an operator, stricter where the checker was sure of the types."""
    both = {node.left.nature.type, node.right.nature.type}
    for sure, exact in ((INT, operators.equal_ints), (STRING, operators.equal_strings)):
        if both == {sure} and node.operator in {"==", "!="}:
            return exact if node.operator == "==" else calls.negated(exact)
    return OPERATORS[node.operator]


def is_bool(node: Node) -> bool:
    """Whether the value is a bool for sure, whatever happens at run time."""
    match node:
        case nodes.Constant():
            return isinstance(node.value, bool)
        case nodes.Unary():
            return node.operator in {"!", "not"}
        case nodes.Binary():
            if node.operator in LOGIC:
                return is_bool(node.right)
            return node.operator in _BOOL_OPERATORS
        case nodes.Builtin():
            return node.name in _BOOL_FUNCTIONS
    return False
