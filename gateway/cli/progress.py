"""A run as it goes: a live view on a terminal, plain lines in the log of a CI job."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from gateway import schedule
from gateway.cli import words
from gateway.limits import MetricRules
from gateway.model import Phase
from gateway.provider import Clock
from gateway.run_status import MetricResult, RunStatus
from gateway.runs.local import LocalRun

_MEASURING: Final = "measuring"
_REFRESH_S: Final = 0.25
_WIDE_COLUMNS: Final = 72
"""A narrower terminal has no room for the newest values."""


class Progress:
    """Prints what happens in a run, when it happens."""

    def __init__(self, run: LocalRun, console: Console, now_unix_s: Clock) -> None:
        self._run = run
        self._console = console
        self._now_unix_s = now_unix_s
        # A forced colour (FORCE_COLOR) does not make a terminal of a log.
        self._is_live = console.file.isatty() and not console.is_dumb_terminal

    def watch(self, before: RunStatus, after: RunStatus) -> None:
        """Print what is new."""
        for line in words.changes(self._run.plan, before, after):
            self.say(line)

    def say(self, line: Text | str) -> None:
        """Print a line with the time of day."""
        time_of_day = (words.time_of_day(self._now_unix_s()), "dim")
        # A log has no width, and one line for each thing.
        self._console.print(Text.assemble(time_of_day, "  ", line), soft_wrap=not self._is_live)
        self._console.file.flush()

    @asynccontextmanager
    async def shown(self) -> AsyncIterator[None]:
        """Keep a live view under the lines, if this is a terminal."""
        if not self._is_live:
            yield
            return
        with Live(
            console=self._console,
            get_renderable=self._view,
            auto_refresh=False,
            transient=True,
        ) as live:
            refreshing = asyncio.create_task(_refresh(live), name="refresh the live view")
            try:
                yield
            finally:
                refreshing.cancel()
                await asyncio.wait({refreshing})

    def _view(self) -> RenderableType:
        now_unix_s = self._now_unix_s()
        return Group(self._state(now_unix_s), self._table(now_unix_s))

    def _state(self, now_unix_s: float) -> Text:
        run = self._run
        if run.is_terminated:
            text = "Ending: what is under way is finished first; Ctrl-C again ends the run at once"
            return Text(text, style="yellow", no_wrap=True, overflow="ellipsis")
        lasting = words.duration(now_unix_s - run.created_at_unix_s)
        return Text.assemble(
            words.phase_text(run.status.phase),
            f" for {lasting}; Ctrl-C ends the run",
            no_wrap=True,
            overflow="ellipsis",
        )

    def _table(self, now_unix_s: float) -> Table:
        is_wide = self._console.width >= _WIDE_COLUMNS
        table = Table(box=None, pad_edge=False, header_style="bold")
        # Where there is little room, the widest of those that may be cut is cut first.
        table.add_column("METRIC")
        table.add_column("PHASE", no_wrap=True)
        table.add_column("NEXT", no_wrap=True, min_width=len(_MEASURING))
        table.add_column("COUNTERS")
        if is_wide:
            table.add_column("VALUE")
        for rules in self._run.plan.rules:
            table.add_row(*self._cells(rules, now_unix_s)[: len(table.columns)])
        return table

    def _cells(self, rules: MetricRules, now_unix_s: float) -> tuple[Text, ...]:
        result = self._run.status.result_of(rules.name) or MetricResult(
            name=rules.name, phase=Phase.PENDING, is_dry_run=rules.is_dry_run
        )
        last = result.last
        return (
            _cut(words.clean(rules.name)),
            words.metric_phase_text(result),
            Text(self._next(rules, result, now_unix_s)),
            _cut(words.counters(rules, result)),
            _cut(words.clean(last.value) if last else ""),
        )

    def _next(self, rules: MetricRules, result: MetricResult, now_unix_s: float) -> str:
        run = self._run
        if result.phase.is_completed:
            return ""
        if schedule.due([rules], run.status, is_terminated=False, now_unix_s=now_unix_s):
            return _MEASURING
        wake_at = schedule.next_wake(
            [rules], run.status, is_terminated=run.is_terminated, now_unix_s=now_unix_s
        )
        if wake_at is None or wake_at <= now_unix_s:
            return ""
        return f"in {words.duration(wake_at - now_unix_s)}"


def _cut(text: str) -> Text:
    return Text(text, no_wrap=True, overflow="ellipsis")


async def _refresh(live: Live) -> None:
    while True:
        live.refresh()
        await asyncio.sleep(_REFRESH_S)
