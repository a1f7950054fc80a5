"""Signing in and out: a token for a cookie, as a browser that follows a link sends no token."""

from typing import Final
from urllib.parse import parse_qs

from aiohttp import hdrs, web

from gateway.access.authentication import Door, Proofs
from gateway.access.sessions import COOKIE, MAX_TOKEN_CHARS, SESSION_S, StoredSessions
from gateway.api import bodies
from gateway.api.callers import known_caller_of
from gateway.api.origins import refuse_other_origins
from gateway.config.settings import Limits
from gateway.errors import CredentialRefused, CredentialUnchecked, RequestInvalid, StoreUnavailable
from gateway.web.failures import SIGN_IN, wanted_path
from gateway.web.rendering import Renderer, redirect

SIGN_OUT: Final = "/sign-out"
MAX_FORM_BYTES: Final = 32 * 1024
"""Room for the longest token, every character of which may be written as three."""
_MAX_FIELDS: Final = 10


class SignIn:
    """``/sign-in`` and ``/sign-out``."""

    paths: Final = (SIGN_IN, SIGN_OUT)

    def __init__(
        self, door: Door, sessions: StoredSessions, renderer: Renderer, limits: Limits
    ) -> None:
        self._door = door
        self._sessions = sessions
        self._renderer = renderer
        self._limits = limits

    def routes(self) -> list[web.RouteDef]:
        """The paths that this resource answers."""
        return [
            web.get(SIGN_IN, self.form),
            web.post(SIGN_IN, self.sign_in),
            web.post(SIGN_OUT, self.sign_out),
        ]

    async def form(self, request: web.Request) -> web.StreamResponse:
        """Where a token is asked for; who is known goes on to where it wanted."""
        wanted = wanted_path(request)
        if known_caller_of(request) is not None:
            return redirect(wanted)
        return await self._renderer.page(request, "sign-in.html", error="", wanted=wanted)

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        """A session for a token that the door accepts.

        Raises:
            RequestRefused: 408 or 413.
            RequestInvalid: the form has more fields than anybody's.
            CredentialRefused: it does not.
            CredentialUnchecked: that, or whether there is a place for the session, is not known.

        """
        refuse_other_origins(request)
        form = _fields(await bodies.read_small(request, self._limits, MAX_FORM_BYTES))
        wanted = wanted_path(request)
        if known_caller_of(request) is not None:
            return redirect(wanted)
        token = form.get("token", [""])[0].strip()
        if len(token) > MAX_TOKEN_CHARS:
            raise CredentialRefused(f"a token has {MAX_TOKEN_CHARS:,} characters at most")
        caller = await self._door.caller_of(Proofs((f"Bearer {token}",), None))
        try:
            cookie = await self._sessions.open(token, caller.name)
        except StoreUnavailable as error:
            raise CredentialUnchecked("nobody can sign in now: Redis does not answer") from error
        response = redirect(wanted)
        response.set_cookie(
            COOKIE,
            cookie,
            max_age=SESSION_S,
            path="/",
            secure=_is_encrypted(request),
            httponly=True,
            samesite="Strict",
        )
        return response

    async def sign_out(self, request: web.Request) -> web.StreamResponse:
        """The end of the session, here and in Redis."""
        refuse_other_origins(request)
        cookie = request.cookies.get(COOKIE)
        if cookie is not None:
            await self._sessions.close(cookie)
        response = redirect(SIGN_IN)
        response.del_cookie(COOKIE, path="/")
        return response


def _fields(form: bytes) -> dict[str, list[str]]:
    try:
        return parse_qs(form.decode(errors="replace"), max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise RequestInvalid(f"a form has {_MAX_FIELDS} fields at most") from None


def _is_encrypted(request: web.Request) -> bool:
    # Behind a proxy that ends TLS only the browser knows.
    return request.secure or request.headers.get(hdrs.ORIGIN, "").startswith("https://")
