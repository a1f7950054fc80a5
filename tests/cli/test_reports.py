"""``run --report``: what machines around a CI job read."""

import asyncio
import json
import re
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest
from backends import Play, backend
from command_line import asked, color, command, started, the_rest, written
from running import template, web_metric

from gateway.cli import reports
from gateway.cli.exits import Exit
from gateway.cli.reports import Report, Row
from gateway.model import Phase

HOSTILE = "<script>alert(1)</script> | `x` [a](b) & \\x00 ]]>"
PLAIN = Report(
    name="t-1",
    file="a b/t.yaml",
    phase=Phase.FAILED,
    reason="m: 2 does not satisfy result < 1",
    code=Exit.FAILED,
    began_at_unix_s=1_790_000_000.0,
    took_s=1.5,
    rows=(
        Row("good", Phase.SUCCESSFUL, is_dry_run=False, counters="count 1/1", reason="fine"),
        Row("m", Phase.FAILED, is_dry_run=False, counters="count 1/1", reason=HOSTILE),
        Row("unsure", Phase.INCONCLUSIVE, is_dry_run=False, counters="", reason="who knows"),
        Row("away", Phase.ERROR, is_dry_run=False, counters="", reason="away"),
        Row("dry", Phase.FAILED, is_dry_run=True, counters="", reason="no"),
        Row("late", None, is_dry_run=False, counters="", reason="not measured"),
    ),
)
LATE = Report(
    name="t-1",
    file="-",
    phase=Phase.SUCCESSFUL,
    reason="ended early by SIGINT",
    code=Exit.INTERRUPTED,
    began_at_unix_s=0.0,
    took_s=0.0,
    rows=(Row("m", Phase.SUCCESSFUL, is_dry_run=False, counters="", reason="fine"),),
)


def suite_of(xml: bytes) -> Element:
    """The only suite."""
    (suite,) = fromstring(xml)
    return suite


def cases(suite: Element) -> dict[str, list[str]]:
    """Outcomes by test."""
    return {
        str(case.get("name")): [each.tag for each in case if each.tag != "system-out"]
        for case in suite
    }


def test_junit() -> None:
    """A test for each metric; what does not count is skipped."""
    suite = suite_of(reports.junit(PLAIN))
    assert cases(suite) == {
        "good": [],
        "m": ["failure"],
        "unsure": ["failure"],
        "away": ["error"],
        "dry": ["skipped"],
        "late": ["skipped"],
    }
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "6",
        "failures": "2",
        "errors": "1",
        "skipped": "2",
    }
    assert (suite.get("time"), suite.get("timestamp")) == ("1.500", "2026-09-21T14:13:20.000Z")
    failure = next(suite.iter("failure"))
    assert (failure.get("message"), failure.text) == (HOSTILE, HOSTILE)


def test_a_run_that_went_wrong_by_itself_has_a_test_of_its_own() -> None:
    """No metric is to blame."""
    suite = suite_of(reports.junit(LATE))
    assert cases(suite) == {"m": [], "analysis": ["error"]}
    assert [each.get("type") for each in suite.iter("error")] == ["ended early"]


@pytest.mark.parametrize(
    ("report", "heading", "was_carried_out"),
    [
        pytest.param(
            replace(LATE, code=Exit.SUCCESSFUL), "### ✅ t-1: Successful", True, id="successful"
        ),
        pytest.param(PLAIN, "### ❌ t-1: Failed", True, id="failed"),
        pytest.param(
            replace(PLAIN, phase=Phase.INCONCLUSIVE, code=Exit.INCONCLUSIVE),
            "### ❔ t-1: Inconclusive",
            True,
            id="inconclusive",
        ),
        pytest.param(
            replace(PLAIN, phase=Phase.ERROR, code=Exit.ERROR),
            "### ⚠️ t-1: Error",
            False,
            id="an-error",
        ),
        pytest.param(
            replace(LATE, code=Exit.ERROR), "### ⚠️ t-1: ended early", False, id="out-of-time"
        ),
        pytest.param(LATE, "### ⚠️ t-1: ended early", False, id="interrupted"),
        pytest.param(
            replace(LATE, code=Exit.TERMINATED), "### ⚠️ t-1: ended early", False, id="terminated"
        ),
    ],
)
def test_reports_tell_what_the_exit_code_tells(
    report: Report,
    heading: str,
    was_carried_out: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """To Argo a run that was ended early is Successful; nobody may take it for a pass."""
    assert reports.markdown(report).decode().splitlines()[0] == heading
    (invocation,) = checked(reports.sarif(report))["invocations"]
    assert (invocation["exitCode"], invocation["executionSuccessful"]) == (
        report.code,
        was_carried_out,
    )


async def test_a_run_for_which_there_was_no_time_is_no_pass_in_any_report(tmp_path: Path) -> None:
    """Nothing was measured."""
    paths = {form: tmp_path / form for form in reports.FORMATS}
    words = [word for form, path in paths.items() for word in ("--report", form, str(path))]
    file = written(tmp_path / "t.yaml", template(color("http://127.0.0.1:1", interval="1s")))
    done = await command("run", file, "--wait", "0", *words)
    assert done.code == 3
    assert paths["markdown"].read_text().startswith("### ⚠️ ")
    assert "Successful" not in paths["markdown"].read_text().splitlines()[0]
    assert cases(suite_of(paths["junit"].read_bytes())) == {
        "color": ["skipped"],
        "analysis": ["error"],
    }
    (invocation,) = checked(paths["sarif"].read_bytes())["invocations"]
    assert (invocation["exitCode"], invocation["executionSuccessful"]) == (3, False)


def test_markdown() -> None:
    """A row for each metric, and nobody's markup."""
    text = reports.markdown(PLAIN).decode()
    assert text.startswith(
        "### ❌ t-1: Failed\n\nm: 2 does not satisfy result &lt; 1\n\n| metric |"
    )
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == 1 + len(PLAIN.rows)
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 5 for row in rows)
    assert "<" not in text
    assert "| dry | Failed (dry run) |  | no |" in text


