"""Readings as bytes."""

import math
from types import MappingProxyType

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.freeze import freeze
from gateway.model import Judgement, Phase, Reading, ResultType, Typed
from gateway.stored import StoredUnreadable, Unstorable, dump, load

NESTED: object = 0.0
for _ in range(2_000):
    NESTED = (NESTED,)

texts = st.text(st.characters(codec="utf-8"))
json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=20,
)
GOOD = {
    "schema": 1,
    "key": "question",
    "type": "float",
    "result": 0.5,
    "text": "0.5",
    "metadata": {},
}


@given(result=json_values.map(freeze), text=texts, metadata=st.dictionaries(texts, texts))
def test_what_is_written_can_be_read(result: object, text: str, metadata: dict[str, str]) -> None:
    """Any JSON value survives, with its types."""
    reading = Reading(result, ResultType.JSON, text, metadata, metadata)
    assert load("question", dump("question", reading)) == reading


@given(phase=st.sampled_from(Phase), message=texts)
def test_what_a_provider_decided_survives(phase: Phase, message: str) -> None:
    """Another replica must not judge anew what a Job has judged."""
    reading = Reading(None, ResultType.JSON, "", judgement=Judgement(phase, message))
    assert load("question", dump("question", reading)) == reading


def test_types_that_json_lacks_survive() -> None:
    """And so does that a value is shown beside an Error."""
    result = (Typed("int64", "7"), None, 1.5, Typed("time.Time", "2024-05-06T07:08:09Z"))
    reading = Reading(result, ResultType.TYPED, "[7]", outlives_error=True)
    assert load("question", dump("question", reading)) == reading


def test_what_was_written_without_a_judgement_has_none() -> None:
    """By an earlier version, or of a provider that does not judge; null is none as well."""
    assert "judgement" not in orjson.loads(dump("question", Reading(0.5, ResultType.FLOAT, "")))
    for entry in (GOOD, {**GOOD, "judgement": None}):
        assert load("question", orjson.dumps(entry)).judgement is None


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(math.inf, id="infinity"),
        pytest.param(-math.inf, id="minus-infinity"),
        pytest.param(-0.0, id="minus-zero"),
        pytest.param(5e-324, id="the-smallest"),
        pytest.param(math.nan, id="not-a-number"),
    ],
)
@pytest.mark.parametrize("result_type", list(ResultType))
def test_numbers_that_json_does_not_know_survive(number: float, result_type: ResultType) -> None:
    """Alone, in a list and deep in an object."""
    result = (number, MappingProxyType({"deep": (number,)}))
    read = load("question", dump("question", Reading(result, result_type, "")))
    assert (read.result_type, repr(read.result)) == (result_type, repr(result))


@pytest.mark.parametrize(
    "result",
    [
        pytest.param("\ud800", id="half-a-character"),
        pytest.param(NESTED, id="nesting-without-end"),
        pytest.param(MappingProxyType({"\x00number": "1"}), id="an-object-like-our-own"),
        pytest.param(2**70, id="a-whole-number-beyond-64-bits"),
    ],
)
def test_what_cannot_be_written_is_said(result: object) -> None:
    """Such a reading stays in the process that has it."""
    with pytest.raises(Unstorable):
        dump("question", Reading(result, ResultType.JSON, ""))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"schema": 2}, id="another-version"),
        pytest.param({"key": "other"}, id="another-question"),
        pytest.param({"type": "word"}, id="an-unknown-type"),
        pytest.param({"metadata": ["a"]}, id="metadata-that-are-none"),
        pytest.param({"result": {"\x00number": "many"}}, id="a-number-that-is-none"),
        pytest.param({"metadata": None}, id="no-metadata"),
        pytest.param({"judgement": ["Great", ""]}, id="a-phase-that-is-none"),
        pytest.param({"judgement": ["Failed"]}, id="half-a-judgement"),
        pytest.param({"judgement": ["Failed", "", ""]}, id="more-than-a-judgement"),
        pytest.param({"judgement": ["Failed", 1]}, id="a-message-that-is-none"),
        pytest.param({"judgement": "Failed"}, id="a-judgement-that-is-none"),
        pytest.param({"judgement": {}}, id="an-object-for-a-judgement"),
    ],
)
def test_a_value_that_is_not_ours_is_unreadable(changes: dict[str, object]) -> None:
    """Each field is checked."""
    assert load("question", orjson.dumps(GOOD)) == Reading(0.5, ResultType.FLOAT, "0.5")
    with pytest.raises(StoredUnreadable):
        load("question", orjson.dumps({**GOOD, **changes}))


@given(st.binary() | json_values.map(orjson.dumps))
def test_any_other_bytes_are_unreadable(data: bytes) -> None:
    """Whatever lies in Redis, nothing else is raised."""
    with pytest.raises(StoredUnreadable):
        load("question", data)


def test_a_value_nested_without_end_is_unreadable() -> None:
    """Nesting that the JSON library still reads is beyond what is unpacked."""
    with pytest.raises(StoredUnreadable):
        load("question", orjson.dumps({**GOOD, "result": None}).replace(b"null", b"[" * 1_000))
    deep = b"[" * 1_000 + b"]" * 1_000
    with pytest.raises(StoredUnreadable):
        load("question", orjson.dumps({**GOOD, "result": None}).replace(b"null", deep))
