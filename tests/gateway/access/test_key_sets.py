"""An issuer's keys, as they come, go and fail to come."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from backends import Play, backend
from running import until
from token_issuer import SigningKey, TokenIssuer, token_issuer

from gateway.access.key_sets import FRESH_S, PAUSE_S, USABLE_S, KeySet, usable_keys
from gateway.config.access import Issuer
from gateway.errors import CredentialRefused, CredentialUnchecked
from gateway.upstreams.http_client import HttpClient


class Clock:
    """A clock that stands still."""

    now_s = 1_000.0

    def __call__(self) -> float:
        """The time."""
        return self.now_s


class Keys:
    """A set of keys, its issuer and its clock."""

    def __init__(self, issuer: TokenIssuer, http: HttpClient, **settings: Any) -> None:
        self.issuer = issuer
        self.clock = Clock()
        chosen = {"name": "ours", "issuer": issuer.url, "audiences": ["x"], **settings}
        self.set = KeySet(Issuer.model_validate(chosen), http, self.clock)

    async def has(self, key_id: str) -> bool | str:
        """Whether a key is found; ``unchecked`` if that is not known."""
        try:
            return (await self.set.find(key_id)).get("kid") == key_id
        except CredentialRefused:
            return False
        except CredentialUnchecked:
            return "unchecked"

    async def settle(self) -> None:
        """Let what is read beside come to its end."""
        while self.set._beside:
            await asyncio.gather(*self.set._beside)


@asynccontextmanager
async def keys_of(**settings: Any) -> AsyncIterator[Keys]:
    """The keys of an issuer that is there."""
    async with token_issuer() as issuer, HttpClient() as http:
        keys = Keys(issuer, http, **settings)
        try:
            yield keys
        finally:
            await keys.set.close()


async def test_keys_are_found_by_discovery_and_kept() -> None:
    """The first token costs two requests, the next ones none."""
    async with keys_of() as keys:
        assert [await keys.has("key-1") for _ in range(3)] == [True] * 3
        assert keys.issuer.asked == ["/.well-known/openid-configuration", "/keys"]
        assert keys.set.details() == {"keys": 1, "ageSeconds": 0, "problems": []}


async def test_keys_may_have_a_place_of_their_own() -> None:
    """Then nothing is discovered."""
    async with keys_of() as keys:
        url = f"{keys.issuer.url}/keys"
        async with HttpClient() as http:
            told = Keys(keys.issuer, http, jwks=url)
            assert await told.has("key-1")
        assert keys.issuer.asked == ["/keys"]


async def test_many_who_come_at_once_cause_one_reading() -> None:
    """They wait for it together."""
    async with keys_of() as keys:
        assert await asyncio.gather(*(keys.has("key-1") for _ in range(20))) == [True] * 20
        assert len(keys.issuer.asked) == 2


async def test_a_new_key_is_found_when_a_token_names_it() -> None:
    """At once, but anybody can name keys: the issuer is left alone for a while after that."""
    async with keys_of() as keys:
        assert await keys.has("key-1")
        keys.issuer.rotate("key-2")
        assert await keys.has("key-2") is False
        keys.clock.now_s += PAUSE_S
        assert await keys.has("key-2") is True
        assert await keys.has("key-1") is False
        asked = len(keys.issuer.asked)
        assert {await keys.has(f"made-up-{number}") for number in range(50)} == {False}
        assert len(keys.issuer.asked) == asked


async def test_old_keys_answer_while_new_ones_are_read() -> None:
    """Nobody waits for it; a key that is gone is gone after that."""
    async with keys_of() as keys:
        assert await keys.has("key-1")
        keys.issuer.rotate("key-2")
        keys.clock.now_s += FRESH_S
        assert await keys.has("key-1") is True
        await keys.settle()
        assert [await keys.has("key-1"), await keys.has("key-2")] == [False, True]


async def test_keys_stay_in_use_while_the_issuer_is_away(caplog: pytest.LogCaptureFixture) -> None:
    """For a day; what is not known then cannot be checked, which is no refusal."""
    async with keys_of() as keys:
        assert await keys.has("key-1")
        keys.issuer.is_away = True
        keys.clock.now_s += FRESH_S
        with caplog.at_level(logging.WARNING):
            assert await keys.has("key-1") is True
            await keys.settle()
        assert "cannot be read" in caplog.text
        assert keys.set.details()["problems"]
        asked = len(keys.issuer.asked)
        assert [await keys.has("key-1"), await keys.has("key-2")] == [True, "unchecked"]
        assert len(keys.issuer.asked) == asked
        keys.clock.now_s += USABLE_S
        assert await keys.has("key-1") == "unchecked"
        keys.issuer.is_away = False
        assert await keys.has("key-1") == "unchecked"
        keys.clock.now_s += PAUSE_S
        assert await keys.has("key-1") is True
        assert keys.set.details()["problems"] == []


async def test_an_issuer_that_was_never_there(caplog: pytest.LogCaptureFixture) -> None:
    """Says nothing about anybody; who asks is not told where it should be."""
    async with HttpClient() as http:
        issuer = TokenIssuer()
        issuer.url = "http://127.0.0.1:1"
        keys = Keys(issuer, http)
        with pytest.raises(CredentialUnchecked) as caught:
            await keys.set.find("key-1")
        assert "127.0.0.1" not in str(caught.value)
        assert keys.set.details()["ageSeconds"] is None
    assert "connection refused" in str(vars(caplog.records[0]))


@pytest.mark.parametrize(
    ("document", "why"),
    [
        pytest.param({"issuer": "https://other"}, "is about another issuer", id="another-issuer"),
        pytest.param({"jwks_uri": "http://other/keys"}, "no jwks_uri that is", id="no-tls"),
        pytest.param({"jwks_uri": 3}, "no jwks_uri that is", id="no-text"),
    ],
)
async def test_a_discovery_that_is_not_to_be_trusted(
    document: dict[str, Any], why: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Is not obeyed."""
    async with keys_of() as keys:
        keys.issuer.document = document
        assert await keys.has("key-1") == "unchecked"
    assert why in str(vars(caplog.records[0]))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("", id="nothing"),
        pytest.param("<html>", id="a-page"),
        pytest.param("[]", id="a-list"),
        pytest.param("[" * 100_000, id="a-deep-list"),
        pytest.param("{}", id="no-keys"),
        pytest.param('{"keys": {}}', id="keys-that-are-no-list"),
        pytest.param('{"keys": []}', id="an-empty-list"),
        pytest.param('{"keys": [3, {"kty": "oct", "kid": "key-1", "k": "AAAA"}]}', id="a-secret"),
        pytest.param('{"keys": [{"kty": "RSA", "use": "enc", "kid": "key-1"}]}', id="encryption"),
    ],
)
async def test_an_answer_that_has_no_keys(body: str) -> None:
    """Proves nobody, and takes nothing away from those that are known."""
    async with backend(Play(body)) as server, HttpClient() as http:
        issuer = TokenIssuer()
        issuer.url = server.url
        keys = Keys(issuer, http, jwks=server.url)
        assert await keys.has("key-1") == "unchecked"


async def test_a_token_without_a_key_id_means_the_only_key() -> None:
    """If there are several it means none."""
    async with keys_of() as keys:
        assert (await keys.set.find(""))["kid"] == "key-1"
        keys.issuer.published.append(SigningKey("key-2").public())
        keys.clock.now_s += FRESH_S
        await keys.set.find("")
        await keys.settle()
        assert await keys.has("") is False


async def test_a_reading_ends_with_the_gateway() -> None:
    """However slow the issuer is."""
    async with backend(Play(delay_s=1)) as server, HttpClient() as http:
        issuer = TokenIssuer()
        issuer.url = server.url
        keys = Keys(issuer, http)
        asking = asyncio.create_task(keys.set.find("key-1"))
        await until(lambda: server.requests)
        await keys.set.close()
        with pytest.raises(asyncio.CancelledError):
            await asking


def test_the_first_of_two_keys_with_one_id_counts() -> None:
    """And no more than a hundred are looked at."""
    first, second = {"kty": "RSA", "kid": "a"}, {"kty": "EC", "kid": "a"}
    others = [{"kty": "RSA", "kid": f"k{number}"} for number in range(200)]
    found = usable_keys({"keys": [first, second, *others]}, "url")
    assert (found["a"], len(found)) == (first, 99)
