"""Files, settings and plugins that a command is given."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from gateway.documents import Document, Syntax, read_documents
from gateway.errors import GatewayError, TemplateInvalid
from gateway.names import is_plugin_name
from gateway.settings import SettingsInvalid


def _plugins(_ctx: click.Context, _param: click.Parameter, given: tuple[str, ...]) -> object:
    if not all(map(is_plugin_name, given)):
        raise click.BadParameter("write it like NAMESPACE/NAME")
    return given


config = click.option(
    "--config",
    type=click.Path(path_type=Path),
    envvar="ANALYSIS_GATEWAY_CONFIG",
    help="The YAML file of settings; flags win over it.",
)
"""For commands that measure."""


plugins = click.option(
    "--plugin",
    "plugins",
    multiple=True,
    callback=_plugins,
    metavar="NAMESPACE/NAME",
    help="A plugin that templates may use; may be repeated.",
)
"""For commands that use templates."""


@contextmanager
def settings_told() -> Iterator[None]:
    """Raises click.ClickException where the settings cannot be used."""
    try:
        yield
    except SettingsInvalid as error:
        raise click.ClickException(f"the settings cannot be used: {error}") from None


def documents(file: Path) -> tuple[Document, ...]:
    """The documents of a file; ``-`` is standard input.

    Raises:
        click.ClickException: the file cannot be read.
        RequestInvalid: it is not YAML or JSON.

    """
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except IsADirectoryError:
        raise click.ClickException(f"{file} is a folder; name the files: {file}/*.yaml") from None
    except OSError as error:
        raise click.ClickException(f"{file} cannot be read: {error.strerror}") from None
    syntax = Syntax.JSON if file.suffix == ".json" else Syntax.YAML
    return read_documents(data, name=str(file), syntax=syntax)


def told(error: GatewayError) -> str:
    """The error for a person: every problem on a line of its own."""
    if isinstance(error, TemplateInvalid):
        return "\n".join(["the template is invalid", *(f"  {each}" for each in error.problems)])
    return str(error)
