"""Who asks: found out before anything else is done with a request."""

import contextlib
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from gateway.access.authentication import Door, Proofs
from gateway.access.caller import Caller
from gateway.api.problems import Handler
from gateway.errors import CredentialMissing, CredentialUnchecked

OPEN: Final = frozenset({"/healthz"})
"""What is answered to everybody: kubelets and load balancers have no credentials."""
OPEN_IN_SHORT: Final = frozenset({"/readyz"})
"""The same, but who is known may be told more."""
_CALLER: Final = web.RequestKey("caller", Caller)


def caller_of(request: web.Request) -> Caller:
    """Who asks."""
    return request[_CALLER]


def known_caller_of(request: web.Request) -> Caller | None:
    """Who asks; None if that is not known, where it need not be."""
    return request.get(_CALLER)


def caller_middleware(door: Door) -> Middleware:
    """Let nobody through whom the door does not know.

    Paths that do not exist are no exception: who has no credential does not learn which do.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        resource = request.match_info.route.resource
        path = "" if resource is None else resource.canonical
        if path in OPEN_IN_SHORT:
            with contextlib.suppress(CredentialMissing, CredentialUnchecked):
                request[_CALLER] = await door.caller_of(_proofs(request))
        elif path not in OPEN:
            request[_CALLER] = await door.caller_of(_proofs(request))
        return await handler(request)

    return middleware


def _proofs(request: web.Request) -> Proofs:
    transport = request.transport
    return Proofs(
        authorization=request.headers.getall(hdrs.AUTHORIZATION, ()),
        certificate=None if transport is None else transport.get_extra_info("peercert"),
    )
