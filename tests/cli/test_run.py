"""``analysis-gateway run``: whole analyses in real processes, with real signals."""

import asyncio
import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from backends import Play, backend
from command_line import Done, command, started, written
from running import template, web_metric

GREEN, RED = Play('"green"'), Play('"red"')
CLOCK = re.compile(r"^\d\d:\d\d:\d\d  ", re.MULTILINE)
EARLY = (
    "ended early by {cause}: the metrics were within their limits so far, but the analysis is not"
    " complete; exit code {code}\n"
)


def color(url: str, **fields: Any) -> dict[str, Any]:
    """A metric that wants green."""
    return web_metric(url, 'result == "green"', name="color", **fields)


def analysis_run(*metrics: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """A manifest."""
    return {
        **template(*metrics, **spec),
        "kind": "AnalysisRun",
        "metadata": {"name": "checks", "namespace": "shop"},
    }


@pytest.mark.parametrize(
    ("body", "code", "phase", "told"),
    [
        pytest.param(
            '"green"',
            0,
            "Successful",
            'color: "green" satisfies result == "green"',
            id="successful-is-0",
        ),
        pytest.param(
            '"red"',
            1,
            "Failed",
            'Metric "color" assessed Failed due to failed (1) > failureLimit (0)',
            id="failed-is-1",
        ),
        pytest.param(
            '"blue"',
            2,
            "Inconclusive",
            'Metric "color" assessed Inconclusive due to inconclusive (1) > inconclusiveLimit (0)',
            id="inconclusive-is-2",
        ),
        pytest.param(
            "1",
            3,
            "Error",
            'Metric "color" assessed Error due to consecutiveErrors (1) > consecutiveErrorLimit (0)'
            ': "Error Message: could not evaluate successCondition "result == "green"": invalid'
            ' operation: == (mismatched types float64 and string)"',
            id="error-is-3",
        ),
    ],
)
async def test_a_template_without_an_interval_is_measured_once(
    tmp_path: Path, body: str, code: int, phase: str, told: str
) -> None:
    """A table for people, a document for programs, an exit code for both."""
    async with backend(Play(body)) as upstream:
        conditions = {"failureCondition": 'result == "red"', "consecutiveErrorLimit": 0}
        metric = color("{{args.url}}", **conditions)
        file = written(tmp_path / "t.yaml", template(metric, args=[{"name": "url"}]))
        words = ("run", file, "--arg", f"url={upstream.url}")
        table, document = await asyncio.gather(command(*words), command(*words, "--json"))
    assert (table.code, document.code, table.err) == (code, code, "")
    assert re.search(r"^METRIC +PHASE +COUNTERS +LAST MEASUREMENT", table.out, re.MULTILINE)
    assert table.out.endswith(f"\n\n{phase}: {told}\n")
    assert "\x1b" not in table.out
    assert json.loads(document.out)["status"]["phase"] == phase


async def test_count_interval_and_limits_are_obeyed(tmp_path: Path) -> None:
    """One line for each measurement and each change of phase, then the table."""
    async with backend(GREEN, RED, GREEN, RED) as upstream:
        metric = color(upstream.url, interval="100ms", count=9, failureLimit=1)
        done = await command("run", written(tmp_path / "t.yaml", template(metric)))
    assert (done.code, done.err, len(upstream.requests)) == (1, "", 4)
    lines = CLOCK.sub("", done.out).splitlines()
    good, bad = '"green" satisfies result == "green"', '"red" does not satisfy result == "green"'
    assert [line.rstrip() for line in lines] == [
        f"color  Successful: {good} (count 1/9, failed 0/1)",
        "the run is Running",
        f"color  Failed: {bad} (count 2/9, failed 1/1)",
        f"color  Successful: {good} (count 3/9, failed 1/1)",
        f"color  Failed: {bad} (count 4/9, failed 2/1)",
        "color  the metric is Failed",
        "the run is Failed",
        "",
        "METRIC  PHASE   COUNTERS               LAST MEASUREMENT",
        f"color   Failed  count 4/9, failed 2/1  {bad}",
        "",
        'Failed: Metric "color" assessed Failed due to failed (2) > failureLimit (1)',
    ]


async def test_an_analysis_run_is_run_and_printed_alone(tmp_path: Path) -> None:
    """What goes to standard output is one document; progress goes to standard error."""
    async with backend(GREEN) as upstream:
        manifest = analysis_run(color(upstream.url, interval="50ms", count=2))
        done = await command("run", written(tmp_path / "run.yaml", manifest), "--json")
    document = json.loads(done.out)
    assert (done.code, document["kind"], document["spec"]) == (0, "AnalysisRun", manifest["spec"])
    assert document["metadata"]["name"] == "checks"
    assert document["metadata"]["namespace"] == "shop"
    (result,) = document["status"]["metricResults"]
    assert (result["count"], result["successful"], len(result["measurements"])) == (2, 2, 2)
    assert CLOCK.sub("", done.err).splitlines()[-1] == "the run is Successful"


async def line_of(stream: asyncio.StreamReader | None, sought: str) -> None:
    """Return when a line has come with this text."""
    assert stream is not None
    async with asyncio.timeout(20):
        async for line in stream:
            if sought in line.decode():
                return
    pytest.fail(f"no line said {sought}")


async def the_rest(process: asyncio.subprocess.Process) -> Done:
    """How a command ends, and what it says from here on."""
    out, err = await asyncio.wait_for(process.communicate(), 20)
    return Done(process.returncode, out.decode(), err.decode())


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
        '\nFailed: Metric "color" assessed Failed due to failed (1) > failureLimit (0)\n'
    )


