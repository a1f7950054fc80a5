"""Instants, durations and time zones, as Go's package time has them.

Source: Go 1.26 time/time.go and time/zoneinfo.go. The local zone is UTC, as in Argo's image.
"""

import zoneinfo
from dataclasses import dataclass
from datetime import UTC as DATETIME_UTC
from datetime import datetime, timedelta

from gateway.expr.faults import Fault

NANOSECONDS = 1_000_000_000
DAY_S = 86_400
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
_UNIX_TO_YEAR_ONE_S = 62_135_596_800
_FIRST_S, _LAST_S = -62_135_510_400, 253_402_214_400
"""One day inside the years that Python's datetime knows."""
_DAYS_PER_ERA = 146_097


class Duration(int):
    """Nanoseconds between two instants."""

    __slots__ = ()
    go_type = "time.Duration"
    go_kind = "int64"

    def __str__(self) -> str:
        size = abs(int(self))
        sign = "-" if self < 0 else ""
        if size < NANOSECONDS:
            if size == 0:
                return "0s"
            unit, per = next(
                (unit, per)
                for unit, per in (("ms", 1_000_000), ("\N{MICRO SIGN}s", 1_000), ("ns", 1))
                if size >= per
            )
            return f"{sign}{_fraction(size, per)}{unit}"
        minutes, rest = divmod(size, 60 * NANOSECONDS)
        text = f"{_fraction(rest, NANOSECONDS)}s"
        if minutes:
            text = f"{minutes % 60}m{text}"
        if minutes >= 60:  # noqa: PLR2004 - an hour
            text = f"{minutes // 60}h{text}"
        return sign + text


class Month(int):
    """A month of the year, from 1."""

    __slots__ = ()
    go_type = "time.Month"
    go_kind = "int"

    def __str__(self) -> str:
        return MONTHS[self - 1]


class Weekday(int):
    """A day of the week, from 0 for Sunday."""

    __slots__ = ()
    go_type = "time.Weekday"
    go_kind = "int"

    def __str__(self) -> str:
        return WEEKDAYS[self]


@dataclass(frozen=True, slots=True)
class Offset:
    """How a zone's clocks stand at an instant."""

    name: str
    seconds: int
    """East of UTC."""
    is_dst: bool = False


@dataclass(frozen=True, slots=True)
class Location:
    """A time zone: one of the tz database, or a fixed offset."""

    name: str
    fixed: Offset | None = None
    go_type = "*time.Location"
    go_kind = "ptr"

    def __str__(self) -> str:
        return self.name

    def at(self, unix_s: int) -> Offset:
        """How its clocks stand at an instant."""
        if self.fixed is not None:
            return self.fixed
        within = min(max(unix_s, _FIRST_S), _LAST_S)
        moment = datetime.fromtimestamp(0, DATETIME_UTC) + timedelta(seconds=within)
        local = moment.astimezone(zoneinfo.ZoneInfo(self.name))
        seconds = int((local.utcoffset() or timedelta()).total_seconds())
        return Offset(local.tzname() or "", seconds, bool(local.dst()))

    def seconds_of(self, name: str, local_s: int) -> int | None:
        """The offset that an abbreviation such as CET stands for near a local time, if any."""
        if self.fixed is not None:
            return None
        halves = [self.at(local_s + month * 30 * DAY_S) for month in range(-6, 7)]
        candidates = [offset for offset in halves if offset.name == name]
        for offset in candidates:
            if self.at(local_s - offset.seconds).name == name:
                return offset.seconds
        return candidates[0].seconds if candidates else None


UTC = Location("UTC", Offset("UTC", 0))
LOCAL = Location("Local", Offset("UTC", 0))


def fixed_zone(name: str, seconds: int) -> Location:
    """A zone that is always the same number of seconds east of UTC."""
    return Location(name, Offset(name, seconds))


def load_location(name: str) -> Location:
    """A zone of the tz database. Raises Fault if there is no such zone."""
    if name in {"", "UTC"}:
        return UTC
    if name == "Local":
        return LOCAL
    if ".." in name or name[0] in "/\\" or "\\" in name:
        raise Fault("time: invalid location name")
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise Fault(f"unknown time zone {name}") from None
    return Location(name)


@dataclass(frozen=True, slots=True)
class Time:
    """An instant, and the zone that it is told in."""

    unix_ns: int
    location: Location = UTC
    go_type = "time.Time"
    go_kind = "struct"

    @property
    def unix_s(self) -> int:
        """Whole seconds since 1970."""
        return self.unix_ns // NANOSECONDS

    @property
    def offset(self) -> Offset:
        """How the clocks of its zone stand."""
        return self.location.at(self.unix_s)

    @property
    def local_s(self) -> int:
        """Seconds since 1970-01-01 00:00 on the clocks of its zone."""
        return self.unix_s + self.offset.seconds

    @property
    def date(self) -> tuple[int, int, int]:
        """Year, month and day in its zone."""
        return civil(self.local_s // DAY_S)

    @property
    def year_day(self) -> int:
        """The day of the year, from 1."""
        return self.local_s // DAY_S - days_from_civil(self.date[0], 1, 1) + 1

    @property
    def clock(self) -> tuple[int, int, int]:
        """Hour, minute and second in its zone."""
        second = self.local_s % DAY_S
        return second // 3600, second // 60 % 60, second % 60

    @property
    def nanosecond(self) -> int:
        """Within its second."""
        return self.unix_ns % NANOSECONDS

    @property
    def weekday(self) -> int:
        """From 0 for Sunday."""
        return (self.local_s // DAY_S + 4) % 7

    @property
    def since_year_one_ns(self) -> int:
        """Nanoseconds since Go's zero time."""
        return self.unix_ns + _UNIX_TO_YEAR_ONE_S * NANOSECONDS


def zero_time() -> Time:
    """Go's zero time: the start of year one."""
    return Time(-_UNIX_TO_YEAR_ONE_S * NANOSECONDS)


def local_time(days: int, second: int, nanosecond: int, location: Location) -> Time:
    """The instant at which the clocks of a zone show a day since 1970 and a second of it."""
    local_s = days * DAY_S + second
    seconds = location.at(local_s).seconds
    if seconds:
        seconds = location.at(local_s - seconds).seconds
    return Time((local_s - seconds) * NANOSECONDS + nanosecond, location)


def days_from_civil(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 to a date of the Gregorian calendar; months and days may overflow."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    if month <= 2:  # noqa: PLR2004 - the year starts in March, so that leap days end it
        year, month = year - 1, month + 12
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * (month - 3) + 2) // 5 + day - 1
    days = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return era * _DAYS_PER_ERA + days - 719_468


def civil(days: int) -> tuple[int, int, int]:
    """Year, month and day, given days since 1970-01-01."""
    era, day_of_era = divmod(days + 719_468, _DAYS_PER_ERA)
    leaps = day_of_era // 1_460 - day_of_era // 36_524 + day_of_era // 146_096
    year_of_era = (day_of_era - leaps) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted + 2) // 5 + 1
    month = shifted + 3 if shifted < 10 else shifted - 9  # noqa: PLR2004 - March comes first
    return year_of_era + era * 400 + (month <= 2), month, day  # noqa: PLR2004 - see above


def _fraction(size: int, per: int) -> str:
    whole, rest = divmod(size, per)
    digits = f"{rest:0{len(str(per)) - 1}d}".rstrip("0") if rest else ""
    return f"{whole}.{digits}" if digits else str(whole)
