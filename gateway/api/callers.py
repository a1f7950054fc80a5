"""Who asks: found out before anything else is done with a request."""

import contextlib
from collections.abc import Sequence
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from gateway.access.authentication import Door, Proofs
from gateway.access.caller import ANONYMOUS, Caller
from gateway.access.sessions import COOKIE, Sessions
from gateway.api.origins import comes_from_here, refuse_other_hosts, refuse_without_origin
from gateway.api.problems import Handler
from gateway.errors import CredentialMissing, CredentialUnchecked, StoreUnavailable

OPEN: Final = frozenset({"/healthz", "/static/{version}/{name}"})
"""What is answered to everybody: kubelets and load balancers have no credentials, and who is to
sign in sees what the page to do so is made of."""
OPEN_IN_SHORT: Final = frozenset({"/readyz", "/sign-in", "/sign-out"})
"""The same, but who is known may be told more."""
_CALLER: Final = web.RequestKey("caller", Caller)


def caller_of(request: web.Request) -> Caller:
    """Who asks."""
    return request[_CALLER]


def known_caller_of(request: web.Request) -> Caller | None:
    """Who asks; None if that is not known, where it need not be."""
    return request.get(_CALLER)


@web.middleware
async def lets_everybody_in(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let everybody through: whoever reaches the port is meant."""
    request[_CALLER] = ANONYMOUS
    return await handler(request)


@web.middleware
async def lets_this_machine_in(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let everybody on this machine through, where no access is configured."""
    resource = request.match_info.route.resource
    if resource is None or resource.canonical not in OPEN:
        refuse_other_hosts(request)
        request[_CALLER] = ANONYMOUS
    return await handler(request)


def caller_middleware(door: Door, sessions: Sessions) -> Middleware:
    """Let nobody through whom the door does not know.

    Paths that do not exist are no exception: who has no credential does not learn which do.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        resource = request.match_info.route.resource
        path = "" if resource is None else resource.canonical
        if path in OPEN_IN_SHORT:
            with contextlib.suppress(CredentialMissing, CredentialUnchecked):
                request[_CALLER] = await door.caller_of(await _proofs(request, sessions))
        elif path not in OPEN:
            request[_CALLER] = await door.caller_of(await _proofs(request, sessions))
        return await handler(request)

    return middleware


async def _proofs(request: web.Request, sessions: Sessions) -> Proofs:
    authorization: Sequence[str] = request.headers.getall(hdrs.AUTHORIZATION, ())
    if not authorization and hdrs.COOKIE in request.headers:
        authorization = await _of_session(request, sessions)
    if authorization or request.transport is None:
        return Proofs(authorization, None)
    return Proofs((), request.transport.get_extra_info("peercert"))


async def _of_session(request: web.Request, sessions: Sessions) -> tuple[str, ...]:
    """What a browser would have to send if it could; nothing if another page had it ask."""
    cookie = request.cookies.get(COOKIE)
    if cookie is None or not comes_from_here(request):
        return ()
    try:
        token = await sessions.token_of(cookie)
    except StoreUnavailable as error:
        raise CredentialUnchecked(
            "who has signed in is not known now: Redis does not answer"
        ) from error
    if token is None:
        return ()
    refuse_without_origin(request)
    return (f"Bearer {token}",)
