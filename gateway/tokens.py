"""Access tokens in memory: shared by measurements until shortly before they expire."""

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.newest import remember
from gateway.provider import AccessToken
from gateway.single_flight import Flights, shared

MAX_TOKENS = 1_000
"""How many tokens are remembered; the one that was used longest ago goes first."""
UNSTATED_LIFETIME_S = 60.0
"""How long a token serves whose server does not say when it expires."""
EARLY_S = 30.0
"""A token is renewed so many seconds before it expires, or after nine tenths of its life if that
is later: clocks and networks are not exact."""


@dataclass(frozen=True, slots=True)
class _Held:
    token: AccessToken
    until_s: float


class TokenCache:
    """Implements ``gateway.provider.AccessTokens`` for one event loop.

    A caller that gives up does not end the fetch that others wait for; the fetch ends by its own
    time limit.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        # Secrets are part of an identity: with a key of its own, what a memory dump or a debugger
        # shows of this table cannot be guessed back.
        self._hash_key = secrets.token_bytes(32)
        self._held: OrderedDict[bytes, _Held] = OrderedDict()
        self._fetching: Flights[bytes, AccessToken] = {}

    def is_fresh(self, identity: str) -> bool:
        """Whether a token of this identity is remembered and not about to expire."""
        return self._fresh(self._key(identity)) is not None

    async def get(self, identity: str, fetch: Callable[[], Awaitable[AccessToken]]) -> AccessToken:
        """The remembered token of an identity, or the one that ``fetch`` brings."""
        key = self._key(identity)
        token = self._fresh(key)
        if token is not None:
            return token
        return await shared(self._fetching, key, lambda: self._fetch(key, fetch))

    def forget(self, identity: str, token: AccessToken) -> None:
        """Drop ``token`` if it is still the one that is remembered."""
        key = self._key(identity)
        held = self._held.get(key)
        if held is not None and held.token is token:
            del self._held[key]

    def _key(self, identity: str) -> bytes:
        text = identity.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, key=self._hash_key, digest_size=32).digest()

    def _fresh(self, key: bytes) -> AccessToken | None:
        held = self._held.get(key)
        if held is None or held.until_s <= self._clock_s():
            return None
        self._held.move_to_end(key)
        return held.token

    async def _fetch(self, key: bytes, fetch: Callable[[], Awaitable[AccessToken]]) -> AccessToken:
        # A token's life is counted from before it was asked for, never from later.
        asked_at_s = self._clock_s()
        token = await fetch()
        held = _Held(token, asked_at_s + _useful_s(token))
        remember(self._held, key, held, at_most=MAX_TOKENS)
        return token


def _useful_s(token: AccessToken) -> float:
    if token.lifetime_s is None:
        return UNSTATED_LIFETIME_S
    return max(token.lifetime_s - EARLY_S, token.lifetime_s * 0.9)
