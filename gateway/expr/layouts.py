"""Go's layouts, such as ``2006-01-02``: how an instant is written.

Source: Go 1.26 time/format.go.
"""

import re
from collections.abc import Callable

from gateway.expr.gotime import MONTHS, WEEKDAYS, Time

RFC3339 = "2006-01-02T15:04:05Z07:00"
RFC3339_NANO = "2006-01-02T15:04:05.999999999Z07:00"
STRING = "2006-01-02 15:04:05.999999999 -0700 MST"
_ELEMENT = re.compile(
    "January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|002|0[1-6]|15|1"
    "|2006|2|_(?=2006)|__2|_2|3|4|5|PM|pm"
    "|[-Z]070000|[-Z]07:00:00|[-Z]0700|[-Z]07:00|[-Z]07"
    "|[.,](?:0+|9+)(?![0-9])"
)


def split_layout(layout: str) -> list[tuple[str, str]]:
    """The literal text before each element, and the element; the last element is empty."""
    parts: list[tuple[str, str]] = []
    start = 0
    for found in _ELEMENT.finditer(layout):
        if found.group() != "_":
            parts.append((layout[start : found.start()], found.group()))
            start = found.end()
    return [*parts, (layout[start:], "")]


def format_time(time: Time, layout: str) -> str:
    """An instant in the words of a layout."""
    return "".join(literal + _written(time, element) for literal, element in split_layout(layout))


def _written(time: Time, element: str) -> str:
    if element in _WRITERS:
        return _WRITERS[element](time)
    if element[:1] in {"-", "Z"}:
        return _offset(time.offset.seconds, element)
    if element[:1] in {".", ","}:
        return _fraction(time.nanosecond, element)
    return ""


def _hour12(time: Time) -> int:
    return time.clock[0] % 12 or 12


def _year(time: Time) -> str:
    year = time.date[0]
    return f"-{-year:04d}" if year < 0 else f"{year:04d}"


def _zone(time: Time) -> str:
    offset = time.offset
    return offset.name or _offset(offset.seconds, "-0700")


_WRITERS: dict[str, Callable[[Time], str]] = {
    "January": lambda time: MONTHS[time.date[1] - 1],
    "Jan": lambda time: MONTHS[time.date[1] - 1][:3],
    "1": lambda time: str(time.date[1]),
    "01": lambda time: f"{time.date[1]:02d}",
    "Monday": lambda time: WEEKDAYS[time.weekday],
    "Mon": lambda time: WEEKDAYS[time.weekday][:3],
    "2": lambda time: str(time.date[2]),
    "_2": lambda time: f"{time.date[2]:2d}",
    "02": lambda time: f"{time.date[2]:02d}",
    "__2": lambda time: f"{time.year_day:3d}",
    "002": lambda time: f"{time.year_day:03d}",
    "15": lambda time: f"{time.clock[0]:02d}",
    "3": lambda time: str(_hour12(time)),
    "03": lambda time: f"{_hour12(time):02d}",
    "4": lambda time: str(time.clock[1]),
    "04": lambda time: f"{time.clock[1]:02d}",
    "5": lambda time: str(time.clock[2]),
    "05": lambda time: f"{time.clock[2]:02d}",
    "2006": _year,
    "06": lambda time: f"{abs(time.date[0]) % 100:02d}",
    "PM": lambda time: "PM" if time.clock[0] >= 12 else "AM",  # noqa: PLR2004 - noon
    "pm": lambda time: "pm" if time.clock[0] >= 12 else "am",  # noqa: PLR2004 - noon
    "MST": _zone,
}


def _offset(seconds: int, element: str) -> str:
    if seconds == 0 and element.startswith("Z"):
        return "Z"
    sign, size = ("-" if seconds < 0 else "+"), abs(seconds)
    parts = [f"{size // 3600:02d}", f"{size // 60 % 60:02d}", f"{size % 60:02d}"]
    shown = len(element.replace(":", "")) // 2
    return sign + (":" if ":" in element else "").join(parts[:shown])


def _fraction(nanosecond: int, element: str) -> str:
    digits = f"{nanosecond:09d}"[: len(element) - 1]
    if element[1] == "0":
        return element[0] + digits.ljust(len(element) - 1, "0")
    shown = digits.rstrip("0")
    return element[0] + shown if shown else ""
