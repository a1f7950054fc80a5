"""Static types: what must fail before anything runs, whatever the values are.

Source: expr-lang v1.17.8, checker/checker.go.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.expr import nodes
from gateway.expr.check_calls import builtin_nature, function_nature
from gateway.expr.check_loops import (
    bare_nature,
    expect_list,
    expect_order,
    loop_nature,
    pointer_names,
)
from gateway.expr.check_members import (
    expect_bound,
    expect_sliceable,
    get_nature,
    literal_name,
    member_nature,
)
from gateway.expr.check_operators import binary_nature, unary_nature
from gateway.expr.faults import Fault
from gateway.expr.gotypes import (
    BOOL,
    BYTES,
    FLOAT64,
    INT,
    LIST,
    MAP,
    NIL,
    STRING,
    UNKNOWN,
    Kind,
    Nature,
    list_of,
)
from gateway.expr.nodes import Node
from gateway.expr.signatures import BUILTIN_NAMES, PREDICATES, builtin_type


def check(tree: Node, declared: Mapping[str, Nature]) -> None:
    """Write the nature of every node into the tree.

    Raises:
        Fault: a name is unknown, or operands or arguments can never fit.

    """
    _Checker(declared).visit(tree)


@dataclass(frozen=True, slots=True)
class _Scope:
    """The inside of a predicate."""

    items: Nature
    names: Mapping[str, Nature]


class _Checker:
    def __init__(self, declared: Mapping[str, Nature]) -> None:
        self._declared = declared
        self._variables: dict[str, Nature] = {}
        self._scopes: list[_Scope] = []

    def visit(self, node: Node) -> Nature:
        """The nature of a node, written into it and into all below."""
        node.nature = _RULES[type(node)](self, node)
        return node.nature

    def constant(self, node: nodes.Constant) -> Nature:
        """A literal has its own type."""
        return NIL if node.value is None else Nature(_LITERALS[type(node.value)])

    def identifier(self, node: nodes.Identifier) -> Nature:
        """A variable, a name of the environment, or the bare name of a function."""
        if node.name in self._variables:
            return self._variables[node.name]
        if node.name == "$env":
            return UNKNOWN
        if node.name in self._declared:
            return self._declared[node.name]
        if node.name in BUILTIN_NAMES:
            return Nature(builtin_type(node.name))
        raise Fault(f"unknown name {node.name}", node.at)

    def pointer(self, node: nodes.Pointer) -> Nature:
        """The element, its index or the accumulator of the innermost predicate."""
        scope = self._scopes[-1]
        if not node.name:
            return scope.items
        if node.name in scope.names:
            return scope.names[node.name]
        raise Fault(f"unknown pointer #{node.name}", node.at)

    def unary(self, node: nodes.Unary) -> Nature:
        """``!``, ``-`` or ``+``."""
        return unary_nature(node, self.visit(node.operand).pointed_to)

    def binary(self, node: nodes.Binary) -> Nature:
        """Any binary operator; a long chain is walked along its left spine."""
        spine = [node]
        while isinstance(spine[-1].left, nodes.Binary):
            spine.append(spine[-1].left)
        found = self.visit(spine[-1].left)
        for each in reversed(spine):
            left, right = found.pointed_to, self.visit(each.right).pointed_to
            found = each.nature = binary_nature(each, left, right)
        return found

    def chain(self, node: nodes.Chain) -> Nature:
        """What the members inside give."""
        return self.visit(node.node)

    def member(self, node: nodes.Member) -> Nature:
        """A field, an element or a method."""
        if isinstance(node.base, nodes.Identifier) and node.base.name == "$env":
            name = literal_name(node.key)
            if name is None:
                return UNKNOWN
            if name not in self._declared and not node.optional:
                raise Fault(f"unknown name {name}", node.at)
            return self._declared.get(name, UNKNOWN)
        return member_nature(node, self.visit(node.base), self.visit(node.key))

    def slice(self, node: nodes.Slice) -> Nature:
        """A part of a list or of a string."""
        base = self.visit(node.base)
        if base.is_unknown:
            return UNKNOWN
        expect_sliceable(node, base)
        for bound in (node.start, node.stop):
            if bound is not None:
                expect_bound(self.visit(bound).pointed_to, bound.at)
        return base

    def call(self, node: nodes.Call) -> Nature:
        """A call of something that is no function of the language."""
        callee = node.callee
        if isinstance(callee, nodes.Identifier) and callee.name == "$env":
            raise Fault(f"{MAP.name} is not callable", node.at)
        nature = self.visit(callee)
        if nature.is_unknown:
            return UNKNOWN
        if isinstance(callee, nodes.Identifier):
            name = callee.name
        else:
            name = literal_name(callee.key) or ""
        if nature.is_nil:
            raise Fault(f"{name} is nil; cannot call nil as function", node.at)
        if nature.type is None or nature.kind is not Kind.FUNC:
            raise Fault(f"{nature} is not callable", node.at)
        return function_nature(name, nature.type, node, self.visit)

    def builtin(self, node: nodes.Builtin) -> Nature:
        """A function of the language."""
        if node.name in PREDICATES:
            return self._loop(node)
        if node.name == "get":
            return self._get(node)
        return builtin_nature(node, self.visit)

    def _get(self, node: nodes.Builtin) -> Nature:
        if len(node.arguments) != 2:  # noqa: PLR2004 - a container and a key
            count = len(node.arguments)
            raise Fault(f"invalid number of arguments (expected 2, got {count})", node.at)
        holder, wanted = node.arguments
        base, key = self.visit(holder), self.visit(wanted).pointed_to
        if isinstance(holder, nodes.Identifier) and holder.name == "$env":
            return self._declared.get(literal_name(wanted) or "", UNKNOWN)
        return get_nature(node, base, key)

    def _loop(self, node: nodes.Builtin) -> Nature:
        collection = self.visit(node.arguments[0]).pointed_to
        expect_list(node, collection)
        if len(node.arguments) == 1:
            return bare_nature(node, collection)
        self._scopes.append(_Scope(collection.items(), pointer_names(node.name)))
        given = self.visit(node.arguments[1])
        self._scopes.pop()
        for argument in node.arguments[2:]:
            expect_order(node, self.visit(argument), argument.at)
        return loop_nature(node, collection, given)

    def predicate(self, node: nodes.Predicate) -> Nature:
        """What the body gives."""
        return self.visit(node.body)

    def let(self, node: nodes.Let) -> Nature:
        """The body, which knows one more name."""
        if node.name in self._declared:
            raise Fault(f"cannot redeclare {node.name}", node.at)
        if node.name in BUILTIN_NAMES:
            raise Fault(f"cannot redeclare builtin {node.name}", node.at)
        if node.name in self._variables:
            raise Fault(f"cannot redeclare variable {node.name}", node.at)
        value = self.visit(node.value)
        self._variables[node.name] = value
        found = self.visit(node.body)
        del self._variables[node.name]
        return found

    def sequence(self, node: nodes.Sequence) -> Nature:
        """The last of several."""
        return [self.visit(each) for each in node.nodes][-1]

    def conditional(self, node: nodes.Conditional) -> Nature:
        """Either branch."""
        condition = self.visit(node.condition).pointed_to
        if not condition.is_bool and not condition.is_unknown:
            raise Fault(
                f"non-bool expression (type {condition}) used as condition", node.condition.at
            )
        then, otherwise = self.visit(node.then), self.visit(node.otherwise)
        if then.is_nil or otherwise.is_nil:
            return otherwise if then.is_nil else then
        if not then.assignable_to(otherwise):
            return UNKNOWN
        if then.is_list and otherwise.is_list:
            first, second = then.items(), otherwise.items()
            if not first.assignable_to(second) or not second.assignable_to(first):
                return Nature(LIST)
        return then

    def array(self, node: nodes.Array) -> Nature:
        """A list, of one type if all elements have it."""
        natures = [self.visit(each) for each in node.nodes]
        if len({nature.kind for nature in natures}) > 1:
            return Nature(LIST)
        return list_of(natures[-1] if natures else UNKNOWN)

    def map(self, node: nodes.Map) -> Nature:
        """A map[string]any."""
        for entry in node.entries:
            self.visit(entry)
        return Nature(MAP)


_LITERALS = {bool: BOOL, int: INT, float: FLOAT64, str: STRING, bytes: BYTES}
_RULES: dict[type[Node], Callable[[Any, Any], Nature]] = {
    nodes.Constant: _Checker.constant,
    nodes.Identifier: _Checker.identifier,
    nodes.Pointer: _Checker.pointer,
    nodes.Unary: _Checker.unary,
    nodes.Binary: _Checker.binary,
    nodes.Chain: _Checker.chain,
    nodes.Member: _Checker.member,
    nodes.Slice: _Checker.slice,
    nodes.Call: _Checker.call,
    nodes.Builtin: _Checker.builtin,
    nodes.Predicate: _Checker.predicate,
    nodes.Let: _Checker.let,
    nodes.Sequence: _Checker.sequence,
    nodes.Conditional: _Checker.conditional,
    nodes.Array: _Checker.array,
    nodes.Map: _Checker.map,
}
