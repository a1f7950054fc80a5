"""Hosts: one spelling each, and none for what only looks like a name."""

import socket
from ipaddress import IPv4Address, ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.upstreams.addresses import meant
from gateway.upstreams.hosts import MAX_NAME, Host, HostInvalid, read_host, read_pattern

LOOPBACK = IPv4Address("127.0.0.1")


@pytest.mark.parametrize(
    ("text", "host"),
    [
        pytest.param("Prometheus.Monitoring.SVC", "prometheus.monitoring.svc", id="capitals"),
        pytest.param("prometheus.", "prometheus", id="a-trailing-dot"),
        pytest.param("prometheus_1", "prometheus_1", id="an-underscore"),
        pytest.param("1e100.net", "1e100.net", id="a-label-that-begins-with-a-digit"),
        pytest.param("10.0.0.5.nip.io", "10.0.0.5.nip.io", id="an-address-in-a-name"),
        pytest.param("Bücher.example", "xn--bcher-kva.example", id="an-umlaut"),
        pytest.param("prom\N{SOFT HYPHEN}etheus", "prometheus", id="a-letter-that-is-none"),
        pytest.param("corp\N{IDEOGRAPHIC FULL STOP}example", "corp.example", id="another-dot"),
        pytest.param("\N{FULLWIDTH LATIN SMALL LETTER A}.example", "a.example", id="full-width"),
        pytest.param("127.0.0.1", LOOPBACK, id="ipv4"),
        pytest.param("[::1]", ip_address("::1"), id="ipv6"),
        pytest.param("::1", ip_address("::1"), id="ipv6-without-brackets"),
        pytest.param("[0:0::0:1]", ip_address("::1"), id="ipv6-at-length"),
        pytest.param("[::ffff:127.0.0.1]", LOOPBACK, id="mapped"),
        pytest.param("[::FFFF:7f00:1]", LOOPBACK, id="mapped-in-hex"),
        pytest.param("[64:ff9b::7f00:1]", LOOPBACK, id="nat64"),
        pytest.param("a" * 63 + ".b", "a" * 63 + ".b", id="a-long-label"),
    ],
)
def test_a_host_has_one_spelling(text: str, host: Host) -> None:
    """What means the same is the same."""
    assert read_host(text) == host


NO_SPELLING = "a host that ends in a number must be an address such as 10.0.0.5, in this spelling"
NO_NAME = "the host is neither an address nor a name that DNS could know"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("2130706433", NO_SPELLING, id="decimal"),
        pytest.param("0x7f000001", NO_SPELLING, id="hex"),
        pytest.param("0X7F000001", NO_SPELLING, id="hex-in-capitals"),
        pytest.param("017700000001", NO_SPELLING, id="octal"),
        pytest.param("0177.0.0.1", NO_SPELLING, id="an-octal-part"),
        pytest.param("0x7f.0.0.1", NO_SPELLING, id="a-hex-part"),
        pytest.param("127.0.0.0x1", NO_SPELLING, id="hex-at-the-end"),
        pytest.param("127.0.0.0x", NO_SPELLING, id="hex-without-digits"),
        pytest.param("127.1", NO_SPELLING, id="two-parts"),
        pytest.param("127.0.1", NO_SPELLING, id="three-parts"),
        pytest.param("127.0.0.1.", NO_SPELLING, id="an-address-with-a-trailing-dot"),
        pytest.param("127.0.0.001", NO_SPELLING, id="leading-zeros"),
        pytest.param("256.0.0.1", NO_SPELLING, id="beyond-a-byte"),
        pytest.param("1.2.3.4.5", NO_SPELLING, id="five-parts"),
        pytest.param("host.1", NO_SPELLING, id="a-name-that-ends-in-a-number"),
        pytest.param("\uff11\uff12\uff17.0.0.1", NO_SPELLING, id="full-width-digits"),
        pytest.param("127\u30020\u30020\u30021", NO_SPELLING, id="ideographic-dots"),
        pytest.param("127\u20240\u20240\u20241", NO_SPELLING, id="dots-that-become-dots-late"),
        pytest.param("\u2460\u2461\u2466.0.0.1", NO_SPELLING, id="circled-digits"),
        pytest.param("\u0661\u0662\u0667.0.0.1", NO_SPELLING, id="arabic-digits"),
        pytest.param("", NO_NAME, id="nothing"),
        pytest.param(".", NO_NAME, id="the-root"),
        pytest.param("a..b", NO_NAME, id="an-empty-label"),
        pytest.param("a..", NO_NAME, id="two-trailing-dots"),
        pytest.param("-a.example", NO_NAME, id="a-hyphen-first"),
        pytest.param("*.example", NO_NAME, id="a-pattern"),
        pytest.param("a b", NO_NAME, id="a-space"),
        pytest.param("a%00b", NO_NAME, id="a-percent-sign"),
        pytest.param("good\\@evil", NO_NAME, id="a-backslash"),
        pytest.param("a" * 64, NO_NAME, id="too-long-a-label"),
        pytest.param(
            "é" * 64, "the host is no name that DNS could know", id="too-long-a-label-in-punycode"
        ),
        pytest.param(".".join(["a" * 49] * 5), None, id="as-long-as-a-name-can-be"),
        pytest.param("a" * (MAX_NAME + 2), "a host has at most 253 characters", id="too-long"),
        pytest.param("é." * 60 + "a", NO_NAME, id="a-name-that-is-too-long-in-punycode-only"),
        pytest.param("[::1", None, id="half-a-bracket-is-no-matter"),
        pytest.param("[1::2::3]", "the host is no IPv6 address", id="no-ipv6"),
        pytest.param(
            "[fe80::1%25eth0]", "an address with a zone cannot be reached from here", id="a-zone"
        ),
        pytest.param(
            "[::1%lo]", "an address with a zone cannot be reached from here", id="a-zone-of-ours"
        ),
    ],
)
def test_what_is_no_host_is_told(text: str, reason: str | None) -> None:
    """So that nobody else reads an address in it."""
    try:
        read_host(text)
        told = None
    except HostInvalid as error:
        told = str(error)
    assert told == reason


