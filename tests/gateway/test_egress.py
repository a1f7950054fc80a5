"""Where requests may go: rules, policies, and what refusals say."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import EgressRefused, ProviderInvalid
from gateway.upstreams.addresses import Address, forbidden, meant
from gateway.upstreams.egress import EVERYTHING, OPERATORS, EgressPolicy, Redirects, Rule
from gateway.upstreams.gourl import parse_url
from gateway.upstreams.hosts import read_pattern

CORP = Rule(
    "corp",
    hosts=(read_pattern("*.corp.example"),),
    networks=(ip_network("10.0.0.0/8"), ip_network("fd00::/8")),
    schemes=frozenset({"https"}),
    ports=(range(443, 444), range(9000, 9101)),
)
PUBLIC = Rule("public", hosts=(read_pattern("*"),))
NETWORK = Rule("network", networks=(ip_network("192.0.2.0/24"),), ports=(range(80, 81),))
PROM = Rule("prom", hosts=(read_pattern("prom"),), ports=(range(9090, 9091),))
HOME = Rule("home", hosts=(read_pattern("localhost"), read_pattern("127.0.0.1")))


def policy(*rules: Rule) -> EgressPolicy:
    """A policy of some rules."""
    return EgressPolicy("egress.inline", rules, Redirects.NONE)


def told(chosen: EgressPolicy, url: str, *addresses: str) -> str:
    """What a policy says to a URL and to what its host leads to; empty if it lets them pass."""
    try:
        destination = chosen.check_url(parse_url(url))
        for address in addresses:
            destination.check(address)
    except EgressRefused as refusal:
        return str(refusal)
    return ""


def none_allows(place: str) -> str:
    """What is said if there is no rule."""
    return f"egress: no rule of egress.inline allows {place}"


@pytest.mark.parametrize(
    ("rules", "url", "message"),
    [
        pytest.param((), "http://a/", none_allows("http://a"), id="no-rules-allow-nothing"),
        pytest.param(
            (),
            "http://10.0.0.5:8080/x?y=1",
            none_allows("http://10.0.0.5:8080"),
            id="the-refusal-names-the-policy-and-the-place",
        ),
        pytest.param(
            (), "http://u:p@a/", none_allows("http://a"), id="it-shows-no-user-and-no-password"
        ),
        pytest.param((CORP,), "https://a.corp.example/", "", id="a-host-of-a-pattern"),
        pytest.param((CORP,), "https://A.Corp.Example.:443/", "", id="in-another-spelling"),
        pytest.param(
            (CORP,), "http://a.corp.example:443/",
            none_allows("http://a.corp.example:443"), id="another-scheme",
        ),
        pytest.param((CORP,), "https://a.corp.example:9100/", "", id="the-last-of-the-ports"),
        pytest.param(
            (CORP,), "https://a.corp.example:9101/",
            none_allows("https://a.corp.example:9101"), id="the-port-after-it",
        ),
        pytest.param(
            (CORP,), "https://corp.example/", none_allows("https://corp.example"),
            id="a-pattern-is-not-about-what-it-is-below",
        ),
        pytest.param(
            (CORP,), "https://evilcorp.example/", none_allows("https://evilcorp.example"),
            id="a-pattern-begins-at-a-dot",
        ),
        pytest.param(
            (CORP,), "https://a.corp.example.evil/", none_allows("https://a.corp.example.evil"),
            id="a-pattern-ends-at-the-end",
        ),
        pytest.param(
            (CORP,), "https://a.corp.example@evil/", none_allows("https://evil"),
            id="a-user-is-no-host",
        ),
        pytest.param(
            (CORP,), "https://10.0.0.5/", none_allows("https://10.0.0.5"),
            id="a-pattern-of-names-is-about-no-address",
        ),
        pytest.param((PUBLIC,), "http://8.8.8.8/", "", id="an-address-is-a-host-among-all"),
        pytest.param(
            (PUBLIC,), "http://10.0.0.5/", none_allows("http://10.0.0.5"),
            id="of-all-hosts-only-those-in-public",
        ),
        pytest.param(
            (PUBLIC,), "http://a:8080/", none_allows("http://a:8080"),
            id="a-rule-without-ports-has-those-of-the-schemes",
        ),
        pytest.param((NETWORK,), "http://192.0.2.7/", "", id="an-address-of-a-network"),
        pytest.param(
            (NETWORK,), "http://192.0.3.7/", none_allows("http://192.0.3.7"),
            id="an-address-beside-it",
        ),
        pytest.param((NETWORK,), "http://anybody/", "", id="any-name-may-be-in-a-network"),
        pytest.param((HOME,), "http://127.0.0.1/", "", id="an-address-that-is-named"),
        pytest.param(
            (HOME,), "http://127.0.0.2/", none_allows("http://127.0.0.2"), id="another-address"
        ),
        pytest.param((NETWORK, HOME), "http://localhost/", "", id="one-rule-of-several"),
        pytest.param(
            (EVERYTHING,), "http://0x7f000001/",
            "egress: a host that ends in a number must be an address such as 10.0.0.5, in this"
            " spelling",
            id="an-address-in-disguise",
        ),
        pytest.param((EVERYTHING,), "http://a:0/", "egress: 0 is no port", id="port-zero"),
        pytest.param((EVERYTHING,), "http://a:65536/", "egress: 65536 is no port", id="port-2-16"),
        pytest.param(
            (EVERYTHING,), f"http://{'a' * 5000}:1/",
            "egress: a host has at most 253 characters", id="a-host-that-is-too-long",
        ),
        pytest.param(
            (EVERYTHING,), f"http://a:{'1' * 5000}/",
            "egress: a host has at most 253 characters", id="a-port-that-is-too-long",
        ),
        pytest.param(
            (EVERYTHING,), "http://169.254.169.254/latest/meta-data",
            "egress: 169.254.169.254 is a metadata address, which no rule can allow",
            id="metadata-is-for-nobody",
        ),
        pytest.param(
            (), "http://169.254.169.254/",
            "egress: 169.254.169.254 is a metadata address, which no rule can allow",
            id="nor-without-rules",
        ),
        pytest.param(
            (EVERYTHING,), "http://[::ffff:a9fe:a9fe]/",
            "egress: [::ffff:a9fe:a9fe] is a metadata address, which no rule can allow",
            id="nor-mapped-into-ipv6",
        ),
        pytest.param(
            (EVERYTHING,), "http://Metadata.Google.Internal./x",
            "egress: Metadata.Google.Internal. is a metadata service, which no rule can allow",
            id="nor-by-name",
        ),
    ],
)  # fmt: skip
def test_a_url_is_judged(rules: tuple[Rule, ...], url: str, message: str) -> None:
    """Before anything is looked up; the same answer comes again."""
    chosen = policy(*rules)
    assert [told(chosen, url), told(chosen, url)] == [message, message]


@pytest.mark.parametrize(
    ("rules", "url", "addresses", "message"),
    [
        pytest.param((CORP,), "https://a.corp.example/", ("10.1.2.3", "fd00::5"), "", id="inside"),
        pytest.param(
            (CORP,), "https://a.corp.example/", ("10.1.2.3", "8.8.8.8"),
            "egress: a.corp.example leads to an address that rule 'corp' of egress.inline does not"
            " allow",
            id="one-outside-is-enough-and-is-not-told",
        ),
        pytest.param(
            (CORP,), "https://a.corp.example/", ("::ffff:10.1.2.3",), "", id="inside-but-mapped"
        ),
        pytest.param(
            (NETWORK, PUBLIC), "http://a/", ("127.0.0.1",),
            "egress: a leads to an address that rule 'network' or 'public' of egress.inline does"
            " not allow",
            id="all-rules-that-the-url-has-are-told",
        ),
        pytest.param((NETWORK, PUBLIC), "http://a/", ("192.0.2.1", "8.8.8.8"), "", id="one-each"),
        pytest.param((PROM,), "http://prom:9090/", ("10.0.0.9", "8.8.8.8"), "", id="by-its-name"),
        pytest.param(
            (PROM,), "http://prom:9090/", ("127.0.0.1",),
            "egress: prom leads to an address that rule 'prom' of egress.inline does not allow",
            id="a-name-does-not-lead-back",
        ),
        pytest.param((HOME,), "http://localhost/", ("127.0.0.1", "::1"), "", id="localhost"),
        pytest.param(
            (HOME,), "http://localhost/", ("10.0.0.5",),
            "egress: localhost leads to an address that rule 'home' of egress.inline does not"
            " allow",
            id="localhost-elsewhere",
        ),
        pytest.param((EVERYTHING,), "http://a/", ("127.0.0.1", "::1", "10.0.0.5"), "", id="all"),
        pytest.param(
            (EVERYTHING,), "http://a/", ("10.0.0.5", "169.254.169.254"),
            "egress: a leads to a metadata address, which no rule can allow",
            id="metadata-is-for-nobody",
        ),
        pytest.param(
            (EVERYTHING,), "http://a/", ("64:ff9b::a9fe:a9fe",),
            "egress: a leads to a metadata address, which no rule can allow",
            id="nor-behind-nat64",
        ),
        pytest.param(
            (EVERYTHING,), "http://a/", ("fe80::1%eth0",),
            "egress: a leads to a link-local address, which no rule can allow",
            id="an-address-with-a-zone",
        ),
        pytest.param(
            (EVERYTHING,), "http://a/", ("nonsense",),
            "egress: a leads to what is no address", id="what-is-no-address",
        ),
        pytest.param(
            (NETWORK,), "http://192.0.2.7/", ("192.0.2.8",), "",
            id="a-peer-that-is-another-one-is-judged-like-it",
        ),
        pytest.param(
            (NETWORK,), "http://192.0.2.7/", ("127.0.0.1",),
            "egress: 192.0.2.7 leads to an address that rule 'network' of egress.inline does not"
            " allow",
            id="an-address-that-leads-elsewhere",
        ),
    ],
)  # fmt: skip
def test_an_address_is_judged(
    rules: tuple[Rule, ...], url: str, addresses: tuple[str, ...], message: str
) -> None:
    """By the rules that the URL has; the same answer comes again."""
    chosen = policy(*rules)
    assert [told(chosen, url, *addresses), told(chosen, url, *addresses)] == [message, message]


@pytest.mark.parametrize(
    ("redirects", "to", "message"),
    [
        pytest.param(
            Redirects.NONE, "http://a/next",
            "egress: it answers with a redirect, and egress.inline follows none", id="none",
        ),
        pytest.param(Redirects.SAME_ORIGIN, "http://A:80/next", "", id="the-same-origin"),
        *(
            pytest.param(
                Redirects.SAME_ORIGIN, f"{origin}/next?key=secret",
                f"egress: it redirects to {origin}, and egress.inline follows redirects to the same"
                " origin only",
                id=which,
            )
            for which, origin in (
                ("another-scheme", "https://a"), ("another-port", "http://a:81"),
                ("another-host", "http://b"),
            )
        ),
        pytest.param(Redirects.ALL, "https://b/next", "", id="all"),
    ],
)  # fmt: skip
def test_a_redirect_is_judged(redirects: Redirects, to: str, message: str) -> None:
    """Of where it leads no more is shown than scheme, host and port."""
    chosen = EgressPolicy("egress.inline", (EVERYTHING,), redirects)
    try:
        chosen.check_redirect(parse_url("http://a/"), parse_url(to))
        said = ""
    except EgressRefused as refusal:
        said = str(refusal)
    assert said == message


def test_a_refusal_is_an_error_of_the_template() -> None:
    """As other requests that cannot be sent."""
    assert issubclass(EgressRefused, ProviderInvalid)


def test_the_operators_own_addresses_may_be_anywhere() -> None:
    """But at metadata services."""
    assert told(OPERATORS, "http://localhost:8200/", "127.0.0.1") == ""
    assert "which no rule can allow" in told(OPERATORS, "http://a/", "169.254.169.254")


@given(st.ip_addresses() | st.sampled_from(["169.254.1.1", "fd00:ec2::7"]).map(ip_address))
def test_no_policy_lets_a_forbidden_address_pass(address: Address) -> None:
    """Whether it stands in the URL, short or at length, or is what a name leads to."""
    text, at_length = str(address), address.exploded
    if address.version == 4:
        at_length = f"::ffff:{address}"
    hosts = [f"[{each}]" if ":" in each else each for each in (text, at_length)]
    said = [told(OPERATORS, f"http://{host}/") for host in hosts]
    said += [told(OPERATORS, "http://a/", each) for each in (text, at_length)]
    assert {bool(each) for each in said} == {bool(forbidden(meant(address)))}


def test_what_is_remembered_is_bounded() -> None:
    """Who brings templates chooses hosts, and what they lead to."""
    chosen = policy(EVERYTHING)
    for index in range(3_000):
        told(chosen, f"http://h{index}/")
    destination = chosen.check_url(parse_url("http://a/"))
    for index in range(3_000):
        destination.check(f"10.0.{index >> 8}.{index & 255}")
    assert len(chosen._remembered) <= 1_024
    assert len(chosen._checked) <= 1_024
    assert len(destination._remembered) <= 64
