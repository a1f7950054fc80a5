"""A Redis URL to a client, with as much patience as its user has."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from redis.asyncio import ConnectionPool, Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError  # noqa: A004 - the client has its own

from gateway.secrets import Secret

_REDIS_PORT: Final = 6379
_SENTINEL_PORT: Final = 26379
_TLS_OPTIONS: Final = frozenset(
    {"ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs", "ssl_check_hostname"}
)
_SENTINEL_OPTIONS: Final = frozenset({"sentinel_username", "sentinel_password"})
_FORMS: Final = (
    "redis://host:6379/0, rediss://host:6379/0, unix:///path/redis.sock,"
    " redis+sentinel://host1:26379,host2:26379/master-name/0 or redis+cluster://host:6379"
)

Options = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a client waits, and how much it may open."""

    socket_timeout_s: float
    """For one answer; also makes discovery go on to the next sentinel or node."""
    max_connections: int
    """To one server, at the same time."""
    retries: int
    """After a connection that turned out to be cut; never after an answer that did not come."""

    @property
    def options(self) -> Options:
        """The same in the client's words."""
        return {
            "socket_timeout": self.socket_timeout_s,
            "socket_connect_timeout": self.socket_timeout_s,
            "retry": Retry(NoBackoff(), self.retries, supported_errors=(ConnectionError,)),
            "max_connections": self.max_connections,
            # Fewer round trips for a new connection: no HELLO, no CLIENT SETINFO.
            "protocol": 2,
            "driver_info": None,
        }


class StoreInvalid(Exception):
    """The Redis URL cannot be used. The text does not quote it: it may hold a password."""


class Client(Protocol):
    """One way to reach Redis: a server, the master that sentinels name, or a cluster."""

    @property
    def commands(self) -> Redis:
        """Redis' commands."""

    async def ping(self) -> None:
        """Ask every server that takes writes for a sign of life."""

    async def forget(self) -> None:
        """Drop the connections that are not in use, and what is known about who serves what."""

    async def close(self) -> None:
        """Drop all connections."""


def connect(url: Secret, patience: Patience) -> Client:
    """A client for a Redis URL; nothing is sent yet.

    Raises:
        StoreInvalid: the URL has none of the known forms.

    """
    scheme, separator, rest = url.reveal().partition("://")
    plain, _, topology = scheme.partition("+")
    try:
        if separator and plain in {"redis", "rediss"} and topology in {"sentinel", "cluster"}:
            target = _Target.parse(f"{plain}://{rest}")
            made = _SentinelClient if topology == "sentinel" else _ClusterClient
            return made(target, patience)
        if separator and scheme in {"redis", "rediss", "unix"}:
            return _ServerClient(url.reveal(), patience)
    except ValueError:
        # The library's own texts may quote a password that was not percent-encoded.
        pass
    raise StoreInvalid(f"the Redis URL cannot be understood; its form is one of {_FORMS}")


class _PoolClient:
    """Has one pool of connections, all to the same server."""

    def __init__(self, commands: Redis) -> None:
        self.commands: Final = commands

    async def ping(self) -> None:
        await self.commands.execute_command("PING")  # type: ignore[no-untyped-call]

    async def forget(self) -> None:
        await self.commands.connection_pool.disconnect(inuse_connections=False)

    async def close(self) -> None:
        await self.commands.aclose()
        await self.commands.connection_pool.disconnect()


class _ServerClient(_PoolClient):
    def __init__(self, url: str, patience: Patience) -> None:
        _options(url, known=_TLS_OPTIONS)
        pool = ConnectionPool(**{**cast("Options", parse_url(url)), **patience.options})
        super().__init__(Redis(connection_pool=pool))


class _SentinelClient(_PoolClient):
    def __init__(self, target: "_Target", patience: Patience) -> None:
        name, _, database = target.path.partition("/")
        if not name:
            raise StoreInvalid(
                "the Redis URL names no master; write redis+sentinel://host1,host2/master-name/0"
            )
        sentinel_login = {
            word: target.options.get(f"sentinel_{word}") for word in ("username", "password")
        }
        self._sentinels = Sentinel(  # type: ignore[no-untyped-call]
            target.addresses(_SENTINEL_PORT),
            sentinel_kwargs={**target.tls(), **patience.options, **sentinel_login},
        )
        master: Redis = self._sentinels.master_for(
            name, db=int(database or 0), **target.login, **target.tls(), **patience.options
        )
        super().__init__(master)

    async def close(self) -> None:
        await super().close()
        await self._sentinels.aclose()


class _ClusterClient:
    def __init__(self, target: "_Target", patience: Patience) -> None:
        self._cluster = RedisCluster(
            startup_nodes=[ClusterNode(*node) for node in target.addresses(_REDIS_PORT)],
            **target.login,
            **target.tls(),
            **patience.options,
        )

    @property
    def commands(self) -> Redis:
        # It knows the same commands; only its type does not say so.
        return cast("Redis", self._cluster)

    async def ping(self) -> None:
        await self._cluster.execute_command("PING", target_nodes=RedisCluster.PRIMARIES)

    async def forget(self) -> None:
        await self._cluster.aclose()

    async def close(self) -> None:
        await self._cluster.aclose()


@dataclass(frozen=True, slots=True)
class _Target:
    """A URL that names several hosts, taken apart."""

    is_tls: bool
    login: Options
    hosts: tuple[str, ...]
    path: str
    options: Mapping[str, str]

    @classmethod
    def parse(cls, url: str) -> "_Target":
        parts = urlsplit(url)
        account, _, hosts = parts.netloc.rpartition("@")
        username, _, password = account.partition(":")
        return cls(
            is_tls=parts.scheme == "rediss",
            login={"username": unquote(username) or None, "password": unquote(password) or None},
            hosts=tuple(hosts.split(",")),
            path=parts.path.strip("/"),
            options=_options(url, known=_TLS_OPTIONS | _SENTINEL_OPTIONS),
        )

    def addresses(self, default_port: int) -> list[tuple[str, int]]:
        """Host and port of each; raises ValueError."""
        parts = [urlsplit(f"//{host}") for host in self.hosts]
        addresses = [(part.hostname or "", part.port or default_port) for part in parts]
        if not all(host for host, _ in addresses):
            raise ValueError
        return addresses

    def tls(self) -> Options:
        """How to encrypt, in the client's words."""
        chosen = {name: self.options[name] for name in _TLS_OPTIONS & self.options.keys()}
        text = "&".join(f"{name}={value}" for name, value in chosen.items())
        parsed = cast("Options", parse_url(f"redis://?{text}"))
        return {"ssl": True, **parsed} if self.is_tls else {}


def _options(url: str, *, known: frozenset[str]) -> Mapping[str, str]:
    options = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    if not options.keys() <= known:
        raise StoreInvalid(
            f"the Redis URL has an unknown option; known are {', '.join(sorted(known))}"
        )
    return options
