"""The bounded memory of a process."""

from dataclasses import replace

import pytest

from gateway.memory import Memory, Remembered
from gateway.model import Reading, ResultType

READING = Reading(0.5, ResultType.FLOAT, "0.5")
WEIGHT_BYTES = 500 + 8 * len(READING.text)


def remembered(memory: Memory, *keys: str, now_s: float = 0) -> str:
    """Which of the keys are remembered, as one text."""
    return "".join(key for key in keys if memory.get(key, now_s=now_s) is not None)


@pytest.mark.parametrize(
    ("max_entries", "max_bytes", "left"),
    [
        pytest.param(9, 9_999, "abcd", id="all-that-fit-stay"),
        pytest.param(2, 9_999, "ad", id="too-many"),
        pytest.param(9, 2 * WEIGHT_BYTES, "ad", id="too-heavy"),
        pytest.param(9, 2 * WEIGHT_BYTES - 1, "d", id="too-heavy-by-a-byte"),
        pytest.param(0, 9_999, "", id="none-allowed"),
        pytest.param(9, 0, "", id="no-bytes-allowed"),
    ],
)
def test_the_least_recently_used_go_first(max_entries: int, max_bytes: int, left: str) -> None:
    """Use counts, not age."""
    memory = Memory(max_entries=max_entries, max_bytes=max_bytes)
    for key in "abc":
        memory.put(key, READING, began_s=0)
        memory.get("a", now_s=0)
    memory.put("d", READING, began_s=0)
    assert remembered(memory, "a", "b", "c", "d") == left


def test_what_is_told_beside_a_value_takes_room() -> None:
    """Warnings and the names of groups may be longer than the value."""
    memory = Memory(max_entries=9, max_bytes=2 * WEIGHT_BYTES)
    memory.put("a", READING, began_s=0)
    memory.put("b", replace(READING, value_metadata={"groups": "x"}), began_s=0)
    assert remembered(memory, "a", "b") == "b"
    memory.put("c", replace(READING, metadata={"warnings": "x" * WEIGHT_BYTES}), began_s=0)
    assert remembered(memory, "a", "b", "c") == ""


def test_a_newer_reading_is_not_replaced_by_an_older_one() -> None:
    """A slow measurement that ends late must not win."""
    memory = Memory(max_entries=9, max_bytes=9_999)
    newer = Reading(0.7, ResultType.FLOAT, "0.7")
    memory.put("a", newer, began_s=2)
    memory.put("a", READING, began_s=1)
    assert memory.get("a", now_s=3) == Remembered(newer, 2)


def test_replacing_a_reading_gives_its_room_back() -> None:
    """The same question asked for ever does not fill the memory."""
    memory = Memory(max_entries=9, max_bytes=2 * WEIGHT_BYTES)
    memory.put("a", READING, began_s=0)
    for began_s in range(9):
        memory.put("b", READING, began_s=began_s)
    assert remembered(memory, "a", "b") == "ab"


def test_a_reading_is_forgotten_after_its_retention() -> None:
    """However old a reading a caller takes."""
    memory = Memory(max_entries=9, max_bytes=WEIGHT_BYTES, retention_s=10)
    memory.put("a", READING, began_s=0)
    assert remembered(memory, "a", now_s=10) == "a"
    assert remembered(memory, "a", now_s=10.1) == ""
    memory.put("b", READING, began_s=20)
    assert remembered(memory, "b", now_s=20) == "b"
