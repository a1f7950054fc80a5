"""The settings about named upstreams."""

from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from gateway.config.budgets import ConnectionBreaker, ConnectionRate
from gateway.config.setting_types import Seconds, Section
from gateway.names import is_object_name, is_secret_key
from gateway.upstreams.addresses import forbidden
from gateway.upstreams.connections import Upstream, read_base
from gateway.upstreams.gourl import unsendable_header

_OURS: Final = {"host", "content-length", "transfer-encoding", "connection", "upgrade", "te"}


def _secret_place(value: str) -> str:
    name, _, key = value.partition("/")
    if not (is_object_name(name) and is_secret_key(key)):
        raise ValueError("must be in the format of NAME/KEY")
    return value


def _base(value: str) -> str:
    host = read_base(value).place[1]
    what = "" if isinstance(host, str) else forbidden(host)
    if what:
        raise ValueError(f"{host} is {what}, which nothing can allow")
    return value


def _header_name(value: str) -> str:
    reason = unsendable_header(value, "")
    if reason or value.lower() in _OURS:
        raise ValueError(reason or f"{value} is the gateway's own to say")
    return value


SecretPlace = Annotated[str, AfterValidator(_secret_place)]


class ConnectionHeader(Section):
    """A header that requests get which do not have it themselves."""

    name: Annotated[str, AfterValidator(_header_name)]
    """The name of the header."""
    value: str | None = None
    """Its value, which is not kept secret."""
    secret: SecretPlace | None = None
    """Its value's Secret in the gateway's own namespace, as `NAME/KEY`."""

    @model_validator(mode="after")
    def _has_one_value(self) -> Self:
        if (self.value is None) == (self.secret is None):
            raise ValueError("needs either value or secret")
        reason = unsendable_header(self.name, self.value or "")
        if reason:
            raise ValueError(reason)
        return self


class BasicAuth(Section):
    """A user with a password."""

    username: str
    """The user."""
    secret: SecretPlace
    """The password's Secret in the gateway's own namespace, as `NAME/KEY`."""


class Reference(Section):
    """Where a text is that no settings file should hold."""

    secret: SecretPlace | None = None
    """Its Secret in the gateway's own namespace, as `NAME/KEY`."""
    file: Path | None = None
    """Its file."""

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if (self.secret is None) == (self.file is None):
            raise ValueError("needs either secret or file")
        return self


class Connection(Section):
    """One upstream."""

    name: str = Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")
    """What errors and metrics call it."""
    url: Annotated[str, AfterValidator(_base)]
    """The base URL. A request uses the connection with the longest one that its own begins with."""
    headers: tuple[ConnectionHeader, ...] = ()
    """Headers that requests get which do not have them themselves."""
    basic_auth: BasicAuth | None = None
    """A user with a password, for requests without an `Authorization` of their own."""
    bearer: Reference | None = None
    """A token, for requests without an `Authorization` of their own; read again for every new
    plan."""
    ca_bundle: Path | None = None
    """The file of the authorities, in PEM, that issue the server's certificate, re-read when it
    changes; those of the system then do not count."""
    client_certificate: Path | None = None
    """The file of the certificate that is shown to the server, in PEM, re-read when it changes."""
    client_key: Path | None = None
    """The file of its key, in PEM and not encrypted."""
    timeout_s: Annotated[Seconds | None, Field(gt=0)] = Field(None, alias="timeout")
    """How long one request may take, if its template does not say less."""
    concurrency: int | None = Field(None, ge=1)
    """How many requests may be under way at the same time, of each replica. Unset,
    `limits.connectionsPerHost`."""
    rate: ConnectionRate | None = None
    """How often it is asked. Unset, as often as anybody wants."""
    retries: int = Field(2, ge=0, le=10)
    """How often a request that only reads is repeated within its time limit, after no connection
    came about, it broke, or the answer was a 502, 503 or 504."""
    breaker: ConnectionBreaker = ConnectionBreaker()
    """When an upstream that does not answer is given a rest."""
    namespaces: tuple[str, ...] = Field(min_length=1)
    """The namespaces whose analyses may use it, as names or patterns such as `team-*`."""
    templates: Literal["named", "all"] = "named"
    """Which templates may use it: those that the gateway has, or also those that come with a
    request."""

    @property
    def upstream(self) -> Upstream:
        """The same without what proves who one is."""
        return Upstream(
            name=self.name,
            base=read_base(self.url),
            namespaces=self.namespaces,
            takes_brought=self.templates == "all",
            timeout_s=self.timeout_s,
        )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        names = [header.name.lower() for header in self.headers]
        names += ["authorization" for each in (self.basic_auth, self.bearer) if each is not None]
        if len(set(names)) < len(names):
            raise ValueError("says one header twice; basicAuth and bearer are an Authorization")
        if (self.client_certificate is None) != (self.client_key is None):
            raise ValueError("clientCertificate and clientKey need each other")
        if (self.ca_bundle or self.client_key) and not self.url.lower().startswith("https:"):
            raise ValueError("caBundle and clientCertificate need a url of https")
        return self


def check_distinct(connections: tuple[Connection, ...]) -> tuple[Connection, ...]:
    """Raises ValueError if two have the same name or begin at the same place."""
    bases = [read_base(each.url) for each in connections]
    if len({each.name for each in connections}) < len(connections):
        raise ValueError("two of them have the same name")
    if len(set(bases)) < len(bases):
        raise ValueError("two of them have the same url")
    return connections


Connections = Annotated[tuple[Connection, ...], AfterValidator(check_distinct)]
