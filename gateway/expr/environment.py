"""Argo's names inside an expression: ``result`` and the functions beside it.

Source: argo-rollouts utils/evaluate/evaluate.go:82-152 @ 9f8d111d8.
"""

from collections.abc import Callable, Mapping
from enum import Enum

from gateway.expr.gotypes import (
    ANY,
    BOOL,
    FLOAT64,
    FLOATS,
    INT64,
    LIST,
    MAP,
    METRIC_DATA,
    NIL,
    STRING,
    UNKNOWN,
    GoType,
    Nature,
    function,
)
from gateway.expr.numbers import as_float, as_int, is_inf, is_nan
from gateway.expr.values import GoFunction


class Root(Enum):
    """How ``result`` is typed before anything runs."""

    NIL = "nil"
    BOOL = "bool"
    FLOAT = "float64"
    STRING = "string"
    FLOATS = "[]float64"
    LIST = "[]interface {}"
    METRIC_DATA = "[]types.MetricDataResult"
    MAP = "map[string]interface {}"
    UNKNOWN = "interface {}"
    """Any of these: to check an expression before there is a result."""


_NATURES = {
    Root.NIL: NIL,
    Root.BOOL: Nature(BOOL),
    Root.FLOAT: Nature(FLOAT64),
    Root.STRING: Nature(STRING),
    Root.FLOATS: Nature(FLOATS),
    Root.LIST: Nature(LIST),
    Root.METRIC_DATA: Nature(METRIC_DATA),
    Root.MAP: Nature(MAP),
    Root.UNKNOWN: UNKNOWN,
}
_SIMPLE: dict[str, tuple[GoType, Callable[[object], object]]] = {
    "isNaN": (function(FLOAT64, gives=BOOL), is_nan),
    "isInf": (function(FLOAT64, gives=BOOL), is_inf),
    "asInt": (function(ANY, gives=INT64), as_int),
    "asFloat": (function(ANY, gives=FLOAT64), as_float),
}
OF_TIME: Mapping[str, Nature] = {name: Nature(_SIMPLE[name][0]) for name in ("isNaN", "isInf")}
"""What the expressions of a time range may name."""
_IS_NIL = function(ANY, gives=BOOL)
_DEFAULT = function(ANY, ANY, gives=ANY)


def is_result_nil(result: object, _: object) -> bool:
    """Argo's ``isNil``, which looks at the result, whatever its argument is."""
    return result is None


def result_or(result: object, _: object, otherwise: object) -> object:
    """Argo's ``default``, which gives the result, whatever its first argument is."""
    return otherwise if result is None else result


SIMPLE_FUNCTIONS = {name: implementation for name, (_, implementation) in _SIMPLE.items()}
RESULT_FUNCTIONS: dict[str, Callable[..., object]] = {
    "isNil": is_result_nil,
    "default": result_or,
}
"""Functions that need the result before their arguments."""
RESULT_FUNCTION_ARGUMENTS = {"isNil": 1, "default": 2}


def of_condition(root: Root) -> Mapping[str, Nature]:
    """What a condition may name, and what it is."""
    return {
        "result": _NATURES[root],
        **{name: Nature(known) for name, (known, _) in _SIMPLE.items()},
        "isNil": Nature(_IS_NIL),
        "default": Nature(_DEFAULT),
    }


def environment_of(result: object, names: frozenset[str]) -> dict[str, object]:
    """``$env``: the names as a map."""

    def is_nil(_: object) -> bool:
        return result is None

    def default(_: object, otherwise: object) -> object:
        return otherwise if result is None else result

    everything: dict[str, object] = {"result": result}
    for name, (known, implementation) in _SIMPLE.items():
        everything[name] = _value(known, implementation)
    everything["isNil"] = _value(_IS_NIL, is_nil)
    everything["default"] = _value(_DEFAULT, default)
    return {name: value for name, value in everything.items() if name in names}


def _value(known: GoType, implementation: Callable[..., object]) -> GoFunction:
    parameters = known.signature.parameters if known.signature else ()
    return GoFunction(known.name, tuple(each.name for each in parameters), implementation)
