"""From a request to its handler: found by aiohttp for a path's first request, known for the others.

To match the path and to put the middlewares together takes aiohttp longer than many an answer does.
"""

from collections import OrderedDict
from collections.abc import Awaitable
from functools import partial
from typing import Final

from aiohttp import hdrs, web

from gateway.api.problems import Handler

MAX_KNOWN: Final = 4_096
"""Paths that are known at the same time; the one that came first goes first."""
MAX_PATH_CHARS: Final = 512
"""Of a path that is kept: callers choose how long it is."""


class Routing:
    """Handles the requests of an application."""

    def __init__(self, app: web.Application, handle: Handler) -> None:
        """``handle`` is how aiohttp does it."""
        self._middlewares: Final = app.middlewares
        self._handle: Final = handle
        self._known: OrderedDict[tuple[str, str], tuple[web.UrlMappingMatchInfo, Handler]] = (
            OrderedDict()
        )

    def __call__(self, request: web.Request) -> Awaitable[web.StreamResponse]:
        """The answer."""
        key = (request.method, request.rel_url.raw_path)
        known = self._known.get(key)
        if known is None or hdrs.EXPECT in request.headers:
            return self._found_out(request, key)
        request._match_info, handler = known  # noqa: SLF001 - no other way
        return handler(request)

    async def _found_out(self, request: web.Request, key: tuple[str, str]) -> web.StreamResponse:
        response = await self._handle(request)
        found = request.match_info
        if found.http_exception is None and len(key[1]) <= MAX_PATH_CHARS:
            self._known[key] = (found, self._within_middlewares(found.handler))
            if len(self._known) > MAX_KNOWN:
                self._known.popitem(last=False)
        return response

    def _within_middlewares(self, handler: Handler) -> Handler:
        for middleware in reversed(self._middlewares):
            handler = partial(middleware, handler=handler)
        return handler
