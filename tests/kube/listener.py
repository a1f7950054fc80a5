"""An HTTPS server in the loop of a test, that can be killed and brought back."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from kube.access import server_tls

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Listener:
    """A port of the loopback address; once it has been given, it stays the same."""

    def __init__(self, handler: Handler) -> None:
        self.port = 0
        self._server = web.Server(handler, handler_cancellation=True, access_log=None)
        self._runner: web.ServerRunner | None = None

    async def open(self) -> None:
        """Listen."""
        self._runner = web.ServerRunner(self._server, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=server_tls())
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """Close the port, and all connections as they are."""
        if self._runner is None:
            return
        for site in self._runner.sites:
            await site.stop()
        # No graceful end: a killed process does not finish its sentence.
        for connection in self._server.connections:
            if connection.transport is not None:
                connection.transport.abort()
        await self._runner.cleanup()
        self._runner = None
