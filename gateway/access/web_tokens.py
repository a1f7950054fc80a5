"""JSON Web Tokens: who holds one is whom its issuer says.

Only asymmetric signatures are accepted, and only the algorithm that the key is for: a public key is
no password, and no signature is none. What a token says of keys or of places to fetch them from
(``jwk``, ``jku``, ``x5u``) is not looked at.

Sources: RFC 7519 and RFC 8725 (best current practices).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import jwt

from gateway.access.caller import Caller, Claims
from gateway.access.kept_answers import KeptAnswers
from gateway.access.key_sets import Key, KeySet
from gateway.config.access import Issuer
from gateway.errors import CredentialRefused

ALGORITHMS: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
LONGEST_KEPT_S: Final = 300.0
"""After so long a token is checked again, whether it is over or not: its key may be gone."""
MAX_SUBJECT_CHARS: Final = 512
_REQUIRED: Final = ["iss", "sub", "aud", "exp"]
_WHY: Final[Mapping[type[jwt.PyJWTError], str]] = {
    jwt.ExpiredSignatureError: "it is over (exp)",
    jwt.ImmatureSignatureError: "it is not valid yet (nbf, iat)",
    jwt.InvalidAudienceError: "it is meant for somebody else (aud)",
    jwt.InvalidSignatureError: "its signature is wrong",
    jwt.MissingRequiredClaimError: "it lacks one of iss, sub, aud and exp",
}
"""What is told of a token. All but the signature is known only of tokens that are genuine."""


@dataclass(frozen=True, slots=True)
class Source:
    """An issuer that is trusted, and its keys."""

    issuer: Issuer
    keys: KeySet


class WebTokens:
    """A kind of credential."""

    def __init__(self, sources: Mapping[str, Source], now_unix_s: Callable[[], float]) -> None:
        self._sources = sources
        self._now_unix_s = now_unix_s
        self._kept = KeptAnswers[Caller](now_unix_s)

    async def caller_of(self, token: str) -> Caller | None:
        """Whose a token is; None if it is no token of these issuers.

        Raises:
            CredentialRefused: it is one, and not valid.
            CredentialUnchecked: the issuer's keys cannot be had now.

        """
        kept = self._kept.find(token)
        if kept is not None:
            return kept
        header, issuer = _claimed(token)
        source = self._sources.get(issuer)
        if source is None:
            return None
        algorithm, key_id = header.get("alg"), header.get("kid", "")
        if algorithm not in ALGORITHMS or not isinstance(key_id, str) or "crit" in header:
            raise _refused(source, "its algorithm is not accepted (alg, crit)")
        key = await source.keys.find(key_id)
        payload = _verified(token, source, key, str(algorithm))
        caller = _caller(source, payload)
        now_unix_s = self._now_unix_s()
        over_unix_s = float(payload["exp"])  # type: ignore[arg-type] # PyJWT has read it as a number
        self._kept.keep(token, caller, until_s=min(over_unix_s, now_unix_s + LONGEST_KEPT_S))
        return caller


def _claimed(token: str) -> tuple[Mapping[str, object], str]:
    """What a token says of itself, before anything is verified: its header and its issuer."""
    try:
        unverified = jwt.decode_complete(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError):
        return {}, ""
    issuer = unverified["payload"].get("iss")
    return unverified["header"], issuer if isinstance(issuer, str) else ""


def _verified(token: str, source: Source, key: Key, algorithm: str) -> Mapping[str, object]:
    if key.get("alg", algorithm) != algorithm:
        raise _refused(source, "its algorithm is not that of its key")
    try:
        return jwt.decode(
            token,
            jwt.PyJWK(dict(key), algorithm),
            algorithms=[algorithm],
            audience=source.issuer.audiences,
            issuer=source.issuer.issuer,
            leeway=source.issuer.leeway_s,
            options={"require": _REQUIRED, "enforce_minimum_key_length": True},
        )
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
        kinds = (_WHY.get(kind) for kind in type(error).__mro__)
        why = next((text for text in kinds if text), "it does not fit its key")
        raise _refused(source, why) from None


def _caller(source: Source, payload: Mapping[str, object]) -> Caller:
    subject = payload.get("sub")
    if not isinstance(subject, str) or not _is_name(subject):
        raise _refused(source, "its subject is no name (sub)")
    return Caller(f"jwt:{source.issuer.name}:{subject}", claims=claims_of(payload))


def _is_name(text: str) -> bool:
    return 0 < len(text) <= MAX_SUBJECT_CHARS and text.isprintable()


def claims_of(payload: Mapping[str, object]) -> Claims:
    """What a policy can look at: texts, whole numbers, truth values, and lists of them."""
    claims = []
    for name in sorted(payload):
        value = payload[name]
        items = value if isinstance(value, list) else [value]
        texts = tuple(text for text in map(_text, items) if text is not None)
        if texts:
            claims.append((name, texts))
    return tuple(claims)


def _text(value: object) -> str | None:
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case str():
            return value
        case _:
            return None


def _refused(source: Source, why: str) -> CredentialRefused:
    return CredentialRefused(f"the token of issuer {source.issuer.name} is refused: {why}")
