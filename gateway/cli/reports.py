"""How a run has ended, for the machines around a CI job: JUnit XML, Markdown, SARIF.

Sources: the JUnit XML that Jenkins and GitLab read; GitHub's job summaries; SARIF 2.1.0 (OASIS).
"""

import html
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import orjson

from gateway.cli import words
from gateway.cli.exits import Exit, exit_code
from gateway.cli.session import Ended
from gateway.limits import MetricRules
from gateway.model import Phase
from gateway.run_status import MetricResult
from gateway.runs import decisions
from gateway.verdict import timestamp

MAX_CHARS: Final = 2_000
"""Of one text in a report."""
_TOOL: Final = "analysis-gateway"
_SARIF: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_MARKDOWN: Final = re.compile(r"([\\`*_\[\]|~!#])")
_MARKS: Final = {Exit.SUCCESSFUL: "✅", Exit.FAILED: "❌", Exit.INCONCLUSIVE: "❔"}
"""Of a run that came to its end; whatever else its phase is, it has not passed."""
_NO_END: Final = "⚠️"
_LEVELS: Final = {Phase.FAILED: "error", Phase.ERROR: "error", Phase.INCONCLUSIVE: "warning"}


@dataclass(frozen=True, slots=True)
class Row:
    """One metric; all texts are on one line and printable."""

    name: str
    phase: Phase | None
    """None if it was never measured."""
    is_dry_run: bool
    counters: str
    reason: str

    @property
    def is_bad(self) -> bool:
        """Whether it keeps the release from going on."""
        return not self.is_dry_run and self.phase not in {None, Phase.SUCCESSFUL}

    @property
    def told(self) -> str:
        """The phase in words."""
        phase = "not measured" if self.phase is None else self.phase.value
        return f"{phase} (dry run)" if self.is_dry_run else phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A run that has ended, or that could not be started."""

    name: str
    """Of the AnalysisRun; that of the file if there is none."""
    file: str
    """As it was given; ``-`` for standard input."""
    phase: Phase
    reason: str
    code: Exit
    began_at_unix_s: float
    took_s: float
    rows: tuple[Row, ...] = ()

    @property
    def is_told_by_rows(self) -> bool:
        """Whether the metrics alone say that it did not end well, if it did not."""
        return self.code is Exit.SUCCESSFUL or any(row.is_bad for row in self.rows)

    @property
    def told(self) -> str:
        """How it ended, in words: one that was ended early is Successful to Argo."""
        return self.phase.value if self.code is exit_code(self.phase) else "ended early"


def report_of(ended: Ended, file: str, *, began_at_unix_s: float, ended_at_unix_s: float) -> Report:
    """What is reported of a run."""
    plan, status = ended.plan, ended.status
    metadata = ended.document["metadata"]
    name = str(metadata["name"]) if isinstance(metadata, Mapping) else file
    reason = "; ".join(part for part in (ended.note, decisions.conclusion(plan, status)) if part)
    return Report(
        name=_line(name),
        file=file,
        phase=status.phase,
        reason=_line(reason),
        code=ended.code,
        began_at_unix_s=began_at_unix_s,
        took_s=max(0.0, ended_at_unix_s - began_at_unix_s),
        rows=tuple(_rows(ended)),
    )


def report_of_nothing(file: str, reason: str, began_at_unix_s: float) -> Report:
    """What is reported if nothing could be measured."""
    return Report(
        name=_line(file),
        file=file,
        phase=Phase.ERROR,
        reason=_line(reason),
        code=Exit.ERROR,
        began_at_unix_s=began_at_unix_s,
        took_s=0.0,
    )


def _rows(ended: Ended) -> Iterator[Row]:
    by_metric = decisions.by_metric(ended.plan, ended.status)
    for rules in ended.plan.rules:
        result = ended.status.result_of(rules.name)
        if result is None or result.last is None:
            yield Row(_line(rules.name), None, rules.is_dry_run, "", "not measured")
        else:
            yield _row(rules, result, by_metric[rules.name].removeprefix(f"{rules.name}: "))


def _row(rules: MetricRules, result: MetricResult, reason: str) -> Row:
    counters = words.counters(rules, result)
    return Row(_line(rules.name), result.phase, rules.is_dry_run, counters, _line(reason))


def _line(text: str) -> str:
    return words.clean(text, MAX_CHARS)


def junit(report: Report) -> bytes:
    """A test suite with a test for each metric; what is not counted, or not measured, is skipped.

    A run that went wrong without any metric's doing has a test of its own, ``analysis``.
    """
    counts = {"failures": 0, "errors": 0, "skipped": 0}
    suite = Element("testsuite", name=report.name)
    for row in report.rows:
        case = SubElement(suite, "testcase", classname=report.name, name=row.name)
        _judge(case, row, counts)
        SubElement(case, "system-out").text = row.reason
    if not report.is_told_by_rows:
        case = SubElement(suite, "testcase", classname=report.name, name="analysis")
        _outcome(case, "error", report.told, report.reason)
        counts["errors"] += 1
    numbers = {"tests": len(suite), **counts, "time": f"{report.took_s:.3f}"}
    for name, number in numbers.items():
        suite.set(name, str(number))
    suite.set("timestamp", timestamp(report.began_at_unix_s))
    whole = Element("testsuites")
    whole.append(suite)
    indent(whole)
    return bytes(tostring(whole, encoding="utf-8", xml_declaration=True)) + b"\n"


def _judge(case: Element, row: Row, counts: dict[str, int]) -> None:
    if row.phase is None or (row.is_dry_run and row.phase is not Phase.SUCCESSFUL):
        SubElement(case, "skipped", message=f"{row.told}: {row.reason}")
        counts["skipped"] += 1
    elif row.phase is Phase.ERROR:
        _outcome(case, "error", row.phase.value, row.reason)
        counts["errors"] += 1
    elif row.is_bad:
        _outcome(case, "failure", row.phase.value, row.reason)
        counts["failures"] += 1


def _outcome(case: Element, tag: str, kind: str, reason: str) -> None:
    SubElement(case, tag, type=kind, message=reason).text = reason


def markdown(report: Report) -> bytes:
    """A heading, a sentence and a table; nothing that anybody wrote becomes markup."""
    mark = _MARKS.get(report.code, _NO_END)
    lines = [
        f"### {mark} {_escaped(report.name)}: {report.told}",
        "",
        _escaped(report.reason),
        "",
        "| metric | phase | counters | reason |",
        "|---|---|---|---|",
        *(_markdown_row(row) for row in report.rows),
        "",
    ]
    return "\n".join(lines).encode()


def _markdown_row(row: Row) -> str:
    cells = (row.name, row.told, row.counters, row.reason)
    return f"| {' | '.join(map(_escaped, cells))} |"


def _escaped(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", html.escape(text, quote=False))


def sarif(report: Report) -> bytes:
    """A result for each metric; a rule for each as well, as code scanning groups by rules."""
    results = [_result(report, number, row) for number, row in enumerate(report.rows)]
    rules = [{"id": row.name, "name": row.name} for row in report.rows]
    if not report.is_told_by_rows:
        results.append(_sarif_result(report, "analysis", len(rules), "error", report.reason))
        rules.append({"id": "analysis", "name": "analysis"})
    driver = {"name": _TOOL, "version": version(_TOOL), "rules": rules}
    invocation = {
        "executionSuccessful": report.code in _MARKS,
        "exitCode": int(report.code),
        "startTimeUtc": timestamp(report.began_at_unix_s),
        "endTimeUtc": timestamp(report.began_at_unix_s + report.took_s),
    }
    run = {"tool": {"driver": driver}, "invocations": [invocation], "results": results}
    content = {"$schema": _SARIF, "version": "2.1.0", "runs": [run]}
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _result(report: Report, number: int, row: Row) -> dict[str, object]:
    level = "none" if row.phase is None else _LEVELS.get(row.phase, "none")
    if row.is_dry_run and level != "none":
        level = "note"
    text = f"{row.told}: {row.reason}"
    found = _sarif_result(report, row.name, number, level, text)
    if row.phase is None:
        found["kind"] = "notApplicable"
    return found


def _sarif_result(
    report: Report, rule: str, number: int, level: str, text: str
) -> dict[str, object]:
    found: dict[str, object] = {
        "ruleId": rule,
        "ruleIndex": number,
        "kind": "pass" if level == "none" else "fail",
        "level": level,
        "message": {"text": text},
        "partialFingerprints": {"metric/v1": f"{report.file}:{rule}"},
    }
    if report.file != "-":
        place = {"artifactLocation": {"uri": quote(report.file)}, "region": {"startLine": 1}}
        found["locations"] = [{"physicalLocation": place}]
    return found


FORMATS: Final[Mapping[str, Callable[[Report], bytes]]] = {
    "junit": junit,
    "markdown": markdown,
    "sarif": sarif,
}
