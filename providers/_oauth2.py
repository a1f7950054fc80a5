"""OAuth2 client credentials: the token request, its reply, and the token that is shared.

Sources: golang.org/x/oauth2 internal/token.go and token.go, as argo-rollouts
metricproviders/prometheus/prometheus.go:297-311 and webmetric/webmetric.go:198-214 @ 9f8d111d8 use
them. Unlike Argo, a token serves until shortly before it expires, the time limit of the measurement
holds for the token as well, and a token that the metric's server refuses is replaced once.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import quote_plus

from gateway.errors import (
    ProviderError,
    ProviderInvalid,
    ProviderRejected,
    ProviderUnreachable,
    ProviderUnreadable,
)
from gateway.gotext import quote
from gateway.made_credentials import making
from gateway.provider import (
    AccessToken,
    AccessTokens,
    HttpRequest,
    HttpResponse,
    NoAnswer,
    Stage,
    Tls,
)
from gateway.secrets import Redaction, Secret
from gateway.upstreams.gourl import basic_authorization
from providers._echoes import without_echo
from providers._json import NotJson, decode
from providers._requests import (
    FORM,
    decode_form,
    encode_form,
    shortened,
    shown_request,
    with_headers,
)
from providers._shapes import OAuth2Config

Send = Callable[[HttpRequest], Awaitable[HttpResponse]]
"""Sends a request with all that a provider adds to each, within the time that is left."""

_UNAUTHORIZED = 401
_SUCCESS = range(200, 300)
_FORMS = {FORM, "text/plain"}
_KNOWN_TYPES = {"bearer": "Bearer", "mac": "MAC", "basic": "Basic"}
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,15}")
_SHOWN_CHARS = 1024
_MIN_MASKED_CHARS = 6
_LONGEST_LIFETIME_S = 2.0**31 - 1


@dataclass(frozen=True, slots=True)
class OAuth2:
    """One client at one token server."""

    config: OAuth2Config
    tls: Tls
    surroundings: str
    """What else decides about the token: all that the provider adds to a token request."""

    async def send(self, request: HttpRequest, tokens: AccessTokens, send: Send) -> HttpResponse:
        """Send a request with a token; one that was shared and is refused is replaced once.

        Raises:
            ProviderError: as ``send`` does; a failure to get a token names the request, too.

        """
        identity = repr((self.config.model_dump(), self.tls, self.surroundings))
        was_shared = tokens.is_fresh(identity)
        token = await self._token(identity, request, tokens, send)
        response = await _sent(request, token, send)
        if response.status != _UNAUTHORIZED or not was_shared:
            return response
        tokens.forget(identity, token)
        token = await self._token(identity, request, tokens, send)
        return await _sent(request, token, send)

    async def _token(
        self, identity: str, request: HttpRequest, tokens: AccessTokens, send: Send
    ) -> AccessToken:
        try:
            return await tokens.get(identity, lambda: self._fetch(send))
        except ProviderError as error:
            raise _about(request, error) from error

    async def _fetch(self, send: Send) -> AccessToken:
        in_header, in_form = build_requests(self.config, self.tls)
        try:
            return await _exchange(in_header, send)
        except ProviderError:
            # Servers differ in where they want the secret; which one this is, only trying tells.
            return await _exchange(in_form, send)


def parse_oauth2(config: OAuth2Config, tls: Tls, surroundings: str) -> OAuth2 | None:
    """None unless a token URL is configured.

    Raises:
        ProviderInvalid: the client's id or its secret is missing.

    """
    if not config.token_url:
        return None
    if not config.client_id or not config.client_secret:
        raise ProviderInvalid("missing mandatory parameter in metric for OAuth2 setup")
    return OAuth2(config, tls, surroundings)


def build_requests(config: OAuth2Config, tls: Tls) -> tuple[HttpRequest, HttpRequest]:
    """The first attempt, with the secret in a header, and the second, with it in the form."""
    form = {"grant_type": "client_credentials"}
    if config.scopes:
        form["scope"] = " ".join(config.scopes)
    basic = basic_authorization(
        quote_plus(config.client_id, errors="replace"),
        quote_plus(config.client_secret, errors="replace"),
    )
    in_form = HttpRequest(
        "POST",
        config.token_url,
        {"Content-Type": FORM},
        encode_form(
            {**form, "client_id": config.client_id, "client_secret": config.client_secret}
        ).encode(),
        tls,
    )
    in_header = replace(
        in_form,
        headers={"Content-Type": FORM, "Authorization": basic},
        body=encode_form(form).encode(),
    )
    return in_header, in_form


def read_token(response: HttpResponse) -> AccessToken:
    """The token in a reply.

    Raises:
        ProviderRejected: the server refused.
        ProviderUnreadable: the reply holds no token.

    """
    has_failed = response.status not in _SUCCESS
    try:
        fields = _fields(response)
    except NotJson as error:
        if has_failed:
            raise ProviderRejected(_refusal(response, {})) from error
        raise ProviderUnreadable(f"oauth2: cannot parse json: {error}") from error
    if has_failed or fields.get("error"):
        raise ProviderRejected(_refusal(response, fields))
    if not fields.get("access_token"):
        raise ProviderUnreadable("oauth2: server response missing access_token")
    kind = fields.get("token_type", "")
    kind = _KNOWN_TYPES.get(kind.lower(), kind) or "Bearer"
    lifetime_s = _lifetime_s(fields.get("expires_in", ""))
    return AccessToken(f"{kind} {fields['access_token']}", lifetime_s)


async def _exchange(request: HttpRequest, send: Send) -> AccessToken:
    try:
        with making():
            response = await send(request)
    except NoAnswer as failure:
        if failure.stage is Stage.AWAITING_HEADERS:
            raise
        raise ProviderUnreachable(f"oauth2: cannot fetch token: {failure}") from failure
    return read_token(response)


async def _sent(request: HttpRequest, token: AccessToken, send: Send) -> HttpResponse:
    return await without_echo(send(_authorized(request, token)), _redaction(token.authorization))


@lru_cache(maxsize=64)
def _redaction(authorization: str) -> Redaction:
    token = authorization.partition(" ")[2]
    # A shorter one is found by chance, and what is masked cannot be judged any more.
    return Redaction([Secret(token)] if len(token) >= _MIN_MASKED_CHARS else [])


def _authorized(request: HttpRequest, token: AccessToken) -> HttpRequest:
    headers = with_headers(request.headers, [("Authorization", token.authorization)])
    return replace(request, headers=headers)


def _about(request: HttpRequest, error: ProviderError) -> ProviderError:
    kinds = (ProviderInvalid, ProviderRejected, ProviderUnreadable)
    kind = next((kind for kind in kinds if isinstance(error, kind)), ProviderUnreachable)
    return kind(f"{shown_request(request)}: {error}")


def _fields(response: HttpResponse) -> dict[str, str]:
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type in _FORMS:
        pairs = decode_form(response.body.decode("utf-8", "replace"))
        # Of a name that comes more than once, the first counts.
        return dict(reversed(pairs))
    document = decode(response.body)
    if not isinstance(document, dict):
        raise NotJson("the reply is no object")
    return {name: _text(value) for name, value in document.items()}


def _text(value: object) -> str:
    match value:
        case str():
            return value
        case float():
            return f"{value:.0f}"
        case _:
            return ""


def _refusal(response: HttpResponse, fields: dict[str, str]) -> str:
    if fields.get("error"):
        names = ("error", "error_description", "error_uri")
        parts = [quote(fields[name]) for name in names if fields.get(name)]
        return f"oauth2: {' '.join(parts)}"
    head = shortened(response.body.decode("utf-8", "replace"), _SHOWN_CHARS)
    status = f"{response.status} {response.reason}".rstrip()
    return f"oauth2: cannot fetch token: {status}\nResponse: {head}"


def _lifetime_s(text: str) -> float | None:
    # Zero means, as in Go, that the server said nothing.
    is_number = _WHOLE_NUMBER.fullmatch(text) is not None
    return min(float(text), _LONGEST_LIFETIME_S) or None if is_number else None
