"""The number that a condition compares its result with, for panels that show both.

A condition may say anything; this reads the common form, in which one number is compared with the
result, and says nothing of all others.
"""

from functools import lru_cache
from typing import Final

from gateway.expr.faults import Fault
from gateway.expr.nodes import Binary, Constant, Identifier, Member, Node, Unary, children
from gateway.expr.parser import parse

MAX_LENGTH: Final = 1_024
"""Characters of a condition that is read."""
_KEPT: Final = 1_024
_COMPARISONS: Final = frozenset({"<", "<=", ">", ">="})
_DECLARED: Final = frozenset({"result"})


@lru_cache(maxsize=_KEPT)
def threshold(condition: str) -> float | None:
    """The only number that ``result`` or an item of it is compared with; None if there is no such.

    ``isNaN(result[0]) || result[0] > 0.9`` gives 0.9; two comparisons give None.
    """
    if not condition or len(condition) > MAX_LENGTH:
        return None
    try:
        found = _thresholds(parse(condition, _DECLARED))
    except (Fault, RecursionError):
        return None
    return found[0] if len(found) == 1 else None


def _thresholds(tree: Node) -> list[float]:
    found = list[float]()
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        waiting.extend(children(node))
        if isinstance(node, Binary) and node.operator in _COMPARISONS:
            for side, other in ((node.left, node.right), (node.right, node.left)):
                number = _number(other)
                if number is not None and _is_of_result(side):
                    found.append(number)
    return found


def _is_of_result(node: Node) -> bool:
    while isinstance(node, Member):
        node = node.base
    return isinstance(node, Identifier) and node.name == "result"


def _number(node: Node) -> float | None:
    if isinstance(node, Unary) and node.operator == "-":
        positive = _number(node.operand)
        return None if positive is None else -positive
    if isinstance(node, Constant) and node.holds(int, float):
        return float(node.value)  # type: ignore[arg-type] # one of the two
    return None
