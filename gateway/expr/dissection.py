"""A condition taken apart: the value of each piece that led to its own.

Pieces are run one by one, as expressions of their own, each within its own budget; what ``&&``,
``||`` and ``?:`` did not have to look at is not looked at here either. It costs several times the
condition, so nobody does it for the verdict itself.
"""

from contextlib import suppress
from functools import lru_cache
from typing import Final

from gateway.errors import ConditionError
from gateway.evidence import Comparison, ConditionEvidence, Part
from gateway.expr import nodes
from gateway.expr.environment import Root, of_condition
from gateway.expr.nodes import Node
from gateway.expr.parser import parse
from gateway.expr.program import compile_part
from gateway.expr.shown import shown
from gateway.expr.thresholds import MAX_PARTS, comparison
from gateway.expr.writing import text_of

MAX_SHOWN: Final = 24
"""Pieces of one condition; more are left out."""
_AND: Final = {"&&", "and"}
_OR: Final = {"||", "or"}
_KEPT_TREES: Final = 256
_MAX_MESSAGE_CHARS: Final = 500


def dissected(text: str, root: Root, result: object) -> ConditionEvidence:
    """What the pieces of a condition gave, over a result as ``Program.run`` takes it."""
    try:
        program = compile_part(text, root)
    except ConditionError as error:
        return ConditionEvidence(None, (_failed(text, error),))
    walk = _Walk(root, result)
    tree = _tree(text)
    if tree is not None:
        with suppress(_Enough):
            walk.into(tree)
        # The whole is told in the words of its template.
        walk.parts.pop(text_of(tree), None)
    pieces, comparisons = tuple(walk.parts.values()), tuple(walk.comparisons)
    try:
        value = program.run(result)
    except ConditionError as error:
        return ConditionEvidence(None, (*pieces, _failed(text, error)), comparisons)
    whole = value if isinstance(value, bool) else None
    return ConditionEvidence(whole, (*pieces, Part(text, shown(value))), comparisons)


def _failed(text: str, error: ConditionError) -> Part:
    return Part(text, error=str(error)[:_MAX_MESSAGE_CHARS])


@lru_cache(maxsize=_KEPT_TREES)
def _tree(text: str) -> Node | None:
    """Nobody changes it; None if nobody would read all of it."""
    tree = parse(text, frozenset(of_condition(Root.UNKNOWN)))
    return None if tree.size > MAX_PARTS else tree


class _Enough(Exception):
    """As many pieces are known as anybody wants to see, or the next one fails."""


class _Walk:
    def __init__(self, root: Root, result: object) -> None:
        self._root = root
        self._result = result
        self.parts: dict[str, Part] = {}
        self.comparisons: list[Comparison] = []

    def into(self, node: Node) -> object:
        """The value of a piece; it and what it was made of are noted."""
        match node:
            case nodes.Constant():
                return node.value
            case nodes.Unary(operand=operand):
                self.into(operand)
            case nodes.Binary(operator="??"):
                pass
            case nodes.Binary(left=left, right=right):
                self._operands(node.operator, left, right)
            case nodes.Conditional(condition=condition, then=then, otherwise=otherwise):
                self.into(then if self.into(condition) is True else otherwise)
        value = self._noted(node)
        if isinstance(node, nodes.Binary):
            self._compare(node, holds=value is True)
        return value

    def _operands(self, operator: str, left: Node, right: Node) -> None:
        first = self.into(left)
        is_known = (operator in _AND and first is False) or (operator in _OR and first is True)
        if not is_known:
            self.into(right)

    def _noted(self, node: Node) -> object:
        text = text_of(node)
        if text not in self.parts and len(self.parts) >= MAX_SHOWN:
            raise _Enough
        try:
            value = compile_part(text, self._root).run(self._result)
        except ConditionError as error:
            self.parts[text] = _failed(text, error)
            raise _Enough from None
        self.parts[text] = Part(text, shown(value))
        return value

    def _compare(self, node: nodes.Binary, *, holds: bool) -> None:
        found = comparison(node)
        if found is None:
            return
        measured, operator, limit = found
        text = text_of(measured)
        value = self.parts[text].value
        # What is no finite number is shown as a text.
        if isinstance(value, int | float) and not isinstance(value, bool):
            self.comparisons.append(Comparison(text, operator, limit, float(value), holds=holds))
