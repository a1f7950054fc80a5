"""Short cuts that the reference takes, as far as they can be observed.

They decide which errors are met first, which are never met, and what counts as memory.
Source: expr-lang v1.17.8, optimizer/*.go.
"""

from gateway.expr import nodes
from gateway.expr.folding import Rewrite, constant, fold, rewritten, with_constant_sets
from gateway.expr.gotypes import BOOL, Kind, Nature
from gateway.expr.nodes import Node
from gateway.expr.numbers import wrapped

_BOOL = Nature(BOOL)


def optimized(tree: Node) -> Node:
    """The checked tree, as the reference runs it. Raises Fault as ``fold`` does."""
    tree = fold(with_constant_sets(tree))
    found = nodes.operations(tree)
    for needed, rewrite in _PASSES:
        if not needed.isdisjoint(found):
            tree = rewritten(tree, rewrite)
    return tree


def _instead(node: Node, found: Node) -> Node:
    found.at, found.nature = node.at, node.nature
    return found


def _in_range(node: Node) -> Node:
    match node:
        case nodes.Binary(
            operator="in",
            right=nodes.Binary(
                operator="..",
                left=nodes.Constant(value=int()) as start,
                right=nodes.Constant(value=int()) as stop,
            ),
        ) if node.left.nature.kind is Kind.INT:
            above = nodes.Binary(">=", node.left, start, at=node.at, nature=_BOOL)
            below = nodes.Binary("<=", node.left, stop, at=node.at, nature=_BOOL)
            return _instead(node, nodes.Binary("and", above, below))
    return node


def _filter_map(node: Node) -> Node:
    match node:
        case nodes.Builtin(
            name="map",
            arguments=[nodes.Builtin(name="filter", mapped=None) as inner, nodes.Predicate() as to],
        ) if not nodes.asks_for_index(to):
            return _instead(node, nodes.Builtin("filter", inner.arguments, mapped=to.body))
    return node


def _filter_length(node: Node) -> Node:
    match node:
        case nodes.Builtin(name="len", arguments=[nodes.Builtin(name="filter") as inner]):
            return _instead(node, nodes.Builtin("count", inner.arguments))
    return node


def _filter_end(index: int, function: str, finder: str) -> Rewrite:
    def rewrite(node: Node) -> Node:
        match node:
            case nodes.Member(
                base=nodes.Builtin(name="filter") as inner,
                key=nodes.Constant(value=int() as key),
                optional=False,
            ) if key == index and not isinstance(key, bool):
                found = nodes.Builtin(finder, inner.arguments, inner.mapped, throws=True)
                return _instead(node, found)
            case nodes.Builtin(arguments=[nodes.Builtin(name="filter") as inner]) if (
                node.name == function
            ):
                return _instead(node, nodes.Builtin(finder, inner.arguments, inner.mapped))
        return node

    return rewrite


def _combined_predicates(node: Node) -> Node:
    match node:
        case nodes.Binary(
            left=nodes.Builtin(arguments=[items, nodes.Predicate() as first]) as left,
            right=nodes.Builtin(arguments=[others, nodes.Predicate() as second]) as right,
        ) if left.name == right.name and (left.name, node.operator) in _COMBINED:
            if items.nature.type != others.nature.type or repr(items) != repr(others):
                return node
            operator = _COMBINED[left.name, node.operator]
            both = nodes.Binary(operator, first.body, second.body, at=node.at, nature=_BOOL)
            body = nodes.Predicate(_combined_predicates(both), at=first.at)
            return _instead(node, nodes.Builtin(left.name, [items, body]))
    return node


_COMBINED = {
    ("all", "and"): "and",
    ("all", "&&"): "&&",
    ("any", "or"): "or",
    ("any", "||"): "||",
    ("none", "and"): "or",
    ("none", "&&"): "||",
}


