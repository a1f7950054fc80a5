"""The only way out over HTTP: limits, redirects, and Go's words for what went wrong.

Sources: Go 1.26 net/http as argo-rollouts @ 9f8d111d8 uses it. Unlike Argo, a policy says what may
be connected to and which redirects are followed, no proxy is read from the environment, no answer
is larger than a limit, and a redirect to another origin carries none of the request's own headers.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Self

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from gateway.attempts import sent_again
from gateway.connection_errors import cause_of, is_passing, is_unreadable
from gateway.egress import OPERATORS, EgressPolicy
from gateway.errors import (
    EgressRefused,
    ProviderError,
    ProviderUnreadable,
    RedirectRefused,
)
from gateway.gourl import Url
from gateway.guarded_connector import GuardedConnector
from gateway.provider import (
    DEADLINE_EXCEEDED,
    HttpRequest,
    HttpResponse,
    NoAnswer,
    Stage,
    Tls,
)
from gateway.redirects import MAX_REDIRECTS, REDIRECTS, Hop, first_hop, next_hop, target

DEFAULT_MAX_BODY_BYTES = 10 * 1024 * 1024
DEFAULT_CONNECTIONS_PER_HOST = 32
_KEEP_ALIVE_S = 15.0
_LONGEST_TIMEOUT_S = 24 * 60 * 60.0
_USER_AGENT = f"analysis-gateway/{version('analysis-gateway')}"
_TOO_LATE_ON_A_KEPT_CONNECTION = (
    aiohttp.ServerDisconnectedError,
    aiohttp.ClientOSError,
    aiohttp.ClientConnectionResetError,
)


class HttpClient:
    """Implements ``gateway.provider.Http`` under one policy.

    Open it inside the event loop that uses it. What is asked for under another policy needs a
    client of its own: connections are kept.
    """

    def __init__(
        self,
        policy: EgressPolicy = OPERATORS,
        *,
        max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
        connections_per_host: int = DEFAULT_CONNECTIONS_PER_HOST,
        tls_context: Callable[[], ssl.SSLContext] | None = None,
        connect_s: float | None = None,
    ) -> None:
        """Connect to nobody yet.

        Args:
            policy: what may be connected to.
            max_body_bytes: of one answer.
            connections_per_host: open at the same time.
            tls_context: is asked for every request; None for the system's authorities.
            connect_s: how long one connection may take; None for as long as its request.

        """
        self._tls_context = tls_context
        self._policy = policy
        self._max_body_bytes = max_body_bytes
        self._session = aiohttp.ClientSession(
            connector=GuardedConnector(
                policy, limit_per_host=connections_per_host, keepalive_timeout_s=_KEEP_ALIVE_S
            ),
            # A cookie of one template's provider is no business of another's.
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_s),
            trust_env=False,
        )
        # aiohttp would repeat PUT and DELETE, too; a template's PUT may have acted already.
        self._session._retry_connection = False  # noqa: SLF001 - aiohttp has no public switch

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections; requests under way end with NoAnswer."""
        await self._session.close()

    async def send(self, request: HttpRequest, *, timeout_s: float) -> HttpResponse:
        """Send one request, follow its redirects and read the answer.

        Raises: as ``gateway.provider.Http.send`` says.
        """
        hop = first_hop(request)
        exchange = _Exchange(hop)
        if timeout_s <= 0:
            raise exchange.no_answer(DEADLINE_EXCEEDED)
        try:
            async with asyncio.timeout(min(timeout_s, _LONGEST_TIMEOUT_S)):
                return await self._follow(exchange)
        except aiohttp.ConnectionTimeoutError as error:
            raise exchange.failed(error) from error
        except TimeoutError as error:
            raise exchange.no_answer(DEADLINE_EXCEEDED) from error
        except EgressRefused as refusal:
            raise exchange.refused(refusal) from refusal
        # A closed session is a RuntimeError, a URL that yarl does not like a ValueError.
        except (aiohttp.ClientError, OSError, ValueError, RuntimeError) as error:
            raise exchange.failed(error) from error

    async def _follow(self, exchange: "_Exchange") -> HttpResponse:
        for _ in range(MAX_REDIRECTS):
            self._policy.check_url(exchange.hop.url)
            async with await self._answer_to(exchange.hop.request, exchange.hop.url) as response:
                headers = _readable(response.headers)
                location = headers.get("Location", "")
                if response.status not in REDIRECTS or not location:
                    exchange.stage = Stage.READING_BODY
                    return HttpResponse(
                        response.status,
                        _utf8(response.reason or ""),
                        headers,
                        await self._body(response, exchange),
                    )
            exchange.is_answered = True
            to = target(exchange.hop, location)
            self._policy.check_redirect(exchange.hop.url, to)
            exchange.hop = next_hop(exchange.hop, response.status, to)
        raise exchange.no_answer(f"stopped after {MAX_REDIRECTS} redirects")

    async def _answer_to(self, request: HttpRequest, url: Url) -> aiohttp.ClientResponse:
        try:
            return await self._request(request, url)
        except aiohttp.ClientConnectorError:
            raise
        except _TOO_LATE_ON_A_KEPT_CONNECTION:
            # The server closed a kept connection while we wrote to it. A query can be asked again.
            if not request.may_be_repeated:
                raise
            sent_again()
            return await self._request(request, url)

    async def _request(self, request: HttpRequest, url: Url) -> aiohttp.ClientResponse:
        headers, is_ours = _wire_headers(request.headers, url)
        return await self._session.request(
            request.method,
            URL(url.wire, encoded=True),
            headers=headers,
            data=request.body,
            allow_redirects=False,
            ssl=self._tls(request),
            # A caller that sets Accept-Encoding gets the body as it was encoded, as in Go.
            auto_decompress=is_ours,
        )

    def _tls(self, request: HttpRequest) -> ssl.SSLContext | bool:
        is_verified = request.tls is Tls.VERIFIED
        return self._tls_context() if is_verified and self._tls_context else is_verified

    async def _body(self, response: aiohttp.ClientResponse, exchange: "_Exchange") -> bytes:
        chunks: list[bytes] = []
        room = self._max_body_bytes
        async for chunk in response.content.iter_any():
            room -= len(chunk)
            if room < 0:
                response.close()
                raise ProviderUnreadable(
                    f"{exchange.hop.shown}: the answer is larger than"
                    f" {self._max_body_bytes} bytes, the limit of this gateway"
                )
            chunks.append(chunk)
        return b"".join(chunks)


