"""Go's static types, as far as an expression can tell them before it runs.

Source: expr-lang v1.17.8, checker/nature.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Kind(Enum):
    """What sort of type it is, as Go's reflect sorts them."""

    ANY = "interface"
    BOOL = "bool"
    INT = "int"
    INT64 = "int64"
    UINT8 = "uint8"
    FLOAT64 = "float64"
    STRING = "string"
    SLICE = "slice"
    MAP = "map"
    STRUCT = "struct"
    POINTER = "ptr"
    FUNC = "func"


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function takes and gives."""

    parameters: "tuple[GoType, ...]" = ()
    results: "tuple[GoType, ...]" = ()


@dataclass(frozen=True, slots=True)
class GoType:
    """A Go type. Two types are the same when they are equal."""

    name: str
    """As Go prints it in errors."""
    kind: Kind
    element: "GoType | None" = None
    key: "GoType | None" = None
    signature: Signature | None = None
    is_defined: bool = False
    """Whether it has a name of its own, as time.Month has; such integers are no numbers."""
    fields: "Mapping[str, GoType]" = field(default_factory=dict, compare=False)
    """Of a struct, those that expressions can name."""


ANY = GoType("interface {}", Kind.ANY)
BOOL = GoType("bool", Kind.BOOL)
INT = GoType("int", Kind.INT)
INT64 = GoType("int64", Kind.INT64)
UINT8 = GoType("uint8", Kind.UINT8)
FLOAT64 = GoType("float64", Kind.FLOAT64)
STRING = GoType("string", Kind.STRING)
LIST = GoType("[]interface {}", Kind.SLICE, ANY)
FLOATS = GoType("[]float64", Kind.SLICE, FLOAT64)
STRINGS = GoType("[]string", Kind.SLICE, STRING)
INTS = GoType("[]int", Kind.SLICE, INT)
BYTES = GoType("[]uint8", Kind.SLICE, UINT8)
MAP = GoType("map[string]interface {}", Kind.MAP, ANY, STRING)
ANY_MAP = GoType("map[interface {}]interface {}", Kind.MAP, ANY, ANY)
GROUPS = GoType("map[interface {}][]interface {}", Kind.MAP, LIST, ANY)
TIME = GoType("time.Time", Kind.STRUCT, is_defined=True)
DURATION = GoType("time.Duration", Kind.INT64, is_defined=True)
MONTH = GoType("time.Month", Kind.INT, is_defined=True)
WEEKDAY = GoType("time.Weekday", Kind.INT, is_defined=True)
LOCATION = GoType("*time.Location", Kind.POINTER, is_defined=True)
_ZONE = GoType("time.Location", Kind.STRUCT, is_defined=True)
ERROR = GoType("error", Kind.ANY, is_defined=True)
STATUS_CODE = GoType("types.StatusCode", Kind.STRING, is_defined=True)
MESSAGE_DATA = GoType(
    "types.MessageData", Kind.STRUCT, is_defined=True, fields={"Code": STRING, "Value": STRING}
)
METRIC_DATA_RESULT = GoType(
    "types.MetricDataResult",
    Kind.STRUCT,
    is_defined=True,
    fields={
        "Id": STRING,
        "Label": STRING,
        "Messages": GoType("[]types.MessageData", Kind.SLICE, MESSAGE_DATA),
        "StatusCode": STATUS_CODE,
        "Timestamps": GoType("[]time.Time", Kind.SLICE, TIME),
        "Values": FLOATS,
    },
)
METRIC_DATA = GoType("[]types.MetricDataResult", Kind.SLICE, METRIC_DATA_RESULT)


def function(*parameters: GoType, gives: GoType | tuple[GoType, ...]) -> GoType:
    """The type of a function."""
    results = gives if isinstance(gives, tuple) else (gives,)
    given = ", ".join(result.name for result in results)
    taken = ", ".join(parameter.name for parameter in parameters)
    name = f"func({taken}) {f'({given})' if len(results) > 1 else given}"
    return GoType(name, Kind.FUNC, signature=Signature(parameters, results))


@dataclass(frozen=True, slots=True)
class Nature:
    """What is known of a value: its type, nothing (``type`` None), or that it is nil."""

    type: GoType | None = None
    element: "Nature | None" = None
    """Of a list, where more is known than its type says."""
    is_nil: bool = False

    def __str__(self) -> str:
        return self.type.name if self.type else "unknown"

    @property
    def kind(self) -> Kind | None:
        """The kind of the type, if there is one."""
        return self.type.kind if self.type else None

    @property
    def is_unknown(self) -> bool:
        """Whether anything can turn up at run time."""
        return (self.type is None and not self.is_nil) or self.type == ANY

    @property
    def is_integer(self) -> bool:
        """Whether it is a plain integer."""
        return self.kind in {Kind.INT, Kind.INT64, Kind.UINT8} and not self._is_defined

    @property
    def is_float(self) -> bool:
        """Whether it is a float64."""
        return self.kind is Kind.FLOAT64

    @property
    def is_number(self) -> bool:
        """Whether it is a plain integer or a float64."""
        return self.is_integer or self.is_float

    @property
    def is_bool(self) -> bool:
        """Whether it is a bool."""
        return self.kind is Kind.BOOL

    @property
    def is_string(self) -> bool:
        """Whether it is a string."""
        return self.kind is Kind.STRING

    @property
    def is_list(self) -> bool:
        """Whether it is a list of any type."""
        return self.kind is Kind.SLICE

    @property
    def is_map(self) -> bool:
        """Whether it is a map of any type."""
        return self.kind is Kind.MAP

    @property
    def is_time(self) -> bool:
        """Whether it is a time.Time."""
        return self.type == TIME

    @property
    def is_duration(self) -> bool:
        """Whether it is a time.Duration."""
        return self.type == DURATION

    @property
    def pointed_to(self) -> "Nature":
        """What a pointer points to; anything else is itself."""
        return Nature(_ZONE) if self.type == LOCATION else self

    @property
    def _is_defined(self) -> bool:
        return self.type is not None and self.type.is_defined

    def items(self) -> "Nature":
        """What the elements of a list, or the values of a map, are."""
        if self.element is not None and self.is_list:
            return self.element
        if self.type is None or self.type.element is None:
            return UNKNOWN
        return Nature(self.type.element)

    def keys(self) -> "Nature":
        """What the keys of a map are."""
        return Nature(self.type.key) if self.type and self.type.key else UNKNOWN

    def assignable_to(self, other: "Nature") -> bool:
        """Whether Go lets a value of this nature be stored where the other is declared."""
        if self.is_nil and other.kind in {Kind.ANY, Kind.FUNC, Kind.MAP, Kind.SLICE, Kind.POINTER}:
            return True
        if self.type is None or other.type is None:
            return False
        return other.type in {self.type, ANY}

    def comparable_to(self, other: "Nature") -> bool:
        """Whether ``==`` between the two passes the checker."""
        if self.is_unknown or other.is_unknown or self.is_nil or other.is_nil:
            return True
        both = (self, other)
        return (
            all(nature.is_number for nature in both)
            or all(nature.is_list for nature in both)
            or self.assignable_to(other)
        )


UNKNOWN = Nature()
NIL = Nature(is_nil=True)


def list_of(element: Nature) -> Nature:
    """A []any whose elements are better known than that."""
    return Nature(LIST, element)


def promoted(left: Nature, right: Nature) -> Nature:
    """What arithmetic on two numbers gives."""
    return Nature(FLOAT64 if left.is_float or right.is_float else INT)
