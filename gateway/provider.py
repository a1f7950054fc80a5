"""The port between the gateway and the metric providers: a provider reads, the engine judges.

A provider is a parser and one coroutine. The parser turns the block under ``provider:`` into a
frozen value; ``measure`` asks the vendor once. Cancelling ``measure`` cleans up after it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from gateway.model import Reading


class Tls(Enum):
    """Whether the certificate of a server is checked."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request, as data: it can be built, signed and compared without any I/O."""

    method: str
    url: str
    """Sent as it stands: already percent-encoded, query included."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    tls: Tls = Tls.VERIFIED


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A whole answer; the body is bounded by the client."""

    status: int
    reason: str
    headers: Mapping[str, str]
    """Case-insensitive for reading."""
    body: bytes


class Http(Protocol):
    """The only way out of the process."""

    async def send(self, request: HttpRequest, *, timeout_s: float) -> HttpResponse:
        """Send one request and read its answer.

        Raises:
            ProviderUnreachable: no whole answer came within ``timeout_s`` seconds; the text is
                shaped ``Post "<url>": <cause>``, a password in the URL masked.
            ProviderUnreadable: the answer is larger than the client accepts.

        """


class Clock(Protocol):
    """Wall time; tests hand in their own."""

    def __call__(self) -> float:
        """Seconds since 1970, UTC."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a measurement may use of the world."""

    http: Http
    now_unix_s: Clock


class Provider(Protocol):
    """One metric's configured source."""

    async def measure(self, context: Context) -> Reading:
        """Take one measurement. Raises ProviderError and nothing else."""

    def resolved_query(self) -> str:
        """The query after argument substitution, as reports show it; empty if there is none."""


class ExplainsNoData(Protocol):
    """A provider that can say why its answer was empty or not a number."""

    async def explain_no_data(self, context: Context) -> str:
        """One sentence for a person, or an empty text if there is nothing to say; never raises."""


Block = Mapping[str, object]
"""A provider block after argument substitution: decoded JSON."""


@dataclass(frozen=True, slots=True)
class ProviderType:
    """What the gateway knows about a kind of provider before a template uses it."""

    check: Callable[[Block], list[tuple[str, str]]]
    """Shape problems as (path below the block, message): unknown fields, wrong types. Knows that
    texts may still hold ``{{args.x}}``."""
    parse: Callable[[Block, Mapping[str, str]], Provider]
    """Block and environment to a provider. Raises ProviderInvalid with Argo's creation error."""
