"""Go's dynamic types, as Python values.

| Go | Python | Go | Python |
|---|---|---|---|
| nil | None | []any | tuple |
| bool, string | bool, str | []float64, []string | Floats, Strings |
| int, float64 | int, float | []int, []uint8 | range, bytes |
| int64, uint8 | Int64, Uint8 | map[string]any | dict, read-only mapping |
| func | GoFunction | map[any]any, map[any][]any | AnyMap, Groups |
| uint64 | Uint64 | a struct; a list of structs or times | Record; MetricData, Messages, Times |

Times are in ``gateway.expr.gotime``. A Go string is bytes: bytes that are not UTF-8 are kept as
Python's surrogate escapes. Source: expr-lang v1.17.8, the Go reflection that its errors print.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gateway.expr.faults import Fault


class Int64(int):
    """Go's int64, where it differs from int: in type errors, and as a key of a map."""

    __slots__ = ()


class Uint8(int):
    """One byte of a string."""

    __slots__ = ()


class Uint64(int):
    """Go's uint64: a column of InfluxDB."""

    __slots__ = ()


class Floats(tuple[float, ...]):
    """Go's []float64: what Prometheus measures."""

    __slots__ = ()


class Strings(tuple[str, ...]):
    """Go's []string: what split returns."""

    __slots__ = ()


class Pair(tuple[object, object]):
    """Go's [2]any: one entry of toPairs."""

    __slots__ = ()


class Pairs(tuple[Pair, ...]):
    """Go's [][2]any: what toPairs returns."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class StatusCode:
    """Go's types.StatusCode: a string that only its like can be compared with."""

    text: str
    go_type = "types.StatusCode"
    go_kind = "string"

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Record:
    """A Go struct."""

    go_type: str
    fields: Mapping[str, object]
    go_kind = "struct"


class MetricData(tuple[Record, ...]):
    """Go's []types.MetricDataResult: what CloudWatch measures."""

    __slots__ = ()


class Messages(tuple[Record, ...]):
    """Go's []types.MessageData."""

    __slots__ = ()


class Times(tuple[object, ...]):
    """Go's []time.Time."""

    __slots__ = ()


class NilList(tuple[object, ...]):
    """A nil []any: an empty list that equals nil."""

    __slots__ = ()


NIL_LIST = NilList()

INTEGERS = frozenset({int, Int64, Uint8, Uint64})
NUMBERS = INTEGERS | {float}
_STRUCT_LISTS: frozenset[type] = frozenset({MetricData, Messages, Times})
LISTS: frozenset[type] = _STRUCT_LISTS | {
    tuple,
    Floats,
    Strings,
    range,
    bytes,
    Pairs,
    Pair,
    NilList,
}
JSON_MAPS: frozenset[type] = frozenset({dict, MappingProxyType})


class AnyMap:
    """Go's map[any]any: 1, 1.0 and true are three keys, and no NaN is ever found again."""

    __slots__ = ("_entries",)
    go_type = "map[interface {}]interface {}"

    def __init__(self) -> None:
        self._entries: dict[object, tuple[object, object]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: object) -> object:
        """The value of a key; None if it is missing."""
        entry = self._entries.get(hashed(key))
        return None if entry is None else entry[1]

    def __contains__(self, key: object) -> bool:
        return hashed(key) in self._entries

    def put(self, key: object, value: object) -> None:
        """Set the value of a key. Raises Fault for a key that Go cannot hash."""
        self._entries[hashed(key)] = (key, value)

    def items(self) -> Iterator[tuple[object, object]]:
        """Keys and values, oldest key first."""
        return iter(self._entries.values())


class Groups(AnyMap):
    """Go's map[any][]any: what groupBy returns."""

    __slots__ = ()
    go_type = "map[interface {}][]interface {}"

    def get(self, key: object) -> object:
        """The members of a group; a nil list if there is no such group."""
        found = super().get(key)
        return NIL_LIST if found is None else found


ANY_MAPS: frozenset[type] = frozenset({AnyMap, Groups})
MAPS = JSON_MAPS | ANY_MAPS


def hashed(key: object) -> object:
    """What tells a key from another in a Go map. Raises Fault for lists, maps and functions."""
    kind = type(key)
    if kind is float and key != key:  # noqa: PLR0124 - only NaN differs from itself
        return object()
    if kind is Pair and isinstance(key, Pair):
        return (kind, hashed(key[0]), hashed(key[1]))
    if kind in LISTS or kind in MAPS or kind in {GoFunction, Record}:
        raise Fault(f"hash of unhashable type: {go_type(key)}")
    return (kind, key)


@dataclass(frozen=True, slots=True, eq=False)
class GoFunction:
    """A function as a value: one of Argo's functions, or a method bound to its receiver."""

    go_type: str
    """As Go prints it: ``func(float64) bool``."""
    parameters: tuple[str, ...]
    """Go's names of the parameter types."""
    call: Callable[..., object]


_GO_TYPES: dict[type, str] = {
    type(None): "<nil>",
    bool: "bool",
    int: "int",
    Int64: "int64",
    Uint8: "uint8",
    Uint64: "uint64",
    float: "float64",
    str: "string",
    tuple: "[]interface {}",
    NilList: "[]interface {}",
    Floats: "[]float64",
    Strings: "[]string",
    range: "[]int",
    bytes: "[]uint8",
    Pair: "[2]interface {}",
    Pairs: "[][2]interface {}",
    MetricData: "[]types.MetricDataResult",
    Messages: "[]types.MessageData",
    Times: "[]time.Time",
    dict: "map[string]interface {}",
    MappingProxyType: "map[string]interface {}",
}


def go_type(value: object) -> str:
    """Go's name of a value's type, as ``%T`` prints it."""
    known = _GO_TYPES.get(type(value))
    return known if known is not None else str(getattr(value, "go_type", type(value).__name__))


_GO_KINDS: dict[type, str] = {
    type(None): "invalid",
    tuple: "slice",
    NilList: "slice",
    Floats: "slice",
    Strings: "slice",
    range: "slice",
    bytes: "slice",
    Pairs: "slice",
    **dict.fromkeys(_STRUCT_LISTS, "slice"),
    Pair: "array",
    dict: "map",
    MappingProxyType: "map",
    AnyMap: "map",
    Groups: "map",
    GoFunction: "func",
}


def go_kind(value: object) -> str:
    """Go's name of a value's kind, as reflect prints it."""
    known = _GO_KINDS.get(type(value))
    return known if known is not None else str(getattr(value, "go_kind", go_type(value)))


def not_a(wanted: str, value: object) -> Fault:
    """The fault of a Go type assertion that fails."""
    found = "nil" if value is None else go_type(value)
    return Fault(f"interface conversion: interface {{}} is {found}, not {wanted}")


def as_bool(value: object) -> bool:
    """A truth value itself; nothing else is one."""
    if value is True or value is False:
        return value
    raise not_a("bool", value)


def as_string(value: object) -> str:
    """A string itself; nothing else is one."""
    if type(value) is str:
        return value
    raise not_a("string", value)


def is_nil(value: object) -> bool:
    """Whether a value equals nil: nil itself, or a nil list."""
    return value is None or value is NIL_LIST


def json_map(value: object) -> Mapping[str, object] | None:
    """The value if it is a map[string]any, else None."""
    if type(value) in JSON_MAPS and isinstance(value, Mapping):
        return value
    return None
