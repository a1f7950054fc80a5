"""Hosts of URLs and of settings: an address or a name, each in one spelling.

What the system would read as an address although it is not written as one (``0x7f000001``,
``127.1``, digits of other scripts) is no host here. Sources: the WHATWG URL standard for what ends
in a number; CPython's socket module, which encodes names with the same codec.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from gateway.upstreams.addresses import Address, meant

Host = Address | str
"""An address, or a name: lower case, ASCII, without a trailing dot."""
LOCALHOST: Final = "localhost"
MAX_NAME: Final = 253
TOO_LONG: Final = f"a host has at most {MAX_NAME} characters"
_NUMBER: Final = re.compile("[0-9]+|0x[0-9a-f]*")
_LABEL: Final = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_ANY: Final = "*"


class HostInvalid(ValueError):
    """A text is neither an address nor a name; ``str(error)`` says what is wanted instead."""


def read_host(text: str) -> Host:
    """The host that a text stands for; IPv6 with or without brackets.

    Raises:
        HostInvalid: it stands for none, or for an address in an unusual spelling.

    """
    if len(text) > MAX_NAME + 1:
        raise HostInvalid(TOO_LONG)
    if ":" in text:
        return meant(_ipv6(text))
    name = _ascii(text).removesuffix(".")
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        return _ipv4(text)
    if len(name) > MAX_NAME or not _NAME.fullmatch(name):
        raise HostInvalid("the host is neither an address nor a name that DNS could know")
    return name


@dataclass(frozen=True, slots=True)
class HostPattern:
    """Which hosts a rule is about, and where their names may lead."""

    host: Host | None
    """The only one; None if there are many."""
    suffix: str = ""
    """With which the names of many end, e.g. ``.corp.example``; empty for all hosts."""

    def matches(self, host: Host) -> bool:
        """Whether the pattern is about this host."""
        if self.host is not None:
            return host == self.host
        return not self.suffix or (isinstance(host, str) and host.endswith(self.suffix))

    def trusts(self, address: Address) -> bool:
        """Whether a host of the pattern may be at a meant address that no network was named for.

        A name that somebody wrote down may be anywhere but on this machine. Of many names some may
        be a stranger's: they may be where everybody can go.
        """
        if self.host is None:
            return address.is_global
        if self.host == LOCALHOST:
            return address.is_loopback
        return address == self.host or (isinstance(self.host, str) and not address.is_loopback)


def read_pattern(text: str) -> HostPattern:
    """``*``, ``*.corp.example`` for all names below it, or one host.

    Raises:
        HostInvalid: it is none of these.

    """
    if text == _ANY:
        return HostPattern(None)
    if not text.startswith(f"{_ANY}."):
        return HostPattern(read_host(text))
    above = read_host(text.removeprefix(f"{_ANY}."))
    if not isinstance(above, str):
        raise HostInvalid("nothing is below an address")
    return HostPattern(None, f".{above}")


def _ascii(text: str) -> str:
    if text.isascii():
        return text.lower()
    try:
        # As the resolver's own caller does it: digits, dots and letters of other scripts become
        # what they look like.
        return text.encode("idna").decode().lower()
    except UnicodeError as error:
        raise HostInvalid("the host is no name that DNS could know") from error


def _ipv4(text: str) -> IPv4Address:
    try:
        return IPv4Address(text)
    except ValueError as error:
        raise HostInvalid(
            "a host that ends in a number must be an address such as 10.0.0.5, in this spelling"
        ) from error


def _ipv6(text: str) -> IPv6Address:
    try:
        address = IPv6Address(text.removeprefix("[").removesuffix("]"))
    except ValueError as error:
        raise HostInvalid("the host is no IPv6 address") from error
    if address.scope_id is not None:
        raise HostInvalid("an address with a zone cannot be reached from here")
    return address
