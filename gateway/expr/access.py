"""Members, elements, slices and membership of values of unknown type.

Source: expr-lang v1.17.8, vm/runtime/runtime.go and builtin/lib.go.
"""

from collections.abc import Sequence

from gateway.expr.budget import charge
from gateway.expr.faults import Fault
from gateway.expr.numbers import to_int
from gateway.expr.operators import equal
from gateway.expr.printing import printed
from gateway.expr.strings import from_utf8, pay, utf8
from gateway.expr.timemethods import bound_method
from gateway.expr.values import (
    JSON_MAPS,
    LISTS,
    AnyMap,
    Record,
    StatusCode,
    Uint8,
    as_string,
    go_kind,
    go_type,
    json_map,
)


def fetch(base: object, key: object) -> object:
    """``base.key`` or ``base[key]``: a missing key of a map is nil, a missing index a fault."""
    kind = type(base)
    if kind in JSON_MAPS and type(key) is str:
        return base.get(key)  # type: ignore[attr-defined] # it is a map
    if kind is tuple and type(key) is int:
        return _element(base, key)  # type: ignore[arg-type] # it is a list
    return _fetch_any(base, key)


def _fetch_any(base: object, key: object) -> object:
    if isinstance(key, str) and (method := bound_method(base, key)) is not None:
        return method
    if base is not None and type(base) in LISTS:
        item = _element(base, to_int(key))  # type: ignore[arg-type] # it is a list
        return Uint8(item) if isinstance(base, bytes) and isinstance(item, int) else item
    if isinstance(base, str):
        pay(base)
        content = utf8(base)
        return Uint8(_element(content, to_int(key)))  # type: ignore[call-overload] # a byte
    plain = json_map(base)
    if plain is not None:
        if key is None:
            # Go looks up the zero value of the key's type instead.
            return plain.get("")
        raise _wrong_key(key)
    if isinstance(base, AnyMap):
        return base.get(key)
    if isinstance(base, Record) and isinstance(key, str) and key in base.fields:
        return base.fields[key]
    raise Fault(f"cannot fetch {printed(key)} from {go_type(base)}")


def _wrong_key(key: object) -> Fault:
    return Fault(
        f"reflect.Value.MapIndex: value of type {go_type(key)} is not assignable to type string"
    )


def _element(items: Sequence[object], index: int) -> object:
    length = len(items)
    position = index + length if index < 0 else index
    if 0 <= position < length:
        return items[position]
    raise Fault(f"index out of range: {position} (array length is {length})")


def get(base: object, key: object) -> object:
    """The function: what is missing is nil."""
    if base is None:
        return None
    if isinstance(key, str) and (method := bound_method(base, key)) is not None:
        return method
    if type(base) in LISTS or isinstance(base, str):
        length = len(utf8(base)) if isinstance(base, str) else len(base)  # type: ignore[arg-type]
        index = to_int(key)
        if not -length <= index < length:
            return None
        return _fetch_any(base, index)
    if json_map(base) is not None or isinstance(base, AnyMap):
        return fetch(base, key)
    if go_kind(base) == "struct":
        as_string(key)
    return None


def cut(base: object, stop: object, start: object) -> object:
    """``base[start:stop]``: bounds are clamped, and a text is cut between bytes."""
    if type(base) not in LISTS and not isinstance(base, str):
        raise Fault(f"cannot slice {printed(start)}")
    items = utf8(base) if isinstance(base, str) else base
    if isinstance(base, str):
        pay(base)
    length = len(items)  # type: ignore[arg-type] # it has a length
    first, last = to_int(start), to_int(stop)
    last = min(max(last + length if last < 0 else last, 0), length)
    first = min(max(first + length if first < 0 else first, 0), last)
    charge(1 + (last - first) // 8)
    if isinstance(base, str):
        return from_utf8(utf8(base)[first:last])
    return like(base, items[first:last])  # type: ignore[index] # it is a list


def like(original: object, part: object) -> object:
    """A part of a list, with the list's own type."""
    kind = type(original)
    return part if kind in {tuple, range, bytes} else kind(part)  # type: ignore[call-arg]


def cut_from(base: object, start: object) -> object:
    """``base[start:]``."""
    return cut(base, cut_length(base), start)


def cut_length(base: object) -> int:
    """Where a slice without upper bound stops."""
    if isinstance(base, str):
        return len(utf8(base))
    if isinstance(base, StatusCode):
        return len(base.text)
    if type(base) in LISTS or json_map(base) is not None or isinstance(base, AnyMap):
        return len(base)  # type: ignore[arg-type] # it has a length
    raise Fault(f"invalid argument for len (type {go_type(base)})")


def length(value: object) -> int:
    """The function ``len``: characters of a text, items of a list, keys of a map."""
    if isinstance(value, str):
        return len(value)
    return cut_length(value)


def contains(needle: object, holder: object) -> bool:
    """``needle in holder``."""
    if holder is None:
        return False
    if type(holder) in LISTS:
        items: Sequence[object] = holder  # type: ignore[assignment] # it is a list
        if isinstance(items, range) and type(needle) is int:
            return needle in items
        charge(1 + 4 * len(items))
        return any(equal(item, needle) for item in items)
    plain = json_map(holder)
    if plain is not None:
        if needle is None:
            return "" in plain
        if not isinstance(needle, str):
            raise _wrong_key(needle)
        return needle in plain
    if isinstance(holder, AnyMap):
        return needle in holder
    return _in_other(needle, holder)


def _in_other(needle: object, holder: object) -> bool:
    if go_kind(holder) == "struct":
        if not isinstance(needle, str):
            raise Fault(f"cannot use {go_type(needle)} as field name of {go_type(holder)}")
        return isinstance(holder, Record) and needle in holder.fields
    if go_kind(holder) == "ptr":
        return _in_location(needle)
    raise Fault(f'operator "in" not defined on {go_type(holder)}')


def _in_location(needle: object) -> bool:
    if not isinstance(needle, str):
        raise Fault(f"cannot use {go_type(needle)} as field name of time.Location")
    return False


def in_constants(needle: object, members: frozenset[object], member_type: str) -> bool:
    """``needle in [..]`` where the list is known from the text, and of one type."""
    if needle is None:
        return ("" if member_type == "string" else 0) in members
    if go_type(needle) != member_type:
        raise Fault(
            f"reflect.Value.MapIndex: value of type {go_type(needle)} "
            f"is not assignable to type {member_type}"
        )
    return needle in members


_CLOUDWATCH = "github.com/aws/aws-sdk-go-v2/service/cloudwatch/"
_SORTS = {
    "<nil>": "nil",
    "bool": "bool",
    "int": "int",
    "int64": "int",
    "uint8": "uint",
    "uint64": "uint",
    "float64": "float",
    "string": "string",
}


def type_name(value: object) -> str:
    """The function ``type``."""
    named = go_type(value)
    if named in _SORTS:
        return _SORTS[named]
    if named.startswith(("time.", "*time.")):
        return named.removeprefix("*")
    if named.startswith("types."):
        return _CLOUDWATCH + named
    kind = go_kind(value)
    return "array" if kind == "slice" else kind
