"""Where callers connect: as many as there is room for, over TLS if that is asked for."""

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence
from functools import partial
from ssl import SSLContext, SSLError
from typing import Final

from aiohttp import web
from yarl import URL

from gateway.api.connection import Connection
from gateway.api.server import Runner, Server
from gateway.telemetry.connections import Cut

BACKLOG: Final = 1024
"""How many connections may wait for the event loop."""
AT_ONCE: Final = 16
"""How many are let in before requests get their turn again."""
PAUSE_S: Final = 1.0
"""How long nobody is let in when the machine has no more connections to give."""
GOODBYE_S: Final = 2.0
"""How long a caller may take to confirm the end of TLS."""
_log: Final = logging.getLogger(__name__)

Tls = Callable[[], SSLContext]
"""What a connection that comes now is to be encrypted with."""


class Site(web.BaseSite):
    """An address that a runner listens on."""

    def __init__(self, runner: Runner, host: str, port: int, tls: Tls | None) -> None:
        super().__init__(runner)
        self.host: Final = host
        self.port: Final = port
        self._tls: Final = tls

    @property
    def name(self) -> str:
        """Its URL."""
        scheme = "http" if self._tls is None else "https"
        return str(URL.build(scheme=scheme, host=self.host, port=self.port))

    async def start(self) -> None:
        """Let callers in. Raises OSError if the address cannot be had."""
        await super().start()
        server = self._runner.server
        assert isinstance(server, Server)  # noqa: S101 - tells the type
        sockets = await _bound(self.host, self.port)
        self._server = _Listener(sockets, server, self._tls)  # type: ignore[assignment]


async def _bound(host: str, port: int) -> Sequence[socket.socket]:
    found = await asyncio.get_running_loop().getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    addresses = dict.fromkeys((family, address) for family, _, _, _, address in found)
    sockets: list[socket.socket] = []
    try:
        for family, address in addresses:
            sockets.append(socket.create_server(address, family=family, backlog=BACKLOG))
            sockets[-1].settimeout(0)
    except OSError:
        for each in sockets:
            each.close()
        raise
    return sockets


class _Listener:
    # As much of asyncio's server as a runner asks for. That one takes whoever comes, and tells
    # nobody of those who never agree on TLS.
    def __init__(self, sockets: Sequence[socket.socket], server: Server, tls: Tls | None) -> None:
        self.sockets: Final = sockets
        self._server: Final = server
        self._tls: Final = tls
        self._loop: Final = asyncio.get_running_loop()
        self._agreeing: Final = set[asyncio.Task[None]]()
        for each in sockets:
            self._listen(each)

    def close(self) -> None:
        """Let nobody in any more."""
        for each in self.sockets:
            self._loop.remove_reader(each)
            each.close()
        for task in self._agreeing:
            task.cancel()

    def _listen(self, listening: socket.socket) -> None:
        if listening.fileno() >= 0:
            self._loop.add_reader(listening, self._accept, listening)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(AT_ONCE):
            try:
                arrived, _ = listening.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionAbortedError:
                continue
            except OSError as error:
                self._pause(listening, error)
                return
            self._let_in(arrived)

    def _pause(self, listening: socket.socket, error: OSError) -> None:
        # Of files there are no more: what waits would wake the loop again and again.
        _log.warning("cannot take more connections", extra={"reason": error.strerror})
        self._loop.remove_reader(listening)
        self._loop.call_later(PAUSE_S, self._listen, listening)

    def _let_in(self, arrived: socket.socket) -> None:
        terms = self._server.terms
        if not terms.crowd.has_room():
            terms.on_cut(Cut.REFUSED)
            arrived.close()
            return
        arrived.settimeout(0)
        connection = self._server()
        terms.crowd.enters(connection)
        task = self._loop.create_task(self._agree(connection, arrived))
        self._agreeing.add(task)
        task.add_done_callback(partial(self._agreed, connection, arrived))
        connection.agreeing = task

    async def _agree(self, connection: Connection, arrived: socket.socket) -> None:
        if self._tls is None:
            await self._loop.connect_accepted_socket(lambda: connection, arrived)
            return
        await self._loop.connect_accepted_socket(
            lambda: connection,
            arrived,
            ssl=self._tls(),
            ssl_handshake_timeout=self._server.terms.head_s,
            ssl_shutdown_timeout=GOODBYE_S,
        )

    def _agreed(
        self, connection: Connection, arrived: socket.socket, task: asyncio.Task[None]
    ) -> None:
        self._agreeing.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is None and not task.cancelled():
            return
        self._server.terms.crowd.leaves(connection)
        arrived.close()
        if isinstance(error, OSError):
            self._server.terms.on_cut(Cut.TLS)
            # The caller is not told: the connection is gone before an alert is sent.
            level = logging.INFO if isinstance(error, SSLError) else logging.DEBUG
            _log.log(level, "no TLS with a caller", extra={"reason": str(error)})
        elif error is not None:
            _log.error("a connection could not be made", exc_info=error)
