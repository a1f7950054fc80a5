"""Texts to instants, by Go's layouts. Source: Go 1.26 time/format.go, func parse."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from gateway.expr.faults import Fault
from gateway.expr.gotime import (
    LOCAL,
    MONTHS,
    NANOSECONDS,
    UTC,
    WEEKDAYS,
    Location,
    Time,
    civil,
    days_from_civil,
    fixed_zone,
    local_time,
)
from gateway.expr.layouts import split_layout
from gateway.gotext import quote_bytes


class _Mismatch(Exception):
    """The text does not have what the layout's element asks for."""


class _OutOfRange(Exception):
    """A number that no calendar or clock shows."""


@dataclass(slots=True)
class _Found:
    """What the elements have told so far."""

    rest: str
    following: str = ""
    """The element after the current one."""
    year: int = 0
    month: int | None = None
    day: int | None = None
    year_day: int | None = None
    hour: int = 0
    minute: int = 0
    second: int = 0
    nanosecond: int = 0
    half: str = ""
    zone: Location | None = None
    zone_name: str = ""
    zone_s: int | None = None

    def take(self, count: int) -> str:
        """The next characters."""
        if len(self.rest) < count:
            raise _Mismatch
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def number(self, least: int, most: int) -> int:
        """The next digits."""
        found = re.compile(f"[0-9]{{{least},{most}}}").match(self.rest)
        if found is None:
            raise _Mismatch
        return int(self.take(found.end()))

    def name(self, names: list[str]) -> int:
        """The index of the next name, whatever its case."""
        for index, name in enumerate(names):
            if self.rest[: len(name)].lower() == name.lower():
                self.take(len(name))
                return index
        raise _Mismatch


def parse_time(layout: str, text: str, location: Location | None) -> Time:
    """The instant that a text tells.

    Without a zone in the text, clocks are those of ``location``, or else of UTC.

    Raises:
        Fault: with Go's text, e.g. ``parsing time "x" as "2006": cannot parse "x" as "2006"``.

    """
    found = _Found(text)
    parts = split_layout(layout)
    for index, (literal, element) in enumerate(parts):
        found.following = parts[index + 1][1] if index + 1 < len(parts) else ""
        if (rest := _skipped(found.rest, literal)) is None:
            raise _unparsable(layout, text, literal, found.rest)
        found.rest = rest
        if not element:
            break
        _read(found, element, layout, text)
    if found.rest:
        raise Fault(f"parsing time {quote_bytes(text)}: extra text: {quote_bytes(found.rest)}")
    try:
        return _assembled(found, location)
    except _OutOfRange as error:
        raise Fault(f"parsing time {quote_bytes(text)}: {error}") from None


def _read(found: _Found, element: str, layout: str, text: str) -> None:
    held = found.rest
    try:
        _READERS.get(element, _other)(found, element)
    except _OutOfRange as error:
        raise Fault(f"parsing time {quote_bytes(text)}: {error}") from None
    except _Mismatch:
        raise _unparsable(layout, text, element, held) from None


def _unparsable(layout: str, text: str, element: str, rest: str) -> Fault:
    return Fault(
        f"parsing time {quote_bytes(text)} as {quote_bytes(layout)}: "
        f"cannot parse {quote_bytes(rest)} as {quote_bytes(element)}"
    )


def _skipped(text: str, literal: str) -> str | None:
    while literal:
        if literal[0] == " ":
            if text and text[0] != " ":
                return None
            literal, text = literal.lstrip(" "), text.lstrip(" ")
            continue
        if not text or text[0] != literal[0]:
            return None
        literal, text = literal[1:], text[1:]
    return text


def _short_year(found: _Found, _: str) -> None:
    digits = found.take(2)
    if re.fullmatch("[+-]?[0-9]+", digits) is None:
        raise _Mismatch
    year = int(digits)
    found.year = year + (1900 if year >= 69 else 2000)  # noqa: PLR2004 - Unix began in 1970


def _long_year(found: _Found, _: str) -> None:
    found.year = found.number(4, 4)


def _month(found: _Found, element: str) -> None:
    found.month = found.number(len(element), 2)
    if not 1 <= found.month <= len(MONTHS):
        raise _OutOfRange("month out of range")


def _month_name(found: _Found, element: str) -> None:
    names = MONTHS if element == "January" else [name[:3] for name in MONTHS]
    found.month = found.name(names) + 1


def _weekday(found: _Found, element: str) -> None:
    found.name(WEEKDAYS if element == "Monday" else [name[:3] for name in WEEKDAYS])


def _day(found: _Found, element: str) -> None:
    if element == "_2" and found.rest.startswith(" "):
        found.take(1)
    found.day = found.number(2 if element == "02" else 1, 2)


def _year_day(found: _Found, element: str) -> None:
    for _ in range(2):
        if element == "__2" and found.rest.startswith(" "):
            found.take(1)
    found.year_day = found.number(3 if element == "002" else 1, 3)


