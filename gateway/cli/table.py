"""How a run has ended, as a table for people; colours only where there is a terminal for them."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.cli import words
from gateway.limits import MetricRules
from gateway.run_status import MetricResult, RunStatus
from gateway.runs.plans import RunPlan


def show(plan: RunPlan, status: RunStatus, console: Console) -> None:
    """Print phase, counters and newest measurement of each metric, then the whole verdict."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("METRIC", "PHASE", "COUNTERS", "LAST MEASUREMENT"):
        table.add_column(heading, overflow="fold")
    for rules in plan.rules:
        table.add_row(*_cells(plan, rules, status.result_of(rules.name)))
    console.print()
    console.print(table)
    told = f": {words.conclusion(plan, status)}"
    line = Text.assemble("\n", words.phase_text(status.phase), told)
    console.print(line, soft_wrap=not console.file.isatty())


def _cells(plan: RunPlan, rules: MetricRules, result: MetricResult | None) -> tuple[Text, ...]:
    name = Text(words.clean(rules.name))
    if result is None or result.last is None:
        return name, Text("-"), Text("-"), Text("not measured")
    return (
        name,
        words.metric_phase_text(result),
        Text(words.counters(rules, result)),
        Text(words.reason(plan, rules.name, result.last)),
    )
