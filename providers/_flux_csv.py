"""Annotated CSV, the answer of a Flux query: tables of typed columns, one after the other.

Source: influxdb-client-go v2.14.0 api/query.go:338-512, as argo-rollouts
metricproviders/influxdb/influxdb.go @ 9f8d111d8 uses it. There, whatever ends the reading early is
dropped together with the rows behind it; here it is an error, in that client's words.
"""

import base64
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto

from gateway.durations import parse_duration_ns
from gateway.errors import ProviderError, ProviderRejected, ProviderUnreadable
from gateway.expr.faults import Fault
from gateway.expr.gotime import Duration
from gateway.expr.layouts import RFC3339, RFC3339_NANO, format_time
from gateway.expr.strconv import parse_float, parse_int
from gateway.expr.timeparse import parse_time
from gateway.gotext import quote
from gateway.model import Typed
from providers._csv_rows import NotCsv, read_rows
from providers._requests import shortened

VALUE_COLUMN = "_value"
MAX_RECORDS = 100_000
"""Reading one takes about 20 microseconds, and holds up all others meanwhile."""
_ERROR_COLUMN = "error"
_MAX_UINT = 2**64 - 1
_MAX_UINT_DIGITS = 20
_USUAL_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?:\.[0-9]{0,8}[1-9])?Z"
)
"""As InfluxDB writes times; what is read from such a text is written the same."""
_SECOND_CHARACTERS = len("2006-01-02T15:04:05")


def read_values(text: str) -> list[object]:
    """The ``_value`` of every record of every table: None, bool, float, str or Typed.

    Raises:
        ProviderRejected: the answer ends with an error of the query.
        ProviderUnreadable: it is no annotated CSV, ends within a table's head, or has a cell that
            is not of its column's type.

    """
    tables = _Tables()
    try:
        for row in read_rows(text):
            tables.take(row)
    except NotCsv as error:
        raise ProviderUnreadable(str(error)) from error
    tables.check_end()
    return tables.values


class _Place(Enum):
    """Where in a table the next row stands."""

    RECORDS = auto()
    ANNOTATIONS = auto()
    ERROR = auto()


@dataclass(slots=True)
class _Table:
    """The columns of the records that follow."""

    defaults: list[str]
    datatypes: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def value_in(self, cells: list[str]) -> object:
        """The value of a record; every cell is read, as a broken one breaks its record."""
        value = None
        columns = zip(self.names, self.datatypes, self.defaults, cells, strict=True)
        for name, datatype, default, cell in columns:
            read = _read(cell or default, datatype, name)
            if name == VALUE_COLUMN:
                value = read
        return value


class _Tables:
    """Takes the rows of an answer."""

    def __init__(self) -> None:
        self.values: list[object] = []
        """Those of the records so far."""
        self._table: _Table | None = None
        self._place = _Place.RECORDS

    def take(self, row: list[str]) -> None:
        """Add the value in a row, if it is a record. Raises ProviderError."""
        mark, *cells = row
        if mark.startswith("#") and self._place is _Place.RECORDS:
            self._table = _Table([""] * len(cells))
            self._place = _Place.ANNOTATIONS
        table = self._table
        if table is None:
            raise ProviderUnreadable("parsing error, annotations not found")
        if len(cells) != len(table.defaults):
            raise ProviderUnreadable(
                "parsing error, row has different number of columns than the table:"
                f" {len(cells)} vs {len(table.defaults)}"
            )
        if mark:
            self._annotate(table, mark, cells)
        elif self._place is _Place.ANNOTATIONS:
            self._name(table, cells)
        elif self._place is _Place.ERROR:
            raise _query_error(*cells[:2])
        elif len(self.values) == MAX_RECORDS:
            raise ProviderUnreadable(
                f"the answer has more than {MAX_RECORDS} records: aggregate them in the query"
            )
        else:
            self.values.append(table.value_in(cells))

    def check_end(self) -> None:
        """Raise ProviderError if more should have come."""
        if self._place is _Place.ERROR:
            raise _query_error()
        if self._place is _Place.ANNOTATIONS:
            raise ProviderUnreadable("parsing error, the answer ends before the names of columns")

    def _annotate(self, table: _Table, mark: str, cells: list[str]) -> None:
        match mark:
            case "#datatype":
                table.datatypes = cells
            case "#default":
                table.defaults = cells
            case "#group":
                pass
            case _:
                shown = quote(shortened(mark))
                raise ProviderUnreadable(f"parsing error, unknown annotation {shown}")

    def _name(self, table: _Table, cells: list[str]) -> None:
        if not table.datatypes:
            raise ProviderUnreadable("parsing error, datatype annotation not found")
        table.names = cells
        self._place = _Place.ERROR if cells[0] == _ERROR_COLUMN else _Place.RECORDS


def _query_error(message: str = "", reference: str = "") -> ProviderError:
    parts = [message or "unknown query error", reference]
    return ProviderRejected(shortened(",".join(filter(None, parts))))


def _read(text: str, datatype: str, column: str) -> object:
    if not text:
        return None
    read = _CELLS.get(datatype)
    if read is None:
        raise ProviderUnreadable(shortened(f"{column} has unknown data type {datatype}"))
    try:
        return read(text)
    except (Fault, ValueError) as error:
        raise ProviderUnreadable(shortened(f"column {column}: {error}")) from error


def _time(text: str) -> Typed:
    if _USUAL_TIME.fullmatch(text):
        with suppress(ValueError):
            datetime.fromisoformat(text[:_SECOND_CHARACTERS])
            return Typed("time.Time", text)
    return Typed("time.Time", format_time(parse_time(RFC3339, text, None), RFC3339_NANO))


def _unsigned(text: str) -> Typed:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"strconv.ParseUint: parsing {quote(text)}: invalid syntax")
    digits = text.lstrip("0") or "0"
    if len(digits) > _MAX_UINT_DIGITS or int(digits) > _MAX_UINT:
        raise ValueError(f"strconv.ParseUint: parsing {quote(text)}: value out of range")
    return Typed("uint64", digits)


def _bytes(text: str) -> Typed:
    try:
        # Go passes over line breaks.
        octets = base64.b64decode(text.replace("\r", "").replace("\n", ""), validate=True)
    except ValueError as error:
        raise ValueError("illegal base64 data") from error
    return Typed("[]uint8", base64.b64encode(octets).decode())


_CELLS: Mapping[str, Callable[[str], object]] = {
    "string": str,
    "double": parse_float,
    "long": lambda text: Typed("int64", str(parse_int(text))),
    "unsignedLong": _unsigned,
    "boolean": lambda text: text.lower() != "false",
    "dateTime:RFC3339": _time,
    "dateTime:RFC3339Nano": _time,
    "duration": lambda text: Typed("time.Duration", str(Duration(parse_duration_ns(text)))),
    "base64Binary": _bytes,
}
"""What Go makes of a cell that is not empty, by the type of its column."""
