"""What an entry of the audit shows, and how much of it."""

import pytest

from gateway import audit
from gateway.audit import Call, Entry, shown_arguments
from gateway.secrets import Redaction, Secret

LONG = "x" * 2_000


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        pytest.param(
            Entry(at_unix_s=0, call=Call.REFUSED, path="/v1/runs", reason="no"),
            {
                "at": "1970-01-01T00:00:00.000Z",
                "call": "refused",
                "path": "/v1/runs",
                "reason": "no",
            },
            id="what is empty is left out",
        ),
        pytest.param(
            Entry(at_unix_s=1, call=Call.VERDICT, caller="token:a", phase="Failed", took_s=0.00123),
            {
                "at": "1970-01-01T00:00:01.000Z",
                "call": "verdict",
                "caller": "token:a",
                "phase": "Failed",
                "repeated": False,
                "tookMs": 1.2,
            },
            id="a verdict says whether it was measured for",
        ),
        pytest.param(
            Entry(at_unix_s=0, call=Call.RUN_ENDED, run="r1", phase="Successful", is_ok=False),
            {
                "at": "1970-01-01T00:00:00.000Z",
                "call": "run.ended",
                "run": "r1",
                "phase": "Successful",
                "ok": False,
            },
            id="the end of a run that was stopped says that it has not passed",
        ),
        pytest.param(
            Entry(
                at_unix_s=0,
                call=Call.RUN_ENDED,
                caller=LONG,
                reason=LONG,
                templates=(LONG,) * 100,
            ),
            {
                "at": "1970-01-01T00:00:00.000Z",
                "call": "run.ended",
                "caller": f"{'x' * 256}...",
                "reason": f"{'x' * 1_024}...",
                "templates": [f"{'x' * 256}..."] * 16,
            },
            id="what is long is cut",
        ),
    ],
)
def test_an_entry_as_a_document(entry: Entry, expected: dict[str, object]) -> None:
    """Of bounded size, and without what says nothing."""
    assert entry.document() == expected


def test_arguments_as_they_may_be_shown() -> None:
    """Secret ones by their place, also where they are short; others without secrets, and cut."""
    values = {"token": "t", "url": "http://u:hunter22@h", "long": LONG, "plain": "temp-for-secret"}
    shown = shown_arguments(
        values, {**values, "token": "temp-for-secret"}, Redaction([Secret("hunter22")])
    )
    assert shown == {
        "token": "*****",
        "url": "http://u:*****@h",
        "long": f"{'x' * 256}...",
        "plain": "temp-for-secret",
    }


def test_not_all_arguments_are_shown() -> None:
    """A template may declare thousands."""
    values = {f"a{number}": "1" for number in range(1_000)}
    assert len(shown_arguments(values, values, Redaction([]))) == audit.MAX_ARGUMENTS
