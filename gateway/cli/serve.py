"""``analysis-gateway serve``: the HTTP service."""

import asyncio
import os
from pathlib import Path

import click
import uvloop

from gateway import logs, serving, settings
from gateway.cli import inputs
from gateway.doors import CannotListen
from gateway.embedded_redis import EmbeddedRedisError
from gateway.store import StoreInvalid


@click.command("serve")
@inputs.config
@click.option("--host", help="The address to listen on.")
@click.option("--port", type=int, help="The port to listen on; 0 takes a free one.")
@click.option("--templates", type=click.Path(path_type=Path), help="The folder of templates.")
@click.option(
    "--secrets", type=click.Path(path_type=Path), help="The folder of secrets, NAMESPACE/NAME/KEY."
)
@click.option(
    "--redis",
    envvar="ANALYSIS_GATEWAY_REDIS",
    help="The Redis URL; unset, a private Redis is started.",
)
@click.option("--state", type=click.Path(path_type=Path), help="The folder of the private Redis.")
@click.option("--namespace", help="The gateway's own namespace.")
def command(config: Path | None, **flags: object) -> None:
    """Answer over HTTP, with verdicts and runs, until SIGTERM or Ctrl-C."""
    with inputs.settings_told():
        chosen = settings.load(config, flags=flags, environ=dict(os.environ))
        logs.set_up(level=chosen.log_level, log_format=chosen.log_format)
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(serving.serve(chosen))
        except (EmbeddedRedisError, StoreInvalid, CannotListen) as error:
            raise click.ClickException(str(error)) from None
