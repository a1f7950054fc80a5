"""The functions of the language that take values only, by name."""

import inspect
from collections.abc import Callable

from gateway.expr import access, gojson, lists, numbers, strings, times
from gateway.expr.printing import printed

FUNCTIONS: dict[str, Callable[..., object]] = {
    "len": access.length,
    "type": access.type_name,
    "get": access.get,
    "abs": numbers.absolute,
    "ceil": numbers.ceil,
    "floor": numbers.floor,
    "round": numbers.round_,
    "int": numbers.int_,
    "float": numbers.float_,
    "string": printed,
    "trim": strings.trim,
    "trimPrefix": strings.trim_prefix,
    "trimSuffix": strings.trim_suffix,
    "upper": strings.upper,
    "lower": strings.lower,
    "split": strings.split,
    "splitAfter": strings.split_after,
    "replace": strings.replace,
    "repeat": strings.repeat,
    "join": strings.join,
    "indexOf": strings.index_of,
    "lastIndexOf": strings.last_index_of,
    "hasPrefix": strings.has_prefix,
    "hasSuffix": strings.has_suffix,
    "toJSON": gojson.to_json,
    "fromJSON": gojson.from_json,
    "toBase64": strings.to_base64,
    "fromBase64": strings.from_base64,
    "max": lists.largest,
    "min": lists.smallest,
    "mean": lists.mean,
    "median": lists.median,
    "now": times.now,
    "date": times.date,
    "duration": times.duration,
    "timezone": times.timezone,
    "first": lists.first,
    "last": lists.last,
    "take": lists.take,
    "keys": lists.keys,
    "values": lists.values,
    "toPairs": lists.to_pairs,
    "fromPairs": lists.from_pairs,
    "reverse": lists.reverse,
    "uniq": lists.uniq,
    "concat": lists.concat,
    "flatten": lists.flatten,
    "sort": lists.sort,
    "bitnot": numbers.bit_not,
    **{
        name: numbers.bit_function(name)
        for name in ["bitand", "bitor", "bitxor", "bitnand", "bitshl", "bitshr", "bitushr"]
    },
}

_MANY = 20_000


def _arity(function: Callable[..., object]) -> range:
    parameters = inspect.signature(function).parameters.values()
    least = sum(
        each.default is each.empty and each.kind is not each.VAR_POSITIONAL for each in parameters
    )
    if any(each.kind is each.VAR_POSITIONAL for each in parameters):
        return range(least, _MANY)
    return range(least, len(parameters) + 1)


ARITIES = {name: _arity(function) for name, function in FUNCTIONS.items()}
"""How many arguments each function takes."""
