"""Events, packed."""

import zlib

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kept_runs import running

from gateway.run_events import Event, changes
from gateway.run_status import RunStatus
from gateway.runs.packing import pack, unpack

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.builds(Event, st.text(), st.dictionaries(st.text(), JSON)))
def test_what_was_packed_comes_back(event: Event) -> None:
    """Nothing is lost, whatever the words."""
    assert unpack(pack(event)) == event


def test_a_usual_event_takes_a_fifth_of_its_json() -> None:
    """Most of it is in the words that all events share."""
    (measured, *_) = changes(RunStatus(), running(1))
    assert len(pack(measured)) < len(orjson.dumps(measured.data)) / 4


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        pytest.param(b"{}", "not packed as this gateway does it", id="plain-json"),
        pytest.param(pack(Event("end", {"a": 1}))[:-6], "unexpected end", id="cut"),
        pytest.param(b"", ".", id="nothing"),
        pytest.param(zlib.compress(b"{}"), "not packed as this gateway", id="without-the-words"),
        pytest.param(zlib.compress(b"{}", wbits=12), "not enough values", id="no-event"),
    ],
)
def test_what_was_not_packed_here_is_no_event(packed: bytes, reason: str) -> None:
    """Neither other bytes nor a part of an event is taken for one."""
    with pytest.raises(ValueError, match=reason):
        unpack(packed)
