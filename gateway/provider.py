"""The port between the gateway and the metric providers: a provider reads, the engine judges.

A provider is a parser and one coroutine. The parser turns the block under ``provider:`` into a
frozen value; ``measure`` asks the vendor once. Cancelling ``measure`` cleans up after it.
"""

from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol, runtime_checkable

from gateway.errors import ProviderUnreachable
from gateway.model import Reading

DEADLINE_EXCEEDED = "context deadline exceeded"
"""How Go names a time limit that passed."""


class Tls(Enum):
    """Whether the certificate of a server is checked."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request, as data: it can be built, signed and compared without any I/O."""

    method: str
    # Keys and passwords travel in all three: a request shows itself without them.
    url: str = field(repr=False)
    """Sent as it stands: already percent-encoded, query included."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    tls: Tls = Tls.VERIFIED
    is_repeatable: bool = False
    """Whether a POST only reads, so that it may be sent again over a new connection when the
    server had already closed the one that was kept open. GET always may."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A whole answer; the body is bounded by the client."""

    status: int
    reason: str
    headers: Mapping[str, str]
    """Case-insensitive for reading."""
    body: bytes


class Stage(Enum):
    """How far an exchange had come when it failed."""

    AWAITING_HEADERS = "awaiting headers"
    READING_BODY = "reading body"


class NoAnswer(ProviderUnreachable):
    """No whole answer came."""

    def __init__(self, message: str, *, cause: str, stage: Stage) -> None:
        super().__init__(message)
        self.cause = cause
        """The message without method and URL, e.g. ``context deadline exceeded``."""
        self.stage = stage


class Http(Protocol):
    """The only way out of the process."""

    async def send(self, request: HttpRequest, *, timeout_s: float) -> HttpResponse:
        """Send one request and read its answer.

        Raises:
            NoAnswer: no whole answer came within ``timeout_s`` seconds. While headers are awaited
                the text is shaped ``Post "<url>": <cause>``, a password in the URL masked; while
                the body is read it is the cause alone, as Go has it.
            ProviderInvalid: the request cannot be sent: a bad URL, method or header.
            ProviderUnreadable: the answer is no HTTP, or larger than the client accepts.

        """


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What an OAuth2 server granted."""

    authorization: str = field(repr=False)
    """The whole value of the ``Authorization`` header."""
    lifetime_s: float | None
    """Seconds from its issue until it expires; None if the server did not say."""


class AccessTokens(Protocol):
    """Access tokens that measurements share."""

    def is_fresh(self, identity: str) -> bool:
        """Whether ``get`` would answer without fetching."""

    async def get(self, identity: str, fetch: Callable[[], Awaitable[AccessToken]]) -> AccessToken:
        """The fresh token of an identity, else what ``fetch`` brings; callers share one fetch.

        ``identity`` may hold secrets: it is kept only as a keyed hash. Whatever ``fetch`` raises
        reaches every caller that waited for it, and nothing is remembered.
        """

    def forget(self, identity: str, token: AccessToken) -> None:
        """Drop a token that was refused, unless a newer one has taken its place."""


class Clock(Protocol):
    """Wall time; tests hand in their own."""

    def __call__(self) -> float:
        """Seconds since 1970, UTC."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a measurement may use of the world."""

    http: Http
    now_unix_s: Clock
    tokens: AccessTokens
    threads: Executor
    """For what can only block: credentials of AWS, and the client that explains empty answers."""


class Provider(Protocol):
    """One metric's configured source."""

    async def measure(self, context: Context) -> Reading:
        """Take one measurement. Raises ProviderError and nothing else."""

    def resolved_query(self) -> str:
        """The query after argument substitution, as reports show it; empty if there is none."""


@runtime_checkable
class ExplainsNoData(Protocol):
    """A provider that can say why its answer was empty or not a number."""

    async def explain_no_data(self, context: Context) -> str:
        """One sentence for a person, or an empty text if nothing is certain; never raises."""


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
    query_metadata: str = ""
    """Under which name a run reports the resolved query; empty if Argo does not report it."""
