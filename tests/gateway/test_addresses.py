"""Addresses that no rule can allow, and those that are spelled as others."""

from ipaddress import ip_address, ip_network

import pytest

from gateway.upstreams.addresses import forbidden, forbidden_network, meant, read_network

METADATA = "a metadata address"
LINK_LOCAL = "a link-local address"
THIS_MACHINE = "an address of no machine, so of this one"
MULTICAST = "a multicast address"
WRAPPED = "an address that wraps another one"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        pytest.param("169.254.169.254", METADATA, id="amazon-google-azure-and-most"),
        pytest.param("169.254.170.2", METADATA, id="ecs"),
        pytest.param("169.254.170.23", METADATA, id="eks"),
        pytest.param("169.254.42.42", LINK_LOCAL, id="scaleway"),
        pytest.param("169.254.0.0", LINK_LOCAL, id="link-local-first"),
        pytest.param("169.254.255.255", LINK_LOCAL, id="link-local-last"),
        pytest.param("100.100.100.200", METADATA, id="alibaba"),
        pytest.param("168.63.129.16", METADATA, id="azure"),
        pytest.param("192.0.0.192", METADATA, id="oracle"),
        pytest.param("0.0.0.0", THIS_MACHINE, id="zero"),
        pytest.param("0.1.2.3", THIS_MACHINE, id="zero-and-more"),
        pytest.param("224.0.0.1", MULTICAST, id="multicast"),
        pytest.param("255.255.255.255", "the broadcast address", id="broadcast"),
        pytest.param("fd00:ec2::254", METADATA, id="amazon-6"),
        pytest.param("fd00:ec2::23", METADATA, id="eks-6"),
        pytest.param("fd20:ce::254", METADATA, id="google-6"),
        pytest.param("fd00:c1::a9fe:a9fe", METADATA, id="oracle-6"),
        pytest.param("fd00:100::100:200", METADATA, id="alibaba-6"),
        pytest.param("fd00:a9fe:a9fe::1", METADATA, id="akamai-6"),
        pytest.param("fd00:42::42", METADATA, id="scaleway-6"),
        pytest.param("fe80::a9fe:a9fe", LINK_LOCAL, id="openstack-6"),
        pytest.param("febf::1", LINK_LOCAL, id="link-local-last-6"),
        pytest.param("::", THIS_MACHINE, id="zero-6"),
        pytest.param("ff02::1", MULTICAST, id="multicast-6"),
        pytest.param("::7f00:1", WRAPPED, id="ipv4-compatible"),
        pytest.param("::ffff:0:7f00:1", WRAPPED, id="ipv4-translated"),
        pytest.param("64:ff9b:1::7f00:1", WRAPPED, id="nat64-of-ones-own"),
        pytest.param("2001:0:4136:e378:8000:63bf:80ff:fffe", WRAPPED, id="teredo"),
        pytest.param("2002:7f00:1::", WRAPPED, id="6to4"),
        pytest.param("127.0.0.1", "", id="loopback-is-for-rules"),
        pytest.param("::1", "", id="loopback-6-is-for-rules"),
        pytest.param("10.0.0.5", "", id="private"),
        pytest.param("100.64.0.1", "", id="shared"),
        pytest.param("240.0.0.1", "", id="class-e-which-clusters-use"),
        pytest.param("fd00::1", "", id="private-6"),
        pytest.param("8.8.8.8", "", id="public"),
        pytest.param("2600::1", "", id="public-6"),
    ],
)
def test_some_addresses_are_for_nobody(text: str, what: str) -> None:
    """Whatever the rules are."""
    assert forbidden(ip_address(text)) == what


@pytest.mark.parametrize(
    ("text", "address"),
    [
        pytest.param("::ffff:169.254.169.254", "169.254.169.254", id="mapped"),
        pytest.param("64:ff9b::a9fe:a9fe", "169.254.169.254", id="nat64"),
        pytest.param("64:ff9b::1:0:0", "64:ff9b::1:0:0", id="beside-nat64"),
        pytest.param("10.0.0.5", "10.0.0.5", id="ipv4"),
        pytest.param("::1", "::1", id="ipv6"),
    ],
)
def test_an_address_is_the_one_that_is_meant(text: str, address: str) -> None:
    """Where the connection ends."""
    assert str(meant(ip_address(text))) == address


@pytest.mark.parametrize(
    ("text", "network"),
    [
        pytest.param("10.0.0.0/8", "10.0.0.0/8", id="ipv4"),
        pytest.param("10.0.0.5", "10.0.0.5/32", id="one-address"),
        pytest.param("fd00::/8", "fd00::/8", id="ipv6"),
        pytest.param("::/0", "::/0", id="all-of-ipv6"),
        pytest.param("::ffff:10.0.0.0/104", "10.0.0.0/8", id="mapped"),
        pytest.param("::ffff:0:0/96", "0.0.0.0/0", id="all-that-is-mapped"),
        pytest.param("64:ff9b::a00:0/128", "10.0.0.0/32", id="nat64"),
    ],
)
def test_a_network_is_the_one_that_is_meant(text: str, network: str) -> None:
    """So that it holds what its addresses mean."""
    assert str(read_network(text)) == network


@pytest.mark.parametrize("text", ["10.0.0.1/8", "10/8", "corp", "", "10.0.0.0/33"])
def test_what_is_no_network_is_told(text: str) -> None:
    """A prefix that is off by a bit would allow something else."""
    with pytest.raises(ValueError, match=r".+"):
        read_network(text)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        pytest.param("169.254.169.254/32", METADATA, id="metadata"),
        pytest.param("169.254.169.0/24", LINK_LOCAL, id="link-local"),
        pytest.param("fd00:ec2:1::/48", METADATA, id="metadata-6"),
        pytest.param("169.254.0.0/15", "", id="more-than-link-local"),
        pytest.param("0.0.0.0/0", "", id="all"),
        pytest.param("127.0.0.0/8", "", id="loopback"),
        pytest.param("::1/128", "", id="loopback-6"),
        pytest.param("::/127", "", id="loopback-6-among-others"),
        pytest.param("::2/127", WRAPPED, id="beside-loopback-6"),
    ],
)
def test_a_network_of_such_addresses_is_useless(text: str, what: str) -> None:
    """Which is told when the settings are read."""
    assert forbidden_network(ip_network(text)) == what
