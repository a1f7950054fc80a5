"""Whoever reads what a command prints, and whether anybody does: the exit code is the answer."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from backends import Play, backend
from command_line import analysis_run, color, command, written
from running import template

GOOD = ("condition", "result", "--result", "true")
BAD = ("condition", "result", "--result", "false")
WARNED = """
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: t}
spec:
  args: [{name: unused, value: x}]
  metrics: [{name: m, successCondition: "true", provider: {web: {url: "http://127.0.0.1:1/"}}}]
"""


def code_of(words: tuple[str, ...], shell: str, **environ: str) -> tuple[int, str]:
    """The exit code of ``analysis-gateway`` with its output led somewhere, and its errors."""
    command = " ".join(f"'{word}'" for word in (sys.executable, "-m", "gateway", *words))
    done = subprocess.run(
        ["bash", "-c", shell.format(command)],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


GONE = "{} | true; exit ${{PIPESTATUS[0]}}"
FULL = "{} > /dev/full"
CLOSED = "{} >&-"
NO_STREAM = "{} >&- 2>&-"


@pytest.mark.parametrize("shell", [GONE, FULL, CLOSED, NO_STREAM])
@pytest.mark.parametrize(
    ("words", "code"), [pytest.param(GOOD, 0, id="true"), pytest.param(BAD, 1, id="false")]
)
def test_a_condition_has_its_exit_code(words: tuple[str, ...], code: int, shell: str) -> None:
    """Nobody takes a reader that left for an answer."""
    assert code_of(words, shell) == (code, "")


@pytest.mark.parametrize("shell", [GONE, FULL, CLOSED])
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_what_lint_only_warns_of_is_no_error(
    tmp_path: Path, form: tuple[str, ...], shell: str
) -> None:
    """Whether or not anybody hears it."""
    file = written(tmp_path / "t.yaml", WARNED)
    assert code_of(("lint", file, *form), shell) == (0, "")


@pytest.mark.parametrize("shell", [FULL, CLOSED])
async def test_an_analysis_goes_on_without_a_place_for_its_progress(
    tmp_path: Path, shell: str
) -> None:
    """A full disk stops no measurement."""
    async with backend(Play('"green"')) as upstream:
        manifest = analysis_run(color(upstream.url, interval="50ms", count=3))
        file = written(tmp_path / "run.yaml", manifest)
        done = await _in_a_thread(("run", file), shell)
        assert len(upstream.requests) == 3
    assert done == (0, "")


async def test_what_an_encoding_lacks_is_told_otherwise(tmp_path: Path) -> None:
    """A log in ASCII is no reason to stop."""
    async with backend(Play('"grün"')) as upstream:
        file = written(tmp_path / "t.yaml", template(color(upstream.url)))
        there = await command("run", file)
        code, errors = await _in_a_thread(("run", file), "{}", PYTHONIOENCODING="ascii")
    assert (there.code, code, errors) == (1, 1, "")


async def _in_a_thread(words: tuple[str, ...], shell: str, **environ: str) -> tuple[int, str]:
    return await asyncio.to_thread(code_of, words, shell, **environ)
