"""The command line, as CI authors use it: real processes, real files, exit codes."""

import asyncio
import json
import re
from pathlib import Path

import pytest
import yaml
from command_line import command, written
from running import template, web_metric


@pytest.mark.parametrize(
    ("words", "code", "out", "err"),
    [
        pytest.param(["result[0] >= 0.95", "--result", "[0.97]"], 0, "true\n", "", id="true"),
        pytest.param(["result[0] >= 0.95", "--result", "[0.9]"], 1, "false\n", "", id="false"),
        pytest.param(
            ["isNaN(result)", "--result", '"NaN"', "--type", "float"], 0, "true\n", "", id="a-float"
        ),
        pytest.param(
            ["result > 1", "--result", "[3]", "--type", "floats"],
            3,
            "",
            "> (mismatched types []float64 and int)\n | result > 1\n |        ^\n",
            id="an-error-with-its-place",
        ),
        pytest.param(
            ["true", "--result", "{"], 4, "", r"Error: Invalid value for --result: ", id="no-json"
        ),
        pytest.param(
            ["true"], 4, "", "give an EXPRESSION and --result, or --jsonl", id="no-result"
        ),
        pytest.param(["--nope"], 4, "", "No such option", id="no-such-option"),
    ],
)
async def test_a_condition_is_tried(words: list[str], code: int, out: str, err: str) -> None:
    """The exit code speaks: 0 true, 1 false, 3 error, 4 usage."""
    done = await command("condition", *words)
    assert (done.code, done.out) == (code, out)
    assert err in done.err
    assert "Traceback" not in done.err


async def test_conditions_are_tried_line_by_line() -> None:
    """Every line gets its answer, a broken one included."""
    lines = [
        '{"id": 1, "cond": "result > 1", "result": 2, "type": "float"}',
        '{"id": "b", "cond": "result >", "result": 2, "type": "json"}',
        "",
        '{"id": "c", "cond": "result[0] > 1", "result": ["NaN"], "type": "floats"}',
        "nonsense",
        '{"id": "d"}',
        '{"id": "e", "cond": "true", "result": "x", "type": "floats"}',
        '{"id": "f", "cond": "result > 1", "result": 1' + "0" * 5_000 + "}",
        "[" * 100_000,
    ]
    done = await command("condition", "--jsonl", stdin="\n".join(lines))
    assert done.code == 0
    assert done.out.startswith('{"id":1,')
    answers = [json.loads(line) for line in done.out.splitlines()]
    assert answers[:3] == [
        {"id": 1, "ok": True},
        {"id": "b", "error": "unexpected token EOF"},
        {"id": "c", "ok": False},
    ]
    assert [each["error"].partition(":")[0] for each in answers[3:] if "error" in each] == [
        "line 5",
        "line 6",
        "line 7",
        "line 9",
    ]


async def test_lint_says_everything_with_its_line(tmp_path: Path) -> None:
    """Findings of all files, as text and as JSON."""
    manifest = template(web_metric("http://x", "result == 1"))
    good = written(tmp_path / "good.yaml", manifest)
    bad = written(
        tmp_path / "bad.yaml", template(web_metric("http://x", "result ==", interval="1d", count=1))
    )
    text, listed = await asyncio.gather(
        command("lint", good, bad), command("lint", "--json", good, bad)
    )
    fine = await command("lint", "-", stdin=yaml.safe_dump(manifest))
    assert (text.code, listed.code, fine.code) == (1, 1, 0)
    assert f"{bad}:" in text.out
    assert 'time: unknown unit "d" in duration "1d"' in text.out
    assert " | result ==" in text.out
    assert text.out.endswith("2 findings in 2 file(s)\n")
    findings = json.loads(listed.out)
    assert findings[good] == []
    assert {each["path"] for each in findings[bad]} == {
        "spec.metrics[0].interval",
        "spec.metrics[0].successCondition",
    }


async def test_lint_says_why_it_cannot_use_what_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plugin that is not installed, and a variable of Argo's that holds no name."""
    file = written(tmp_path / "good.yaml", template(web_metric("http://x", "result == 1")))
    unknown = await command("lint", "--plugin", "a/b", file)
    assert unknown.code == 0
    assert "plugin a/b: no distribution that is installed has it" in unknown.err
    monkeypatch.setenv("ARGO_ROLLOUTS_ANALYSIS_JOB_NAMESPACE", "No Name")
    unusable = await command("lint", file)
    assert (unusable.code, unusable.out) == (4, "")
    assert unusable.err == (
        "Error: the settings cannot be used: kubernetes.jobs.namespace:"
        " 'No Name' is no name of a namespace\n"
    )


async def test_help_and_version() -> None:
    """Every command is listed with what it does."""
    shown, version = await asyncio.gather(command("--help"), command("--version"))
    for name in ("serve", "run", "lint", "condition"):
        assert re.search(rf"^  {name} +[A-Z]", shown.out, re.MULTILINE)
    assert (shown.code, version.code) == (0, 0)