class _Exchange:
    """Where an exchange stands, so that its failure can be told."""

    def __init__(self, hop: Hop) -> None:
        self.hop = hop
        self.stage = Stage.AWAITING_HEADERS
        self.is_answered = False
        """Whether any hop was."""

    def no_answer(self, cause: str, *, is_passing: bool = False) -> NoAnswer:
        is_bare = self.stage is Stage.READING_BODY
        message = cause if is_bare else f"{self.hop.shown}: {cause}"
        return NoAnswer(message, cause=cause, stage=self.stage, is_passing=is_passing)

    def refused(self, refusal: EgressRefused) -> EgressRefused:
        kind = RedirectRefused if self.is_answered else EgressRefused
        return kind(f"{self.hop.shown}: {refusal}")

    def failed(self, error: Exception) -> ProviderError:
        if is_unreadable(error):
            return ProviderUnreadable(f"{self.hop.shown}: {cause_of(error)}")
        return self.no_answer(cause_of(error), is_passing=is_passing(error))


def _wire_headers(own: Mapping[str, str], url: Url) -> tuple[dict[str, str], bool]:
    """The headers to send, and whether the encoding of the answer is ours to undo."""
    names = {name.lower() for name in own}
    headers = dict(own)
    if "user-agent" not in names:
        headers["User-Agent"] = _USER_AGENT
    if url.authorization and "authorization" not in names:
        headers["Authorization"] = url.authorization
    is_ours = "accept-encoding" not in names
    if is_ours:
        headers["Accept-Encoding"] = "gzip"
    return headers, is_ours


def _readable(headers: CIMultiDictProxy[str]) -> CIMultiDictProxy[str]:
    """Headers whose values are UTF-8; names are tokens in any case."""
    if all(map(str.isascii, headers.values())):
        return headers
    return CIMultiDictProxy(CIMultiDict((name, _utf8(value)) for name, value in headers.items()))


def _utf8(text: str) -> str:
    """What aiohttp makes of octets that are none is no text, and no JSON can hold it."""
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
