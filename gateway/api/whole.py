"""Answers that are whole before they are sent, and what is in the head of every answer.

For each answer aiohttp finds out what its head has to say about its length, its coding and its
connection. Of a whole one, to a caller of today, that is known.
"""

from collections.abc import Mapping
from typing import Final

from aiohttp import HttpVersion11, hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.helpers import rfc822_formatted_time
from multidict import CIMultiDict, istr

_NOSNIFF: Final = istr("X-Content-Type-Options")
_POLICY: Final = istr("Content-Security-Policy")
_WITH_BODY: Final = frozenset({hdrs.METH_GET, hdrs.METH_POST})
_NO_CONTENT: Final = "default-src 'none'; frame-ancestors 'none'"


def secure(headers: CIMultiDict[str]) -> None:
    """Add what keeps browsers from taking an answer for something else; tell nothing of aiohttp."""
    headers.pop(hdrs.SERVER, None)
    # A browser that is led here must not find a page in an answer, whatever is quoted in it.
    headers[_NOSNIFF] = "nosniff"
    headers.setdefault(_POLICY, _NO_CONTENT)


class Whole(web.Response):
    """An answer with its body."""

    def __init__(self, body: bytes, status: int, headers: Mapping[str, str]) -> None:
        super().__init__(body=body, status=status, headers=headers)
        self._size: Final = len(body)

    async def _start(self, request: web.BaseRequest) -> AbstractStreamWriter:
        if not (_is_usual(request) and self._keep_alive is None):
            return await super()._start(request)
        self._req, self._keep_alive = request, True
        writer = self._payload_writer = request._payload_writer  # noqa: SLF001 - as aiohttp does it
        headers = self._headers
        headers[hdrs.CONTENT_LENGTH] = str(self._size)
        headers[hdrs.DATE] = rfc822_formatted_time()
        secure(headers)
        await writer.write_headers(f"HTTP/1.1 {self._status} {self._reason}", headers)
        return writer


def _is_usual(request: web.BaseRequest) -> bool:
    """Whether the connection goes on, which needs no word in HTTP/1.1, and a body is expected."""
    return request.version == HttpVersion11 and request.keep_alive and request.method in _WITH_BODY
