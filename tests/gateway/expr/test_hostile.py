"""Ten thousand hostile conditions: none reads a file, changes the result or takes long."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

LIMIT_S = 0.05
LONG_LIMIT_S = 0.15
"""Of a condition with thousands of parts, which is compiled once and then kept."""


@pytest.fixture(scope="module", name="report")
def _report() -> dict[str, object]:
    """What the conditions did, in a process of their own."""
    program = Path(__file__).with_name("hostile.py")
    done = subprocess.run(
        [sys.executable, str(program)], check=True, capture_output=True, timeout=110
    )
    report: dict[str, object] = json.loads(done.stdout)
    return report


def test_hostile_conditions_end_soon(report: dict[str, object]) -> None:
    """Each takes at most 50 ms of processor time, to a value or to a ConditionError."""
    slow = [spent for spent in report["slowest"] if spent[0] > LIMIT_S]  # type: ignore[attr-defined] # a list
    assert (report["count"], slow) == (10_000, [])


def test_hostile_conditions_open_nothing(report: dict[str, object]) -> None:
    """Neither a file nor a connection nor a process."""
    assert report["opened"] == []


def test_hostile_conditions_change_nothing(report: dict[str, object]) -> None:
    """The result is as it was."""
    assert report["changed"] is False


def test_long_conditions_are_compiled_soon(report: dict[str, object]) -> None:
    """Even at the limits of length and of nodes."""
    slow = {name: s for name, s in report["long"].items() if s > LONG_LIMIT_S}  # type: ignore[attr-defined] # a dict
    assert slow == {}