def _hour(found: _Found, element: str) -> None:
    found.hour = found.number(2 if element == "03" else 1, 2)
    if found.hour > (23 if element == "15" else 12):
        raise _OutOfRange("hour out of range")


def _minute(found: _Found, element: str) -> None:
    found.minute = found.number(len(element), 2)
    if found.minute > 59:  # noqa: PLR2004 - a clock
        raise _OutOfRange("minute out of range")


def _second(found: _Found, element: str) -> None:
    found.second = found.number(len(element), 2)
    if found.second > 59:  # noqa: PLR2004 - a clock
        raise _OutOfRange("second out of range")
    # A fraction is read even if the layout does not ask for one.
    if found.following[:1] not in {".", ","}:
        _fraction(found, ".9")


def _fraction(found: _Found, element: str) -> None:
    if element[1] == "0":
        digits = found.take(len(element))
        if digits[0] not in ".," or not digits[1:].isdecimal():
            raise _Mismatch
    elif (seen := re.match(r"[.,][0-9]+", found.rest)) is not None:
        digits = found.take(seen.end())
    else:
        return
    found.nanosecond = int(digits[1:10].ljust(9, "0"))


def _half(found: _Found, element: str) -> None:
    found.half = found.take(2)
    if found.half not in {element, element.replace("P", "A").replace("p", "a")}:
        raise _Mismatch


def _zone_offset(found: _Found, element: str) -> None:
    if element.startswith("Z") and found.rest.startswith("Z"):
        found.take(1)
        found.zone = UTC
        return
    shape = re.sub("0[07]", "([0-9]{2})", element[1:])
    seen = re.match(f"([+-]){shape}", found.rest)
    if seen is None:
        raise _Mismatch
    found.take(seen.end())
    sign, *numbers = seen.groups()
    hour, minute, second = ([int(number) for number in numbers] + [0, 0])[:3]
    if hour > 24:  # noqa: PLR2004 - Go's own limit
        raise _OutOfRange("time zone offset hour out of range")
    if minute > 60:  # noqa: PLR2004 - Go's own limit
        raise _OutOfRange("time zone offset minute out of range")
    size = (hour * 60 + minute) * 60 + second
    found.zone_s = -size if sign == "-" else size


def _zone_abbreviation(found: _Found, _: str) -> None:
    if found.rest.startswith("UTC"):
        found.take(3)
        found.zone = UTC
        return
    seen = re.match(
        r"ChST|MeST|GMT(?:[+-](?:[0-9]|1[0-9]|2[0-3])(?![0-9]))?|[+-][0-9]{1,2}(?![0-9])"
        r"|(?:[A-Z]{4}T|[A-Z]{3}T|WITA|[A-Z]{3})(?![A-Z])",
        found.rest,
    )
    if seen is None:
        raise _Mismatch
    found.zone_name = found.take(seen.end())


def _other(found: _Found, element: str) -> None:
    (_zone_offset if element[0] in "-Z" else _fraction)(found, element)


_READERS: dict[str, Callable[[_Found, str], None]] = {
    "06": _short_year,
    "2006": _long_year,
    **dict.fromkeys(("1", "01"), _month),
    **dict.fromkeys(("Jan", "January"), _month_name),
    **dict.fromkeys(("Mon", "Monday"), _weekday),
    **dict.fromkeys(("2", "_2", "02"), _day),
    **dict.fromkeys(("__2", "002"), _year_day),
    **dict.fromkeys(("15", "3", "03"), _hour),
    **dict.fromkeys(("4", "04"), _minute),
    **dict.fromkeys(("5", "05"), _second),
    **dict.fromkeys(("PM", "pm"), _half),
    "MST": _zone_abbreviation,
}


def _assembled(found: _Found, location: Location | None) -> Time:
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
    return Time(here.unix_ns - seconds * NANOSECONDS, fixed_zone(name, seconds))


def _days(found: _Found) -> int:
    year = found.year
    if found.year_day is not None:
        return _days_of_year(found, year, found.year_day)
    month = 1 if found.month is None else found.month
    day = 1 if found.day is None else found.day
    if not 1 <= day <= days_from_civil(year, month + 1, 1) - days_from_civil(year, month, 1):
        raise _OutOfRange("day out of range")
    return days_from_civil(year, month, day)


def _days_of_year(found: _Found, year: int, year_day: int) -> int:
    length = days_from_civil(year + 1, 1, 1) - days_from_civil(year, 1, 1)
    if not 1 <= year_day <= length:
        raise _OutOfRange("day-of-year out of range")
    days = days_from_civil(year, 1, year_day)
    _, month, day = civil(days)
    if found.month not in {None, month}:
        raise _OutOfRange("day-of-year does not match month")
    if found.day not in {None, day}:
        raise _OutOfRange("day-of-year does not match day")
    return days