def checked(content: bytes) -> dict[str, Any]:
    """A log whose fields are as SARIF 2.1.0 wants them."""
    log = json.loads(content)
    assert (log["version"], sorted(log)) == ("2.1.0", ["$schema", "runs", "version"])
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"none", "note", "warning", "error"}
        # 3.27.10: what is no failure has no level.
        assert (result["kind"] == "fail") == (result["level"] != "none")
        assert result["message"]["text"]
        for location in result.get("locations", []):
            place = location["physicalLocation"]
            assert " " not in place["artifactLocation"]["uri"]
            assert place["region"]["startLine"] >= 1
    assert isinstance(run["invocations"][0]["executionSuccessful"], bool)
    found: dict[str, Any] = run
    return found


def test_sarif() -> None:
    """A result and a rule for each metric."""
    run = checked(reports.sarif(PLAIN))
    assert {each["ruleId"]: (each["kind"], each["level"]) for each in run["results"]} == {
        "good": ("pass", "none"),
        "m": ("fail", "error"),
        "unsure": ("fail", "warning"),
        "away": ("fail", "error"),
        "dry": ("fail", "note"),
        "late": ("notApplicable", "none"),
    }
    assert run["invocations"][0]["exitCode"] == 1
    late = checked(reports.sarif(LATE))
    assert [each["ruleId"] for each in late["results"]] == ["m", "analysis"]
    assert "locations" not in late["results"][0]


async def test_all_reports_of_a_run(tmp_path: Path) -> None:
    """Whatever an upstream says, and with the exit code of the run."""
    said = '"\\u0000\\u001b[31m<script>|' + "x" * 10_000 + '"'
    paths = {form: tmp_path / f"report.{form}" for form in reports.FORMATS}
    paths["markdown"].write_text("before\n")
    async with backend(Play(said)) as upstream:
        metrics = [web_metric(upstream.url, "result != result"), color(upstream.url)]
        metrics[1]["name"] = "other"
        file = written(tmp_path / "t.yaml", template(*metrics))
        words = [word for form, path in paths.items() for word in ("--report", form, str(path))]
        done = await command("run", file, *words)
    assert (done.code, done.err) == (1, "")
    suite = suite_of(paths["junit"].read_bytes())
    assert cases(suite) == {"m": ["failure"], "other": ["failure"]}
    # Go's JSON, which a value is printed as, escapes what a terminal or a browser would obey.
    assert str(suite[0][0].get("message")).startswith('"\\u0000\\u001b[31m\\u003cscript')
    text = paths["markdown"].read_text()
    assert text.startswith("before\n### ❌ ")
    assert "<script>" not in text
    assert len(text) < 6 * reports.MAX_CHARS
    run = checked(paths["sarif"].read_bytes())
    assert [each["ruleId"] for each in run["results"]] == ["m", "other"]


@pytest.mark.parametrize(
    ("body", "code", "outcome"),
    [
        pytest.param('"green"', 0, [], id="successful"),
        pytest.param("1", 3, ["error"], id="an-error"),
    ],
)
async def test_a_report_is_written_whatever_comes(
    tmp_path: Path, body: str, code: int, outcome: list[str]
) -> None:
    """Also beside the document."""
    path = tmp_path / "junit.xml"
    async with backend(Play(body)) as upstream:
        file = written(tmp_path / "t.yaml", template(color(upstream.url, consecutiveErrorLimit=0)))
        done = await command("run", file, "--json", "--report", "junit", str(path))
    assert done.code == code
    assert cases(suite_of(path.read_bytes())) == {"color": outcome}


async def test_a_run_that_is_interrupted_is_reported(tmp_path: Path) -> None:
    """As one that did not end well."""
    path = tmp_path / "junit.xml"
    async with backend(Play('"green"')) as upstream:
        file = written(tmp_path / "t.yaml", template(color(upstream.url, interval="1h", count=3)))
        async with started("run", file, "--report", "junit", str(path)) as process:
            await asked(upstream.requests)
            process.send_signal(signal.SIGINT)
            done = await the_rest(process)
    assert done.code == 130
    assert cases(suite_of(path.read_bytes())) == {"color": [], "analysis": ["error"]}


async def test_a_report_that_cannot_be_written(tmp_path: Path) -> None:
    """Nothing is measured for a folder that is not there; what fails later is told."""
    async with backend(Play('"green"')) as upstream:
        file = written(tmp_path / "t.yaml", template(color(upstream.url)))
        nowhere, full = await asyncio.gather(
            command("run", file, "--report", "junit", str(tmp_path / "no" / "r.xml")),
            command("run", file, "--report", "sarif", "/dev/full"),
        )
    assert nowhere.code == 4
    assert "there is no folder" in nowhere.err
    assert full.code == 0
    assert "the report /dev/full cannot be written: No space left on device" in full.err
    assert len(upstream.requests) == 1


async def test_a_cluster_that_is_away_is_reported(tmp_path: Path) -> None:
    """Nothing was measured, and that is an Error."""
    path = tmp_path / "junit.xml"
    report = reports.report_of_nothing("t.yaml", "away", 0.0)
    path.write_bytes(reports.junit(report))
    assert cases(suite_of(path.read_bytes())) == {"analysis": ["error"]}
