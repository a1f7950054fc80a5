"""Requests that use no connection: to one host so many at once, tenants in turns.

The client has the same bound for its network connections, but lets them be had in the order in
which they were asked for.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from gateway.errors import ProviderUnreachable
from gateway.provider import Http, HttpRequest, HttpResponse
from gateway.upstreams.gate import Gate
from gateway.upstreams.gourl import UrlInvalid, parse_url


class HostTurns:
    """The gates of all hosts that something is asked of just now."""

    def __init__(self, places: int) -> None:
        """``places`` at one host."""
        self._places: Final = places
        self._gates: dict[str, tuple[Gate, int]] = {}

    @contextmanager
    def gate_to(self, host: str) -> Iterator[Gate]:
        """The gate to a host, kept for as long as anybody is at it."""
        gate, visitors = self._gates.get(host) or (Gate(places=self._places), 0)
        self._gates[host] = (gate, visitors + 1)
        try:
            yield gate
        finally:
            _, visitors = self._gates[host]
            if visitors == 1:
                del self._gates[host]
            else:
                self._gates[host] = (gate, visitors - 1)


class TurnedHttp:
    """Implements ``gateway.provider.Http`` for one measurement of a tenant's."""

    def __init__(self, inner: Http, turns: HostTurns, tenant: str) -> None:
        self._inner = inner
        self._turns = turns
        self._tenant = tenant

    async def send(self, request: HttpRequest, *, timeout_s: float) -> HttpResponse:
        """Send one request when it is its turn.

        Raises: as ``gateway.provider.Http.send`` says; ProviderUnreachable, and nothing is sent, if
        it is not its turn in time.
        """
        try:
            url = parse_url(request.url)
        except UrlInvalid:
            # Whoever sends it says what is wrong with it.
            return await self._inner.send(request, timeout_s=timeout_s)
        now_s = asyncio.get_running_loop().time
        until_s = now_s() + timeout_s
        with self._turns.gate_to(f"{url.scheme}://{url.host.lower()}") as gate:
            try:
                async with gate.place(self._tenant, until_s=until_s):
                    return await self._inner.send(request, timeout_s=until_s - now_s())
            except TimeoutError:
                raise ProviderUnreachable(
                    f"no room for a request within {timeout_s:g}s, its time limit: as many as may"
                    " be are under way to its host (limits.connectionsPerHost)"
                ) from None
