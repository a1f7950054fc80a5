"""Requests to named upstreams, with what the deployment has for them."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from gateway.provider import AccessToken, AccessTokens, Http, HttpRequest, HttpResponse, Tls
from gateway.upstreams.gourl import parse_url
from gateway.upstreams.grants import Grants


class ConnectedHttp:
    """Implements ``gateway.provider.Http`` for one measurement.

    What belongs to a connection goes through its own client, all else through another one.
    """

    def __init__(self, other: Http, grants: Grants, through: Callable[[str], Http]) -> None:
        self._other = other
        self._grants = grants
        self._through = through

    async def send(self, request: HttpRequest, *, timeout_s: float) -> HttpResponse:
        """Send one request.

        Raises: as ``gateway.provider.Http.send`` says; EgressRefused, and nothing is sent, if it is
        of a connection that may not be used.
        """
        grant = self._grants.grant_of(request.url)
        if grant is None:
            return await self._other.send(request, timeout_s=timeout_s)
        has_user = parse_url(request.url).username is not None
        headers = grant.added_to(request.headers, has_user=has_user)
        upstream = grant.upstream
        if upstream.timeout_s is not None:
            timeout_s = min(timeout_s, upstream.timeout_s)
        # A template that checks no certificates must not give the credentials to anybody.
        sent = replace(request, headers=headers, tls=Tls.VERIFIED)
        return await self._through(upstream.name).send(sent, timeout_s=timeout_s)


class ConnectedTokens:
    """Implements ``gateway.provider.AccessTokens``: who has other grants has other tokens.

    A token that a connection's credential was needed for is no token for who may not use it.
    """

    def __init__(self, tokens: AccessTokens, grants: Grants) -> None:
        self._tokens = tokens
        self._prefix = f"{grants.identity}\n"

    def is_fresh(self, identity: str) -> bool:
        """Whether ``get`` would answer without fetching."""
        return self._tokens.is_fresh(self._prefix + identity)

    async def get(self, identity: str, fetch: Callable[[], Awaitable[AccessToken]]) -> AccessToken:
        """As ``gateway.provider.AccessTokens`` says."""
        return await self._tokens.get(self._prefix + identity, fetch)

    def forget(self, identity: str, token: AccessToken) -> None:
        """Drop a token that was refused."""
        self._tokens.forget(self._prefix + identity, token)
