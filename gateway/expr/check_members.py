"""Which members, elements and slices a value can have, by static types alone.

Source: expr-lang v1.17.8, checker/checker.go:463-590 and 940-980.
"""

from gateway.expr import nodes
from gateway.expr.faults import Fault
from gateway.expr.gotypes import UNKNOWN, Nature
from gateway.expr.methods import method_type


def literal_name(key: nodes.Node) -> str | None:
    """The name in ``base.name`` or ``base["name"]``; None if the key is anything else."""
    if isinstance(key, nodes.Constant) and isinstance(key.value, str):
        return key.value
    return None


def member_nature(node: nodes.Member, base: Nature, key: Nature) -> Nature:
    """What ``base[key]`` or ``base.name`` gives. Raises Fault if there can be no such thing."""
    if base.is_unknown:
        return UNKNOWN
    name = literal_name(node.key)
    if name is not None:
        if base.is_nil:
            raise Fault(f"type nil has no field {name}", node.at)
        if (method := method_type(str(base), name)) is not None:
            return Nature(method)
    if base.is_map:
        return _value(base, key, node.key.at)
    if base.is_list:
        if not key.is_integer and not key.is_unknown:
            raise Fault(
                f"array elements can only be selected using an integer (got {key})", node.key.at
            )
        return base.items()
    if name is None:
        raise Fault(f"type {base.pointed_to}[{key}] is undefined", node.at)
    if base.type is not None and name in base.type.fields:
        return Nature(base.type.fields[name])
    sort = "method" if node.is_called else "field"
    raise Fault(f"type {base.pointed_to} has no {sort} {name}", node.at)


def _value(base: Nature, key: Nature, at: int) -> Nature:
    if not key.assignable_to(base.keys()) and not key.is_unknown:
        raise Fault(f"cannot use {key} to get an element from {base}", at)
    return base.items()


def get_nature(node: nodes.Builtin, base: Nature, key: Nature) -> Nature:
    """What ``get(base, key)`` gives. Raises Fault if the base has no elements."""
    holder, wanted = node.arguments
    if base.is_unknown:
        return UNKNOWN
    if base.is_map:
        return _value(base, key, wanted.at)
    if not base.is_list:
        raise Fault(f"type {base} does not support indexing", holder.at)
    if not key.is_integer and not key.is_unknown:
        raise Fault(f"non-integer slice index {key}", wanted.at)
    return base.items()


def expect_sliceable(node: nodes.Slice, base: Nature) -> None:
    """Raise Fault unless it is a list or a string."""
    if not base.is_list and not base.is_string:
        raise Fault(f"cannot slice {base}", node.at)


def expect_bound(bound: Nature, at: int) -> None:
    """Raise Fault unless it can be an integer."""
    if not bound.is_integer and not bound.is_unknown:
        raise Fault(f"non-integer slice index {bound}", at)
