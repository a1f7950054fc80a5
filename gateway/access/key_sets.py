"""The public keys of an issuer: read when they are wanted, again when they are old or lack one.

While the issuer is away the keys that are known stay in use for a day: its tokens go on being what
they are.

Sources: RFC 7517 (JSON Web Key); OpenID Connect Discovery 1.0, sections 3 and 4.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Mapping
from typing import Final

from gateway.config.access import Issuer, is_trustworthy_url
from gateway.errors import CredentialRefused, CredentialUnchecked, ProviderError
from gateway.provider import Http, HttpRequest
from gateway.single_flight import Flights, shared

FRESH_S: Final = 600.0
"""Older keys are read anew; who asks meanwhile is answered by the old ones."""
USABLE_S: Final = 86_400.0
"""Older keys are worth nothing."""
PAUSE_S: Final = 10.0
"""From one reading to the next: anybody can send tokens that name keys which nobody has."""
TIMEOUT_S: Final = 5.0
MAX_KEYS: Final = 100
_DISCOVERY: Final = "/.well-known/openid-configuration"
_NEVER: Final = float("-inf")
_log: Final = logging.getLogger(__name__)

Key = Mapping[str, object]
"""A JSON Web Key."""


class KeySet:
    """The keys of one issuer."""

    def __init__(self, issuer: Issuer, http: Http, now_s: Callable[[], float]) -> None:
        self._issuer = issuer
        self._http = http
        self._now_s = now_s
        self._keys: Mapping[str, Key] = {}
        self._read_at_s = _NEVER
        self._tried_at_s = _NEVER
        self._failure = ""
        self._reading: Flights[str, None] = {}
        self._beside: set[asyncio.Task[None]] = set()

    async def find(self, key_id: str) -> Key:
        """The key of an id; with an empty one, the only key that there is.

        Raises:
            CredentialRefused: the issuer has no such key.
            CredentialUnchecked: the issuer cannot be asked now.

        """
        age_s = self._now_s() - self._read_at_s
        known = self._known(key_id) if age_s < USABLE_S else None
        if known is None:
            return await self._find_anew(key_id)
        if age_s >= FRESH_S and self._may_try:
            beside = asyncio.create_task(self._read_beside())
            self._beside.add(beside)
            beside.add_done_callback(self._beside.discard)
        return known

    def details(self) -> Mapping[str, object]:
        """How the keys stand; JSON-ready."""
        age_s = self._now_s() - self._read_at_s
        return {
            "keys": len(self._keys),
            "ageSeconds": None if self._read_at_s == _NEVER else round(age_s, 1),
            "problems": [self._failure] if self._failure else [],
        }

    async def close(self) -> None:
        """End what is being read."""
        for task in (*self._beside, *self._reading.values()):
            task.cancel()
        await asyncio.gather(*self._beside, *self._reading.values(), return_exceptions=True)

    @property
    def _may_try(self) -> bool:
        return bool(self._reading) or self._now_s() >= self._tried_at_s + PAUSE_S

    def _known(self, key_id: str) -> Key | None:
        if not key_id and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(key_id)

    async def _find_anew(self, key_id: str) -> Key:
        if self._may_try:
            await shared(self._reading, "", self._read)
        if self._failure:
            raise self._unchecked()
        known = self._known(key_id)
        if known is None:
            raise CredentialRefused(
                f"the token names a key that issuer {self._issuer.name} does not have"
            )
        return known

    async def _read_beside(self) -> None:
        with contextlib.suppress(CredentialUnchecked):
            await shared(self._reading, "", self._read)

    async def _read(self) -> None:
        self._tried_at_s = self._now_s()
        try:
            url = self._issuer.jwks or await self._discovered()
            self._keys = usable_keys(await self._json(url), url)
        except (ProviderError, ValueError) as error:
            # Who asks is told nothing of addresses; the text may hold them.
            self._failure = str(error)
            keys = {"issuer": self._issuer.name, "reason": self._failure}
            _log.warning("the keys of an issuer cannot be read", extra=keys)
            raise self._unchecked() from error
        self._read_at_s, self._failure = self._tried_at_s, ""

    def _unchecked(self) -> CredentialUnchecked:
        return CredentialUnchecked(
            f"the token cannot be checked now: the keys of issuer {self._issuer.name} cannot be had"
        )

    async def _discovered(self) -> str:
        url = self._issuer.issuer.rstrip("/") + _DISCOVERY
        document = await self._json(url)
        if document.get("issuer") != self._issuer.issuer:
            raise ValueError(f"{url} is about another issuer than {self._issuer.issuer}")
        place = document.get("jwks_uri")
        if not isinstance(place, str) or not is_trustworthy_url(place):
            raise ValueError(f"{url} has no jwks_uri that is an https:// URL")
        return place

    async def _json(self, url: str) -> Mapping[str, object]:
        request = HttpRequest("GET", url, {"Accept": "application/json"})
        answer = await self._http.send(request, timeout_s=TIMEOUT_S)
        if answer.status != 200:  # noqa: PLR2004
            raise ValueError(f"{url} answered with status {answer.status}")
        try:
            content = json.loads(answer.body)
        except (ValueError, RecursionError):
            raise ValueError(f"{url} answered with something else than JSON") from None
        if not isinstance(content, dict):
            raise ValueError(f"{url} answered with something else than an object")  # noqa: TRY004
        return content


def usable_keys(document: Mapping[str, object], url: str) -> Mapping[str, Key]:
    """The keys of a set that can verify signatures, by their ids.

    Raises:
        ValueError: there is none.

    """
    found = document.get("keys")
    keys: dict[str, Key] = {}
    for key in (found if isinstance(found, list) else [])[:MAX_KEYS]:
        if isinstance(key, dict) and _is_usable(key):
            keys.setdefault(str(key.get("kid", "")), key)
    if not keys:
        raise ValueError(f"{url} has no key that can be used")
    return keys


def _is_usable(key: Key) -> bool:
    # A secret that is published is none: who has read it could sign as well as the issuer.
    return key.get("kty") != "oct" and key.get("use", "sig") == "sig"
