"""An issuer of JSON Web Tokens: keys, tokens, and the server that publishes the keys."""

import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, Final

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

AUDIENCE: Final = "analysis-gateway"
_MAKES: Final[Mapping[str, Any]] = {
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "RS256-short": lambda: rsa.generate_private_key(65537, 1024),
    "PS256": lambda: rsa.generate_private_key(65537, 2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}
_WRITES: Final[Mapping[str, Any]] = {
    "RS": RSAAlgorithm.to_jwk,
    "PS": RSAAlgorithm.to_jwk,
    "ES": ECAlgorithm.to_jwk,
    "Ed": OKPAlgorithm.to_jwk,
}


@cache
def _private(key_id: str, kind: str) -> Any:
    # It takes longer to make one than to run a test.
    del key_id
    return _MAKES[kind]()


class SigningKey:
    """A private key with its id."""

    def __init__(self, key_id: str, kind: str = "RS256", *, of: str = "") -> None:
        self.id = key_id
        self.algorithm = kind.partition("-")[0]
        self.private = _private(f"{of}{key_id}", kind)

    def public(self, **fields: Any) -> dict[str, Any]:
        """The public key as a JSON Web Key."""
        written = json.loads(_WRITES[self.algorithm[:2]](self.private.public_key()))
        return {**written, "kid": self.id, "use": "sig", **fields}


class TokenIssuer:
    """What an issuer says; tests change it as they like."""

    def __init__(self) -> None:
        self.url = ""
        self.key = SigningKey("key-1")
        self.published: list[Any] = [self.key.public()]
        self.document: dict[str, Any] = {}
        """What the discovery says instead of what it should."""
        self.is_away = False
        self.asked: list[str] = []

    def rotate(self, key_id: str) -> None:
        """Sign with a new key, and publish only that."""
        self.key = SigningKey(key_id)
        self.published = [self.key.public()]

    def token(self, *, key: SigningKey | None = None, **claims: Any) -> str:
        """A token that is valid, but for what is said; claims that are None are left out."""
        signing = key or self.key
        payload = {**self.claims(), **claims}
        return jwt.encode(
            {name: value for name, value in payload.items() if value is not None},
            signing.private,
            signing.algorithm,
            headers={"kid": signing.id},
        )

    def claims(self) -> dict[str, Any]:
        """Those of a valid token."""
        now = int(time.time())
        return {
            "iss": self.url,
            "sub": "repo:acme/shop:ref:refs/heads/main",
            "aud": AUDIENCE,
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            "repository": "acme/shop",
            "ref": "refs/heads/main",
        }

    async def answer(self, request: web.Request) -> web.Response:
        """The discovery, and the keys."""
        self.asked.append(request.path)
        if self.is_away:
            return web.Response(status=503)
        if request.path == "/keys":
            return web.json_response({"keys": self.published})
        return web.json_response(
            {"issuer": self.url, "jwks_uri": f"{self.url}/keys", **self.document}
        )


@asynccontextmanager
async def token_issuer() -> AsyncIterator[TokenIssuer]:
    """An issuer whose server runs."""
    issuer = TokenIssuer()
    app = web.Application()
    app.router.add_get("/{rest:.*}", issuer.answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    issuer.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield issuer
    finally:
        await runner.cleanup()