def _range_sum(node: Node) -> Node:
    match node:
        case nodes.Builtin(
            name="sum" | "reduce",
            arguments=[
                nodes.Binary(
                    operator="..",
                    left=nodes.Constant(value=int() as start),
                    right=nodes.Constant(value=int() as stop),
                ),
                *rest,
            ],
        ) if stop >= start:
            count = wrapped(stop - start + 1)
            total = _halved(wrapped(count * wrapped(start + stop)))
            found = (_sum_by if node.name == "sum" else _reduce_by)(total, count, rest)
            return node if found is None else _instead(node, constant(wrapped(found)))
    return node


def _halved(number: int) -> int:
    return -(-number // 2) if number < 0 else number // 2


def _sum_by(total: int, count: int, rest: list[Node]) -> int | None:
    match rest:
        case [] | [nodes.Predicate(body=nodes.Pointer(name=""))]:
            return total
        case [
            nodes.Predicate(
                body=nodes.Binary(
                    left=nodes.Pointer(name=""), right=nodes.Constant(value=int() as number)
                ) as body
            )
        ] if not isinstance(number, bool):
            offset = count * number
            return {"*": number * total, "+": total + offset, "-": total - offset}.get(
                body.operator
            )
        case [
            nodes.Predicate(
                body=nodes.Binary(
                    left=nodes.Constant(value=int() as number), right=nodes.Pointer(name="")
                ) as body
            )
        ] if not isinstance(number, bool):
            offset = count * number
            return {"*": number * total, "+": total + offset, "-": offset - total}.get(
                body.operator
            )
    return None


def _reduce_by(total: int, _: int, rest: list[Node]) -> int | None:
    match rest:
        case [
            nodes.Predicate(
                body=nodes.Binary(
                    operator="+", left=nodes.Pointer(name=left), right=nodes.Pointer(name=right)
                )
            ),
            *start,
        ] if {left, right} == {"", "acc"}:
            match start:
                case []:
                    return total
                case [nodes.Constant(value=int() as first)] if not isinstance(first, bool):
                    return first + total
    return None


def _map_sum(node: Node) -> Node:
    match node:
        case nodes.Builtin(
            name="sum", arguments=[nodes.Builtin(name="map", arguments=[items, predicate])]
        ) if not nodes.asks_for_index(predicate):
            return _instead(node, nodes.Builtin("sum", [items, predicate]))
    return node


def _count_any(node: Node) -> Node:
    match node:
        case nodes.Binary(
            operator=">" | ">=",
            left=nodes.Builtin(name="count", arguments=[_, _]) as count,
            right=nodes.Constant(value=int() as least),
        ) if least == (node.operator == ">=") and not isinstance(least, bool):
            return _instead(node, nodes.Builtin("any", count.arguments))
    return node


def _count_threshold(node: Node) -> Node:
    match node:
        case nodes.Binary(
            operator=">" | ">=" | "<" | "<=",
            left=nodes.Builtin(name="count", arguments=[_, _]) as count,
            right=nodes.Constant(value=int() as bound),
        ) if not isinstance(bound, bool):
            enough = bound + (node.operator in {">", "<="})
            count.threshold = enough if enough > 1 else count.threshold
    return node


_PASSES: tuple[tuple[frozenset[str], Rewrite], ...] = (
    (frozenset({"in"}), _in_range),
    (frozenset({"filter"}), _filter_map),
    (frozenset({"filter"}), _filter_length),
    (frozenset({"filter"}), _filter_end(-1, "last", "findLast")),
    (frozenset({"filter"}), _filter_end(0, "first", "find")),
    (frozenset({"all", "any", "none"}), _combined_predicates),
    (frozenset({".."}), _range_sum),
    (frozenset({"sum"}), _map_sum),
    (frozenset({"count", "filter"}), _count_any),
    (frozenset({"count", "filter"}), _count_threshold),
)
"""In the reference's order: the operations without which a pass has nothing to do, and the pass."""
