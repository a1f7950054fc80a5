"""Redis, on a budget: every call answers within it or fails, and failures are not repeated.

The client's own patience is switched off. A call that gives nothing within ``CALL_BUDGET_S`` opens
the circuit: until a probe in the background gets an answer, calls fail at once and cost no time.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol, TypeVar, cast
from urllib.parse import unquote, urlsplit

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.cluster import RedisCluster
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import ReadOnlyError, RedisError

from gateway.errors import StoreUnavailable
from gateway.secrets import Secret

CALL_BUDGET_S: Final = 0.15
"""The longest that one call may take, waiting for a connection included."""
MAX_CONNECTIONS: Final = 32
_PROBE_PAUSES_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
_SENTINEL_PORT: Final = 26379
_OPTIONS: Final[Mapping[str, Any]] = {
    "socket_timeout": CALL_BUDGET_S,
    "socket_connect_timeout": CALL_BUDGET_S,
    "retry": Retry(NoBackoff(), 0),
}

T = TypeVar("T")
Client = Redis | RedisCluster
_log: Final = logging.getLogger(__name__)


class StoreObserver(Protocol):
    """Who counts how the store is."""

    def store_failed(self, slug: str) -> None:
        """A call gave nothing."""

    def store_is_up(self) -> None:
        """Redis answers."""

    def store_is_down(self) -> None:
        """Redis does not answer."""


class StoreInvalid(Exception):
    """The Redis URL cannot be used; the text does not quote it."""


class Store:
    """The only way to Redis."""

    def __init__(self, url: Secret, observer: StoreObserver) -> None:
        self._client = connect(url)
        self._observer = observer
        self._places = asyncio.Semaphore(MAX_CONNECTIONS)
        self._probe: asyncio.Task[None] | None = None
        self._since_unix_s = time.time()
        self._last_error = ""
        observer.store_is_up()

    async def call(self, command: Callable[[Redis], Awaitable[T]]) -> T:
        """What a command answers.

        Raises:
            StoreUnavailable: it failed or took too long, or the circuit is open.

        """
        if self._probe is not None:
            self._observer.store_failed("circuit_open")
            raise StoreUnavailable("Redis did not answer before; it is being probed")
        try:
            return await self._within_budget(command)
        except TimeoutError:
            self._open("timeout")
        except ReadOnlyError:
            # An old primary: its connections lead nowhere until they are made anew.
            self._open("read_only")
        except (RedisError, OSError) as error:
            self._open(type(error).__name__)
        raise StoreUnavailable(f"Redis did not answer: {self._last_error}")

    def details(self) -> Mapping[str, object]:
        """The state for ``/readyz``; JSON-ready."""
        return {
            "state": "up" if self._probe is None else "down",
            "sinceSeconds": round(time.time() - self._since_unix_s, 1),
            "lastError": self._last_error,
        }

    async def close(self) -> None:
        """Stop probing and close every connection."""
        if self._probe is not None:
            self._probe.cancel()
            await asyncio.gather(self._probe, return_exceptions=True)
        await self._client.aclose()

    async def _within_budget(self, command: Callable[[Redis], Awaitable[T]]) -> T:
        async with asyncio.timeout(CALL_BUDGET_S), self._places:
            # A cluster's client has the same commands; its type says less about them.
            return await command(cast("Redis", self._client))

    def _open(self, slug: str) -> None:
        self._observer.store_failed(slug)
        self._last_error = slug
        if self._probe is None:
            _log.warning("Redis does not answer; going on without it", extra={"reason": slug})
            self._since_unix_s = time.time()
            self._observer.store_is_down()
            self._probe = asyncio.create_task(self._probe_until_up(), name="probe redis")

    async def _probe_until_up(self) -> None:
        attempt = 0
        while True:
            await asyncio.sleep(_PROBE_PAUSES_S[min(attempt, len(_PROBE_PAUSES_S) - 1)])
            attempt += 1
            with contextlib.suppress(TimeoutError, RedisError, OSError):
                await self._drop_connections()
                await self._within_budget(_can_write)
                break
        _log.info("Redis answers again")
        self._since_unix_s = time.time()
        self._observer.store_is_up()
        self._probe = None

    async def _drop_connections(self) -> None:
        if isinstance(self._client, Redis):
            await self._client.connection_pool.disconnect(inuse_connections=False)


async def _can_write(client: Redis) -> object:
    return await client.set("analysis-gateway:probe", b"", ex=60)


def connect(url: Secret) -> Client:
    """A client for a plain, Sentinel or Cluster URL; nothing is sent yet.

    Raises:
        StoreInvalid: the URL is none of those.

    """
    scheme = url.reveal().partition("://")[0]
    try:
        match scheme:
            case "redis" | "rediss" | "unix":
                return Redis(connection_pool=ConnectionPool.from_url(url.reveal(), **_OPTIONS))
            case "redis+sentinel" | "rediss+sentinel":
                return _sentinel(url)
            case "redis+cluster" | "rediss+cluster":
                plain = url.reveal().replace("+cluster", "", 1)
                return RedisCluster.from_url(plain, **_OPTIONS)
            case _:
                known = "redis, rediss, unix, redis+sentinel, redis+cluster"
                raise StoreInvalid(f"the Redis URL must begin with one of: {known}")
    except ValueError:
        raise StoreInvalid("the Redis URL is malformed") from None


def _sentinel(url: Secret) -> Redis:
    parts = urlsplit(url.reveal())
    service, _, database = parts.path.strip("/").partition("/")
    if not service:
        raise StoreInvalid("a Sentinel URL names its service: redis+sentinel://h1,h2/mymaster/0")
    account, _, hosts = parts.netloc.rpartition("@")
    username, _, password = account.partition(":")
    options = {**_OPTIONS, "ssl": True} if parts.scheme.startswith("rediss") else dict(_OPTIONS)
    sentinel = Sentinel(  # type: ignore[no-untyped-call]
        [_address(host) for host in hosts.split(",")], sentinel_kwargs=options, **options
    )
    client: Redis = sentinel.master_for(
        service,
        db=int(database or 0),
        username=unquote(username) or None,
        password=unquote(password) or None,
    )
    return client


def _address(host: str) -> tuple[str, int]:
    name, colon, port = host.rpartition(":")
    return (name, int(port)) if colon else (host, _SENTINEL_PORT)
