"""JSON Web Tokens, good ones and forged ones."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from token_issuer import AUDIENCE, SigningKey, TokenIssuer, token_issuer

from gateway.access.caller import Caller
from gateway.access.key_sets import KeySet
from gateway.access.web_tokens import LONGEST_KEPT_S, Source, WebTokens, claims_of
from gateway.config.access import Issuer
from gateway.errors import CredentialRefused, CredentialUnchecked
from gateway.upstreams.http_client import HttpClient

NAME = "jwt:ours:repo:acme/shop:ref:refs/heads/main"


class Setting:
    """An issuer, and who trusts it."""

    def __init__(self, issuer: TokenIssuer, http: HttpClient) -> None:
        self.issuer = issuer
        self.now_s = float(int(time.time()))
        chosen = {"name": "ours", "issuer": issuer.url, "audiences": [AUDIENCE, "other"]}
        trusted = Issuer.model_validate(chosen)
        source = Source(trusted, KeySet(trusted, http, lambda: self.now_s))
        self.tokens = WebTokens({issuer.url: source}, lambda: self.now_s)

    async def outcome(self, token: str) -> str | None:
        """The caller's name, or why the token is refused."""
        try:
            caller = await self.tokens.caller_of(token)
        except CredentialRefused as error:
            return str(error).removeprefix("the token of issuer ours is refused: ")
        return caller and caller.name


@asynccontextmanager
async def trusted() -> AsyncIterator[Setting]:
    """An issuer that is trusted."""
    async with token_issuer() as issuer, HttpClient() as http:
        yield Setting(issuer, http)


def encoded(part: object) -> str:
    """A part of a token."""
    text = part if isinstance(part, str) else json.dumps(part)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


async def test_a_token_proves_its_subject() -> None:
    """All that it says besides is there for the policy."""
    async with trusted() as setting:
        caller = await setting.tokens.caller_of(setting.issuer.token(run_attempt=2, tags=["a"]))
    assert caller is not None
    assert caller.name == NAME
    claims = dict(caller.claims)
    assert claims["repository"] == ("acme/shop",)
    assert (claims["run_attempt"], claims["tags"]) == (("2",), ("a",))


@pytest.mark.parametrize("kind", ["RS256", "PS256", "ES256", "ES384", "EdDSA"])
async def test_what_may_sign(kind: str) -> None:
    """Every asymmetric algorithm, whether the key names it or not."""
    async with trusted() as setting:
        signing = SigningKey("key-1", kind)
        for fields in ({}, {"alg": signing.algorithm}):
            setting.issuer.published = [signing.public(**fields)]
            assert await setting.outcome(setting.issuer.token(key=signing)) == NAME


@pytest.mark.parametrize(
    ("claims", "outcome"),
    [
        pytest.param({"aud": ["x", "other"]}, NAME, id="one-audience-is-enough"),
        pytest.param({"exp": -20}, NAME, id="over-within-the-leeway"),
        pytest.param({"exp": -60}, "it is over (exp)", id="over"),
        pytest.param({"nbf": 20}, NAME, id="early-within-the-leeway"),
        pytest.param({"nbf": 90}, "it is not valid yet (nbf, iat)", id="early"),
        pytest.param({"aud": "x"}, "it is meant for somebody else (aud)", id="another-audience"),
        pytest.param(
            {"aud": "analysis-gateway-2"}, "it is meant for somebody else (aud)", id="longer"
        ),
        pytest.param({"aud": None}, "it lacks one of iss, sub, aud and exp", id="no-audience"),
        pytest.param({"exp": None}, "it lacks one of iss, sub, aud and exp", id="no-end"),
        pytest.param({"sub": None}, "it lacks one of iss, sub, aud and exp", id="no-subject"),
        pytest.param({"sub": ""}, "its subject is no name (sub)", id="an-empty-subject"),
        pytest.param({"sub": "a\nb"}, "its subject is no name (sub)", id="a-subject-of-two-lines"),
        pytest.param({"sub": "x" * 600}, "its subject is no name (sub)", id="a-long-subject"),
        pytest.param({"iss": "https://other"}, None, id="an-issuer-that-nobody-trusts"),
        pytest.param({"iss": ["a"]}, None, id="an-issuer-that-is-no-text"),
    ],
)
async def test_claims_are_checked(claims: dict[str, Any], outcome: str | None) -> None:
    """Each by its own rule; times are seconds from now."""
    now = int(time.time())
    said = {
        name: now + value if isinstance(value, int) else value for name, value in claims.items()
    }
    async with trusted() as setting:
        made = setting.issuer.token(**said) if said.get("iss") != ["a"] else ""
        assert await setting.outcome(made or forged(setting.issuer, claims=said)) == outcome


