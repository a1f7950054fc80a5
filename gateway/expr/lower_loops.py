"""Loops over lists, and the bodies that they run, to calls."""

import ast
from dataclasses import replace
from typing import Protocol

from gateway.expr import calls, loops, nodes
from gateway.expr.assembly import Assembly, known
from gateway.expr.loops import Search
from gateway.expr.nodes import Node

_PLAIN = {
    "all": loops.all_of,
    "any": loops.any_of,
    "none": loops.none_of,
    "one": loops.one_of,
    "groupBy": loops.group_of,
}
_SEARCHES = {
    "find": Search(),
    "findIndex": Search(gives_index=True),
    "findLast": Search(backwards=True),
    "findLastIndex": Search(backwards=True, gives_index=True),
}


class Lowering(Protocol):
    """What loops need of the lowering of all else."""

    assembly: Assembly
    pointers: list[dict[str, str]]

    def expression(self, node: Node) -> ast.expr:
        """The Python expression of a node."""


def lower_loop(lowering: Lowering, node: nodes.Builtin) -> ast.expr:
    """The call of a function that runs a predicate for each element."""
    return _Loop(lowering, node).lower()


class _Loop:
    def __init__(self, lowering: Lowering, node: nodes.Builtin) -> None:
        self._lowering = lowering
        self._assembly = lowering.assembly
        self._node = node
        name = self._assembly.fresh("item")
        self._names = {"": name, "index": f"{name}.index", "acc": f"{name}.acc"}
        self._items = node.arguments[0]

    def lower(self) -> ast.expr:
        """The call, by the function's name."""
        node = self._node
        match node.name:
            case "map":
                return self._map()
            case "filter" if node.mapped is not None:
                mapped, _ = self._body(node.mapped)
                return self._call(loops.filter_map_of, *self._body(node.arguments[1]), mapped)
            case "filter":
                return self._call(loops.filter_of, *self._body(node.arguments[1]))
            case "count":
                threshold = known(node.threshold)
                return self._call(loops.count_of, *self._optional_body(), threshold)
            case "sum":
                return self._sum()
            case "sortBy":
                return self._sort()
            case "reduce":
                return self._reduce()
            case name if name in _SEARCHES:
                return self._search()
        return self._call(_PLAIN[node.name], *self._body(node.arguments[1]))

    def _call(self, function: loops.Loop, *arguments: ast.expr) -> ast.expr:
        items = self._lowering.expression(self._items)
        return self._assembly.apply(function, [items, *arguments], self._node.at)

    def _body(self, node: Node, *parameters: str) -> tuple[ast.expr, ast.Constant]:
        """The function that runs for each element, and what each run of it costs."""
        inner = node.body if isinstance(node, nodes.Predicate) else node
        self._lowering.pointers.append(self._names)
        value = self._lowering.expression(inner)
        self._lowering.pointers.pop()
        names = [self._names[parameter] for parameter in ("", *parameters)]
        function, steps = self._assembly.function(names, value)
        return function, known(steps)

    def _optional_body(self) -> tuple[ast.expr, ast.Constant]:
        if len(self._node.arguments) > 1:
            return self._body(self._node.arguments[1])
        return known(loops.itself), known(2)

    def _map(self) -> ast.expr:
        predicate = self._node.arguments[1]
        if nodes.asks_for_index(predicate):
            return self._call(loops.map_indexed_of, *self._body(predicate, "index"))
        return self._call(loops.map_of, *self._body(predicate))

    def _sum(self) -> ast.expr:
        items = self._items
        if isinstance(items, nodes.Array) and len(self._node.arguments) == 1 < len(items.nodes):
            values = [self._lowering.expression(each) for each in items.nodes]
            return self._assembly.apply(calls.sum_from_right, values, self._node.at)
        return self._call(loops.sum_of, *self._optional_body())

    def _search(self) -> ast.expr:
        node = self._node
        test, cost = self._body(node.arguments[1])
        search = replace(_SEARCHES[node.name], needs_match=node.throws)
        mapped: ast.expr = known(loops.itself)
        if node.mapped is not None:
            mapped, _ = self._body(node.mapped)
        return self._call(loops.find_of, test, cost, known(search), mapped)

    def _sort(self) -> ast.expr:
        order: ast.expr = known("asc")
        if len(self._node.arguments) > 2:  # noqa: PLR2004 - the order comes third
            order = self._lowering.expression(self._node.arguments[2])
        return self._call(loops.sort_of, *self._body(self._node.arguments[1]), order)

    def _reduce(self) -> ast.expr:
        body, cost = self._body(self._node.arguments[1], "index", "acc")
        if len(self._node.arguments) == 2:  # noqa: PLR2004 - without a start
            return self._call(loops.reduce_of, body, cost)
        start = self._lowering.expression(self._node.arguments[2])
        return self._call(loops.reduce_from, body, cost, start)
