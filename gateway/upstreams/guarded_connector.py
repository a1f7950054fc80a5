"""aiohttp's connector, which connects to nothing that a policy refuses.

aiohttp asks its resolver about names only, and its socket factory about every address that it is
about to connect to, so each is a place to look; the peer of a new connection is looked at as well,
before anything is sent to it. What a request may be connected to is known to all of them
through a context variable: they run on behalf of one request, and are told nothing of it.
"""

import errno
import socket
from contextvars import ContextVar
from weakref import WeakSet

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import AddrInfoType, Connection
from aiohttp.tracing import Trace

from gateway.errors import EgressRefused
from gateway.single_flight import Flights, shared
from gateway.upstreams.egress import Destination, EgressPolicy


class _Aim:
    """One request's way to its server."""

    __slots__ = ("destination", "refusal")

    def __init__(self, destination: Destination) -> None:
        self.destination = destination
        self.refusal: EgressRefused | None = None
        """Why no socket was made; aiohttp would tell it as an error of the system's."""


_aim: ContextVar[_Aim] = ContextVar("aim")


class GuardedConnector(aiohttp.TCPConnector):
    """Connects under one policy; a connection that is kept is used under no other."""

    def __init__(
        self, policy: EgressPolicy, *, limit_per_host: int, keepalive_timeout_s: float
    ) -> None:
        super().__init__(
            limit=0,
            limit_per_host=limit_per_host,
            keepalive_timeout=keepalive_timeout_s,
            resolver=_GuardedResolver(),
            # What it would keep has been checked for another request.
            use_dns_cache=False,
            socket_factory=_guarded_socket,
        )
        self._policy = policy
        self._looked_at: WeakSet[object] = WeakSet()
        """The connections whose peers are whom they should be."""

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the signature is aiohttp's
    ) -> Connection:
        """A connection for a request.

        Raises:
            EgressRefused: the policy does not allow its URL, an address of its host, or the peer.

        """
        url = req.url
        destination = self._policy.destination(url.scheme, url.raw_host or "", url.port or 0)
        aim = _Aim(destination)
        token = _aim.set(aim)
        try:
            connection = await super().connect(req, traces, timeout)
        except aiohttp.ClientConnectorError as error:
            if aim.refusal is not None:
                raise aim.refusal from error
            raise
        finally:
            _aim.reset(token)
        if connection.protocol not in self._looked_at:
            self._look_at(connection, destination)
        return connection

    def _look_at(self, connection: Connection, destination: Destination) -> None:
        try:
            destination.check(_peer(connection))
        except BaseException:
            connection.close()
            raise
        self._looked_at.add(connection.protocol)


class _GuardedResolver(AbstractResolver):
    """The system's resolver, of whose answers all must be allowed."""

    def __init__(self) -> None:
        self._system = aiohttp.ThreadedResolver()
        self._flights: Flights[tuple[str, int, int], list[ResolveResult]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """All addresses of a name; who asks for it at the same time waits for the same answer."""
        answers = await shared(
            self._flights,
            (host, port, family),
            lambda: self._system.resolve(host, port, family),
        )
        destination = _aim.get().destination
        for answer in answers:
            destination.check(answer["host"])
        return answers

    async def close(self) -> None:
        """Nothing is held."""


def _guarded_socket(info: AddrInfoType) -> socket.socket:
    """A socket that is about to be connected to an address."""
    family, kind, protocol, _, address = info
    aim = _aim.get()
    try:
        aim.destination.check(str(address[0]))
    except EgressRefused as refusal:
        aim.refusal = refusal
        raise PermissionError(errno.EACCES, "egress") from refusal
    return socket.socket(family, kind, protocol)


def _peer(connection: Connection) -> str:
    transport = connection.transport
    try:
        peer = transport.get_extra_info("peername") if transport else None
    except (OSError, ValueError):
        # uvloop asks the system, which knows nothing of a connection that was just reset.
        peer = None
    if not peer:
        raise aiohttp.ServerDisconnectedError
    return str(peer[0])
