r"""CSV as Go reads it: quotation marks only around whole cells, and nowhere else.

Source: Go encoding/csv with rows of any length. Unlike Python's, it refuses a quotation mark inside
a cell, leaves a carriage return alone that no line feed follows, and ends lines within quotation
marks with ``\n``.
"""

import re
from collections.abc import Iterator

_CELL = re.compile(
    r'"(?P<quoted>[^"]*+(?:""[^"]*+)*+)"(?=[,\n]|\Z)|(?P<plain>[^",\n]*+)(?=[,\n]|\Z)'
)
_BLANK_LINES = re.compile(r"\n*+")


class NotCsv(ValueError):
    """A text that is no CSV; ``str(error)`` says where and why, in Go's words."""


def read_rows(text: str) -> Iterator[list[str]]:
    """The rows of a text, one after the other; empty lines are none.

    Raises:
        NotCsv: where it is reached.

    """
    text = text.replace("\r\n", "\n").removesuffix("\r")
    at = _after_blank_lines(text, 0)
    while at < len(text):
        row, end = _row(text, at)
        yield row
        at = _after_blank_lines(text, end)


def _row(text: str, at: int) -> tuple[list[str], int]:
    """A row, and where its line ends."""
    cells: list[str] = []
    while True:
        cell = _CELL.match(text, at)
        if cell is None:
            raise _flaw(text, at)
        quoted = cell["quoted"]
        cells.append(cell["plain"] if quoted is None else quoted.replace('""', '"'))
        at = cell.end()
        if not text.startswith(",", at):
            return cells, at
        at += 1


def _after_blank_lines(text: str, at: int) -> int:
    lines = _BLANK_LINES.match(text, at)
    return at if lines is None else lines.end()


def _flaw(text: str, at: int) -> NotCsv:
    is_quoted = text.startswith('"', at)
    why = 'extraneous or missing " in quoted-field' if is_quoted else 'bare " in non-quoted-field'
    line = text.count("\n", 0, at) + 1
    return NotCsv(f"parse error on line {line}: {why}")
