"""``analysis-gateway run``: whole analyses in real processes, with real signals."""

import asyncio
import json
import re
from pathlib import Path

import pytest
from backends import Play, backend
from command_line import analysis_run, asked, color, command, line_of, started, written
from running import template, web_metric

GREEN, RED = Play('"green"'), Play('"red"')
CLOCK = re.compile(r"^\d\d:\d\d:\d\d  ", re.MULTILINE)


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
            'color: "red" satisfies the failure condition result == "red"; 1 of 1 failed, limit 0',
            id="failed-is-1",
        ),
        pytest.param(
            '"blue"',
            2,
            "Inconclusive",
            'color: "blue" satisfies neither result == "green" nor the failure condition'
            ' result == "red"; 1 of 1 inconclusive, limit 0',
            id="inconclusive-is-2",
        ),
        pytest.param(
            "1",
            3,
            "Error",
            'color: could not evaluate successCondition "result == "green"": invalid operation: =='
            " (mismatched types float64 and string); 1 error in a row, limit 0",
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
        f"Failed: color: {bad}; 2 of 4 failed, limit 1",
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
            "takes 100800s with its interval and initialDelay, longer than a run may last",
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


async def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """Who names a folder is told what to name."""
    done = await command("run", str(tmp_path))
    expected = f"Error: {tmp_path} is a folder; name the files: {tmp_path}/*.yaml\n"
    assert (done.code, done.err) == (4, expected)


async def test_a_file_that_is_not_there() -> None:
    """Also that is usage."""
    done = await command("run", "/nowhere.yaml")
    assert (done.code, done.err) == (
        4,
        "Error: /nowhere.yaml cannot be read: No such file or directory\n",
    )
