"""``analysis-gateway run``: a whole analysis, here and now, without a server."""

import asyncio
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import click
import orjson
from rich.console import Console

from gateway import logs, settings
from gateway.api.contents import NamedRun, OfRun, OfTemplates, content_of
from gateway.cli import inputs, outputs, reports, session, table
from gateway.cli.exits import Exit
from gateway.durations import parse_duration_s
from gateway.errors import ClusterUnavailable, GatewayError
from gateway.kubernetes_settings import EVERY_NAMESPACE

_LOG_COLUMNS = 120
"""How wide the last table is where nobody says how much room there is."""


@dataclass(frozen=True, slots=True)
class _Flags:
    namespace: str | None
    arguments: tuple[tuple[str, str], ...]


def _console(file: IO[str]) -> Console:
    is_known = file.isatty() or "COLUMNS" in os.environ
    return Console(file=file, width=None if is_known else _LOG_COLUMNS, highlight=False)


def _argument(_ctx: click.Context, _param: click.Parameter, given: tuple[str, ...]) -> object:
    pairs = [text.partition("=") for text in given]
    if any(not equals or not name for name, equals, _ in pairs):
        raise click.BadParameter("write it like NAME=VALUE")
    if len({name for name, _, _ in pairs}) < len(pairs):
        raise click.BadParameter("an argument is given twice")
    return tuple((name, value) for name, _, value in pairs)


def _duration(_ctx: click.Context, _param: click.Parameter, text: str | None) -> float | None:
    if text is None:
        return None
    try:
        seconds = parse_duration_s(text)
    except ValueError as error:
        raise click.BadParameter(f"{error}; write it like 8s or 1m") from None
    if seconds < 0:
        raise click.BadParameter("must not be negative")
    return seconds


@click.command("run")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@inputs.config
@click.option(
    "--arg",
    "arguments",
    multiple=True,
    callback=_argument,
    metavar="NAME=VALUE",
    help="A value for an argument of the template; may be repeated.",
)
@click.option(
    "--wait",
    "wait_s",
    callback=_duration,
    metavar="DURATION",
    help="End the run after this time, as a Go duration (10m); exit code 3.",
)
@click.option(
    "--templates",
    type=click.Path(path_type=Path),
    help="The folder of templates that FILE refers to.",
)
@click.option(
    "--secrets",
    "secrets_folder",
    type=click.Path(path_type=Path),
    help="The folder of secrets, NAMESPACE/NAME/KEY.",
)
@click.option(
    "--kubeconfig",
    metavar="FILE",
    help="The cluster for Jobs and for secrets that the folder lacks; 'in-cluster' within a pod.",
)
@click.option("--namespace", help="The namespace to run in.")
@inputs.plugins
@click.option(
    "--report",
    "wanted_reports",
    multiple=True,
    type=(click.Choice(list(reports.FORMATS)), click.Path(path_type=Path, dir_okay=False)),
    metavar="FORMAT FILE",
    help="Write how the run ended to FILE, as junit, markdown or sarif; may be repeated.",
)
@click.option(
    "--json", "output", flag_value="json", help="Print the AnalysisRun; progress goes to stderr."
)
def command(  # noqa: PLR0913 - one for each option
    *,
    file: Path,
    config: Path | None,
    arguments: tuple[tuple[str, str], ...],
    wait_s: float | None,
    templates: Path | None,
    secrets_folder: Path | None,
    kubeconfig: str | None,
    namespace: str | None,
    plugins: tuple[str, ...],
    wanted_reports: tuple[tuple[str, Path], ...],
    output: str | None,
) -> Exit:
    """Run the analysis in FILE to its end ('-' reads standard input).

    FILE holds AnalysisTemplates, or one AnalysisRun. Metrics are measured as often as their count
    and interval want, and judged against their limits, in this process. Ctrl-C ends the run with
    what has been measured so far; a second one ends it at once.

    Exit code: 0 Successful, 1 Failed, 2 Inconclusive, 3 Error or time-out, 4 usage, 130 ended by
    Ctrl-C, 143 ended by SIGTERM.
    """
    logs.set_up(level="error", log_format="text")
    _check_folders(wanted_reports)
    began_at_unix_s = time.time()
    console = _console(sys.stderr if output == "json" else sys.stdout)
    flags = {
        "templates": templates,
        "secrets": secrets_folder,
        "namespace": namespace,
        "plugins": plugins or None,
        "kubernetes": _cluster(kubeconfig),
    }
    try:
        with inputs.settings_told():
            chosen = settings.load(config, flags=flags, environ=dict(os.environ))
            content = _content(file, _Flags(namespace, arguments), chosen)
            ended = asyncio.run(session.drive(chosen, content, wait_s=wait_s, console=console))
    except ClusterUnavailable as error:
        reason = f"the cluster is needed and cannot be used now: {error}"
        click.echo(reason, err=True)
        _report(wanted_reports, reports.report_of_nothing(str(file), reason, began_at_unix_s))
        return Exit.ERROR
    except GatewayError as error:
        raise click.ClickException(inputs.told(error)) from None
    times = {"began_at_unix_s": began_at_unix_s, "ended_at_unix_s": time.time()}
    _report(wanted_reports, reports.report_of(ended, str(file), **times))
    return _shown(ended, output, console)


def _check_folders(wanted: tuple[tuple[str, Path], ...]) -> None:
    """Before anything is measured: a report that nobody can write would come too late."""
    for _, path in wanted:
        if not path.parent.is_dir():
            raise click.BadParameter(
                f"{path}: there is no folder {path.parent}", param_hint="--report"
            )


def _report(wanted: tuple[tuple[str, Path], ...], report: reports.Report) -> None:
    for form, path in wanted:
        # A job summary is shared by all that a step has to say.
        mode = "ab" if form == "markdown" else "wb"
        try:
            with path.open(mode) as file:
                file.write(reports.FORMATS[form](report))
        except OSError as error:
            click.echo(f"the report {path} cannot be written: {error.strerror}", err=True)


def _shown(ended: session.Ended, output: str | None, console: Console) -> Exit:
    """The exit code of what could be shown."""
    if output != "json":
        table.show(ended.plan, ended.status, console)
    elif not _printed(ended):
        return Exit.ERROR
    if ended.note:
        click.echo(ended.note, err=True)
    return ended.code


def _printed(ended: session.Ended) -> bool:
    """Whether the document could be printed."""
    click.echo(orjson.dumps(ended.document, option=orjson.OPT_INDENT_2))
    loss = outputs.loss_of(sys.stdout)
    if loss is not None:
        click.echo(f"the AnalysisRun cannot be printed: {loss.strerror}", err=True)
    return loss is None


def _cluster(kubeconfig: str | None) -> dict[str, object] | None:
    if kubeconfig is None:
        return None
    # What may be done there is what its user may do. Templates are those of the command.
    return {
        "connect": kubeconfig,
        "templates": [],
        "clusterTemplates": False,
        "secrets": [EVERY_NAMESPACE],
        "jobs": {"namespaces": [EVERY_NAMESPACE]},
    }


def _content(file: Path, flags: _Flags, chosen: settings.Settings) -> OfTemplates | OfRun:
    documents = inputs.documents(file)
    if not documents:
        raise click.ClickException(f"{file} holds no template")
    return content_of(documents, flags, chosen, names=NamedRun)