async def asked(requests: list[Any]) -> None:
    """Return when somebody has asked the backend."""
    async with asyncio.timeout(20):
        while not requests:  # noqa: ASYNC110 - a list knows of no event
            await asyncio.sleep(0.01)


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


async def test_the_exit_code_speaks_when_nobody_reads(tmp_path: Path) -> None:
    """Whoever reads the progress may leave."""
    async with backend(GREEN, GREEN, RED) as upstream:
        metric = color(upstream.url, interval="100ms", count=9)
        file = written(tmp_path / "t.yaml", template(metric))
        async with started("run", file) as process:
            await line_of(process.stdout, "color")
            process._transport.get_pipe_transport(1).close()  # type: ignore[attr-defined]
            assert process.stderr is not None
            err = await process.stderr.read()
            code = await asyncio.wait_for(process.wait(), 20)
    assert (code, err.decode()) == (1, "")


async def test_a_document_that_cannot_be_printed_is_an_error(tmp_path: Path) -> None:
    """Nobody could say that it is complete."""
    async with backend(Play('"green"', delay_s=0.5)) as upstream:
        file = written(tmp_path / "t.yaml", template(color(upstream.url)))
        async with started("run", file, "--json") as process:
            await asked(upstream.requests)
            process._transport.get_pipe_transport(1).close()  # type: ignore[attr-defined]
            assert process.stderr is not None
            err = await process.stderr.read()
            code = await asyncio.wait_for(process.wait(), 20)
    assert code == 3
    assert err.decode().endswith("\nthe AnalysisRun cannot be printed: Broken pipe\n")


async def test_what_a_provider_says_cannot_command_a_terminal(tmp_path: Path) -> None:
    """Nor a CI system that reads its log: every control character is shown as what it is."""
    body = '{"version": "\\u001b]0;owned\\u0007\\n::error::x"}'
    async with backend(Play(body)) as upstream:
        metric = web_metric(upstream.url, 'result == "1"', jsonPath="{$.version}", name="a\nb")
        done = await command("run", written(tmp_path / "t.yaml", template(metric)))
    assert done.code == 1
    assert "\x1b" not in done.out
    assert "\x07" not in done.out
    assert "\n::error" not in done.out


@pytest.mark.parametrize(
    ("content", "words", "told"),
    [
        pytest.param("a: [", [], "line", id="no-yaml"),
        pytest.param("", [], "holds no template", id="nothing"),
        pytest.param(template(), [], "no metrics specified", id="no-metrics"),
        pytest.param(
            template(web_metric("http://x"), args=[{"name": "a"}]),
            [],
            "args.a: args.a was not resolved",
            id="a-missing-argument",
        ),
        pytest.param(template(web_metric("http://x")), ["--arg", "b"], "NAME=VALUE", id="no-value"),
        pytest.param(
            template(web_metric("http://x")),
            ["--arg", "b=1", "--arg", "b=2"],
            "given twice",
            id="twice",
        ),
        pytest.param(
            template(web_metric("http://x")), ["--wait", "5"], "missing unit", id="no-unit"
        ),
        pytest.param(
            template(web_metric("http://x")),
            ["--wait", "-5s"],
            "must not be negative",
            id="a-negative-time",
        ),
        pytest.param(
            template(web_metric("http://x", interval="7h", count=5)),
            [],
            "takes 100800s with this interval, longer than a run may last",
            id="longer-than-a-run-may-last",
        ),
        pytest.param(
            f"{json.dumps(analysis_run())}\n---\n{json.dumps(template())}",
            [],
            "AnalysisRun must stand alone",
            id="a-run-beside-a-template",
        ),
        pytest.param(
            analysis_run(web_metric("http://x"), nonsense=1),
            [],
            "spec.nonsense: unknown field",
            id="a-run-with-a-wrong-field",
        ),
    ],
)
async def test_what_cannot_be_run_is_usage(
    tmp_path: Path, content: object, words: list[str], told: str
) -> None:
    """Exit code 4, a sentence, and no traceback."""
    done = await command("run", written(tmp_path / "t.yaml", content), *words)
    assert (done.code, done.out) == (4, "")
    assert told in done.err
    assert "Traceback" not in done.err


async def test_a_file_that_is_not_there() -> None:
    """Also that is usage."""
    done = await command("run", "/nowhere.yaml")
    assert (done.code, done.err) == (
        4,
        "Error: /nowhere.yaml cannot be read: No such file or directory\n",
    )
