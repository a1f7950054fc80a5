"""``analysis-gateway run``, ended before its time: by signals, the clock, its own manifest."""

import asyncio
import json
import os
import re
import signal
from pathlib import Path

import pytest
from backends import Play, backend
from command_line import (
    analysis_run,
    asked,
    color,
    command,
    line_of,
    started,
    the_rest,
    written,
)
from running import template, web_metric

GREEN = Play('"green"')
EARLY = (
    "ended early by {cause}: the metrics were within their limits so far, but the analysis is not"
    " complete; exit code {code}\n"
)


@pytest.mark.parametrize(
    ("which", "code"),
    [
        pytest.param(signal.SIGINT, 130, id="ctrl-c-is-130"),
        pytest.param(signal.SIGTERM, 143, id="sigterm-is-143"),
    ],
)
async def test_a_run_that_is_interrupted_does_not_pass(
    tmp_path: Path, which: signal.Signals, code: int
) -> None:
    """The document says what Argo would say of a terminated run; the exit code is no pass."""
    async with backend(GREEN) as upstream:
        file = written(tmp_path / "t.yaml", template(color(upstream.url, interval="1h", count=3)))
        async with started("run", file, "--json") as process:
            await line_of(process.stderr, "the run is Running")
            process.send_signal(which)
            done = await the_rest(process)
    document = json.loads(done.out)
    status = document["status"]
    assert (done.code, status["phase"], status["message"]) == (code, "Successful", "Run Terminated")
    assert document["spec"]["terminate"] is True
    assert len(status["metricResults"][0]["measurements"]) == 1
    assert done.err.endswith(EARLY.format(cause=which.name, code=code))


async def test_what_is_under_way_is_finished_when_a_run_is_interrupted(tmp_path: Path) -> None:
    """A failure that comes then has its own exit code."""
    async with backend(Play('"red"', delay_s=1)) as upstream:
        file = written(tmp_path / "t.yaml", template(color(upstream.url, interval="1h", count=3)))
        async with started("run", file) as process:
            await asked(upstream.requests)
            process.send_signal(signal.SIGINT)
            done = await the_rest(process)
    assert (done.code, done.err) == (1, "")
    assert "  SIGINT: ending; what is under way is finished first, unless it comes again\n" in (
        done.out
    )
    assert done.out.endswith(
        '\nFailed: color: "red" does not satisfy result == "green"; 1 of 1 failed, limit 0\n'
    )


async def test_a_second_interrupt_waits_for_nothing(tmp_path: Path) -> None:
    """What is under way is lost; the table says so."""
    async with backend(Play('"green"', delay_s=3)) as upstream:
        file = written(tmp_path / "t.yaml", template(color(upstream.url)))
        async with started("run", file) as process:
            await asked(upstream.requests)
            process.send_signal(signal.SIGINT)
            await line_of(process.stdout, "SIGINT: ending")
            process.send_signal(signal.SIGINT)
            async with asyncio.timeout(2.5):
                done = await the_rest(process)
    assert done.code == 130
    assert re.search(r"^color +- +- +not measured *$", done.out, re.MULTILINE)
    assert done.out.endswith("\nSuccessful: Run Terminated\n")
    assert done.err == EARLY.format(cause="SIGINT", code=130)


async def test_a_run_lasts_no_longer_than_somebody_waits(tmp_path: Path) -> None:
    """Time-out is exit code 3, also while a provider keeps silent."""
    async with backend(Play("1", delay_s=2)) as upstream:
        file = written(tmp_path / "t.yaml", template(web_metric(upstream.url, "true")))
        done = await asyncio.wait_for(command("run", file, "--wait", "200ms"), 20)
    assert (done.code, done.err) == (3, EARLY.format(cause="--wait 0.2s", code=3))
    assert "  not ended within 0.2s (--wait): ending now\n" in done.out


async def test_a_manifest_that_says_terminate_is_no_pass(tmp_path: Path) -> None:
    """Nothing is measured."""
    async with backend(GREEN) as upstream:
        manifest = analysis_run(color(upstream.url), terminate=True)
        done = await command("run", written(tmp_path / "run.yaml", manifest))
    assert (done.code, upstream.requests) == (3, [])
    assert done.err == EARLY.format(cause="spec.terminate", code=3)


async def test_a_run_without_an_end_says_so(tmp_path: Path) -> None:
    """Before anything is measured; unless somebody has chosen a time."""
    async with backend(GREEN) as upstream:
        file = written(tmp_path / "t.yaml", template(color(upstream.url, interval="1h")))
        async with started("run", file) as process:
            assert process.stderr is not None
            told = await asyncio.wait_for(process.stderr.readline(), 20)
            await line_of(process.stdout, "the run is Running")
            process.send_signal(signal.SIGINT)
            await the_rest(process)
        timed = await command("run", file, "--wait", "500ms")
    assert told.decode() == (
        "color: measured until a limit is exceeded, as there is an interval and neither count nor"
        " consecutiveSuccessLimit; Ctrl-C ends the run, and after 24h00m it ends as Inconclusive\n"
    )
    assert timed.err == EARLY.format(cause="--wait 0.5s", code=3)


async def test_ctrl_c_is_130_whatever_was_going_on(tmp_path: Path) -> None:
    """Here nothing has been read yet."""
    fifo = tmp_path / "t.yaml"
    os.mkfifo(fifo)
    async with started("run", str(fifo)) as process:
        # It opens once the command reads it.
        with await asyncio.to_thread(fifo.open, "w"):
            # Python hears of no signal that comes right before it begins to read.
            await asyncio.sleep(0.2)
            process.send_signal(signal.SIGINT)
            done = await the_rest(process)
    assert (done.code, done.out, done.err) == (130, "", "\n")
