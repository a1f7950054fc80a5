"""``analysis-gateway lint``: everything that is wrong with templates."""

import os
import sys
from pathlib import Path

import click
import orjson
from rich.console import Console
from rich.text import Text

from gateway import logs, settings
from gateway.api.templates import Lints, finding_document
from gateway.cli import inputs
from gateway.cli.exits import Exit
from gateway.errors import RequestInvalid
from gateway.judge_parts import linter, plugins_of
from gateway.lint import Finding, Severity
from gateway.sources import TemplateIndex

_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


@click.command("lint")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--namespace", help="The namespace of templates that name none.")
@inputs.plugins
@click.option("--json", "output", flag_value="json", help="Print the findings as JSON.")
def command(
    *,
    files: tuple[Path, ...],
    namespace: str | None,
    plugins: tuple[str, ...],
    output: str | None,
) -> Exit:
    """Say everything that is wrong with the templates in FILES ('-' reads standard input).

    Exit code: 0 no errors, 1 errors, 4 usage.
    """
    logs.set_up(level="error", log_format="text")
    flags = {"namespace": namespace, "plugins": plugins}
    with inputs.settings_told():
        chosen = settings.load(None, flags=flags, environ=dict(os.environ))
    source = TemplateIndex(chosen.namespace)
    linted = linter(chosen, source, os.environ, plugins_of(chosen))
    findings_by_file = {str(file): _findings(file, linted) for file in files}
    if output == "json":
        shown = {
            file: [finding_document(each) for each in found]
            for file, found in findings_by_file.items()
        }
        sys.stdout.write(orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        _show(findings_by_file, Console(soft_wrap=True))
    every = [each for found in findings_by_file.values() for each in found]
    return (
        Exit.FAILED if any(each.severity is Severity.ERROR for each in every) else Exit.SUCCESSFUL
    )


def _findings(file: Path, linted: Lints) -> tuple[Finding, ...]:
    try:
        return linted(inputs.documents(file), lambda _: True)
    except RequestInvalid as error:
        return (Finding("", str(error), Severity.ERROR),)


def _show(findings_by_file: dict[str, tuple[Finding, ...]], console: Console) -> None:
    for file, findings in findings_by_file.items():
        for each in findings:
            place = f"{file}:{each.line}" if each.line else file
            severity = Text(each.severity.value, style=_STYLES[each.severity])
            where = f" {each.path}:" if each.path else ""
            console.print(Text.assemble(f"{place}: ", severity, f":{where} {each.message}"))
            if each.hint:
                console.print(Text(each.hint))
    count = sum(len(findings) for findings in findings_by_file.values())
    console.print(f"{count} finding{'s' if count != 1 else ''} in {len(findings_by_file)} file(s)")
