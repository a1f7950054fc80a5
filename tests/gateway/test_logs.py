"""Log lines as events."""

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest

from gateway import logs


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """Leave the root logger as it was found."""
    root = logging.getLogger()
    before = (root.level, root.handlers[:])
    yield
    root.setLevel(before[0])
    root.handlers[:] = before[1]


def said(monkeypatch: pytest.MonkeyPatch, log_format: str, **keys: object) -> str:
    """What a line looks like on standard error."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    logs.set_up(level="info", log_format=log_format)  # type: ignore[arg-type]
    logging.getLogger("x").debug("not shown")
    logging.getLogger("x").info("verdict", extra=keys)
    return stream.getvalue()


def test_a_line_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time, level, event, and its keys; what holds a blank is quoted."""
    line = said(monkeypatch, "text", phase="Failed", reason='m: "x" = 1\n', empty="", count=1)
    time, rest = line.split(" ", 1)
    assert time.endswith("+00:00")
    assert rest == 'info    verdict phase=Failed reason="m: \\"x\\" = 1\\n" empty="" count=1\n'


def test_a_line_for_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    """One JSON object a line."""
    line = json.loads(said(monkeypatch, "json", phase="Failed", took_ms=0.4, other={1}))
    del line["time"]
    assert line == {
        "level": "info",
        "event": "verdict",
        "phase": "Failed",
        "took_ms": 0.4,
        "other": "{1}",
    }


@pytest.mark.parametrize("formatter", [logs.TextFormatter(), logs.JsonFormatter()])
def test_a_traceback_belongs_to_its_line(formatter: logging.Formatter) -> None:
    """An unexpected error is told with its places and its cause, without a word of its own."""
    try:
        try:
            _ = 1 / 0
        except ZeroDivisionError as error:
            raise ValueError(f"hunter{2}") from error
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "failed", None, sys.exc_info())
    text = formatter.format(record)
    assert "failed" in text
    assert text.index("ValueError") < text.index("ZeroDivisionError")
    assert text.count(__file__) == 2
    assert "division by zero" not in text
    assert "hunter2" not in text
