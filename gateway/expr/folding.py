"""What is computed before anything runs, because only literals take part in it.

It is observable: ``x && false`` is false even where x would fail.
Source: expr-lang v1.17.8, optimizer/fold.go and optimizer/in_array.go.
"""

from collections.abc import Callable
from typing import cast

from gateway.expr import nodes
from gateway.expr.faults import Fault
from gateway.expr.gotypes import BOOL, FLOAT64, INT, LIST, STRING, Kind, Nature
from gateway.expr.nodes import Node
from gateway.expr.numbers import divided, power, wrapped
from gateway.expr.operators import modulo

Rewrite = Callable[[Node], Node]
_AND = frozenset({"and", "&&"})
_OR = frozenset({"or", "||"})


def rewritten(tree: Node, rewrite: Rewrite) -> Node:
    """The tree with every node replaced by what ``rewrite`` makes of it, leaves first."""
    spine: list[nodes.Binary] = []
    node = tree
    while isinstance(node, nodes.Binary):
        spine.append(node)
        node = node.left
    nodes.replace_children(node, lambda child: rewritten(child, rewrite))
    node = rewrite(node)
    for binary in reversed(spine):
        binary.left = node
        binary.right = rewritten(binary.right, rewrite)
        node = rewrite(binary)
    return node


def fold(tree: Node) -> Node:
    """The tree with its constant parts computed.

    Raises:
        Fault: a remainder by a literal zero.

    """
    folding = _Folding()
    while folding.applied:
        folding.applied = False
        tree = rewritten(tree, folding.rewrite)
    return tree


def with_constant_sets(tree: Node) -> Node:
    """The tree with ``x in [..]`` over literals of one type turned into a look-up."""
    return rewritten(tree, _with_constant_set)


def _with_constant_set(node: Node) -> Node:
    if not isinstance(node, nodes.Binary) or node.operator != "in":
        return node
    if not isinstance(node.right, nodes.Array) or not node.right.nodes:
        return node
    literals = [each for each in node.right.nodes if isinstance(each, nodes.Constant)]
    if len(literals) < len(node.right.nodes):
        return node
    members = frozenset(each.value for each in literals)
    is_int = node.left.nature.kind is Kind.INT
    if is_int and all(each.holds(int) for each in literals):
        known = nodes.ConstantSet(members, "int")
    elif all(each.holds(str) for each in literals):
        known = nodes.ConstantSet(members, "string")
    else:
        return node
    node.right = known
    return node


class _Folding:
    def __init__(self) -> None:
        self.applied = True
        """Whether the last pass found anything to fold."""

    def rewrite(self, node: Node) -> Node:
        """What is known of a node whose parts are folded already."""
        found = _folded(node)
        if found is None:
            return node
        self.applied = True
        found.at = node.at
        return found


def _folded(node: Node) -> Node | None:
    match node:
        case nodes.Unary(operand=nodes.Constant() as operand):
            return _folded_unary(node.operator, operand)
        case nodes.Binary(operator="and" | "&&" | "or" | "||"):
            return _folded_logic(node)
        case nodes.Binary(left=nodes.Constant() as left, right=nodes.Constant() as right):
            return _folded_binary(node, left, right)
        case nodes.Array(nodes=[*items]) if items:
            return _folded_array(items)
        case nodes.Builtin(
            name="filter",
            arguments=[
                nodes.Builtin(name="filter", arguments=[items, nodes.Predicate(body=inner)]),
                nodes.Predicate(body=outer) as predicate,
            ],
        ):
            both = nodes.Binary("&&", inner, outer, at=predicate.at, nature=Nature(BOOL))
            joined = nodes.Predicate(both, at=predicate.at)
            return nodes.Builtin("filter", [items, joined], nature=node.nature)
    return None


def constant(value: bool | float | str) -> nodes.Constant:  # noqa: FBT001 - a literal, not a flag
    """A literal that the text does not have."""
    types = {bool: BOOL, int: INT, float: FLOAT64, str: STRING}
    return nodes.Constant(value, nature=Nature(types[type(value)]))


def _folded_unary(operator: str, operand: nodes.Constant) -> Node:
    value = operand.value
    if isinstance(value, bool):
        return constant(not value)
    # The checker lets signs stand before numbers only.
    number = cast("float", value)
    if operator == "+":
        return constant(number)
    return constant(wrapped(-number) if isinstance(number, int) else -number)


def _folded_logic(node: nodes.Binary) -> Node | None:
    neutral = node.operator in _AND
    for side, other in ((node.left, node.right), (node.right, node.left)):
        if isinstance(side, nodes.Constant) and side.value is neutral:
            other.nature = node.nature
            return other
    for side in (node.left, node.right):
        if isinstance(side, nodes.Constant) and side.value is (not neutral):
            return constant(not neutral)
    return None


def _folded_binary(node: nodes.Binary, left: nodes.Constant, right: nodes.Constant) -> Node | None:
    first, second, operator = left.value, right.value, node.operator
    if operator == "==":
        same = type(first) is type(second) and type(first) in {int, str, bool}
        return constant(first == second) if same else None
    if isinstance(first, str) and isinstance(second, str):
        return constant(first + second) if operator == "+" else None
    if not left.holds(int, float) or not right.holds(int, float):
        return None
    if operator == "%":
        if second == 0:
            raise Fault("integer divide by zero", node.at)
        return constant(modulo(first, second))
    if operator not in _ARITHMETIC:
        return None
    found = _ARITHMETIC[operator](first, second)  # type: ignore[arg-type] # both are numbers
    return constant(wrapped(found) if isinstance(found, int) else found)


_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: divided(float(left), float(right)),
    "**": lambda left, right: power(float(left), float(right)),
    "^": lambda left, right: power(float(left), float(right)),
}


def _folded_array(items: list[Node]) -> Node | None:
    literals = [item for item in items if isinstance(item, nodes.Constant) and item.holds(*_FOLDED)]
    if len(literals) < len(items):
        return None
    return nodes.Constant(tuple(item.value for item in literals), nature=Nature(LIST))


_FOLDED = (int, float, str, bool)
