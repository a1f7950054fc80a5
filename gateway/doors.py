"""Where the gateway listens: for callers, and, where they are apart, for operators."""

import logging
import resource
from typing import Final

from aiohttp import web
from yarl import URL

from gateway.api.connection import Terms
from gateway.api.crowd import Crowd
from gateway.api.listener import Site
from gateway.api.server import Runner
from gateway.config.settings import Settings
from gateway.telemetry.connections import ConnectionTelemetry
from gateway.telemetry.registry import Telemetry
from gateway.tls import ServerTls

RESERVED_FILES: Final = 256
"""How many files the process keeps for Redis, providers and the like."""
OPERATORS: Final = 100
"""How many may be connected to a port for operators."""
_log: Final = logging.getLogger(__name__)


class CannotListen(Exception):
    """The address or the port cannot be had; the text says why and what to do."""


class Doors:
    """The ports of a gateway."""

    def __init__(
        self,
        main: web.Application,
        operations: web.Application | None,
        settings: Settings,
        telemetry: Telemetry,
    ) -> None:
        """Prepare them. Raises SettingsInvalid if the files of TLS cannot be used."""
        self._settings: Final = settings
        self._tls = None if settings.tls.certificate is None else ServerTls(settings.tls)
        self._callers = Crowd(_affordable(settings.limits.connections))
        self._operators = Crowd(OPERATORS)
        self._telemetry = ConnectionTelemetry(
            telemetry, lambda: len(self._callers) + len(self._operators)
        )
        self._main = self._runner(main, self._callers)
        self._apart: Runner | None = None
        if operations is not None:
            self._apart = self._runner(operations, self._operators)

    async def open(self) -> None:
        """Let callers in. Raises CannotListen."""
        settings, operations = self._settings, self._settings.operations
        if self._apart is not None and operations.port is not None:
            await self._apart.setup()
            host = operations.host or settings.host
            await _listen(Site(self._apart, host, operations.port, None), "operations.port")
        await self._main.setup()
        tls = None if self._tls is None else self._tls.context
        await _listen(Site(self._main, settings.host, settings.port, tls), "--host, --port")

    async def close(self) -> None:
        """Let who is there finish; health and metrics are told to the end."""
        await self._main.cleanup()
        if self._apart is not None:
            await self._apart.cleanup()

    @property
    def urls(self) -> list[str]:
        """Where callers are let in."""
        return _urls(self._main, "http" if self._tls is None else "https")

    @property
    def operations_urls(self) -> list[str]:
        """Where operators are let in, if it is elsewhere."""
        return [] if self._apart is None else _urls(self._apart, "http")

    def _runner(self, app: web.Application, crowd: Crowd) -> Runner:
        limits = self._settings.limits
        terms = Terms(
            crowd=crowd,
            head_s=limits.request_head_s,
            max_body_bytes=limits.request_bytes,
            on_cut=self._telemetry.cut,
        )
        return Runner(app, terms, shutdown_timeout_s=self._settings.shutdown.grace_s)


async def _listen(site: Site, choice: str) -> None:
    try:
        await site.start()
    except OSError as error:
        raise CannotListen(
            f"cannot listen on {site.host} port {site.port}: {error.strerror or error};"
            f" choose another one ({choice})"
        ) from None


def _urls(runner: Runner, scheme: str) -> list[str]:
    return [
        str(URL.build(scheme=scheme, host=host, port=port)) for host, port, *_ in runner.addresses
    ]


def _affordable(connections: int) -> int:
    needed = connections + RESERVED_FILES
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY or files >= needed:
        return connections
    # Many systems set it low only for programs that cannot deal with more.
    files = needed if most == resource.RLIM_INFINITY else min(needed, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))
    if files == needed:
        return connections
    fewer = max(files - RESERVED_FILES, files // 2)
    _log.warning(
        "limits.connections is more than the limit of open files allows: fewer are let in",
        extra={"connections": fewer, "open_files": files},
    )
    return fewer
