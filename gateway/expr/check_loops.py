"""What the functions with a predicate accept and give, by static types alone.

Source: expr-lang v1.17.8, checker/checker.go:693-935.
"""

from collections.abc import Callable, Mapping

from gateway.expr import nodes
from gateway.expr.faults import Fault
from gateway.expr.gotypes import ANY, BOOL, GROUPS, INT, LIST, UNKNOWN, Nature, list_of

_INT = Nature(INT)
_TESTS = frozenset(
    "all none any one filter count find findLast findIndex findLastIndex".split()  # noqa: SIM905 - a row of names reads best as one
)


def pointer_names(name: str) -> Mapping[str, Nature]:
    """What a predicate may name besides its element."""
    if name == "reduce":
        return {"index": _INT, "acc": UNKNOWN}
    return {"index": _INT} if name == "map" else {}


def expect_list(node: nodes.Builtin, collection: Nature) -> None:
    """Raise Fault unless a loop can run over the first argument."""
    if not collection.is_list and not collection.is_unknown:
        at = node.arguments[0].at
        raise Fault(f"builtin {node.name} takes only array (got {collection})", at)


def bare_nature(node: nodes.Builtin, collection: Nature) -> Nature:
    """What ``count`` or ``sum`` without a predicate gives."""
    return _INT if node.name == "count" else collection.items()


def expect_order(node: nodes.Builtin, order: Nature, at: int) -> None:
    """Raise Fault unless the third argument of ``sortBy`` can be a string."""
    if node.name == "sortBy" and not order.is_string and not order.is_unknown:
        raise Fault(f"sortBy order argument must be a string (got {order})", at)


def loop_nature(node: nodes.Builtin, collection: Nature, given: Nature) -> Nature:
    """What a loop gives whose predicate gives ``given``. Raises Fault if it cannot use that."""
    if given.is_nil:
        raise _no_result(node, collection)
    if node.name in _TESTS and not given.is_bool and not given.is_unknown:
        at = node.arguments[1].at
        raise Fault(f"predicate should return boolean (got {given})", at)
    return _GIVES[node.name](collection, given)


def _no_result(node: nodes.Builtin, collection: Nature) -> Fault:
    at = node.arguments[1].at
    if node.name == "reduce":
        return Fault("predicate should has two input and one output param", at)
    if node.name != "sum":
        return Fault("predicate should has one input and one output param", at)
    given, wanted = "func(interface {})", "func(interface {}) bool"
    if not collection.is_unknown and collection.type != LIST:
        given, wanted, at = str(collection), LIST.name, node.arguments[0].at
    return Fault(f"cannot use {given} as argument (type {wanted}) to call sum ", at)


_Gives = Callable[[Nature, Nature], Nature]
_GIVES: dict[str, _Gives] = {
    **dict.fromkeys(("all", "none", "any", "one"), lambda _, __: Nature(BOOL)),
    **dict.fromkeys(("count", "findIndex", "findLastIndex"), lambda _, __: _INT),
    **dict.fromkeys(("find", "findLast"), lambda collection, _: collection.items()),
    "filter": lambda collection, _: (
        Nature(LIST) if collection.is_unknown else list_of(collection.items())
    ),
    "map": lambda _, given: list_of(given),
    "sum": lambda _, given: Nature(ANY) if given.is_unknown else given,
    "reduce": lambda _, given: given,
    "groupBy": lambda _, __: Nature(GROUPS),
    "sortBy": lambda collection, _: collection,
}
