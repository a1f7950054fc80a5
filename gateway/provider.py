"""The port between the gateway and the metric providers: a provider reads, the engine judges.

A provider is a parser and one coroutine. The parser turns the block under ``provider:`` into a
frozen value; ``measure`` asks the vendor once. Cancelling ``measure`` cleans up after it. One whose
measurements outlive the process that began them has other verbs: see ``LastingProvider``.
"""

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Protocol, runtime_checkable

from gateway.errors import ProviderInvalid, ProviderRejected, ProviderUnreachable
from gateway.model import Phase, Reading
from gateway.secrets import Secret

DEADLINE_EXCEEDED = "context deadline exceeded"
"""How Go names a time limit that passed."""
_ALWAYS_REPEATABLE: Final = {"GET", "HEAD", "OPTIONS", "TRACE"}


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
    """Whether a POST only reads."""

    @property
    def may_be_repeated(self) -> bool:
        """Whether it may be sent again.

        That is over a new connection if the server had already closed the one that was kept open,
        later if the vendor asks for that, and as often as a connection of the settings has it.
        """
        return self.is_repeatable or self.method in _ALWAYS_REPEATABLE


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

    def __init__(self, message: str, *, cause: str, stage: Stage, is_passing: bool = False) -> None:
        super().__init__(message)
        self.is_passing = is_passing
        """Whether it may well be over a moment later: no connection came about, or it broke."""
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


class AlreadyThere(ProviderRejected):
    """A cluster has an object of that name; the text is the API server's."""


class JobApi(Protocol):
    """The Jobs of a cluster and their pods, as decoded JSON.

    Every call raises ProviderUnreachable if the API server does not answer in time, and
    ProviderRejected, with its own words, if it will not.
    """

    async def create(self, namespace: str, manifest: Mapping[str, object]) -> None:
        """Have a Job run. Raises AlreadyThere if one has its name."""

    async def read(self, namespace: str, name: str) -> Mapping[str, object] | None:
        """A Job, None if there is none of that name."""

    async def list(self, namespace: str, *, labels: str) -> Sequence[Mapping[str, object]]:
        """All Jobs with these labels."""

    async def stop(self, namespace: str, name: str) -> None:
        """Delete a Job, its pods first; one that is not there is fine."""

    async def drop(self, namespace: str, name: str) -> None:
        """Delete a Job, its pods after it; one that is not there is fine."""

    async def pods(self, namespace: str, *, labels: str) -> Sequence[Mapping[str, object]]:
        """All pods with these labels."""

    async def log(
        self, namespace: str, pod: str, *, container: str, tail_lines: int, limit_bytes: int
    ) -> str:
        """The last lines that a container has written; not more than so many bytes of them."""


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
    jobs: JobApi | None = None
    """None if no cluster is configured."""


class Provider(Protocol):
    """One metric's configured source."""

    async def measure(self, context: Context) -> Reading:
        """Take one measurement. Raises ProviderError and nothing else."""

    def resolved_query(self) -> str:
        """The query after argument substitution, as reports show it; empty if there is none."""