CANDIDATES = ("corp.example", "a.corp.example", "b.a.corp.example", "xcorp.example", "127.0.0.1")


@pytest.mark.parametrize(
    ("pattern", "hosts"),
    [
        pytest.param("*", CANDIDATES, id="all"),
        pytest.param("*.Corp.example.", ("a.corp.example", "b.a.corp.example"), id="below-one"),
        pytest.param("Corp.example.", ("corp.example",), id="one"),
        pytest.param("[::ffff:127.0.0.1]", ("127.0.0.1",), id="an-address"),
    ],
)
def test_a_pattern_is_about_some_hosts(pattern: str, hosts: tuple[str, ...]) -> None:
    """And about no others."""
    read = read_pattern(pattern)
    assert tuple(text for text in CANDIDATES if read.matches(read_host(text))) == hosts


@pytest.mark.parametrize(
    ("pattern", "trusted"),
    [
        pytest.param("*", {"8.8.8.8", "2600::1"}, id="any-host-is-in-public"),
        pytest.param("*.corp.example", {"8.8.8.8", "2600::1"}, id="one-of-many-is-in-public"),
        pytest.param(
            "corp.example",
            {"8.8.8.8", "2600::1", "10.0.0.5", "fd00::1", "100.64.0.1"},
            id="a-name-is-on-another-machine",
        ),
        pytest.param("localhost", {"127.0.0.1", "127.8.8.8", "::1"}, id="localhost-is-here"),
        pytest.param("127.0.0.1", {"127.0.0.1"}, id="an-address-is-itself"),
    ],
)
def test_a_pattern_trusts_some_addresses(pattern: str, trusted: set[str]) -> None:
    """Where no networks were named."""
    addresses = (
        "127.0.0.1",
        "127.8.8.8",
        "::1",
        "10.0.0.5",
        "100.64.0.1",
        "fd00::1",
        "8.8.8.8",
        "2600::1",
    )
    read = read_pattern(pattern)
    assert {text for text in addresses if read.trusts(ip_address(text))} == trusted


@pytest.mark.parametrize("text", ["", "*.", "*.10.0.0.1", "a.*", "a.*.b", "**.a", "*a.b", "127.1"])
def test_what_is_no_pattern_is_told(text: str) -> None:
    """When the settings are read."""
    with pytest.raises(HostInvalid):
        read_pattern(text)


def system_reads(text: str) -> set[str]:
    """The addresses that the system takes a text for, without asking anybody."""
    try:
        found = socket.getaddrinfo(text, 80, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError, ValueError):
        return set()
    return {str(info[4][0]) for info in found}


NUMBERS = st.integers(min_value=0, max_value=2**32 - 1)
BASES = st.sampled_from(["{}", "0{:o}", "000{:o}", "0x{:x}", "0X{:X}", "0x000{:x}"])
DIGITS = st.sampled_from([0x30, 0xFF10, 0x1D7CE, 0x1D7D8, 0x1D7E2])
DOTS = st.sampled_from([".", "\u3002", "\uff0e", "\uff61", "\u2024"])


@st.composite
def spellings(draw: st.DrawFn) -> str:
    """An IPv4 address in any of the ways that C's inet_aton reads."""
    number, count = draw(NUMBERS), draw(st.integers(min_value=1, max_value=4))
    octets = list(number.to_bytes(4, "big"))
    parts = [*octets[: count - 1], int.from_bytes(bytes(octets[count - 1 :]), "big")]
    text = draw(DOTS).join(draw(BASES).format(part) for part in parts)
    zero = draw(DIGITS)
    return "".join(chr(zero + int(each)) if each.isdecimal() else each for each in text)


@given(spellings())
@example("127.0.0.1")
@example("0x7f.1")
def test_no_spelling_of_an_address_is_a_name(text: str) -> None:
    """What the system would connect to is what was read, or nothing was."""
    try:
        host = read_host(text)
    except HostInvalid:
        return
    assert not isinstance(host, str)
    assert system_reads(text) == {str(host)}


@given(st.text(max_size=30) | st.text(alphabet="0123456789abcdefx.:%[]", max_size=20))
@example("127.0.0.1 ")
@example("0")
@example("::ffff:7f00:1")
def test_what_the_system_takes_for_an_address_is_read_as_that(text: str) -> None:
    """Whatever else is in the text."""
    found = system_reads(text)
    try:
        host = read_host(text)
    except HostInvalid:
        return
    assert not found or {meant(ip_address(each)) for each in found} == {host}
