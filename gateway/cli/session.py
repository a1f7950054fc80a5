"""One run in this process: composed, driven, shown, and ended early when somebody wants that."""

import asyncio
import os
import secrets
import signal
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Final

import click
from rich.console import Console

from gateway import strays
from gateway.api.contents import OfRun, OfTemplates
from gateway.api.runs import order_of
from gateway.cli import words
from gateway.cli.exits import Exit, exit_code
from gateway.cli.progress import Progress
from gateway.connection_parts import open_upstreams, own_connections
from gateway.egress_parts import own_policies
from gateway.errors import TemplateInvalid
from gateway.job_rights import JobRights
from gateway.judge_parts import Judges, Reach, open_judges
from gateway.planner import Planner, Secrets
from gateway.questions import KEY_BYTES
from gateway.run_document import run_json
from gateway.run_manifest import Order, manifest, parse_run
from gateway.run_status import RunStatus
from gateway.runs.local import LocalRun
from gateway.runs.plans import RunPlan, identity, plan_run, wanted
from gateway.runs.runs import refusals
from gateway.runs.steps import Steps
from gateway.settings import Settings
from gateway.source_parts import cluster_client, open_sources
from gateway.telemetry import Telemetry
from gateway.upstream_telemetry import UpstreamTelemetry

_SUFFIX_BYTES: Final = 3
_SIGNALS: Final = {signal.SIGINT: Exit.INTERRUPTED, signal.SIGTERM: Exit.TERMINATED}


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that has ended."""

    plan: RunPlan
    status: RunStatus
    document: Mapping[str, object]
    """The AnalysisRun."""
    code: Exit
    note: str
    """Why the exit code is not the phase's own; empty if it is."""


async def drive(
    settings: Settings, content: OfTemplates | OfRun, *, wait_s: float | None, console: Console
) -> Ended:
    """Drive a run to its end, and show on the console how it goes.

    Args:
        settings: what may be chosen.
        content: what to measure.
        wait_s: after how many seconds to end it, None for as long as it takes.
        console: where progress is printed; a live view is shown there if it is a terminal.

    Raises:
        TemplateNotFound: a name that nobody has.
        TemplateInvalid: with every problem of templates, arguments and secrets.

    """
    strays.tell()
    async with AsyncExitStack() as parts:
        judges = await _judges(settings, parts)
        order = _order(judges.planner, content)
        run_id = str(uuid.uuid4())
        document = _document(order, run_id)
        plan = await plan_run(judges.planner, wanted(order), identity(run_id, parse_run(document)))
        max_duration_s = settings.runs.max_duration_s
        problems = tuple(refusals(plan, max_duration_s))
        if problems:
            raise TemplateInvalid(problems)
        run = LocalRun(
            plan,
            Steps(judges.measuring, now_unix_s=time.time, max_age_s=0.0),
            max_duration_s=max_duration_s,
            now_unix_s=time.time,
        )
        warning = _warning(plan, max_duration_s, wait_s)
        if warning:
            click.echo(warning, err=True)
        ending = await _driven(run, order, wait_s, console)
        return _ended(run, ending, document)


async def _judges(settings: Settings, parts: AsyncExitStack) -> Judges:
    """What judges in this process, with the rights of who runs it, for what they bring."""
    sources = await open_sources(settings, cluster_client(settings, parts), parts)
    own = sources.secrets.for_named
    telemetry = Telemetry()
    upstreams = await open_upstreams(
        own_connections(settings), settings.limits, None, UpstreamTelemetry(telemetry), parts
    )
    judges = await open_judges(
        settings,
        os.environ,
        replace(sources, secrets=Secrets(own, own)),
        None,
        _own_key(),
        telemetry,
        parts,
        reach=Reach(
            JobRights(settings.kubernetes.jobs.namespaces, takes_brought=True),
            own_policies(settings),
            upstreams,
        ),
    )
    parts.push_async_callback(judges.readings.drain, 0.0)
    return judges


async def _driven(run: LocalRun, order: Order, wait_s: float | None, console: Console) -> "_Ending":
    progress = Progress(run, console, time.time)
    ending = _Ending(run, progress)
    if order.is_terminated:
        ending.begin("spec.terminate", Exit.ERROR)
    with ending.on_signals(), ending.after(wait_s):
        async with progress.shown():
            await run.drive(progress.watch)
    return ending


def _own_key() -> Callable[[], Awaitable[bytes]]:
    key = secrets.token_bytes(KEY_BYTES)

    async def current() -> bytes:
        return key

    return current


def _order(planner: Planner, content: OfTemplates | OfRun) -> Order:
    order = order_of(planner, content)
    return replace(order, labels=content.labels) if isinstance(content, OfTemplates) else order


def _ended(run: LocalRun, ending: "_Ending", document: Mapping[str, object]) -> Ended:
    status = run.status
    code = exit_code(status.phase)
    note = ""
    if run.is_cut_short and code is Exit.SUCCESSFUL:
        code = ending.code
        note = (
            f"ended early by {ending.cause}: the metrics were within their limits so far, but the"
            f" analysis is not complete; exit code {code.value}"
        )
    shown = run_json(document, status, is_terminated=run.is_terminated)
    return Ended(run.plan, status, shown, code, note)


class _Ending:
    """Ends a run before its time: gently first, then at once."""

    def __init__(self, run: LocalRun, progress: Progress) -> None:
        self._run = run
        self._progress = progress
        self.cause = ""
        self.code = Exit.ERROR

    def begin(self, cause: str, code: Exit) -> None:
        """Have nothing more measured."""
        self.cause, self.code = cause, code
        self._run.terminate()

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Obey Ctrl-C and SIGTERM meanwhile."""
        loop = asyncio.get_running_loop()
        for which in _SIGNALS:
            loop.add_signal_handler(which, self._received, which)
        try:
            yield
        finally:
            for which in _SIGNALS:
                loop.remove_signal_handler(which)

    @contextmanager
    def after(self, wait_s: float | None) -> Iterator[None]:
        """End the run at once when it has lasted too long."""
        if wait_s is None:
            yield
            return
        timer = asyncio.get_running_loop().call_later(wait_s, self._out_of_time, wait_s)
        try:
            yield
        finally:
            timer.cancel()

    def _received(self, which: signal.Signals) -> None:
        if self._run.is_terminated:
            self._run.abandon()
            # A third one would end the process.
            asyncio.get_running_loop().remove_signal_handler(which)
            return
        self.begin(which.name, _SIGNALS[which])
        self._progress.say(
            f"{which.name}: ending; what is under way is finished first, unless it comes again"
        )

    def _out_of_time(self, wait_s: float) -> None:
        if not self._run.is_terminated:
            self.begin(f"--wait {wait_s:g}s", Exit.ERROR)
            self._progress.say(f"not ended within {wait_s:g}s (--wait): ending now")
        self._run.abandon()


def _warning(plan: RunPlan, max_duration_s: float, wait_s: float | None) -> str:
    endless = [words.clean(each.name) for each in plan.rules if words.is_endless(each)]
    if not endless or wait_s is not None:
        return ""
    return (
        f"{', '.join(endless)}: measured until a limit is exceeded, as there is an interval and"
        " neither count nor consecutiveSuccessLimit; Ctrl-C ends the run, and after"
        f" {words.duration(max_duration_s)} it ends as Inconclusive"
    )


def _document(order: Order, run_id: str) -> dict[str, object]:
    return manifest(
        order,
        run_id=run_id,
        suffix=secrets.token_hex(_SUFFIX_BYTES),
        created_at_unix_s=time.time(),
    )
