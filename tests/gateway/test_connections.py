"""Which upstream a URL belongs to, and who may use it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstreams.connections import Upstream, read_base, upstream_of


def upstream(name: str, url: str, **others: bool) -> Upstream:
    """One that templates of shop and of the teams may use."""
    return Upstream(
        name=name,
        base=read_base(url),
        namespaces=("shop", "team-*"),
        takes_brought=others.get("takes_brought", False),
    )


ALL = (
    upstream("prom", "http://host:9090/prom/"),
    upstream("tenant", "http://host:9090/prom/tenant"),
    upstream("whole", "https://Whole.Example"),
    upstream("six", "http://[fd00::5]:80"),
)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        pytest.param("http://host:9090/prom", "prom", id="the-base-itself"),
        pytest.param("http://host:9090/prom?q=1", "prom", id="a-query-is-no-path"),
        pytest.param("http://host:9090/prom?q=/../x", "prom", id="dots-of-a-query-lead-nowhere"),
        pytest.param("http://host:9090/prom/api/v1/query", "prom", id="below-the-base"),
        pytest.param("http://host:9090/prom/a%2Fb", "prom", id="an-escaped-slash-below-it"),
        pytest.param("http://host:9090/prom/.../x", "prom", id="three-dots-are-a-name"),
        pytest.param("http://host:9090/prom/tenant/x", "tenant", id="the-longest-wins"),
        pytest.param("http://host:9090/prom/tenants", "prom", id="only-whole-segments-count"),
        pytest.param("http://u:p@host:9090/prom/x", "prom", id="own-credentials-are-no-place"),
        pytest.param("HTTP://HOST.:9090/prom/x", "prom", id="another-spelling-of-the-host"),
        pytest.param("https://whole.example:443/a/../b", "whole", id="nothing-is-above-a-host"),
        pytest.param("https://whole.example", "whole", id="no-path-at-all"),
        pytest.param("http://[FD00:0::5]/x", "six", id="another-spelling-of-an-address"),
        pytest.param("http://host:9090/promX", None, id="a-longer-name"),
        pytest.param("http://host:9090/PROM/x", None, id="paths-have-cases"),
        pytest.param("http://host:9090/", None, id="above-the-base"),
        pytest.param("http://host:9090//prom/x", None, id="another-path"),
        pytest.param("http://host:9090/prom/../admin", None, id="dots-step-out"),
        pytest.param("http://host:9090/prom/..", None, id="dots-at-the-end"),
        pytest.param("http://host:9090/prom/%2e%2E/admin", None, id="escaped-dots"),
        pytest.param("http://host:9090/prom/%252e%252e/admin", None, id="twice-escaped-dots"),
        pytest.param("http://host:9090/prom/..%2fadmin", None, id="an-escaped-slash"),
        pytest.param("http://host:9090/prom/x%5c..%5cadmin", None, id="backslashes"),
        pytest.param("http://host:9090/prom/..;x=1/admin", None, id="parameters-of-a-segment"),
        pytest.param("http://host:9090.evil/prom/x", None, id="the-port-of-a-longer-host"),
        pytest.param("http://host:9090@evil/prom/x", None, id="the-host-as-a-user"),
        pytest.param("http://evil/http://host:9090/prom/", None, id="the-base-as-a-path"),
        pytest.param("http://host.evil:9090/prom/x", None, id="a-longer-host"),
        pytest.param("http://host/prom/x", None, id="another-port"),
        pytest.param("https://host:9090/prom/x", None, id="another-scheme"),
        pytest.param("ftp://host:9090/prom/x", None, id="no-http"),
        pytest.param("host:9090/prom/x", None, id="no-scheme"),
        pytest.param("http:///prom/x", None, id="no-host"),
        pytest.param("http://0x7f000001/prom/x", None, id="no-host-of-ours"),
        pytest.param(f"http://{'h' * 301}/prom", None, id="a-host-that-is-too-long"),
        pytest.param("http://[x", None, id="no-url"),
    ],
)
def test_a_url_belongs_to_the_longest_base_that_it_stays_in(url: str, name: str | None) -> None:
    """Whatever its spelling."""
    found = upstream_of(ALL, url)
    assert (found.name if found else None) == name


@given(st.text(), st.text("./%25eEfFcC\\;ax"))
def test_what_is_outside_never_belongs_to_it(host: str, path: str) -> None:
    """No text in front of a base makes another host its own; no path resolves to one above it."""
    assert upstream_of(ALL[:1], f"http://{host}.evil:9090/prom/x") is None
    found = upstream_of(ALL[:1], f"http://host:9090/prom/{path}")
    assert found is None or ".." not in path.split("/")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        pytest.param("host:9090", "must be a URL such as", id="no-scheme"),
        pytest.param("ftp://host", "must be a URL such as", id="no-http"),
        pytest.param("http://u:p@host", "must not hold credentials", id="credentials"),
        pytest.param("http://host?x", "neither a query nor a fragment", id="a-query"),
        pytest.param("http://host#x", "neither a query nor a fragment", id="a-fragment"),
        pytest.param("http://host/a/../b", "without '..'", id="dots"),
        pytest.param("http://host/a%2Fb", "without escaped slashes", id="an-escaped-slash"),
        pytest.param("http://127.1/", "in this spelling", id="an-unusual-address"),
    ],
)
def test_what_is_no_base_is_refused(url: str, reason: str) -> None:
    """With what is wanted instead."""
    with pytest.raises(ValueError, match=reason):
        read_base(url)


@pytest.mark.parametrize(
    ("namespace", "is_brought", "takes_brought", "reason"),
    [
        pytest.param("shop", False, False, "", id="a-namespace-of-the-list"),
        pytest.param("team-a", False, False, "", id="a-namespace-of-a-pattern"),
        pytest.param("shopping", False, False, "connections[].namespaces", id="another-one"),
        pytest.param("other", True, True, "connections[].namespaces", id="another-one-brings"),
        pytest.param("shop", True, False, "connections[].templates", id="brought-and-not-taken"),
        pytest.param("shop", True, True, "", id="brought-and-taken"),
    ],
)
def test_who_may_use_it(
    namespace: str,
    is_brought: bool,  # noqa: FBT001 - from a table
    takes_brought: bool,  # noqa: FBT001 - from a table
    reason: str,
) -> None:
    """A refusal names the connection and the setting."""
    refusal = upstream("u", "http://host", takes_brought=takes_brought).refusal(
        namespace, is_brought=is_brought
    )
    assert reason in refusal
    assert bool(refusal) == bool(reason)
    assert not refusal or "connection u:" in refusal
