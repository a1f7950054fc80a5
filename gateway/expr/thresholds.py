"""The numbers that a condition compares its result with: where a chart draws its lines."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from gateway.expr import nodes
from gateway.expr.environment import Root, of_condition
from gateway.expr.faults import Fault
from gateway.expr.nodes import Node
from gateway.expr.parser import parse
from gateway.expr.writing import text_of

MAX_PARTS: Final = 256
"""Of a condition with more nodes nothing is told: nobody would read it."""
_MIRRORED: Final = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
_NEGATED: Final = {"<": ">=", ">": "<=", "<=": ">", ">=": "<", "==": "!=", "!=": "=="}
_ORDERED: Final = {"<", "<=", ">", ">="}
_KEPT: Final = 1_024
"""Conditions whose limit is remembered: it is asked for with every measurement."""
_LOGIC: Final = {"&&", "and", "||", "or"}
_NOT: Final = {"!", "not"}
_OF_EACH: Final = {"all", "any", "one", "none"}
_SAME_SCALE: Final = {
    *("first", "last", "min", "max", "mean", "median", "abs", "ceil", "floor", "round"),
    *("float", "int", "asFloat", "asInt", "default"),
}
"""Functions whose value can be drawn into the same chart as that of their first argument."""
_CONVERSIONS: Final = {"float", "int", "asFloat", "asInt"}
_DECLARED: Final = frozenset(of_condition(Root.UNKNOWN))


@dataclass(frozen=True, slots=True)
class Threshold:
    """A comparison with a number."""

    expression: str
    """What is compared: ``result``, ``result[0]``, ``default(result, 0)``, ``#`` for each element
    of the result."""
    operator: str
    """One of ``<``, ``<=``, ``>``, ``>=``, ``==``, ``!=``, with the expression on its left."""
    limit: float
    """Finite."""


def thresholds(condition: str) -> tuple[Threshold, ...]:
    """All comparisons of the result with a number, in the order of the text.

    A comparison behind ``!`` is told the other way round. Empty if there is none, and for what is
    no condition.
    """
    try:
        tree = parse(condition, _DECLARED)
    except Fault:
        return ()
    return () if tree.size > MAX_PARTS else tuple(_found(tree, is_negated=False))


@lru_cache(maxsize=_KEPT)
def only_limit(condition: str) -> float | None:
    """The one number that must not be reached or crossed; None if there is none, or several."""
    limits = [each.limit for each in thresholds(condition) if each.operator in _ORDERED]
    return limits[0] if len(limits) == 1 else None


def _found(node: Node, *, is_negated: bool) -> Iterator[Threshold]:
    match node:
        case nodes.Unary(operator=operator, operand=operand) if operator in _NOT:
            yield from _found(operand, is_negated=not is_negated)
        case nodes.Binary(operator=operator, left=left, right=right) if operator in _LOGIC:
            yield from _found(left, is_negated=is_negated)
            yield from _found(right, is_negated=is_negated)
        case nodes.Builtin(name=name, arguments=[items, nodes.Predicate(body=body)]) if (
            name in _OF_EACH and is_measured(items)
        ):
            yield from _found(body, is_negated=is_negated is not (name == "none"))
        case nodes.Conditional(condition=condition, then=then, otherwise=otherwise):
            for each in (condition, then, otherwise):
                yield from _found(each, is_negated=is_negated)
        case nodes.Binary():
            compared = comparison(node)
            if compared is not None:
                measured, operator, limit = compared
                operator = _NEGATED[operator] if is_negated else operator
                yield Threshold(text_of(measured), operator, limit)


def comparison(node: nodes.Binary) -> tuple[Node, str, float] | None:
    """What of the result is compared, how and with which number; None if it is none of these."""
    if node.operator not in _MIRRORED:
        return None
    limit = _number(node.right)
    if limit is not None and is_measured(node.left):
        return node.left, node.operator, limit
    limit = _number(node.left)
    if limit is not None and is_measured(node.right):
        return node.right, _MIRRORED[node.operator], limit
    return None


def is_measured(node: Node) -> bool:
    """Whether a part is the result, or something of it on the same scale."""
    match node:
        case nodes.Identifier(name="result") | nodes.Pointer(name=""):
            return True
        case nodes.Chain(node=inner) | nodes.Member(base=inner, is_called=False):
            return is_measured(inner)
        case nodes.Builtin(name=name, arguments=[first, *_]) if name in _SAME_SCALE:
            return is_measured(first)
        case nodes.Call(callee=nodes.Identifier(name=name), arguments=[first, *_]) if (
            name in _SAME_SCALE
        ):
            return is_measured(first)
        case nodes.Binary(operator="??", left=left, right=nodes.Constant()):
            return is_measured(left)
    return False


def _number(node: Node) -> float | None:
    match node:
        case nodes.Constant(value=bool()):
            return None
        case nodes.Constant(value=int() | float() as value):
            return _finite(value)
        case nodes.Unary(operator="-" | "+" as sign, operand=operand):
            number = _number(operand)
            return -number if sign == "-" and number is not None else number
        case nodes.Builtin(name=name, arguments=[argument]) if name in _CONVERSIONS:
            return _converted(argument)
        case nodes.Call(callee=nodes.Identifier(name=name), arguments=[argument]) if (
            name in _CONVERSIONS
        ):
            return _converted(argument)
    return None


def _converted(node: Node) -> float | None:
    if not isinstance(node, nodes.Constant) or not isinstance(node.value, str):
        return _number(node)
    try:
        return _finite(float(node.value))
    except ValueError:
        return None


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
