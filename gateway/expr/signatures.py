"""What the language's functions accept, as the checker sees it before anything runs.

Source: expr-lang v1.17.8, builtin/builtin.go, builtin/validation.go and parser/parser.go:26-42.
"""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.expr import gotypes
from gateway.expr.faults import Fault
from gateway.expr.gotypes import (
    ANY,
    ANY_MAP,
    FLOAT64,
    FLOATS,
    INT,
    INTS,
    LIST,
    LOCATION,
    STRING,
    STRINGS,
    TIME,
    GoType,
    Kind,
    Nature,
    function,
)

Validate = Callable[[str, list[Nature]], GoType]
"""Name and arguments to the result's type. Raises Fault."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How many arguments a builtin with a predicate takes."""

    least: int
    most: int


PREDICATES = {
    **dict.fromkeys(
        [
            "all",
            "none",
            "any",
            "one",
            "filter",
            "map",
            "find",
            "findIndex",
            "findLast",
            "findLastIndex",
            "groupBy",
        ],
        Shape(2, 2),
    ),
    "count": Shape(1, 2),
    "sum": Shape(1, 2),
    "sortBy": Shape(2, 3),
    "reduce": Shape(2, 3),
}

_LISTS = {Kind.ANY, Kind.SLICE}
_MAPS = {Kind.ANY, Kind.MAP}
_INTEGERS = {Kind.INT, Kind.INT64, Kind.UINT8}
_NUMBERS = _INTEGERS | {Kind.FLOAT64}


def _kind(argument: Nature) -> Kind | None:
    if argument.kind is Kind.POINTER:
        return Kind.STRUCT
    return Kind.ANY if argument.is_unknown else argument.kind


def _name(argument: Nature) -> str:
    if argument.is_nil:
        return "%!s(<nil>)"
    return argument.type.name if argument.type else ANY.name


def _expect_one(arguments: list[Nature]) -> Nature:
    if len(arguments) != 1:
        raise Fault(f"invalid number of arguments (expected 1, got {len(arguments)})")
    return arguments[0]


def _type_of(argument: Nature) -> GoType:
    return argument.type or ANY


def _length(name: str, arguments: list[Nature]) -> GoType:
    only = _expect_one(arguments)
    if _kind(only) not in {Kind.ANY, Kind.SLICE, Kind.MAP, Kind.STRING}:
        raise Fault(f"invalid argument for {name} (type {_name(only)})")
    return INT


def _absolute(name: str, arguments: list[Nature]) -> GoType:
    only = _expect_one(arguments)
    if _kind(only) not in _NUMBERS | {Kind.ANY}:
        raise Fault(f"invalid argument for {name} (type {_name(only)})")
    return _type_of(only)


def _rounded(name: str, arguments: list[Nature]) -> GoType:
    _absolute(name, arguments)
    return FLOAT64


def _to_number(gives: GoType) -> Validate:
    def validate(name: str, arguments: list[Nature]) -> GoType:
        only = _expect_one(arguments)
        if _kind(only) not in _NUMBERS | {Kind.ANY, Kind.STRING}:
            raise Fault(f"invalid argument for {name} (type {_name(only)})")
        return gives

    return validate


def _aggregate(name: str, arguments: list[Nature]) -> GoType:
    if not arguments:
        raise Fault(f"not enough arguments to call {name}")
    for argument in arguments:
        if _kind(argument) in _LISTS:
            return ANY
        if _kind(argument) not in _NUMBERS:
            raise Fault(f"invalid argument for {name} (type {_name(argument)})")
    return _type_of(arguments[0])


def _now(_name: str, arguments: list[Nature]) -> GoType:
    if not arguments or (len(arguments) == 1 and arguments[0].type == LOCATION):
        return TIME
    raise Fault(f"invalid number of arguments (expected 0, got {len(arguments)})")


def _date(_name: str, arguments: list[Nature]) -> GoType:
    if not arguments:
        raise Fault("invalid number of arguments (expected at least 1, got 0)")
    rest = arguments[1:] if arguments[0].type == LOCATION else arguments
    if len(rest) > 3:  # noqa: PLR2004 - a date, its layout, its time zone
        raise Fault(f"invalid number of arguments (expected at most 3, got {len(rest)})")
    return TIME


def _end(word: str) -> Validate:
    def validate(_: str, arguments: list[Nature]) -> GoType:
        only = _expect_one(arguments)
        if _kind(only) not in _LISTS:
            raise Fault(f"cannot get {word} element from {_name(only)}")
        return _type_of(only).element or ANY

    return validate


def _taken(_: str, arguments: list[Nature]) -> GoType:
    if len(arguments) != 2:  # noqa: PLR2004 - a list and a number
        raise Fault(f"invalid number of arguments (expected 2, got {len(arguments)})")
    items, count = arguments
    if _kind(items) not in _LISTS:
        raise Fault(f"cannot take from {_name(items)}")
    if _kind(count) not in {Kind.ANY, Kind.INT, Kind.INT64}:
        raise Fault(f"cannot take {_name(count)} elements")
    return _type_of(items)


def _of(accepted: set[Kind], complaint: str, gives: GoType) -> Validate:
    def validate(_: str, arguments: list[Nature]) -> GoType:
        only = _expect_one(arguments)
        if _kind(only) not in accepted:
            raise Fault(complaint.format(_name(only)))
        return gives

    return validate


