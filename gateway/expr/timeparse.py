"""Texts to instants, by Go's layouts. Source: Go 1.26 time/format.go, func parse."""

from gateway.expr.faults import Fault
from gateway.expr.gotime import (
    LOCAL,
    NANOSECONDS,
    UTC,
    Location,
    Time,
    civil,
    days_from_civil,
    fixed_zone,
    local_time,
)
from gateway.expr.layouts import split_layout
from gateway.expr.timeelements import Found, Mismatch, OutOfRange, read_element
from gateway.gotext import quote_bytes


def parse_time(layout: str, text: str, location: Location | None) -> Time:
    """The instant that a text tells.

    Without a zone in the text, clocks are those of ``location``, or else of UTC.

    Raises:
        Fault: with Go's text, e.g. ``parsing time "x" as "2006": cannot parse "x" as "2006"``.

    """
    found = Found(text)
    *parts, (ending, _) = split_layout(layout)
    for index, (literal, element) in enumerate(parts, start=1):
        found.following = parts[index][1] if index < len(parts) else ""
        _skip(found, literal, layout, text)
        _read(found, element, layout, text)
    _skip(found, ending, layout, text)
    if found.rest:
        raise Fault(f"parsing time {quote_bytes(text)}: extra text: {quote_bytes(found.rest)}")
    try:
        return _assembled(found, location)
    except OutOfRange as error:
        raise Fault(f"parsing time {quote_bytes(text)}: {error}") from None


def _skip(found: Found, literal: str, layout: str, text: str) -> None:
    found.rest, missing = _skipped(found.rest, literal)
    if missing:
        raise _unparsable(layout, text, literal, found.rest)


def _read(found: Found, element: str, layout: str, text: str) -> None:
    held = found.rest
    try:
        read_element(found, element)
    except OutOfRange as error:
        raise Fault(f"parsing time {quote_bytes(text)}: {error}") from None
    except Mismatch:
        raise _unparsable(layout, text, element, held) from None


def _unparsable(layout: str, text: str, element: str, rest: str) -> Fault:
    return Fault(
        f"parsing time {quote_bytes(text)} as {quote_bytes(layout)}: "
        f"cannot parse {quote_bytes(rest)} as {quote_bytes(element)}"
    )


def _skipped(text: str, literal: str) -> tuple[str, str]:
    """What is left of the text, and what the text lacks of the literal."""
    while literal:
        if literal[0] == " ":
            if text and text[0] != " ":
                break
            literal, text = literal.lstrip(" "), text.lstrip(" ")
            continue
        if not text or text[0] != literal[0]:
            break
        literal, text = literal[1:], text[1:]
    return text, literal


def _assembled(found: Found, location: Location | None) -> Time:
    hour = found.hour
    if found.half.upper() == "PM" and hour < 12:  # noqa: PLR2004 - noon
        hour += 12
    elif found.half.upper() == "AM" and hour == 12:  # noqa: PLR2004 - midnight
        hour = 0
    days = _days(found)
    second = hour * 3600 + found.minute * 60 + found.second
    if found.zone is not None:
        return local_time(days, second, found.nanosecond, found.zone)
    here = local_time(days, second, found.nanosecond, UTC)
    home = location or LOCAL
    if found.zone_s is not None:
        moment = Time(here.unix_ns - found.zone_s * NANOSECONDS)
        offset = home.at(moment.unix_s)
        is_home = offset.seconds == found.zone_s and found.zone_name in {"", offset.name}
        zone = home if is_home else fixed_zone(found.zone_name, found.zone_s)
        return Time(moment.unix_ns, zone)
    if found.zone_name:
        return _named(here, home, found.zone_name)
    return local_time(days, second, found.nanosecond, location or UTC)


def _named(here: Time, home: Location, name: str) -> Time:
    seconds = home.seconds_of(name, here.unix_s)
    if seconds is not None:
        return Time(here.unix_ns - seconds * NANOSECONDS, home)
    seconds = int(name[3:]) * 3600 if name.startswith("GMT") and name != "GMT" else 0
    # Go invents a zone for a name that it does not know, and does not even move the clock for it.
    return Time(here.unix_ns, fixed_zone(name, seconds))


def _days(found: Found) -> int:
    year = found.year
    if found.year_day is not None:
        return _days_of_year(found, year, found.year_day)
    month = 1 if found.month is None else found.month
    day = 1 if found.day is None else found.day
    if not 1 <= day <= days_from_civil(year, month + 1, 1) - days_from_civil(year, month, 1):
        raise OutOfRange("day out of range")
    return days_from_civil(year, month, day)


def _days_of_year(found: Found, year: int, year_day: int) -> int:
    length = days_from_civil(year + 1, 1, 1) - days_from_civil(year, 1, 1)
    if not 1 <= year_day <= length:
        raise OutOfRange("day-of-year out of range")
    days = days_from_civil(year, 1, year_day)
    _, month, day = civil(days)
    if found.month not in {None, month}:
        raise OutOfRange("day-of-year does not match month")
    if found.day not in {None, day}:
        raise OutOfRange("day-of-year does not match day")
    return days
