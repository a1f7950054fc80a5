"""The live view on real terminals, wide, narrow and poor; and what is no terminal."""

import asyncio
import re
from pathlib import Path

import pytest
from backends import Play, backend
from command_line import Done, command, on_terminal, written
from running import template, web_metric

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[[0-9;]*3\dm")
CURSOR = re.compile(r"\x1b\[[0-9]*A")
"""What moves up, to draw over what is there."""
NAME = "success-rate-of-the-shop"


async def shown(tmp_path: Path, *, columns: int, **environ: str) -> Done:
    """A run of two measurements, a second apart, on a terminal."""
    async with backend(Play('{"rate": 0.99}', delay_s=0.3)) as upstream:
        metric = web_metric(
            upstream.url, "result.rate > 0.9", name=NAME, interval="1s", count=2, failureLimit=1
        )
        file = written(tmp_path / "t.yaml", template(metric))
        return await asyncio.to_thread(on_terminal, "run", file, columns=columns, **environ)


async def test_a_wide_terminal_shows_everything(tmp_path: Path) -> None:
    """Phase, next measurement, counters and value, drawn again and again; then the table."""
    done = await shown(tmp_path, columns=100)
    text = CONTROL.sub("", done.out)
    assert (done.code, bool(COLOUR.search(done.out)), bool(CURSOR.search(done.out))) == (0, 1, 1)
    assert re.search(r"METRIC +PHASE +NEXT +COUNTERS +VALUE *\n", text)
    assert re.search(rf"{NAME} +Pending +measuring +count 0/2, failed 0/1", text)
    assert re.search(rf'{NAME} +Running +in 1s +count 1/2, failed 0/1 +{{"rate":0.99}}', text)
    assert re.search(r"Running for [1-3]s; Ctrl-C ends the run", text)
    assert text.count("  the metric is Successful\n") == 1
    told = f'Successful: {NAME}: {{"rate":0.99}} satisfies result.rate > 0.9 (met by 0.09);'
    assert " ".join(text.split()).endswith(f"{told} 2 measurements, 2 successful")


async def test_the_cursor_comes_back(tmp_path: Path) -> None:
    """It is hidden while the view is drawn."""
    done = await shown(tmp_path, columns=100)
    assert done.out.index("\x1b[?25l") < done.out.rindex("\x1b[?25h")
    assert "\x1b[?25l" not in done.out[done.out.rindex("\x1b[?25h") :]


async def test_a_narrow_terminal_shows_what_matters(tmp_path: Path) -> None:
    """No line is longer than the terminal; what is long is cut, phase and time are not."""
    done = await shown(tmp_path, columns=42)
    text = CONTROL.sub("", done.out).replace("\r", "\n")
    assert max(len(line) for line in text.splitlines()) <= 42
    assert "VALUE" not in text
    assert re.search(r"^success\S*… +Running +in 1s +count\S* *", text, re.MULTILINE)


async def test_who_wants_no_colour_gets_none(tmp_path: Path) -> None:
    """The view is still drawn."""
    done = await shown(tmp_path, columns=100, NO_COLOR="1")
    assert (bool(COLOUR.search(done.out)), bool(CURSOR.search(done.out))) == (False, True)


async def test_a_terminal_that_can_do_nothing_gets_lines(tmp_path: Path) -> None:
    """As a log does."""
    done = await shown(tmp_path, columns=100, TERM="dumb")
    assert "\x1b" not in done.out
    assert done.out.count("Successful: {") == 2


async def test_a_log_with_colours_is_no_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some CI systems show colours; none can draw over what was printed."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    async with backend(Play("1")) as upstream:
        metric = web_metric(upstream.url, "result == 1", interval="100ms", count=2)
        done = await command("run", written(tmp_path / "t.yaml", template(metric)))
    assert (bool(COLOUR.search(done.out)), bool(CURSOR.search(done.out))) == (True, False)
