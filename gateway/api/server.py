"""The HTTP server: aiohttp's, but what is not HTTP at all is answered in our shape, too."""

import logging

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from gateway.api.problems import problem

KEEPALIVE_S = 75.0
"""Longer than load balancers keep an idle connection, so that they close first."""
_log = logging.getLogger(__name__)


class _Protocol(RequestHandler):
    """A connection whose malformed requests get a problem document."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what aiohttp could not parse or serve, and close the connection."""
        if status >= 500:  # noqa: PLR2004
            _log.error("a request could not be served", exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun; it cannot become an error")
        text = (message or "the request is not HTTP").splitlines()[0].rstrip(":")
        response = problem(status, text, slug="http_error")
        response.force_close()
        return response


class _Server(web.Server):
    def __call__(self) -> RequestHandler:
        return _Protocol(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """aiohttp's runner with our protocol."""

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(made.request_handler, request_factory=made.request_factory, **self._kwargs)
