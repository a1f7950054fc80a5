"""The elements of Go's layouts, read from a text. Source: Go 1.26 time/format.go, func parse."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from gateway.expr.gotime import MONTHS, UTC, WEEKDAYS, Location


class Mismatch(Exception):
    """The text does not have what the layout's element asks for."""


class OutOfRange(Exception):
    """A number that no calendar or clock shows."""


@dataclass(slots=True)
class Found:
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
            raise Mismatch
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def number(self, least: int, most: int) -> int:
        """The next digits."""
        found = re.compile(f"[0-9]{{{least},{most}}}").match(self.rest)
        if found is None:
            raise Mismatch
        return int(self.take(found.end()))

    def name(self, names: list[str]) -> int:
        """The index of the next name, whatever its case."""
        for index, name in enumerate(names):
            if self.rest[: len(name)].lower() == name.lower():
                self.take(len(name))
                return index
        raise Mismatch


def _short_year(found: Found, _: str) -> None:
    digits = found.take(2)
    if re.fullmatch("[+-]?[0-9]+", digits) is None:
        raise Mismatch
    year = int(digits)
    found.year = year + (1900 if year >= 69 else 2000)  # noqa: PLR2004 - Unix began in 1970


def _long_year(found: Found, _: str) -> None:
    found.year = found.number(4, 4)


def _month(found: Found, element: str) -> None:
    found.month = found.number(len(element), 2)
    if not 1 <= found.month <= len(MONTHS):
        raise OutOfRange("month out of range")


def _month_name(found: Found, element: str) -> None:
    names = MONTHS if element == "January" else [name[:3] for name in MONTHS]
    found.month = found.name(names) + 1


def _weekday(found: Found, element: str) -> None:
    found.name(WEEKDAYS if element == "Monday" else [name[:3] for name in WEEKDAYS])


def _day(found: Found, element: str) -> None:
    if element == "_2" and found.rest.startswith(" "):
        found.take(1)
    found.day = found.number(2 if element == "02" else 1, 2)


def _year_day(found: Found, element: str) -> None:
    for _ in range(2):
        if element == "__2" and found.rest.startswith(" "):
            found.take(1)
    found.year_day = found.number(3 if element == "002" else 1, 3)


def _hour(found: Found, element: str) -> None:
    found.hour = found.number(2 if element == "03" else 1, 2)
    if found.hour > (23 if element == "15" else 12):
        raise OutOfRange("hour out of range")


def _minute(found: Found, element: str) -> None:
    found.minute = found.number(len(element), 2)
    if found.minute > 59:  # noqa: PLR2004 - a clock
        raise OutOfRange("minute out of range")


def _second(found: Found, element: str) -> None:
    found.second = found.number(len(element), 2)
    if found.second > 59:  # noqa: PLR2004 - a clock
        raise OutOfRange("second out of range")
    # A fraction is read even if the layout does not ask for one.
    if found.following[:1] not in {".", ","}:
        _fraction(found, ".9")


def _fraction(found: Found, element: str) -> None:
    if element[1] == "0":
        digits = found.take(len(element))
        if digits[0] not in ".," or not digits[1:].isdecimal():
            raise Mismatch
    elif (seen := re.match(r"[.,][0-9]+", found.rest)) is not None:
        digits = found.take(seen.end())
    else:
        return
    found.nanosecond = int(digits[1:10].ljust(9, "0"))


def _half(found: Found, element: str) -> None:
    found.half = found.take(2)
    if found.half not in {element, element.replace("P", "A").replace("p", "a")}:
        raise Mismatch


def _zone_offset(found: Found, element: str) -> None:
    if element.startswith("Z") and found.rest.startswith("Z"):
        found.take(1)
        found.zone = UTC
        return
    shape = re.sub("0[07]", "([0-9]{2})", element[1:])
    seen = re.match(f"([+-]){shape}", found.rest)
    if seen is None:
        raise Mismatch
    found.take(seen.end())
    sign, *numbers = seen.groups()
    hour, minute, second = ([int(number) for number in numbers] + [0, 0])[:3]
    if hour > 24:  # noqa: PLR2004 - Go's own limit
        raise OutOfRange("time zone offset hour out of range")
    if minute > 60:  # noqa: PLR2004 - Go's own limit
        raise OutOfRange("time zone offset minute out of range")
    if second > 60:  # noqa: PLR2004 - Go's own limit
        raise OutOfRange("time zone offset second out of range")
    size = (hour * 60 + minute) * 60 + second
    found.zone_s = -size if sign == "-" else size


def _zone_abbreviation(found: Found, _: str) -> None:
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
        raise Mismatch
    found.zone_name = found.take(seen.end())


def _other(found: Found, element: str) -> None:
    (_zone_offset if element[0] in "-Z" else _fraction)(found, element)


_READERS: dict[str, Callable[[Found, str], None]] = {
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


def read_element(found: Found, element: str) -> None:
    """Read one element. Raises Mismatch or OutOfRange."""
    _READERS.get(element, _other)(found, element)