OUTCOME_METADATA = "outcome"
"""Of a measurement that a provider has judged: what was found, in a few words."""
LOG_METADATA = "log"
"""Of a measurement: the last lines of a log. Where it is too long, its end counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A measurement that lasts, with all that it takes to find it again."""

    owner: str
    """Whose it is: the uid of a run, or the key of a question."""
    analysis: str
    """The name of the run; empty if there is none."""
    namespace: str
    metric: str
    number: int
    """Different for each measurement of the owner's metric."""
    began_at_unix_s: float
    interval: str = ""
    """The metric's, as its template has it."""
    analysis_began_at_unix_s: float | None = None
    """The ``startedAt`` of the run; None before its first pass is over, and for a verdict."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """What the last look at it left; empty if it may not have begun."""
    joins_since_unix_s: float = math.inf
    """What is under way for the owner's metric and began since then is this measurement, whatever
    its number: nobody knows the number that a process had which has died."""
    takes_since_unix_s: float = math.inf
    """The same for what has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How such a measurement stands."""

    phase: Phase
    message: str = ""
    text: str = ""
    """What was found, in a few words; empty while it is Running."""
    value: int | None = None
    """What was measured, if that is a number."""
    metadata: Mapping[str, str]
    resume_at_unix_s: float | None = None
    """When to look again; None if it is completed."""
    began_at_unix_s: float | None = None
    """When it had begun, if it was found under way."""


@runtime_checkable
class LastingProvider(Protocol):
    """A source that takes its time, judges by itself, and goes on while nobody looks.

    It is asked again and again, by whoever is alive. Conditions are not applied.
    """

    async def advance(self, context: Context, attempt: Attempt) -> Progress:
        """Begin the measurement if it has not begun, else look at it. Raises ProviderError.

        Where the vendor lets one find out, it does not begin twice if nobody heard of its
        beginning.
        """

    async def terminate(self, context: Context, attempt: Attempt) -> None:
        """Stop it, if it has begun. Raises ProviderError."""

    async def collect(self, context: Context, attempt: Attempt, *, keep: int) -> None:
        """Remove what older measurements of the metric left behind. Raises ProviderError."""

    def longest_s(self) -> float:
        """How long one measurement may take."""

    def resolved_query(self) -> str:
        """As ``Provider`` has it."""


@runtime_checkable
class ExplainsNoData(Protocol):
    """A provider that can say why its answer was empty or not a number."""

    async def explain_no_data(self, context: Context) -> str:
        """One sentence for a person, or an empty text if nothing is certain; never raises."""


Block = Mapping[str, object]
"""A provider block after argument substitution: decoded JSON."""


class SecretOwner(Enum):
    """In whose namespace a Secret is."""

    GATEWAY = "gateway"
    ANALYSIS = "analysis"


@dataclass(frozen=True, slots=True)
class SecretUse:
    """A Secret that holds credentials for a block."""

    name: str
    keys: tuple[str, ...]
    """What is wanted of it; it need not have all of them."""
    owner: SecretOwner = SecretOwner.GATEWAY


@dataclass(frozen=True, slots=True)
class FoundSecret:
    """A Secret that is there."""

    name: str
    """Its namespace and its name, with a slash between them."""
    keys: Mapping[str, Secret]
    """Those of the wanted keys that it has."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a deployment has for its providers, beside their blocks."""

    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    secret: FoundSecret | ProviderInvalid | None = None
    """What ``ProviderType.credentials`` asked for, or why it cannot be had."""

    def found_secret(self) -> FoundSecret:
        """The Secret. Raises ProviderInvalid if there is none."""
        if isinstance(self.secret, FoundSecret):
            return self.secret
        raise self.secret or ProviderInvalid("no Secret was asked for")

    def secret_values(self) -> dict[str, str]:
        """What was found of it, in the clear."""
        if not isinstance(self.secret, FoundSecret):
            return {}
        return {key: value.reveal() for key, value in self.secret.keys.items()}


@dataclass(frozen=True, slots=True)
class Credential:
    """What a provider proves its identity with that does not stand in its block."""

    name: str
    """Shown where the credential must not be: ``namespace/name`` of its Secret, or its source. For
    a plugin it is always the former."""
    secrets: tuple[Secret, ...] = ()
    """What must be masked in all that leaves."""


@runtime_checkable
class HasCredential(Protocol):
    """A provider that got a credential from its surroundings."""

    @property
    def credential(self) -> Credential:
        """Which one."""


@runtime_checkable
class NamesItsQuery(Protocol):
    """A provider that has ``ProviderType.query_metadata`` itself: its type stands for several."""

    @property
    def query_metadata(self) -> str:
        """Under which name a run reports the resolved query; empty if it does not."""


def _none(block: Block, environ: Mapping[str, str]) -> None:
    """Nothing is asked for."""


@dataclass(frozen=True, slots=True)
class ProviderType:
    """What the gateway knows about a kind of provider before a template uses it."""

    check: Callable[[Block], list[tuple[str, str]]]
    """Shape problems as (path below the block, message): unknown fields, wrong types. Knows that
    texts may still hold ``{{args.x}}``."""
    parse: Callable[[Block, Surroundings], Provider | LastingProvider]
    """Block and surroundings to a provider. Raises ProviderInvalid with Argo's creation error."""
    query_metadata: str = ""
    """Under which name a run reports the resolved query; empty if Argo does not report it."""
    credentials: Callable[[Block, Mapping[str, str]], SecretUse | None] = _none
    """Block and environment to the Secret that ``parse`` wants. Raises ProviderInvalid, which is
    what the measurement says then: ``parse`` is not asked."""
    rules: Callable[[Block], object] | None = None
    """What ``parse`` refuses whatever the credentials are, by raising ProviderInvalid. None if
    ``parse`` needs no credentials to say so."""

    def check_rules(self, block: Block, environ: Mapping[str, str]) -> None:
        """Raise ProviderInvalid for what ``parse`` refuses whatever the credentials are."""
        if self.rules is None:
            self.parse(block, Surroundings(environ))
        else:
            self.rules(block)
