"""Addresses that nobody's metrics are at: metadata services, and spellings that hide another one.

Sources: the documentation of Amazon, Azure, Google, Oracle, Alibaba, Akamai and Scaleway for
metadata; RFC 1122, 4291 and 6890 for the rest, RFC 6052 for NAT64.
"""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_METADATA: Final = "a metadata address"
_LINK_LOCAL: Final = "a link-local address"
_THIS_MACHINE: Final = "an address of no machine, so of this one"
_MULTICAST: Final = "a multicast address"
_BROADCAST: Final = "the broadcast address"
_WRAPPED: Final = "an address that wraps another one"
_NAT64: Final = IPv6Network("64:ff9b::/96")
_LOW_32_BITS: Final = 0xFFFF_FFFF
_LOOPBACK_6: Final = IPv6Address("::1")
_FORBIDDEN: Final[Mapping[int, tuple[tuple[Network, str], ...]]] = {
    4: (
        (IPv4Network("169.254.169.254/32"), _METADATA),
        (IPv4Network("169.254.170.2/32"), _METADATA),
        (IPv4Network("169.254.170.23/32"), _METADATA),
        (IPv4Network("100.100.100.200/32"), _METADATA),
        (IPv4Network("168.63.129.16/32"), _METADATA),
        (IPv4Network("192.0.0.192/32"), _METADATA),
        (IPv4Network("169.254.0.0/16"), _LINK_LOCAL),
        (IPv4Network("0.0.0.0/8"), _THIS_MACHINE),
        (IPv4Network("224.0.0.0/4"), _MULTICAST),
        (IPv4Network("255.255.255.255/32"), _BROADCAST),
    ),
    6: (
        (IPv6Network("fd00:ec2::/32"), _METADATA),
        (IPv6Network("fd20:ce::254/128"), _METADATA),
        (IPv6Network("fd00:c1::a9fe:a9fe/128"), _METADATA),
        (IPv6Network("fd00:100::100:200/128"), _METADATA),
        (IPv6Network("fd00:a9fe:a9fe::1/128"), _METADATA),
        (IPv6Network("fd00:42::42/128"), _METADATA),
        (IPv6Network("fe80::/10"), _LINK_LOCAL),
        (IPv6Network("::/128"), _THIS_MACHINE),
        (IPv6Network("ff00::/8"), _MULTICAST),
        # Tunnels and translators of the past, and one whose target its address does not tell:
        # whoever has a use for them has a plain address, too.
        (IPv6Network("::/96"), _WRAPPED),
        (IPv6Network("::ffff:0:0:0/96"), _WRAPPED),
        (IPv6Network("64:ff9b:1::/48"), _WRAPPED),
        (IPv6Network("2001::/32"), _WRAPPED),
        (IPv6Network("2002::/16"), _WRAPPED),
    ),
}


def meant(address: Address) -> Address:
    """Where a connection to an address ends: IPv4, if it is mapped into IPv6 or behind NAT64."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(int(address) & _LOW_32_BITS)
    return address


def forbidden(address: Address) -> str:
    """What a meant address is if no rule can allow it, e.g. ``a metadata address``; else empty."""
    if address.is_loopback:
        return ""
    ranges = _FORBIDDEN[address.version]
    return next((what for network, what in ranges if address in network), "")


def forbidden_network(network: Network) -> str:
    """The same for all addresses of a network together; empty if one of them may be allowed."""
    if _LOOPBACK_6 in network:
        return ""
    ranges = _FORBIDDEN[network.version]
    return next((what for outer, what in ranges if _includes(outer, network)), "")


def read_network(text: str) -> Network:
    """A network such as ``10.0.0.0/8``. Raises ValueError, also if bits beyond the prefix are set.

    A network of addresses that are mapped into IPv6, or behind NAT64, is the one that is meant.
    """
    network = ip_network(text)
    first, last = meant(network[0]), meant(network[-1])
    if isinstance(network, IPv6Network) and isinstance(first, IPv4Address):
        return ip_network(f"{first}/{32 - (int(last) - int(first)).bit_length()}")
    return network


def _includes(outer: Network, inner: Network) -> bool:
    return inner[0] in outer and inner[-1] in outer
