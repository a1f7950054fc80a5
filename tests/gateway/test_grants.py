"""What requests get of a connection."""

import pytest

from gateway.errors import EgressRefused, ProviderInvalid
from gateway.secrets import Secret
from gateway.upstreams.connections import Upstream, read_base
from gateway.upstreams.grants import Grant, Grants

UPSTREAM = Upstream(name="u", base=read_base("http://host"), namespaces=("*",), takes_brought=False)
GRANT = Grant(UPSTREAM, {"Authorization": "Bearer hunter2", "X-Org": "1"}, (Secret("hunter2"),))


@pytest.mark.parametrize(
    ("own", "has_user", "sent"),
    [
        pytest.param({"A": "b"}, False, {"A": "b", **GRANT.headers}, id="all-is-added"),  # type: ignore[dict-item]
        pytest.param(
            {"authorization": "own"}, False, {"authorization": "own", "X-Org": "1"}, id="own-wins"
        ),
        pytest.param({}, True, {"X-Org": "1"}, id="a-user-of-the-url-wins"),
        pytest.param(
            {"x-org": "2", "Authorization": "o"},
            True,
            {"x-org": "2", "Authorization": "o"},
            id="nothing-is-left-to-add",
        ),
        pytest.param({"hOst": "neighbour"}, True, {"X-Org": "1"}, id="no-host-but-its-own"),
    ],
)
def test_what_a_request_says_itself_wins(
    own: dict[str, str],
    has_user: bool,  # noqa: FBT001 - from a table
    sent: dict[str, str],
) -> None:
    """But for the host, which is the connection's."""
    assert GRANT.added_to(own, has_user=has_user) == sent


def test_a_url_has_a_grant_a_refusal_or_neither() -> None:
    """A value that cannot be had is told to who uses it."""
    broken = Grant(UPSTREAM, ProviderInvalid("connection u: none"))
    grants = Grants({"u": broken}, {}, (UPSTREAM,))
    assert grants.grant_of("http://other") is None
    assert grants.grant_of("http://host/x") is broken
    with pytest.raises(ProviderInvalid, match="connection u: none"):
        broken.added_to({}, has_user=False)
    with pytest.raises(EgressRefused, match="not you"):
        Grants({}, {"u": "not you"}, (UPSTREAM,)).grant_of("http://host/x")


def test_the_identity_changes_with_the_values() -> None:
    """And no repr shows them."""
    rotated = Grant(UPSTREAM, {"Authorization": "Bearer hunter3"})
    broken = Grant(UPSTREAM, ProviderInvalid("none"))
    known = [Grants({"u": each}, {}, (UPSTREAM,)) for each in (GRANT, rotated, broken)]
    known += [Grants(), Grants({}, {"u": "not you"}, (UPSTREAM,))]
    assert len({each.identity for each in known}) == 4
    assert [each.are_broken for each in known] == [False, False, True, False, False]
    assert known[0].secrets == (Secret("hunter2"),)
    assert "hunter" not in repr(known)
