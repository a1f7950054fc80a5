"""A condition taken apart: the value of each piece that led to its own.

Pieces are run one by one, as expressions of their own; what ``&&``, ``||`` and ``?:`` did not have
to look at is not looked at here either. The condition and its pieces, and what is printed of their
values, share the budget of one evaluation: those that it is too small for are left out.
"""

from contextlib import suppress
from functools import lru_cache
from typing import Final

from gateway.errors import ConditionError
from gateway.evidence import Comparison, ConditionEvidence, Part
from gateway.expr import nodes
from gateway.expr.budget import is_spent
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
    walk, tree = _Walk(root, result), _tree(text)
    value: object = None
    try:
        value = program.run(result)
        whole = Part(text, shown(value))
    except ConditionError as error:
        whole = _failed(text, error)
    if tree is not None:
        with suppress(_Enough):
            walk.below(tree, value)
    holds = value if isinstance(value, bool) else None
    return ConditionEvidence(holds, (*walk.parts.values(), whole), tuple(walk.comparisons))


def _failed(text: str, error: ConditionError) -> Part:
    return Part(text, error=str(error)[:_MAX_MESSAGE_CHARS])


@lru_cache(maxsize=_KEPT_TREES)
def _tree(text: str) -> Node | None:
    """Nobody changes it; None if nobody would read all of it."""
    tree = parse(text, frozenset(of_condition(Root.UNKNOWN)))
    return None if tree.size > MAX_PARTS else tree


class _Enough(Exception):
    """As many pieces are known as anybody wants to see or may have, or the next one fails."""


class _Walk:
    def __init__(self, root: Root, result: object) -> None:
        self._root = root
        self._result = result
        self.parts: dict[str, Part] = {}
        self.comparisons: list[Comparison] = []

    def below(self, tree: Node, value: object) -> None:
        """Note what a condition of a known value was made of, and not the condition again."""
        self._inside(tree)
        self._compare(tree, value)

    def _into(self, node: Node) -> object:
        """The value of a piece; it and what it was made of are noted."""
        if isinstance(node, nodes.Constant):
            return node.value
        self._inside(node)
        value = self._noted(node)
        self._compare(node, value)
        return value

    def _inside(self, node: Node) -> None:
        match node:
            case nodes.Unary(operand=operand):
                self._into(operand)
            case nodes.Binary(operator="??"):
                pass
            case nodes.Binary(left=left, right=right):
                self._operands(node.operator, left, right)
            case nodes.Conditional(condition=condition, then=then, otherwise=otherwise):
                self._into(then if self._into(condition) is True else otherwise)

    def _operands(self, operator: str, left: Node, right: Node) -> None:
        first = self._into(left)
        is_known = (operator in _AND and first is False) or (operator in _OR and first is True)
        if not is_known:
            self._into(right)

    def _noted(self, node: Node) -> object:
        text = text_of(node)
        if text not in self.parts and len(self.parts) >= MAX_SHOWN:
            raise _Enough
        try:
            value = compile_part(text, self._root).run_on(self._result)
        except ConditionError as error:
            # By itself it would have a value: what is missing is only the room to find it again.
            if not is_spent():
                self.parts[text] = _failed(text, error)
            raise _Enough from None
        self.parts[text] = Part(text, shown(value))
        return value

    def _compare(self, node: Node, outcome: object) -> None:
        found = comparison(node) if isinstance(node, nodes.Binary) else None
        if found is None:
            return
        measured, operator, limit = found
        text = text_of(measured)
        value = self.parts[text].value
        # What is no finite number is shown as a text.
        if isinstance(value, int | float) and not isinstance(value, bool):
            holds = outcome is True
            self.comparisons.append(Comparison(text, operator, limit, float(value), holds=holds))
