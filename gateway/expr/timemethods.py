"""What the methods of Go's time types do. Source: Go 1.26 package time."""

from collections.abc import Callable

from gateway.expr.budget import charge
from gateway.expr.gotime import (
    LOCAL,
    NANOSECONDS,
    UTC,
    Duration,
    Location,
    Month,
    Time,
    Weekday,
    civil,
    days_from_civil,
    local_time,
    zero_time,
)
from gateway.expr.layouts import RFC3339_NANO, STRING, format_time
from gateway.expr.methods import METHODS
from gateway.expr.values import GoFunction, Int64, go_type

_STEPS_PER_CHARACTER = 10
_MAX_DURATION = 2**63 - 1


def bound_method(receiver: object, name: str) -> GoFunction | None:
    """A method of a value, ready to be called; None if it has no such method."""
    declared = METHODS.get(go_type(receiver))
    if declared is None or name not in declared:
        return None
    known = declared[name]
    method = _METHODS[go_type(receiver)].get(name, _text)
    parameters = known.signature.parameters if known.signature else ()
    names = tuple(parameter.name for parameter in parameters)

    def call(*arguments: object) -> object:
        return method(receiver, *arguments)

    return GoFunction(known.name, names, call)


def _text(value: object) -> str:
    return format_time(value, STRING) if isinstance(value, Time) else str(value)


def _int64(number: int) -> Int64:
    return Int64((number + 2**63) % 2**64 - 2**63)


def _sub(time: Time, other: Time) -> Duration:
    return Duration(min(max(time.unix_ns - other.unix_ns, -_MAX_DURATION - 1), _MAX_DURATION))


def _add_date(time: Time, years: int, months: int, days: int) -> Time:
    year, month, day = time.date
    since = days_from_civil(year + years, month + months, 1) + day - 1 + days
    return local_time(since, time.local_s % 86_400, time.nanosecond, time.location)


def _iso_week(time: Time) -> int:
    days = time.local_s // 86_400
    return civil(days + 3 - (time.weekday - 1) % 7)[0]


def _truncate(time: Time, step: Duration) -> Time:
    rest = time.since_year_one_ns % step if step > 0 else 0
    return Time(time.unix_ns - rest, time.location)


def _round(time: Time, step: Duration) -> Time:
    if step <= 0:
        return time
    rest = time.since_year_one_ns % step
    down = Time(time.unix_ns - rest, time.location)
    return down if rest + rest < step else Time(down.unix_ns + step, time.location)


def _truncate_duration(duration: Duration, step: Duration) -> Duration:
    if step <= 0:
        return duration
    size = abs(duration) // step * step
    return Duration(size if duration >= 0 else -size)


def _round_duration(duration: Duration, step: Duration) -> Duration:
    if step <= 0:
        return duration
    size, sign = abs(duration), -1 if duration < 0 else 1
    rest = size % step
    rounded = size - rest if rest + rest < step else size + step - rest
    return Duration(min(max(sign * rounded, -_MAX_DURATION - 1), _MAX_DURATION))


def _format(time: Time, layout: str) -> str:
    charge(_STEPS_PER_CHARACTER * len(layout))
    return format_time(time, layout)


def _go_string(time: Time) -> str:
    year, month, day = time.date
    hour, minute, second = time.clock
    where = {"UTC": "time.UTC", "Local": "time.Local"}.get(
        time.location.name, f'time.Location("{time.location.name}")'
    )
    return (
        f"time.Date({year}, time.{Month(month)}, {day}, {hour}, {minute}, {second}, "
        f"{time.nanosecond}, {where})"
    )


def _json(time: Time) -> bytes:
    return f'"{format_time(time, RFC3339_NANO)}"'.encode()


def _seconds(duration: Duration, unit_ns: int) -> float:
    whole, rest = divmod(abs(duration), unit_ns)
    size = float(whole) + float(rest) / unit_ns
    return -size if duration < 0 else size


def _whole(duration: Duration, unit_ns: int) -> Int64:
    size = abs(duration) // unit_ns
    return Int64(-size if duration < 0 else size)


_Method = Callable[..., object]
_TIME: dict[str, _Method] = {
    "After": lambda time, other: time.unix_ns > other.unix_ns,
    "Before": lambda time, other: time.unix_ns < other.unix_ns,
    "Equal": lambda time, other: time.unix_ns == other.unix_ns,
    "Compare": lambda time, other: (time.unix_ns > other.unix_ns) - (time.unix_ns < other.unix_ns),
    "IsZero": lambda time: time.unix_ns == zero_time().unix_ns,
    "IsDST": lambda time: time.offset.is_dst,
    "ISOWeek": _iso_week,
    "Zone": lambda time: time.offset.name,
    "Month": lambda time: Month(time.date[1]),
    "Weekday": lambda time: Weekday(time.weekday),
    "Year": lambda time: time.date[0],
    "Day": lambda time: time.date[2],
    "Hour": lambda time: time.clock[0],
    "Minute": lambda time: time.clock[1],
    "Second": lambda time: time.clock[2],
    "Nanosecond": lambda time: time.nanosecond,
    "YearDay": lambda time: time.year_day,
    "Unix": lambda time: _int64(time.unix_s),
    "UnixMilli": lambda time: _int64(time.unix_ns // 1_000_000),
    "UnixMicro": lambda time: _int64(time.unix_ns // 1_000),
    "UnixNano": lambda time: _int64(time.unix_ns),
    "Add": lambda time, duration: Time(time.unix_ns + duration, time.location),
    "Sub": _sub,
    "AddDate": _add_date,
    "Round": _round,
    "Truncate": _truncate,
    "UTC": lambda time: Time(time.unix_ns, UTC),
    "Local": lambda time: Time(time.unix_ns, LOCAL),
    "In": lambda time, location: Time(time.unix_ns, location),
    "Location": lambda time: time.location,
    "Format": _format,
    "GoString": _go_string,
    "MarshalJSON": _json,
    "MarshalText": lambda time: _json(time)[1:-1],
}
_DURATION: dict[str, _Method] = {
    "Hours": lambda duration: _seconds(duration, 3600 * NANOSECONDS),
    "Minutes": lambda duration: _seconds(duration, 60 * NANOSECONDS),
    "Seconds": lambda duration: _seconds(duration, NANOSECONDS),
    "Milliseconds": lambda duration: _whole(duration, 1_000_000),
    "Microseconds": lambda duration: _whole(duration, 1_000),
    "Nanoseconds": lambda duration: Int64(int(duration)),
    "Round": _round_duration,
    "Truncate": _truncate_duration,
    "Abs": lambda duration: Duration(min(abs(duration), _MAX_DURATION)),
}
_METHODS: dict[str, dict[str, _Method]] = {
    "time.Time": _TIME,
    "time.Duration": _DURATION,
    "time.Month": {},
    "time.Weekday": {},
    Location.go_type: {},
}
