"""A verdict as a table for people; colours only where there is a terminal to show them."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.model import Phase
from gateway.verdict import Measurement, Verdict, explain

_STYLES = {
    Phase.SUCCESSFUL: "green",
    Phase.FAILED: "bold red",
    Phase.ERROR: "red",
    Phase.INCONCLUSIVE: "yellow",
    Phase.RUNNING: "cyan",
}


def show(verdict: Verdict, console: Console) -> None:
    """Print metric, value, condition, phase and reason, then the whole verdict."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("METRIC", "VALUE", "CONDITION", "PHASE", "REASON"):
        table.add_column(heading, overflow="fold")
    for measurement in verdict.measurements:
        table.add_row(*_cells(measurement))
    console.print(table)
    for measurement in verdict.measurements:
        if measurement.hint:
            console.print(Text(f"\n{measurement.metric}: {measurement.hint}"))
    console.print(Text.assemble("\n", _phase(verdict.phase), f": {verdict.reason}"))


def _cells(measurement: Measurement) -> tuple[Text, ...]:
    has_value = measurement.reading is not None and measurement.phase is not Phase.ERROR
    conditions = [measurement.success_condition]
    if measurement.failure_condition:
        conditions.append(f"not {measurement.failure_condition}")
    phase = _phase(measurement.phase)
    if measurement.is_dry_run:
        phase.append(" (dry run)")
    return (
        Text(measurement.metric),
        Text(measurement.reading.text if measurement.reading and has_value else "-"),
        Text("\n".join(each for each in conditions if each) or "-"),
        phase,
        Text(explain(measurement)),
    )


def _phase(phase: Phase) -> Text:
    return Text(phase.value, style=_STYLES.get(phase, ""))
