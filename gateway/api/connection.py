"""A connection: aiohttp's protocol, and what it must keep to lest one caller cost the others."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, cast

from aiohttp import HttpVersion11, StreamReader, web
from aiohttp.hdrs import EXPECT
from aiohttp.http_exceptions import BadHttpMessage, InvalidURLError, LineTooLong
from aiohttp.streams import EMPTY_PAYLOAD
from aiohttp.web_protocol import RequestHandler, _ErrInfo

from gateway.api.crowd import Crowd
from gateway.api.heads import refuse_head
from gateway.api.problems import RequestRefused, problem, refused
from gateway.telemetry.connections import Cut

MAX_LINE_BYTES: Final = 8190
"""The longest address, and the longest header, of a request."""
MAX_HEADERS: Final = 128
MAX_HEAD_BYTES: Final = 32 * 1024
"""How much may come without being a whole head."""
UNREAD_S: Final = 20.0
"""How long a caller may leave its answer without reading any of it."""
_TOO_LONG: Final = f"the address or a header is longer than {MAX_LINE_BYTES} bytes"
_Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What every connection of a port is held to."""

    crowd: Crowd
    head_s: float
    """How long the head of a request may take, and before it the agreement on TLS."""
    max_body_bytes: int
    on_cut: Callable[[Cut], None]


class Connection(RequestHandler):
    """One caller's connection.

    It owes a request from when it is made, and later from the first byte of the next one, until the
    last byte of it; then it is the gateway's turn, unless the caller does not read; with its answer
    it rests.
    """

    __slots__ = (
        "_body",
        "_head_bytes",
        "_head_timer",
        "_is_answering",
        "_terms",
        "_unread_timer",
        "_wire",
        "agreeing",
    )

    def __init__(self, manager: web.Server, terms: Terms, **options: Any) -> None:  # noqa: ANN401 - aiohttp's
        super().__init__(manager, **options)
        self._terms: Final = terms
        self._wire: asyncio.Transport | None = None
        """Until it is gone, which is later than aiohttp lets go of it."""
        self.agreeing: asyncio.Task[None] | None = None
        """What accepts the connection, and agrees on TLS."""
        self._head_timer: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._body: StreamReader | None = None
        """Of the newest request, if some of it is still to come."""
        self._is_answering = False
        self._unread_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a request."""
        # What uvloop gives is one, but does not say so.
        self._wire = cast("asyncio.Transport", transport)
        super().connection_made(transport)
        self._owes_head()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Give its place away."""
        super().connection_lost(exc)
        self._wire = None
        self._forget_timers()
        self._terms.crowd.leaves(self)

    def cut(self, reason: Cut) -> None:
        """End it at once, whatever is under way."""
        self._terms.on_cut(reason)
        if self._wire is not None:
            self._wire.abort()
        elif self.agreeing is not None:
            self.agreeing.cancel()

    def data_received(self, data: bytes) -> None:
        """Take what comes, and note what it makes of the caller's debt."""
        begun = self._request_count
        super().data_received(data)
        if self._request_count != begun:
            self._has_head()
        elif self._body is not None:
            self._has_part_of_body(self._body)
        elif data:
            self._has_part_of_head(len(data))

    async def _handle_request(
        self, request: web.BaseRequest, start_time: float | None, request_handler: _Answer
    ) -> tuple[web.StreamResponse, bool]:
        try:
            if request.body_exists or request.version != HttpVersion11 or EXPECT in request.headers:
                request_handler = self._unless_refused(request_handler)
            return await super()._handle_request(request, start_time, request_handler)
        finally:
            self._is_answering = bool(self._messages)
            if not self._is_answering:
                self._terms.crowd.rests(self)

    def _unless_refused(self, handler: _Answer) -> _Answer:
        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            try:
                refuse_head(request, self._terms.max_body_bytes)
            except RequestRefused as error:
                response = refused(request, error)
                response.force_close()
                return response
            return await handler(request)

        return answer

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
        if isinstance(exc, LineTooLong):
            # aiohttp's own words quote what was sent, which may be a credential.
            status, text = 431, _TOO_LONG
        if isinstance(exc, InvalidURLError):
            text = "the address in the request is no URL"
        response = problem(status, text, slug="http_error")
        response.force_close()
        return response

    def pause_writing(self) -> None:
        """Watch whether the caller, who now owes that, goes on reading."""
        super().pause_writing()
        self._terms.crowd.owes(self)
        self._await_reading()

    def resume_writing(self) -> None:
        """It has."""
        super().resume_writing()
        if self._is_answering:
            self._terms.crowd.works(self)
        if self._unread_timer is not None:
            self._unread_timer.cancel()
            self._unread_timer = None

    def _owes_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self._loop.call_later(self._terms.head_s, self.cut, Cut.HEAD)
            self._terms.crowd.owes(self)

    def _has_part_of_head(self, more_bytes: int) -> None:
        if not self._is_answering:
            self._owes_head()
        self._head_bytes += more_bytes
        if self._head_bytes <= MAX_HEAD_BYTES:
            return
        if self._is_answering:
            self.cut(Cut.HEAD)
            return
        text = f"the head of the request is larger than {MAX_HEAD_BYTES} bytes"
        fault = _ErrInfo(status=431, exc=BadHttpMessage(text), message=text)
        self._messages.append((fault, EMPTY_PAYLOAD))
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        self._has_head()

    def _has_head(self) -> None:
        self._head_bytes = 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        body = self._messages[-1][1]
        self._body = None if body.is_eof() else body
        if self._is_answering:
            return
        self._is_answering = True
        if self._body is None:
            self._terms.crowd.works(self)
        else:
            self._terms.crowd.owes(self)

    def _has_part_of_body(self, body: StreamReader) -> None:
        if body.is_eof():
            self._body = None
            if self._is_answering:
                self._terms.crowd.works(self)

    def _await_reading(self, before_bytes: float = float("inf")) -> None:
        if self._wire is None:
            return
        unread_bytes = self._wire.get_write_buffer_size()
        if unread_bytes >= before_bytes:
            self.cut(Cut.UNREAD)
            return
        self._unread_timer = self._loop.call_later(UNREAD_S, self._await_reading, unread_bytes)

    def _forget_timers(self) -> None:
        for timer in (self._head_timer, self._unread_timer):
            if timer is not None:
                timer.cancel()
        self._head_timer = self._unread_timer = None
