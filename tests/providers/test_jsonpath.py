"""Kubernetes' JSONPath, surprises included; expected outcomes were seen from client-go v0.34.5."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers._json import decode
from providers._jsonpath import JsonPath, JsonPathInvalid, JsonPathNotFound
from providers._jsonpath.search import MAX_RANGES, MAX_VISITED

ROWS = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "conformance" / "jsonpath.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
]


def outcome(path: str, document: str) -> dict[str, object]:
    """What comes of a path, as the rows tell it."""
    try:
        return {"value": JsonPath(path).first(decode(document.encode()))}
    except JsonPathInvalid as error:
        return {"refused": str(error)}
    except JsonPathNotFound as error:
        return {"nowhere": str(error)}
    except LookupError:
        return {"none": True}


@pytest.mark.parametrize("row", [pytest.param(row, id=row["id"]) for row in ROWS])
def test_a_path_is_read_as_client_go_reads_it(row: dict[str, Any]) -> None:
    """The first value, the texts of what is wrong, or nothing; ours where client-go crashes."""
    expected = {key: row[key] for key in ("value", "refused", "nowhere", "none") if key in row}
    assert outcome(row["path"], row["document"]) == expected


def test_numbers_of_a_document_are_floats() -> None:
    """Only what the template wrote is an integer."""
    assert [type(JsonPath(path).first({"a": 1.0})) for path in ("{.a}", "{1}")] == [float, int]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        pytest.param(
            "{" + "[0,0]" * 25 + "}",
            f"the path looks at more than {MAX_VISITED} values",
            id="too-many-values",
        ),
        pytest.param(
            "{range $}" * (MAX_RANGES + 1),
            f"more than {MAX_RANGES} ranges in each other",
            id="too-many-ranges",
        ),
    ],
)
def test_the_work_of_a_path_is_bounded(path: str, message: str) -> None:
    """Paths whose work grows without limit end with a sentence."""
    document: object = 1.0
    for _ in range(30):
        document = [document]
    with pytest.raises(JsonPathNotFound) as caught:
        JsonPath(path).first(document)
    assert str(caught.value) == message


def test_a_deep_document_is_walked_without_recursion() -> None:
    """Depth costs no stack."""
    document: object = {"v": 1.0}
    for _ in range(5_000):
        document = [document]
    assert JsonPath("{..v}").first(document) == 1.0


def test_a_parsed_path_can_be_shared() -> None:
    """Ranges leave nothing behind that a second search would see."""
    path = JsonPath("{range .a[*]}{@}{end}")
    document = {"a": [1.0, 2.0]}
    assert [path.first(document), path.first(document)] == [1.0, 1.0]


PIECES = st.sampled_from(
    [
        *("$", "@", ".", "..", "*", "[", "]", "{", "}", "(", ")", "?", "'", '"', "\\", ",", ":"),
        *("0", "-1", "1.5", "a", "b", "é", " ", "\n", "range ", "end", "true", "==", "<", "!="),
        *("[?(@.a)]", "[*]", "..a", ".a", "{range .a[*]}", "{end}", "[0:2]", "['a']", "{.a}"),
    ]
)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "é"]), inner, max_size=3)
    ),
    max_leaves=20,
)


@given(st.lists(PIECES, max_size=14).map("".join) | st.text(), DOCUMENTS)
def test_any_path_on_any_document_ends(path: str, document: object) -> None:
    """A value, no value, or one of the two errors: nothing else, ever."""
    outcome(path, json.dumps(document))
    outcome("{" + path + "}", json.dumps(document))
