"""``analysis-gateway run``: one measurement of every metric, here and now."""

import asyncio
import logging
import os
import secrets
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path

import click
import orjson
from rich.console import Console

from gateway import app, settings
from gateway.analysis import Analysis
from gateway.cli import inputs, table
from gateway.cli.exits import Exit, exit_code
from gateway.durations import parse_duration_s
from gateway.errors import GatewayError
from gateway.planner import Question
from gateway.questions import KEY_BYTES
from gateway.readings import Freshness, Readings
from gateway.repeats import Ask, Repeats
from gateway.telemetry import Telemetry
from gateway.template import parse
from gateway.verdict import Verdict, document


def _argument(_ctx: click.Context, _param: click.Parameter, given: tuple[str, ...]) -> object:
    pairs = [text.partition("=") for text in given]
    if any(not equals or not name for name, equals, _ in pairs):
        raise click.BadParameter("write it like NAME=VALUE")
    if len({name for name, _, _ in pairs}) < len(pairs):
        raise click.BadParameter("an argument is given twice")
    return tuple((name, value) for name, _, value in pairs)


def _duration(_ctx: click.Context, _param: click.Parameter, text: str) -> float:
    try:
        seconds = parse_duration_s(text)
    except ValueError as error:
        raise click.BadParameter(f"{error}; write it like 8s or 1m") from None
    if seconds < 0:
        raise click.BadParameter("must not be negative")
    return seconds


@click.command("run")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--arg",
    "arguments",
    multiple=True,
    callback=_argument,
    metavar="NAME=VALUE",
    help="A value for an argument of the template.",
)
@click.option(
    "--wait",
    "wait_s",
    default="1m",
    show_default=True,
    callback=_duration,
    help="How long to wait, as a Go duration.",
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
@click.option("--namespace", help="The namespace to run in.")
@click.option("--json", "output", flag_value="json", help="Print the verdict document.")
def command(
    *,
    file: Path,
    arguments: tuple[tuple[str, str], ...],
    wait_s: float,
    templates: Path | None,
    secrets_folder: Path | None,
    namespace: str | None,
    output: str | None,
) -> Exit:
    """Measure every metric of the templates in FILE once ('-' reads standard input).

    Exit code: 0 Successful, 1 Failed, 2 Inconclusive, 3 Error or time-out, 4 usage.
    """
    logging.basicConfig(level=logging.ERROR)
    flags = {"templates": templates, "secrets": secrets_folder, "namespace": namespace}
    try:
        chosen = settings.load(None, flags=flags, environ=dict(os.environ))
        inline = tuple(parse(each.content) for each in inputs.documents(file))
        if not inline:
            raise click.ClickException(f"{file} holds no template")
        own = next((each.metadata.namespace for each in inline if each.metadata.namespace), None)
        ask = Ask(
            question=Question(
                namespace=namespace or own or chosen.namespace, inline=inline, arguments=arguments
            ),
            freshness=Freshness(0.0, is_explicit=True),
            wait_s=wait_s,
        )
        verdict = asyncio.run(_verdict(chosen, ask))
    except GatewayError as error:
        raise click.ClickException(inputs.told(error)) from None
    if output == "json":
        sys.stdout.buffer.write(orjson.dumps(document(verdict), option=orjson.OPT_INDENT_2))
        sys.stdout.write("\n")
    else:
        table.show(verdict, Console())
    return exit_code(verdict.phase)


async def _verdict(chosen: settings.Settings, ask: Ask) -> Verdict:
    own_key = secrets.token_bytes(KEY_BYTES)

    async def hash_key() -> bytes:
        return own_key

    async with AsyncExitStack() as parts:
        source = await app.templates(chosen, parts)
        telemetry = Telemetry()
        readings = Readings(memory=app.memory(chosen), shared=None, observer=telemetry)
        judges = await app.compose(
            chosen, os.environ, source, readings, hash_key, telemetry, parts
        )
        analysis = Analysis(
            planner=judges.planner,
            measuring=judges.measuring,
            repeats=Repeats(readings),
            now_unix_s=time.time,
            telemetry=telemetry,
        )
        verdict = await analysis.verdict(ask)
        await readings.drain(0.0)
        return verdict
