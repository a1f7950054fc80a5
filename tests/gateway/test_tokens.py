"""Access tokens that measurements share."""

import asyncio

import pytest

from gateway.errors import ProviderRejected
from gateway.provider import AccessToken
from gateway.upstreams.tokens import MAX_TOKENS, TokenCache


class Server:
    """A token server that counts, and a clock that stands still until it is moved."""

    def __init__(self, lifetime_s: float | None = 300.0) -> None:
        self.now_s = 1000.0
        self.lifetime_s = lifetime_s
        self.asked = 0

    def clock_s(self) -> float:
        """Seconds, as the test has set them."""
        return self.now_s

    async def fetch(self) -> AccessToken:
        """The next token."""
        self.asked += 1
        number = self.asked
        await asyncio.sleep(0)
        return AccessToken(f"Bearer {number}", self.lifetime_s)


@pytest.mark.parametrize(
    ("lifetime_s", "useful_s"),
    [
        pytest.param(300.0, 270.0, id="half-a-minute-before-it-expires"),
        pytest.param(3600.0, 3570.0, id="half-a-minute-before-a-long-life-ends"),
        pytest.param(10.0, 9.0, id="a-tenth-before-a-short-life-ends"),
        pytest.param(None, 60.0, id="a-minute-if-the-server-does-not-say"),
        pytest.param(-5.0, 0.0, id="never-if-it-has-expired-already"),
    ],
)
async def test_a_token_serves_until_shortly_before_it_expires(
    lifetime_s: float | None, useful_s: float
) -> None:
    """A fresh token is not fetched again; an old one is."""
    server = Server(lifetime_s)
    tokens = TokenCache(server.clock_s)
    await tokens.get("id", server.fetch)
    server.now_s += useful_s - 0.001
    assert tokens.is_fresh("id") is (useful_s > 0)
    server.now_s += 0.001
    assert not tokens.is_fresh("id")
    assert (await tokens.get("id", server.fetch)).authorization == "Bearer 2"


async def test_a_life_is_counted_from_the_question() -> None:
    """The time that the answer takes is not added to the token's life."""
    server = Server(300.0)
    tokens = TokenCache(server.clock_s)

    async def slow() -> AccessToken:
        server.now_s += 100
        return await server.fetch()

    await tokens.get("id", slow)
    server.now_s += 170
    assert not tokens.is_fresh("id")


async def test_callers_share_one_fetch() -> None:
    """Whoever asks while a token is on its way waits for the same one."""
    server = Server()
    tokens = TokenCache(server.clock_s)
    got = await asyncio.gather(*(tokens.get("id", server.fetch) for _ in range(20)))
    assert ({token.authorization for token in got}, server.asked) == ({"Bearer 1"}, 1)


async def test_identities_do_not_mix() -> None:
    """Another identity gets a token of its own."""
    server = Server()
    tokens = TokenCache(server.clock_s)
    first = await tokens.get("a", server.fetch)
    second = await tokens.get("b", server.fetch)
    assert (first.authorization, second.authorization) == ("Bearer 1", "Bearer 2")


async def test_a_caller_that_leaves_takes_nothing_along() -> None:
    """The fetch goes on for those who wait."""
    server = Server()
    tokens = TokenCache(server.clock_s)
    first = asyncio.create_task(tokens.get("id", server.fetch))
    second = asyncio.create_task(tokens.get("id", server.fetch))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).authorization == "Bearer 1"
    assert server.asked == 1


async def test_a_failure_reaches_all_and_is_forgotten() -> None:
    """Everybody who waited learns of it; the next caller tries anew."""

    async def refuse() -> AccessToken:
        await asyncio.sleep(0)
        raise ProviderRejected("no")

    server = Server()
    tokens = TokenCache(server.clock_s)
    got = await asyncio.gather(
        *(tokens.get("id", refuse) for _ in range(3)), return_exceptions=True
    )
    assert [str(error) for error in got] == ["no", "no", "no"]
    assert (await tokens.get("id", server.fetch)).authorization == "Bearer 1"


async def test_a_failure_that_nobody_waits_for_is_quiet() -> None:
    """Asyncio has nothing to complain of when the only caller has left."""

    async def refuse() -> AccessToken:
        await asyncio.sleep(0)
        raise ProviderRejected("no")

    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: complaints.append(what))
    tokens = TokenCache()
    caller = asyncio.create_task(tokens.get("id", refuse))
    await asyncio.sleep(0)
    caller.cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    assert complaints == []


async def test_a_fetch_that_is_cancelled_leaves_nothing_behind() -> None:
    """At shutdown the loop cancels the fetch; its waiters are cancelled with it."""

    async def cancelled() -> AccessToken:
        raise asyncio.CancelledError

    server = Server()
    tokens = TokenCache(server.clock_s)
    with pytest.raises(asyncio.CancelledError):
        await tokens.get("id", cancelled)
    assert (await tokens.get("id", server.fetch)).authorization == "Bearer 1"


async def test_a_refused_token_is_forgotten_unless_replaced() -> None:
    """Two measurements that were refused with one token do not drop each other's new one."""
    server = Server()
    tokens = TokenCache(server.clock_s)
    old = await tokens.get("id", server.fetch)
    tokens.forget("id", old)
    new = await tokens.get("id", server.fetch)
    tokens.forget("id", old)
    assert await tokens.get("id", server.fetch) is new


async def test_the_number_of_tokens_is_bounded() -> None:
    """The token that was used longest ago goes first."""
    server = Server()
    tokens = TokenCache(server.clock_s)
    for number in range(MAX_TOKENS):
        await tokens.get(str(number), server.fetch)
    await tokens.get("0", server.fetch)
    await tokens.get("one more", server.fetch)
    assert [tokens.is_fresh(identity) for identity in ("0", "1", "one more")] == [True, False, True]


async def test_secrets_cannot_be_read_from_the_cache() -> None:
    """What the cache keeps and shows holds neither the identity nor the token."""
    server = Server()
    tokens = TokenCache(server.clock_s)
    token = await tokens.get("client secret", server.fetch)
    assert "Bearer" not in repr(token)
    assert "secret" not in repr(vars(tokens))
