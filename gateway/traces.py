"""The requests and answers behind readings, for who may see them.

They are kept as they were, secrets included, and only here: ``Trace.json`` is the way out. What is
an access token from its beginning to its end is not kept at all.
"""

import time
import weakref
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Final

from gateway.attempts import Retries, counted
from gateway.errors import ProviderError
from gateway.made_credentials import MadeCredentials, collected, is_being_made
from gateway.model import Reading
from gateway.provider import Http, HttpRequest, HttpResponse
from gateway.secrets import MASK, Redaction, Secret
from gateway.upstreams.gourl import UrlInvalid, parse_url

MAX_BODY_CHARS: Final = 4_096
"""Of a body, in an explanation."""
_KEPT_BODY_BYTES: Final = 4 * MAX_BODY_CHARS
_MAX_EXCHANGES: Final = 8
"""Of one measurement: a token, a query, some looks whether it is done."""
_MAX_KEPT: Final = 256
MAX_KEPT_BYTES: Final = 16 * 1024 * 1024
"""Of all traces together."""
_EXCHANGE_BYTES: Final = 2_048
"""What an exchange weighs beside its texts: the objects around them."""
_CUT: Final = "..."
_AUTHORIZATION: Final = "authorization"
_BASIC: Final = "basic"
_BARE_SCHEMES: Final = {_BASIC, "bearer"}
"""All behind them is the credential; behind others stand names as well."""
_UNSHOWN: Final = MASK.encode()
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
    error: str = field(repr=False)
    """What was told of it; it may quote the request."""
    took_s: float


@dataclass(frozen=True, slots=True)
class Trace:
    """All exchanges of one measurement."""

    exchanges: tuple[Exchange, ...] = field(repr=False)
    retries: int
    redactions: tuple[Redaction, ...] = field(default=(), repr=False)

    def json(self) -> list[dict[str, object]]:
        """JSON-ready, secrets masked, long bodies cut."""
        carried = map(_carried, (each.request for each in self.exchanges))
        redactions = (*self.redactions, Redaction(chain.from_iterable(carried)))

        def masked(text: str) -> str:
            for redaction in redactions:
                text = redaction.text(text)
            return text

        return [_exchange_json(each, masked) for each in self.exchanges]

    def without(self, redaction: Redaction) -> "Trace":
        """The same for whoever may not see these secrets either."""
        return replace(self, redactions=(*self.redactions, redaction))

    @property
    def weight_bytes(self) -> int:
        """What it takes of the memory, about."""
        return sum(map(_weight_bytes, self.exchanges))


class Recorder:
    """Implements ``gateway.provider.Http`` around another one, and remembers what went through."""

    def __init__(self, inner: Http) -> None:
        self._inner = inner
        self._exchanges: list[Exchange] = []
        self._retries = Retries()
        self._made = MadeCredentials()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear which credentials are made meanwhile, so that the trace does not show them."""
        with collected(self._made):
            yield

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
        redactions = tuple(self._made.redactions)
        return Trace(tuple(self._exchanges), self._retries.count, redactions)

    def _note(
        self, request: HttpRequest, response: HttpResponse | None, error: str, began_s: float
    ) -> None:
        if len(self._exchanges) >= _MAX_EXCHANGES:
            return
        if request.body is not None:
            request = replace(request, body=request.body[:_KEPT_BODY_BYTES])
        if response is not None:
            body = _UNSHOWN if is_being_made() else response.body[:_KEPT_BODY_BYTES]
            response = replace(response, body=body)
        took_s = time.perf_counter() - began_s
        self._exchanges.append(Exchange(request, response, error, took_s))


@dataclass(frozen=True, slots=True)
class _Kept:
    outcome: weakref.ref[Reading | ProviderError]
    """A reading may be large, and belongs to whoever remembers readings."""
    trace: Trace
    weight_bytes: int


class Traces:
    """The newest trace of each question, as long as there is room."""

    def __init__(self, max_bytes: int = MAX_KEPT_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def keep(self, key: str, outcome: Reading | ProviderError, trace: Trace) -> None:
        """Remember the trace of a reading, or of the error that came instead."""
        self._drop(key)
        kept = _Kept(weakref.ref(outcome), trace, trace.weight_bytes)
        self._kept[key] = kept
        self._bytes += kept.weight_bytes
        while len(self._kept) > _MAX_KEPT or self._bytes > self._max_bytes:
            self._drop(next(iter(self._kept)))

    def of(self, key: str, outcome: object, redaction: Redaction) -> Trace | None:
        """How this very outcome came; None if another process knows, or it was too long ago."""
        kept = self._kept.get(key)
        if outcome is None or kept is None or kept.outcome() is not outcome:
            return None
        return kept.trace.without(redaction)

    def _drop(self, key: str) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._bytes -= kept.weight_bytes


def _weight_bytes(exchange: Exchange) -> int:
    request, response = exchange.request, exchange.response
    texts = [request.url, exchange.error, *request.headers.keys(), *request.headers.values()]
    bodies = [request.body or b""]
    if response is not None:
        texts += [*response.headers.keys(), *response.headers.values()]
        bodies.append(response.body)
    return _EXCHANGE_BYTES + sum(map(len, texts)) + sum(map(len, bodies))


def _exchange_json(exchange: Exchange, masked: Callable[[str], str]) -> dict[str, object]:
    request, response = exchange.request, exchange.response
    return {
        "request": {
            "method": masked(request.method),
            "url": masked(_without_password(request.url)),
            "headers": _headers(request.headers, masked),
            "body": _body(request.body or b"", masked),
        },
        "response": None
        if response is None
        else {
            "status": response.status,
            "headers": _headers(response.headers, masked),
            "body": _body(response.body, masked),
        },
        "error": masked(exchange.error),
        "tookMs": round(exchange.took_s * 1000, 1),
    }


def _carried(request: HttpRequest) -> Iterator[Secret]:
    """What a request proves itself with: no plan knows it where the process itself has it."""
    with suppress(UrlInvalid):
        yield Secret(parse_url(request.url).password or "")
    authorization = next((v for k, v in request.headers.items() if k.lower() == _AUTHORIZATION), "")
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() in _BARE_SCHEMES:
        yield Secret(value)
    if scheme.lower() == _BASIC:
        with suppress(ValueError):
            yield Secret(b64decode(value).decode().partition(":")[2])


def _without_password(url: str) -> str:
    try:
        return parse_url(url).masked
    except UrlInvalid:
        return MASK


def _headers(headers: Mapping[str, str], masked: Callable[[str], str]) -> dict[str, str]:
    # Names that compare without case are no plain texts to whoever writes JSON.
    return {
        masked(str(name)): masked(value) if name.lower() in _SHOWN_HEADERS else MASK
        for name, value in headers.items()
    }


def _body(body: bytes, masked: Callable[[str], str]) -> str:
    text = body.decode("utf-8", "replace")
    if len(body) >= _KEPT_BODY_BYTES:
        # With this mark behind it, a secret that is cut here is found as well.
        text += _CUT
    text = masked(text)
    return text if len(text) <= MAX_BODY_CHARS else f"{text[:MAX_BODY_CHARS]}{_CUT}"
