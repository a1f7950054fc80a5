"""Conditions per second on one thread, against Argo's way: expr-lang in Go, compiled each time.

Argo's side needs ``go``; without it, the ratio is left out, and said so.
"""

import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from harness import table

from gateway.conditions import decoded, evaluate

HERE = Path(__file__).resolve().parent
WINDOW_S = 0.5
ROUNDS = 3
STORY = {"a": 1, "b": True, "c": [1, 2, 3, 4], "d": None}
CONDITIONS = (
    ("simple", "result[0] >= 0.95", [0.97], "floats", 2.0),
    ("guarded", "isNaN(result[0]) || result[0] > 0.90", [0.97], "floats", 1.0),
    (
        "closures over JSON",
        "result.a > 0 && result.b && all(result.c, {# < 5}) && result.d == nil",
        STORY,
        "json",
        1.0,
    ),
)
"""Name, condition, result, its type, and how often as fast as Argo's way it has to be."""


def main() -> None:
    """Measure both sides in turn, and keep the best round of each."""
    ours = [0.0] * len(CONDITIONS)
    argos = [0.0] * len(CONDITIONS)
    with tempfile.TemporaryDirectory() as folder:
        reference, missing = built(Path(folder) / "argo_reference")
        for _ in range(ROUNDS):
            ours = [max(pair) for pair in zip(ours, measured(), strict=True)]
            if reference is not None:
                argos = [max(pair) for pair in zip(argos, asked(reference), strict=True)]
    rows = [
        (
            name,
            f"{here:,.0f}",
            f"{there:,.0f}" if there else "-",
            f"{here / there:.1f}" if there else "-",
            target,
        )
        for (name, *_, target), here, there in zip(CONDITIONS, ours, argos, strict=True)
    ]
    table("Conditions per second, one thread", ("form", "here", "Argo", "ratio", "target"), rows)
    if missing:
        print(f"  No ratio: {missing}")


def measured() -> list[float]:
    """Evaluations per second of each condition here."""
    rates = []
    for _, condition, result, kind, _ in CONDITIONS:
        value, result_type = decoded(result, kind)
        evaluate(condition, value, result_type)
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < WINDOW_S:
            for _ in range(1_000):
                evaluate(condition, value, result_type)
            count += 1_000
        rates.append(count / (time.perf_counter() - start))
    return rates


def built(program: Path) -> tuple[Path | None, str]:
    """The reference's program, or why there is none."""
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if go is None:
        return None, "go is not installed, so that Argo's way cannot be measured."
    done = subprocess.run(
        [go, "build", "-o", str(program), "."],
        cwd=HERE / "argo_reference",
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return None, f"go could not build Argo's way: {done.stderr.strip().splitlines()[-1]}"
    return program, ""


def asked(program: Path) -> list[float]:
    """Evaluations per second of each condition there."""
    questions = "".join(
        json.dumps({"cond": condition, "result": result, "type": kind}) + "\n"
        for _, condition, result, kind, _ in CONDITIONS
    )
    done = subprocess.run(
        [str(program)], input=questions, capture_output=True, text=True, check=True
    )
    return [float(line) for line in done.stdout.splitlines()]


if __name__ == "__main__":
    main()
