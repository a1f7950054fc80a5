"""The values that JSONPath walks over: their children, their Go types, how they compare and print.

Sources: k8s.io/client-go v0.34.5 util/jsonpath/jsonpath.go, third_party/forked/golang/template/
funcs.go, and package fmt's ``%v``.
"""

from collections.abc import Callable, Collection, Mapping
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Final

from gateway.gotext import general_text

_SHOWN_CHARACTERS = 500
COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": eq,
    "!=": ne,
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
}
"""The operators of filters, for two sides that ``incomparable`` has no objection to."""
_ORDERINGS = {"<", "<=", ">", ">="}


class Byte(int):
    """One byte of a string, which Go counts among the integers."""


class Missing:
    """What a document that is ``null`` as a whole is to client-go: less than null."""

    def __str__(self) -> str:
        return "<invalid reflect.Value>"


MISSING: Final = Missing()


def children(value: object) -> Collection[object]:
    """The members of an object, the items of a list, the bytes of a string; else nothing."""
    match value:
        case Mapping():
            return value.values()
        case list():
            return value
        case str():
            return [Byte(byte) for byte in value.encode("utf-8", "replace")]
        case _:
            return ()


def incomparable(operator: str, left: object, right: object) -> str:
    """Why Go's templates refuse a comparison; empty if they do not."""
    kinds = [_kind(left), _kind(right)]
    if "" in kinds:
        return "invalid type for comparison"
    if kinds[0] != kinds[1]:
        return "incompatible types for comparison"
    return "invalid type for comparison" if kinds[0] == "bool" and operator in _ORDERINGS else ""


def _kind(value: object) -> str:
    match value:
        case bool():
            return "bool"
        case int():
            return "int"
        case float():
            return "float"
        case str():
            return "string"
        case _:
            return ""


def type_name(value: object) -> str:
    """The Go type of a decoded JSON value that is neither null nor a list, as ``%v`` prints it."""
    match value:
        case bool():
            return "bool"
        case Byte():
            return "uint8"
        case int():
            return "int"
        case float():
            return "float64"
        case str():
            return "string"
        case Missing():
            return "null"
        case _:
            return "map[string]interface {}"


def printed(value: object) -> str:
    """A decoded JSON value as ``%v`` prints it, cut to a length that a message can bear."""
    text = general_text(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