def forged(
    issuer: TokenIssuer, *, claims: dict[str, Any] | None = None, secret: bytes = b"", **header: Any
) -> str:
    """A token that somebody else made, signed with HMAC."""
    named = {"alg": "HS256", "typ": "JWT", "kid": "key-1", **header}
    text = f"{encoded(named)}.{encoded({**issuer.claims(), **(claims or {})})}"
    signature = hmac.new(secret, text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def pem(key: SigningKey) -> bytes:
    """The public key as everybody can have it."""
    public: bytes = key.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return public


NOT_ACCEPTED = "its algorithm is not accepted (alg, crit)"


@pytest.mark.parametrize(
    ("forge", "outcome"),
    [
        pytest.param(
            lambda it: f"{encoded({'alg': 'none', 'kid': 'key-1'})}.{encoded(it.claims())}.",
            NOT_ACCEPTED,
            id="not-signed-at-all",
        ),
        pytest.param(
            lambda it: forged(it, secret=pem(it.key)), NOT_ACCEPTED, id="public-key-as-password"
        ),
        pytest.param(
            lambda it: forged(it, secret=json.dumps(it.published[0]).encode()),
            NOT_ACCEPTED,
            id="published-key-as-password",
        ),
        pytest.param(lambda it: forged(it, alg="nOnE"), NOT_ACCEPTED, id="none-in-disguise"),
        pytest.param(lambda it: forged(it, alg=None), NOT_ACCEPTED, id="no-algorithm"),
        pytest.param(lambda it: forged(it, alg="RS256"), "its signature is wrong", id="a-lie"),
        pytest.param(
            lambda it: forged(it, alg="ES256"), "it does not fit its key", id="another-kind-of-key"
        ),
        pytest.param(
            lambda it: it.token(key=SigningKey("key-1", of="somebody else")),
            "its signature is wrong",
            id="a-key-that-only-has-the-id",
        ),
        pytest.param(
            lambda it: it.token(key=SigningKey("key-9")),
            "the token names a key that issuer ours does not have",
            id="an-unknown-key",
        ),
        pytest.param(
            lambda it: forged(it, alg="RS256", crit=["b64"], b64=True),
            NOT_ACCEPTED,
            id="critical-headers",
        ),
        pytest.param(
            lambda it: forged(it, alg="RS256", crit=["x"], x=1), None, id="unknown-critical-headers"
        ),
        pytest.param(
            lambda it: jwt.encode(
                it.claims(),
                (mine := SigningKey("mine")).private,
                "RS256",
                headers={"jwk": mine.public(), "jku": "http://127.0.0.1:1/keys"},
            ),
            "its signature is wrong",
            id="a-key-that-it-brings",
        ),
        pytest.param(lambda it: it.token()[:-6] + "AAAAAA", "its signature is wrong", id="broken"),
        pytest.param(
            lambda it: swapped(it.token(), repository="acme/bank"),
            "its signature is wrong",
            id="another-payload",
        ),
        pytest.param(lambda _: "opaque", None, id="no-such-token"),
        pytest.param(lambda _: "a.b.c", None, id="three-parts"),
        pytest.param(
            lambda _: f"{encoded({'alg': 'RS256'})}.{encoded('[' * 6000)}.AAAA", None, id="deep"
        ),
        pytest.param(
            lambda _: f"{encoded({'alg': 'RS256'})}.{encoded('[]')}.AAAA", None, id="a-list"
        ),
        pytest.param(lambda it: forged(it, kid=3), None, id="a-key-id-that-is-no-text"),
    ],
)
async def test_what_somebody_made_up(forge: Any, outcome: str | None) -> None:
    """Is worth nothing, and says why where it can."""
    async with trusted() as setting:
        assert await setting.outcome(forge(setting.issuer)) == outcome


def swapped(token: str, **claims: Any) -> str:
    """The token with other claims and its old signature."""
    header, payload, signature = token.split(".")
    known = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return f"{header}.{encoded({**known, **claims})}.{signature}"


async def test_a_key_is_for_its_own_algorithm() -> None:
    """And one that is too short for none."""
    async with trusted() as setting:
        setting.issuer.published = [setting.issuer.key.public(alg="PS256")]
        outcome = await setting.outcome(setting.issuer.token())
        assert outcome == "its algorithm is not that of its key"
        short = SigningKey("short", "RS256-short")
        setting.issuer.published = [short.public()]
        setting.now_s += 60
        with pytest.warns(match="key is 1024 bits"):
            made = setting.issuer.token(key=short)
        assert await setting.outcome(made) == "it does not fit its key"


async def test_a_token_is_checked_once_until_it_is_over() -> None:
    """Or for five minutes: its key may be gone by then."""
    async with trusted() as setting:
        now = int(setting.now_s)
        short, long = (setting.issuer.token(exp=now + each) for each in (60, 9_000))
        first = [await setting.tokens.caller_of(each) for each in (short, long)]
        setting.issuer.rotate("key-2")
        setting.now_s = now + 59.0
        again = [await setting.tokens.caller_of(each) for each in (short, long)]
        assert [new is old for new, old in zip(again, first, strict=True)] == [True, True]
        assert await setting.outcome(setting.issuer.token()) == NAME
        setting.now_s = now + 60.0
        gone = "the token names a key that issuer ours does not have"
        assert [await setting.outcome(each) for each in (short, long)] == [gone, NAME]
        setting.now_s = now + LONGEST_KEPT_S
        assert await setting.outcome(long) == gone


async def test_an_issuer_that_is_away_refuses_nobody() -> None:
    """It is not known whose the token is."""
    async with trusted() as setting:
        setting.issuer.is_away = True
        with pytest.raises(CredentialUnchecked):
            await setting.tokens.caller_of(setting.issuer.token())


def test_what_a_policy_can_look_at() -> None:
    """Texts, whole numbers, truth values and lists of them; nothing that is deeper."""
    payload: dict[str, Any] = {
        "z": "text",
        "a": 3,
        "b": True,
        "c": ["x", 1, False, None, 1.5, {"y": 1}],
        "d": {"x": "y"},
        "e": None,
        "f": 1.5,
        "g": [],
    }
    assert claims_of(payload) == (
        ("a", ("3",)),
        ("b", ("true",)),
        ("c", ("x", "1", "false")),
        ("z", ("text",)),
    )


def test_no_token_is_in_what_is_shown() -> None:
    """Of a caller there is no more than what the token says."""
    assert "claims=()" in repr(Caller("jwt:ours:x"))
