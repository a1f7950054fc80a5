"""Methods of Go's time types that an expression can call. Source: Go 1.26 package time."""

from dataclasses import replace

from gateway.expr.gotypes import (
    BOOL,
    BYTES,
    DURATION,
    ERROR,
    FLOAT64,
    INT,
    INT64,
    LOCATION,
    MONTH,
    STRING,
    TIME,
    WEEKDAY,
    GoType,
    function,
)

_TIME: dict[str, GoType] = {
    **dict.fromkeys(("After", "Before", "Equal"), function(TIME, gives=BOOL)),
    "Compare": function(TIME, gives=INT),
    "IsZero": function(gives=BOOL),
    "IsDST": function(gives=BOOL),
    "Date": function(gives=(INT, MONTH, INT)),
    "Clock": function(gives=(INT, INT, INT)),
    "ISOWeek": function(gives=(INT, INT)),
    "Zone": function(gives=(STRING, INT)),
    "Month": function(gives=MONTH),
    "Weekday": function(gives=WEEKDAY),
    **dict.fromkeys(
        ("Year", "Day", "Hour", "Minute", "Second", "Nanosecond", "YearDay"), function(gives=INT)
    ),
    **dict.fromkeys(("Unix", "UnixMilli", "UnixMicro", "UnixNano"), function(gives=INT64)),
    "Add": function(DURATION, gives=TIME),
    "Sub": function(TIME, gives=DURATION),
    "AddDate": function(INT, INT, INT, gives=TIME),
    "Round": function(DURATION, gives=TIME),
    "Truncate": function(DURATION, gives=TIME),
    "UTC": function(gives=TIME),
    "Local": function(gives=TIME),
    "In": function(LOCATION, gives=TIME),
    "Location": function(gives=LOCATION),
    "Format": function(STRING, gives=STRING),
    "String": function(gives=STRING),
    "GoString": function(gives=STRING),
    "MarshalJSON": function(gives=(BYTES, ERROR)),
    "MarshalText": function(gives=(BYTES, ERROR)),
}
_DURATION: dict[str, GoType] = {
    **dict.fromkeys(("Hours", "Minutes", "Seconds"), function(gives=FLOAT64)),
    **dict.fromkeys(("Milliseconds", "Microseconds", "Nanoseconds"), function(gives=INT64)),
    "Round": function(DURATION, gives=DURATION),
    "Truncate": function(DURATION, gives=DURATION),
    "Abs": function(gives=DURATION),
    "String": function(gives=STRING),
}
_STRING_ONLY = {"String": function(gives=STRING)}
METHODS: dict[str, dict[str, GoType]] = {
    "time.Time": _TIME,
    "time.Duration": _DURATION,
    "time.Month": _STRING_ONLY,
    "time.Weekday": _STRING_ONLY,
    "*time.Location": _STRING_ONLY,
}
"""Go type to method to its type, without the receiver."""


def method_type(receiver: str, name: str) -> GoType | None:
    """The type of a method as the checker names it, receiver first; None if there is none."""
    known = METHODS.get(receiver, {}).get(name)
    if known is None:
        return None
    separator = "" if known.name.startswith("func()") else ", "
    return replace(known, name=known.name.replace("func(", f"func({receiver}{separator}", 1))
