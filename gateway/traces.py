"""The requests and answers behind readings, for who may see them.

They are kept as they were, secrets included, and only here: ``Trace.json`` is the way out.
"""

import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from gateway.attempts import Retries, counted
from gateway.errors import ProviderError
from gateway.gourl import UrlInvalid, parse_url
from gateway.provider import Http, HttpRequest, HttpResponse
from gateway.secrets import MASK, Redaction

MAX_BODY_CHARS: Final = 4_096
"""Of a body, in an explanation."""
_KEPT_BODY_BYTES: Final = 4 * MAX_BODY_CHARS
_MAX_EXCHANGES: Final = 8
"""Of one measurement: a token, a query, some looks whether it is done."""
_MAX_KEPT: Final = 256
_CUT: Final = "..."
_SHOWN_HEADERS: Final = {
    *("accept", "accept-encoding", "age", "cache-control", "content-encoding", "content-length"),
    *("content-type", "date", "retry-after", "server", "user-agent", "x-request-id"),
}
"""Of any other header only the name is told: keys travel under all sorts of names."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and what came of it; bodies are kept from their beginning."""

    request: HttpRequest
    response: HttpResponse | None
    """None if no whole answer came."""
    error: str
    took_s: float


@dataclass(frozen=True, slots=True)
class Trace:
    """All exchanges of one measurement."""

    exchanges: tuple[Exchange, ...] = field(repr=False)
    retries: int
    redaction: Redaction = field(default=Redaction(()), repr=False)

    def json(self) -> list[dict[str, object]]:
        """JSON-ready, secrets masked, long bodies cut."""
        return [_exchange_json(each, self.redaction) for each in self.exchanges]


class Recorder:
    """Implements ``gateway.provider.Http`` around another one, and remembers what went through."""

    def __init__(self, inner: Http) -> None:
        self._inner = inner
        self._exchanges: list[Exchange] = []
        self._retries = Retries()

    async def send(self, request: HttpRequest, *, timeout_s: float) -> HttpResponse:
        """Send one request.

        Raises: as ``gateway.provider.Http.send`` says.
        """
        began_s = time.perf_counter()
        try:
            with counted(self._retries):
                response = await self._inner.send(request, timeout_s=timeout_s)
        except ProviderError as error:
            self._note(request, None, str(error), began_s)
            raise
        self._note(request, response, "", began_s)
        return response

    @property
    def trace(self) -> Trace:
        """All of it so far."""
        return Trace(tuple(self._exchanges), self._retries.count)

    def _note(
        self, request: HttpRequest, response: HttpResponse | None, error: str, began_s: float
    ) -> None:
        if len(self._exchanges) >= _MAX_EXCHANGES:
            return
        if request.body is not None:
            request = replace(request, body=request.body[:_KEPT_BODY_BYTES])
        if response is not None:
            response = replace(response, body=response.body[:_KEPT_BODY_BYTES])
        took_s = time.perf_counter() - began_s
        self._exchanges.append(Exchange(request, response, error, took_s))


class Traces:
    """The newest trace of each question, as long as there is room."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[object, Trace]] = OrderedDict()

    def keep(self, key: str, outcome: object, trace: Trace) -> None:
        """Remember the trace of a reading, or of the error that came instead."""
        self._kept[key] = (outcome, trace)
        self._kept.move_to_end(key)
        if len(self._kept) > _MAX_KEPT:
            self._kept.popitem(last=False)

    def of(self, key: str, outcome: object, redaction: Redaction) -> Trace | None:
        """How this very outcome came; None if another process knows, or it was too long ago."""
        kept = self._kept.get(key)
        if kept is None or kept[0] is not outcome:
            return None
        return replace(kept[1], redaction=redaction)


def _exchange_json(exchange: Exchange, redaction: Redaction) -> dict[str, object]:
    request, response = exchange.request, exchange.response
    return {
        "request": {
            "method": request.method,
            "url": redaction.text(_masked(request.url)),
            "headers": _headers(request.headers, redaction),
            "body": _body(request.body or b"", redaction),
        },
        "response": None
        if response is None
        else {
            "status": response.status,
            "headers": _headers(response.headers, redaction),
            "body": _body(response.body, redaction),
        },
        "error": redaction.text(exchange.error),
        "tookMs": round(exchange.took_s * 1000, 1),
    }


def _masked(url: str) -> str:
    try:
        return parse_url(url).masked
    except UrlInvalid:
        return MASK


def _headers(headers: Mapping[str, str], redaction: Redaction) -> dict[str, str]:
    # Names that compare without case are no plain texts to whoever writes JSON.
    return {
        redaction.text(str(name)): redaction.text(value) if name.lower() in _SHOWN_HEADERS else MASK
        for name, value in headers.items()
    }


def _body(body: bytes, redaction: Redaction) -> str:
    text = body.decode("utf-8", "replace")
    if len(body) >= _KEPT_BODY_BYTES:
        # With this mark behind it, a secret that is cut here is found as well.
        text += _CUT
    text = redaction.text(text)
    return text if len(text) <= MAX_BODY_CHARS else f"{text[:MAX_BODY_CHARS]}{_CUT}"
