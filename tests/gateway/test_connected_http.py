"""What measurements share that may use different connections."""

import pytest

from gateway.provider import AccessToken
from gateway.upstreams.connected_http import ConnectedTokens
from gateway.upstreams.connections import Upstream, read_base
from gateway.upstreams.grants import Grant, Grants
from gateway.upstreams.tokens import TokenCache

UPSTREAM = Upstream(name="u", base=read_base("http://host"), namespaces=("*",), takes_brought=True)
GRANTED = Grants({"u": Grant(UPSTREAM, {"K": "1"})}, {}, (UPSTREAM,))


async def _fetch() -> AccessToken:
    return AccessToken("Bearer t", 3600.0)


@pytest.mark.parametrize(
    ("other", "is_shared"),
    [
        pytest.param(GRANTED, True, id="the-same-grants"),
        pytest.param(Grants({}, {"u": "not you"}, (UPSTREAM,)), False, id="who-may-not"),
        pytest.param(
            Grants({"u": Grant(UPSTREAM, {"K": "2"})}, {}, (UPSTREAM,)), False, id="another-value"
        ),
    ],
)
async def test_a_token_is_for_who_has_the_same_grants(
    other: Grants,
    is_shared: bool,  # noqa: FBT001 - from a table
) -> None:
    """And a refused one is dropped for them alone."""
    cache = TokenCache()
    first, second = ConnectedTokens(cache, GRANTED), ConnectedTokens(cache, other)
    token = await first.get("identity", _fetch)
    assert second.is_fresh("identity") is is_shared
    second.forget("identity", token)
    assert first.is_fresh("identity") is not is_shared
