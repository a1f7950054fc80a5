"""The functions on instants and durations. Source: expr-lang v1.17.8, builtin/builtin.go."""

from gateway.durations import parse_duration_ns
from gateway.expr.budget import charge, now_ns
from gateway.expr.faults import Fault
from gateway.expr.gotime import LOCAL, Duration, Location, Time, load_location
from gateway.expr.layouts import RFC3339
from gateway.expr.timeparse import parse_time
from gateway.expr.values import as_string

_STEPS = 200
_LAYOUTS = (
    "2006-01-02",
    "15:04:05",
    "2006-01-02 15:04:05",
    RFC3339,
    "02 Jan 06 15:04 MST",
    "Monday, 02-Jan-06 15:04:05 MST",
    "Mon, 02 Jan 2006 15:04:05 MST",
)


def now(location: object = LOCAL) -> Time:
    """The instant of the evaluation."""
    charge(_STEPS)
    if isinstance(location, Location):
        return Time(now_ns(), location)
    raise Fault("invalid number of arguments (expected 0, got 1)")


def date(first: object, *others: object) -> Time:
    """``date([zone,] text[, layout[, zone]])``."""
    zone = first if isinstance(first, Location) else None
    rest = others if zone else (first, *others)
    if not rest:
        raise Fault("runtime error: index out of range [0] with length 0")
    text = as_string(rest[0])
    charge(_STEPS + 4 * len(text))
    if len(rest) == 1:
        return _by_any_layout(text, zone)
    layout = as_string(rest[1])
    charge(_STEPS + 10 * len(layout))
    if len(rest) > 2:  # noqa: PLR2004 - a date, its layout, its time zone
        zone = load_location(as_string(rest[2]))
    return parse_time(layout, text, zone)


def _by_any_layout(text: str, zone: Location | None) -> Time:
    charge(_STEPS * len(_LAYOUTS))
    for layout in _LAYOUTS:
        try:
            return parse_time(layout, text, zone)
        except Fault:
            continue
    raise Fault(f"invalid date {text}")


def duration(text: object) -> Duration:
    """A text such as ``1h30m``."""
    charge(_STEPS + 10 * len(as_string(text)))
    try:
        return Duration(parse_duration_ns(as_string(text)))
    except ValueError as error:
        raise Fault(str(error)) from None


def timezone(name: object) -> Location:
    """A zone of the tz database, such as ``Europe/Berlin``."""
    charge(_STEPS)
    return load_location(as_string(name))
