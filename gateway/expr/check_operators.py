"""Which operands an operator accepts, and what it gives, by static types alone.

Source: expr-lang v1.17.8, checker/checker.go:250-460.
"""

from collections.abc import Callable

from gateway.expr import nodes, regexps
from gateway.expr.faults import Fault
from gateway.expr.gotypes import (
    BOOL,
    DURATION,
    FLOAT64,
    INT,
    NIL,
    STRING,
    TIME,
    UNKNOWN,
    Kind,
    Nature,
    list_of,
    promoted,
)

_Test = Callable[[Nature], bool]
_BOOL = Nature(BOOL)
_FLOAT = Nature(FLOAT64)
_STRING = Nature(STRING)
_TIME = Nature(TIME)
_DURATION = Nature(DURATION)


def _is_number(nature: Nature) -> bool:
    return nature.is_number


def _is_integer(nature: Nature) -> bool:
    return nature.is_integer


def _is_string(nature: Nature) -> bool:
    return nature.is_string


def _is_bool(nature: Nature) -> bool:
    return nature.is_bool


def _is_time(nature: Nature) -> bool:
    return nature.is_time


def _is_duration(nature: Nature) -> bool:
    return nature.is_duration


def unary_nature(node: nodes.Unary, operand: Nature) -> Nature:
    """What a unary operator gives. Raises Fault if it does not take the operand."""
    if node.operator in {"!", "not"}:
        if operand.is_bool or operand.is_unknown:
            return _BOOL
    elif operand.is_number or operand.is_unknown:
        return operand if operand.is_number else UNKNOWN
    raise Fault(f"invalid operation: {node.operator} (mismatched type {operand})", node.at)


def binary_nature(node: nodes.Binary, left: Nature, right: Nature) -> Nature:
    """What a binary operator gives. Raises Fault if it does not take the operands."""
    found = _RULES[node.operator](node, left, right)
    if found is None:
        raise Fault(
            f"invalid operation: {node.operator} (mismatched types {left} and {right})", node.at
        )
    return found


_Rule = Callable[[nodes.Binary, Nature, Nature], Nature | None]


def _both(left: Nature, right: Nature, test: _Test) -> bool:
    return test(left) and test(right)


def _maybe(left: Nature, right: Nature, *tests: _Test) -> bool:
    if left.is_unknown and right.is_unknown:
        return True
    if left.is_unknown:
        return any(test(right) for test in tests)
    return right.is_unknown and any(test(left) for test in tests)


def _equality(_: nodes.Binary, left: Nature, right: Nature) -> Nature | None:
    return _BOOL if left.comparable_to(right) else None


def _logic(_: nodes.Binary, left: Nature, right: Nature) -> Nature | None:
    return _BOOL if _both(left, right, _is_bool) or _maybe(left, right, _is_bool) else None


def _order(_: nodes.Binary, left: Nature, right: Nature) -> Nature | None:
    tests = (_is_number, _is_string, _is_time, _is_duration)
    if any(_both(left, right, test) for test in tests) or _maybe(left, right, *tests):
        return _BOOL
    return None


def _plus(_: nodes.Binary, left: Nature, right: Nature) -> Nature | None:
    if _both(left, right, _is_number):
        return promoted(left, right)
    if _both(left, right, _is_string):
        return _STRING
    if (left.is_time and right.is_duration) or (left.is_duration and right.is_time):
        return _TIME
    if _both(left, right, _is_duration):
        return _DURATION
    tests = (_is_number, _is_string, _is_time, _is_duration)
    return UNKNOWN if _maybe(left, right, *tests) else None


def _minus(_: nodes.Binary, left: Nature, right: Nature) -> Nature | None:
    if _both(left, right, _is_number):
        return promoted(left, right)
    if _both(left, right, _is_time) or _both(left, right, _is_duration):
        return _DURATION
    if left.is_time and right.is_duration:
        return _TIME
    return UNKNOWN if _maybe(left, right, _is_number, _is_time, _is_duration) else None


def _times(_: nodes.Binary, left: Nature, right: Nature) -> Nature | None:
    if _both(left, right, _is_number):
        return promoted(left, right)
    countable = all(nature.is_number or nature.is_duration for nature in (left, right))
    if countable:
        return _DURATION
    return UNKNOWN if _maybe(left, right, _is_number, _is_duration) else None


def _float_arithmetic(_: nodes.Binary, left: Nature, right: Nature) -> Nature | None:
    return _FLOAT if _both(left, right, _is_number) or _maybe(left, right, _is_number) else None


def _modulo(_: nodes.Binary, left: Nature, right: Nature) -> Nature | None:
    if _both(left, right, _is_integer) or _maybe(left, right, _is_integer):
        return Nature(INT)
    return None


def _range(_: nodes.Binary, left: Nature, right: Nature) -> Nature | None:
    if _both(left, right, _is_integer) or _maybe(left, right, _is_integer):
        return list_of(Nature(INT))
    return None


def _text(_: nodes.Binary, left: Nature, right: Nature) -> Nature | None:
    return _BOOL if _both(left, right, _is_string) or _maybe(left, right, _is_string) else None


def _matches(node: nodes.Binary, left: Nature, right: Nature) -> Nature | None:
    if isinstance(node.right, nodes.Constant) and isinstance(node.right.value, str):
        try:
            regexps.compiled(node.right.value)
        except Fault as fault:
            raise fault.located(node.right.at) from None
    if str(left) == "[]uint8" and right.is_string:
        return _BOOL
    return _text(node, left, right)


def _in(node: nodes.Binary, left: Nature, right: Nature) -> Nature | None:
    if right.kind is Kind.STRUCT and (left.is_string or left.is_unknown):
        return _BOOL
    if right.is_map:
        if not left.is_unknown and not left.assignable_to(right.keys()):
            raise Fault(f"cannot use {left} as type {right.keys()} in map key", node.at)
        return _BOOL
    if right.is_list:
        if not left.comparable_to(right.items()):
            raise Fault(f"cannot use {left} as type {right.items()} in array", node.at)
        return _BOOL
    if right.is_unknown or (left.is_unknown and right.is_string):
        return _BOOL
    return None


def _coalesce(_: nodes.Binary, left: Nature, right: Nature) -> Nature | None:
    if left.is_nil:
        return NIL if right.is_nil else right
    return left if right.is_nil or right.assignable_to(left) else UNKNOWN


_RULES: dict[str, _Rule] = {
    **dict.fromkeys(("==", "!="), _equality),
    **dict.fromkeys(("or", "||", "and", "&&"), _logic),
    **dict.fromkeys(("<", ">", "<=", ">="), _order),
    "+": _plus,
    "-": _minus,
    "*": _times,
    **dict.fromkeys(("/", "**", "^"), _float_arithmetic),
    "%": _modulo,
    "..": _range,
    **dict.fromkeys(("contains", "startsWith", "endsWith"), _text),
    "matches": _matches,
    "in": _in,
    "??": _coalesce,
}
