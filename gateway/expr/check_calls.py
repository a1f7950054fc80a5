"""Which arguments a call accepts, and what it gives, by static types alone.

Source: expr-lang v1.17.8, checker/checker.go:970-1180.
"""

from collections.abc import Callable

from gateway.expr import nodes
from gateway.expr.faults import Fault
from gateway.expr.gotypes import UNKNOWN, GoType, Kind, Nature
from gateway.expr.nodes import Node
from gateway.expr.signatures import OVERLOADS, VALIDATED

Visit = Callable[[Node], Nature]


def builtin_nature(node: nodes.Builtin, visit: Visit) -> Nature:
    """What a function of the language without predicate gives.

    Raises:
        Fault: the arguments fit no variant of it; the text is about the last variant.

    """
    if node.name in VALIDATED:
        arguments = [visit(argument) for argument in node.arguments]
        try:
            return Nature(VALIDATED[node.name](node.name, arguments))
        except Fault as fault:
            raise fault.located(node.at) from None
    seen = _Seen(visit)
    last = Fault(f"no matching overload for {node.name}", node.at)
    for overload in OVERLOADS[node.name]:
        try:
            return call_nature(node.name, overload, node, node.arguments, seen)
        except _Unfit as unfit:
            last = Fault(str(unfit), unfit.at)
    raise last


def function_nature(name: str, called: GoType, node: nodes.Call, visit: Visit) -> Nature:
    """What a function or method of this type gives. Raises Fault if the arguments do not fit."""
    try:
        return call_nature(name, called, node, node.arguments, _Seen(visit))
    except _Unfit as unfit:
        raise Fault(str(unfit), unfit.at) from None


class _Unfit(Fault):
    """One variant of a function does not take the arguments; another may."""


class _Seen:
    """Visits each argument once, however many variants look at it."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._natures: dict[int, Nature] = {}

    def __call__(self, node: Node) -> Nature:
        if id(node) not in self._natures:
            self._natures[id(node)] = self._visit(node)
        return self._natures[id(node)]


def call_nature(
    name: str, called: GoType, node: Node, arguments: list[Node], visit: Visit
) -> Nature:
    """What a call of one type gives. Raises _Unfit, or what ``visit`` raises."""
    if called.signature is None:
        return UNKNOWN
    parameters, results = called.signature.parameters, called.signature.results
    if len(results) > 2:  # noqa: PLR2004 - a value and an error
        raise _Unfit(f"func {name} returns more then two values", node.at)
    if len(arguments) != len(parameters):
        for argument in arguments:
            visit(argument)
        amount = "too many" if len(arguments) > len(parameters) else "not enough"
        raise _Unfit(f"{amount} arguments to call {name}", node.at)
    for index, parameter in enumerate(parameters):
        wanted, given = Nature(parameter), visit(arguments[index])
        if wanted.is_float and given.is_integer:
            arguments[index] = _as_float(arguments[index])
        elif not (wanted.is_integer and given.is_integer):
            _expect(name, wanted, given, arguments[index].at)
    return Nature(results[0])


def _expect(name: str, wanted: Nature, given: Nature, at: int) -> None:
    if given.is_nil:
        if wanted.kind in {Kind.POINTER, Kind.ANY}:
            return
        raise _Unfit(f"cannot use nil as argument (type {wanted}) to call {name}", at)
    if not given.is_unknown and not given.assignable_to(wanted):
        raise _Unfit(f"cannot use {given} as argument (type {wanted}) to call {name} ", at)


def _as_float(node: Node) -> Node:
    """Integer literals become floats where a float is wanted; sums and products of them too."""
    match node:
        case nodes.Constant(value=int() as value) if not isinstance(value, bool):
            return nodes.Constant(float(value), at=node.at, nature=node.nature)
        case nodes.Unary():
            node.operand = _as_float(node.operand)
        case nodes.Binary(operator="+" | "-" | "*"):
            node.left, node.right = _as_float(node.left), _as_float(node.right)
    return node
