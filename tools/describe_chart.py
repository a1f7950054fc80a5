"""Write the README of the chart: its template, and the texts of the values after ``# --``.

Both are in the notation of helm-docs, which can be used as well; this needs no Go.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

CHART = Path(__file__).resolve().parents[1] / "charts/analysis-gateway"

TABLE = '{{ template "chart.valuesTable" . }}\n'
HEAD = "| key | default | what it is for |\n|---|---|---|\n"


def page() -> str:
    """The whole page."""
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    rows = [
        f"| `{'.'.join(path)}` | {_default(values, path)} | {text} |" for path, text in described()
    ]
    text = (CHART / "README.md.gotmpl").read_text(encoding="utf-8")
    return text.replace(TABLE, HEAD + "\n".join(rows) + "\n")


def described() -> Iterator[tuple[tuple[str, ...], str]]:
    """The path of each value that has a text, with it."""
    path: list[str] = []
    text = ""
    for line in (CHART / "values.yaml").read_text(encoding="utf-8").splitlines():
        stripped = line.strip()
        if stripped.startswith("# -- "):
            text = stripped.removeprefix("# -- ")
        elif (entry := re.fullmatch(r"( *)([-\w]+):.*", line)) is not None:
            path[len(entry[1]) // 2 :] = [entry[2]]
            if text:
                yield tuple(path), text.replace("|", "\\|")
            text = ""


def _default(values: dict[str, object], path: tuple[str, ...]) -> str:
    value: object = values
    for name in path:
        value = value[name]  # type: ignore[index] # a text stands above a key that is there
    return "unset" if value == "" else f"`{json.dumps(value)}`"


if __name__ == "__main__":
    (CHART / "README.md").write_text(page(), encoding="utf-8")
