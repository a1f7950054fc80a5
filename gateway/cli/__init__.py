"""The command ``analysis-gateway``, one file per sub-command.

Sub-commands are imported when they are asked for: ``condition`` needs no web server.
"""

import sys
import traceback
from importlib import import_module

import click

from gateway.cli.exits import Exit
from gateway.cli.outputs import open_outputs

_COMMANDS = {
    "serve": "Answer over HTTP: verdicts and runs.",
    "run": "Run a whole analysis, here and now, without a server.",
    "lint": "Say everything that is wrong with templates.",
    "condition": "Try a condition against a result.",
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command = import_module(f"gateway.cli.{cmd_name}").command
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.command(
    "analysis-gateway", cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(package_name="analysis-gateway")
def group() -> None:
    """Argo Rollouts analysis, as a service or without one."""


def main() -> None:
    """Run the command line and end the process with the exit code of its answer."""
    open_outputs()
    try:
        code = group.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = Exit.USAGE
    except click.Abort:
        code = Exit.INTERRUPTED
    except Exception:  # noqa: BLE001 - a crash, which would end with 1, is no Failed verdict
        traceback.print_exc()
        code = Exit.ERROR
    sys.exit(code or Exit.SUCCESSFUL)
