"""Annotated CSV, with what the client of InfluxDB that Argo uses made of the same answers.

``flux_csv.json`` has for each answer the values that influxdb-client-go v2.14.0 gave, their text as
Go prints it, and the error that ended the reading, which Argo drops.
"""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ProviderError, ProviderRejected, ProviderUnreadable
from gateway.gotext import general_float
from gateway.model import Typed
from providers._csv_rows import NotCsv, read_rows
from providers._flux_csv import read_values

ROWS = json.loads((Path(__file__).parents[1] / "conformance" / "flux_csv.json").read_text())
STRICT = {
    "a-row-of-one-cell": "parsing error, row has different number of columns than the table:"
    " 0 vs 3",
    "a-row-that-is-no-record": 'parsing error, unknown annotation "x"',
    "another-annotation": 'parsing error, unknown annotation "#constant"',
    "a-head-that-is-cut-off": "parsing error, the answer ends before the names of columns",
    "an-error-table-that-is-cut-off": "unknown query error",
}
"""What is passed over there, or counts the record before it twice: docs/differences.md"""


def shown(value: object) -> object:
    """A value as the table has it."""
    match value:
        case float():
            return {"float64": general_float(value)}
        case Typed(go_type, text):
            return {go_type: text}
        case _:
            return value


def failure(body: str) -> str:
    """The text of the error that an answer is."""
    with pytest.raises(ProviderError) as caught:
        read_values(body)
    return str(caught.value)


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, id=row["id"])
        for row in ROWS
        if "error" not in row and row["id"] not in STRICT
    ],
)
def test_an_answer_is_read_as_argo_reads_it(row: dict[str, Any]) -> None:
    """Every value with its Go type; what is empty is nil or its column's default."""
    assert [shown(value) for value in read_values(row["body"])] == row["values"]


@pytest.mark.parametrize("row", [pytest.param(row, id=row["id"]) for row in ROWS if "error" in row])
def test_what_ends_the_reading_is_told(row: dict[str, Any]) -> None:
    """In the words of that client, which Argo drops to judge the rows before."""
    words = row["error"]
    if words.startswith("parse error on line"):
        place, _, why = words.rpartition(": ")
        words = f"{place.partition(',')[0]}: {why}"
    words = words.removesuffix(" at input byte 0")
    got = failure(row["body"])
    assert got == words or got.removeprefix("column _value: ").removeprefix("column _time: ") == (
        words
    )


@pytest.mark.parametrize(
    ("row", "message"),
    [pytest.param(row, STRICT[row["id"]], id=row["id"]) for row in ROWS if row["id"] in STRICT],
)
def test_what_argo_passes_over_is_an_error(row: dict[str, Any], message: str) -> None:
    """No answer in part."""
    assert failure(row["body"]) == message


def test_an_error_of_the_query_is_the_owners_to_mend() -> None:
    """And what cannot be read is not."""
    by_id = {row["id"]: row["body"] for row in ROWS}
    with pytest.raises(ProviderRejected):
        read_values(by_id["an-error-table"])
    with pytest.raises(ProviderUnreadable):
        read_values(by_id["a-broken-number"])


def test_long_words_are_cut() -> None:
    """A server may repeat a whole query in its error."""
    table = "#datatype,string,string\n,error,reference\n,{},\n"
    assert failure(table.format("x" * 5_000)) == f"{'x' * 4_096}..."


CELLS = st.text(alphabet='ab,"\n\r é#')
LINES = st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=5)


def written(lines: list[list[str]]) -> str:
    """A table with quotation marks around all cells."""
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(lines)
    return text.getvalue()


@given(LINES)
def test_every_table_reads_back(lines: list[list[str]]) -> None:
    """Whatever stands in its cells; only line ends become those of Go."""
    expected = [[cell.replace("\r\n", "\n") for cell in line] for line in lines]
    assert list(read_rows(written(lines))) == expected


@given(st.text(alphabet="a,\n\r"))
def test_without_quotation_marks_a_row_is_a_line(text: str) -> None:
    """Of which empty ones are none."""
    lines = text.replace("\r\n", "\n").removesuffix("\r").split("\n")
    assert list(read_rows(text)) == [line.split(",") for line in lines if line]


@given(st.text(alphabet='a,"\n\r'))
def test_any_text_is_rows_or_no_csv(text: str) -> None:
    """And what was read is what would be written."""
    try:
        rows = list(read_rows(text))
    except NotCsv:
        assert '"' in text
    else:
        # As in Go, the end of a line is one character, also in quotes.
        read = [[field.replace("\r\n", "\n") for field in row] for row in rows]
        assert list(read_rows(written(rows))) == read


ERROR_TABLE = "#datatype,string,string\n#group,true,true\n#default,,\n,error,reference\n,too bad,\n"


def tables() -> st.SearchStrategy[str]:
    """Answers, most of them of a right shape."""
    types = st.sampled_from(
        ["string", "long", "double", "boolean", "dateTime:RFC3339", "duration", "color"]
    )
    cell = st.sampled_from(["", "7", "1.5", "x", "true", '"a,b"', "2024-05-06T07:08:09Z", '"'])
    head = st.tuples(types, types).map(
        lambda pair: f"#datatype,{','.join(pair)}\n#default,,\n,result,_value\n"
    )
    record = st.tuples(cell, cell).map(lambda pair: f",{','.join(pair)}\n")
    broken = st.text(alphabet='#,"\n a', max_size=8)
    return st.lists(head | record | broken, max_size=8).map("".join)


@given(tables() | st.text())
def test_any_answer_is_values_or_an_error(body: str) -> None:
    """Nothing else comes of what a server says."""
    try:
        values = read_values(body)
    except ProviderError as error:
        assert str(error)
    else:
        assert all(isinstance(value, bool | float | str | Typed | None) for value in values)


@given(tables())
def test_an_error_at_the_end_is_never_overlooked(body: str) -> None:
    """However many records stand before it."""
    with pytest.raises(ProviderError):
        read_values(f"{body}\n\n{ERROR_TABLE}")
