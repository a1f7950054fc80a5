"""The HTTP server: aiohttp's, held to terms, and without a word about what it is."""

import asyncio
from functools import partial
from typing import Any, Final

from aiohttp import web

from gateway.api.connection import MAX_HEADERS, MAX_LINE_BYTES, Connection, Terms
from gateway.api.routing import Routing
from gateway.api.whole import secure

KEEPALIVE_S: Final = 75.0
"""Longer than load balancers keep an idle connection, so that they close first."""
LINGER_S: Final = 2.0
"""How long the rest of a body that nobody wants is thrown away, so that its sender can read why."""


class _Request(web.Request):
    async def _prepare_hook(self, response: web.StreamResponse) -> None:
        secure(response.headers)


class Server(web.Server):
    """Makes the connections of a port."""

    def __init__(self, terms: Terms, *parts: Any, **options: Any) -> None:  # noqa: ANN401 - aiohttp's
        super().__init__(*parts, **options)
        self.terms: Final = terms

    def __call__(self) -> Connection:
        """A connection that is about to be made."""
        return Connection(self, self.terms, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """aiohttp's runner with our server."""

    def __init__(self, app: web.Application, terms: Terms, *, shutdown_timeout_s: float) -> None:
        super().__init__(
            app,
            access_log=None,
            keepalive_timeout=KEEPALIVE_S,
            lingering_time=LINGER_S,
            shutdown_timeout=shutdown_timeout_s,
            auto_decompress=False,
            max_line_size=MAX_LINE_BYTES,
            max_field_size=MAX_LINE_BYTES,
            max_headers=MAX_HEADERS,
        )
        self._terms: Final = terms

    async def _make_server(self) -> Server:
        made = await super()._make_server()
        return Server(
            self._terms,
            Routing(self.app, made.request_handler),
            request_factory=partial(
                _Request,
                loop=asyncio.get_running_loop(),
                client_max_size=self.app._client_max_size,  # noqa: SLF001 - no other way
            ),
            **self._kwargs,
        )
