"""Bytes to documents: JSON, encodings, and what both syntaxes share."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.bounds import MAX_BYTES
from gateway.documents import Document, Syntax, manifests, read_documents
from gateway.errors import RequestInvalid
from gateway.gotext import json_text


def read(text: str | bytes, syntax: Syntax = Syntax.JSON) -> tuple[Document, ...]:
    """The documents of a text that errors call ``body``."""
    data = text if isinstance(text, bytes) else text.encode()
    return read_documents(data, name="body", syntax=syntax)


@pytest.mark.parametrize(
    ("text", "content"),
    [
        pytest.param('{"a": [1, "x", null, true]}', {"a": [1, "x", None, True]}, id="plain"),
        pytest.param("3.0", 3, id="a-whole-float-is-an-integer-as-in-go"),
        pytest.param("3.5", 3.5, id="a-fraction-stays"),
        pytest.param("1e300", 1e300, id="a-float-beyond-exact-integers-stays-a-float"),
        pytest.param("12345678901234567890", 12345678901234567890.0, id="beyond-64-bits-a-float"),
        pytest.param('"2024-01-01"', "2024-01-01", id="a-date-is-a-text"),
        pytest.param("null", None, id="null-is-a-document"),
        pytest.param(b"\xef\xbb\xbf{}", {}, id="a-byte-order-mark-is-skipped"),
        pytest.param('"\\ud83d\\ude00"', "\N{GRINNING FACE}", id="a-surrogate-pair-is-one-char"),
    ],
)
def test_json_is_read(text: str | bytes, content: object) -> None:
    """What encoding/json would give a Kubernetes object."""
    assert read(text) == (Document(content),)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param(
            "{",
            "body: line 1, column 2: not JSON: Expecting property name enclosed in double quotes",
            id="broken",
        ),
        pytest.param(
            '{\n "a": x}',
            "body: line 2, column 7: not JSON: Expecting value",
            id="the-place-is-named",
        ),
        pytest.param("", "body: line 1, column 1: not JSON: Expecting value", id="empty"),
        pytest.param(
            '{"a": 1, "a": 2}', "body: key 'a' stands twice in one object", id="duplicate-key"
        ),
        pytest.param(
            "[NaN]", "body: NaN is no JSON number; write it as a text", id="nan-is-no-json"
        ),
        pytest.param(
            "-Infinity", "body: -Infinity is no JSON number; write it as a text", id="infinity"
        ),
        pytest.param("1e999", "body: number 1e999 is too large for 64 bits", id="overflow"),
        pytest.param(
            '"\\ud800"',
            r"body: text '\ud800' holds one half of a surrogate pair",
            id="half-a-character",
        ),
        pytest.param(
            '{"\\udfff": [1]}',
            r"body: text '\udfff' holds one half of a surrogate pair",
            id="half-a-character-in-a-key",
        ),
        pytest.param(
            "[" * 66 + "]" * 66, "body: values are nested deeper than 64 levels", id="deep"
        ),
        pytest.param(
            "[" * 100_000, "body: values are nested deeper than 64 levels", id="endlessly-deep"
        ),
        pytest.param(
            json.dumps([0] * 20_000),
            "body: there are more than 20000 values, aliases expanded",
            id="too-many-values",
        ),
        pytest.param(b"\xff", "body: line 1, column 1: not valid UTF-8", id="not-utf-8"),
        pytest.param(
            b'{\n"\xc3\xa9": "\xc3',
            "body: line 2, column 7: not valid UTF-8",
            id="not-utf-8-counts-characters",
        ),
        pytest.param(
            b" " * (MAX_BYTES + 1),
            "body: holds 1048577 bytes; at most 1048576 are read",
            id="too-long",
        ),
    ],
)
def test_bad_json_is_refused(text: str | bytes, complaint: str) -> None:
    """One sentence says what is wrong and where."""
    with pytest.raises(RequestInvalid) as caught:
        read(text)
    assert str(caught.value) == complaint


def test_list_is_its_items() -> None:
    """What kubectl prints for several objects is as good as the objects."""
    (document,) = read("apiVersion: v1\nkind: List\nitems:\n- a: 1\n- b: 2\n", Syntax.YAML)
    first, second = manifests(document)
    assert (first.content, first.place) == ({"a": 1}, "items[0]")
    assert (second.content, second.place) == ({"b": 2}, "items[1]")
    assert second.line_of("b") == 5


def test_other_documents_are_themselves() -> None:
    """Only a List has items."""
    document = Document({"kind": "List", "items": [1]})
    assert manifests(document) == (document,)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        pytest.param("spec.metrics[0].name", 3, id="known"),
        pytest.param("spec.metrics[0].interval.x", 3, id="a-missing-field-is-where-its-parent-is"),
        pytest.param("metadata", 1, id="a-missing-part-is-where-the-document-is"),
        pytest.param("", 1, id="the-document"),
    ],
)
def test_line_of_a_path(path: str, line: int) -> None:
    """A problem can point at a line, even if what is missing has none."""
    (document,) = read("spec:\n  metrics:\n  - name: x\n", Syntax.YAML)
    assert document.line_of(path) == line


def test_json_knows_no_lines() -> None:
    """Python's JSON reader does not tell."""
    (document,) = read('{"a": 1}')
    assert document.line_of("a") is None


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON_VALUES)
def test_json_round_trips(value: object) -> None:
    """What Go would print is read back as the same value."""
    assert read(json_text(value)) == (Document(value),)


@given(st.binary(max_size=200), st.sampled_from(Syntax))
def test_any_bytes_are_read_or_refused(data: bytes, syntax: Syntax) -> None:
    """Nothing but RequestInvalid ever leaves the reader."""
    try:
        read(data, syntax)
    except RequestInvalid as error:
        assert str(error).startswith("body: ")