def _concatenated(_: str, arguments: list[Nature]) -> GoType:
    if not arguments:
        raise Fault("invalid number of arguments (expected at least 1, got 0)")
    for argument in arguments:
        if _kind(argument) not in _LISTS:
            raise Fault(f"cannot concat {_name(argument)}")
    return LIST


VALIDATED: dict[str, Validate] = {
    "len": _length,
    "abs": _absolute,
    "ceil": _rounded,
    "floor": _rounded,
    "round": _rounded,
    "int": _to_number(INT),
    "float": _to_number(FLOAT64),
    **dict.fromkeys(("max", "min", "mean", "median"), _aggregate),
    "now": _now,
    "date": _date,
    "first": _end("first"),
    "last": _end("last"),
    "take": _taken,
    "keys": _of(_MAPS, "cannot get keys from {}", LIST),
    "values": _of(_MAPS, "cannot get values from {}", LIST),
    "toPairs": _of(_MAPS, "cannot transform {} to pairs", LIST),
    "fromPairs": _of(_LISTS, "cannot transform {} from pairs", ANY_MAP),
    "reverse": _of(_LISTS, "cannot reverse {}", LIST),
    "uniq": _of(_LISTS, "cannot uniq {}", LIST),
    "flatten": _of(_LISTS, "cannot flatten {}", LIST),
    "concat": _concatenated,
}
"""Functions whose arguments are checked by a rule of their own."""

_S = STRING
_SORTED = [*((kind, _S) for kind in (LIST, INTS, FLOATS, STRINGS))] + [
    (kind,) for kind in (LIST, FLOATS, STRINGS, INTS)
]
_BITS = ["bitand", "bitor", "bitxor", "bitnand", "bitshl", "bitshr", "bitushr"]

OVERLOADS: dict[str, tuple[GoType, ...]] = {
    "type": (function(ANY, gives=_S),),
    "string": (function(ANY, gives=_S),),
    "trim": (function(_S, gives=_S), function(_S, _S, gives=_S)),
    "trimPrefix": (function(_S, _S, gives=_S), function(_S, gives=_S)),
    "trimSuffix": (function(_S, _S, gives=_S), function(_S, gives=_S)),
    "upper": (function(_S, gives=_S),),
    "lower": (function(_S, gives=_S),),
    "split": (function(_S, _S, gives=STRINGS), function(_S, _S, INT, gives=STRINGS)),
    "splitAfter": (function(_S, _S, gives=STRINGS), function(_S, _S, INT, gives=STRINGS)),
    "replace": (function(_S, _S, _S, INT, gives=_S), function(_S, _S, _S, gives=_S)),
    "repeat": (function(_S, INT, gives=_S),),
    "join": (
        function(STRINGS, _S, gives=_S),
        function(LIST, _S, gives=_S),
        function(LIST, gives=_S),
        function(STRINGS, _S, gives=_S),
        function(STRINGS, gives=_S),
    ),
    "indexOf": (function(_S, _S, gives=INT),),
    "lastIndexOf": (function(_S, _S, gives=INT),),
    "hasPrefix": (function(_S, _S, gives=gotypes.BOOL),),
    "hasSuffix": (function(_S, _S, gives=gotypes.BOOL),),
    "toJSON": (function(ANY, gives=_S),),
    "fromJSON": (function(_S, gives=ANY),),
    "toBase64": (function(_S, gives=_S),),
    "fromBase64": (function(_S, gives=_S),),
    "duration": (function(_S, gives=(gotypes.DURATION, gotypes.ERROR)),),
    "timezone": (function(_S, gives=(LOCATION, gotypes.ERROR)),),
    "sort": tuple(function(*parameters, gives=LIST) for parameters in _SORTED),
    **dict.fromkeys(_BITS, (function(INT, INT, gives=INT),)),
    "bitnot": (function(INT, gives=INT),),
}
"""Functions whose arguments must fit one of these types."""

BUILTIN_NAMES = frozenset({*PREDICATES, *VALIDATED, *OVERLOADS, "get"})
"""All functions of the language."""

_BOOL = gotypes.BOOL
_TEST = function(ANY, gives=_BOOL)
_BODY = function(ANY, gives=ANY)
_PREDICATE_TYPES = {
    **dict.fromkeys(("all", "none", "any", "one"), function(LIST, _TEST, gives=_BOOL)),
    "filter": function(LIST, _TEST, gives=LIST),
    "map": function(LIST, _BODY, gives=LIST),
    **dict.fromkeys(("find", "findLast"), function(LIST, _TEST, gives=ANY)),
    **dict.fromkeys(
        ("findIndex", "findLastIndex", "count", "sum"), function(LIST, _TEST, gives=INT)
    ),
    "groupBy": function(LIST, _BODY, gives=gotypes.GROUPS),
    "sortBy": function(LIST, _TEST, STRING, gives=LIST),
    "reduce": function(LIST, function(ANY, ANY, gives=ANY), ANY, gives=ANY),
}
_UNTYPED = GoType("func(...interface {}) (interface {}, error)", Kind.FUNC)


def builtin_type(name: str) -> GoType:
    """The type of a function of the language whose name stands without a call."""
    if name in PREDICATES:
        return _PREDICATE_TYPES[name]
    return OVERLOADS[name][0] if name in OVERLOADS else _UNTYPED
