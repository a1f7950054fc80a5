"""Where requests may go: decided from the URL, and again for each address that its host leads to.

    url       scheme, host and port are those of a rule          before anything is looked up
    answers   every address that a name has is one of the rule   before anything is connected
    peer      the address that is connected to is                before a byte is sent

Metadata services and their like are refused whatever the rules are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final, TypeVar

from gateway.addresses import Address, Network, forbidden, meant
from gateway.errors import EgressRefused
from gateway.gourl import DEFAULT_PORTS, Url, host_and_port
from gateway.hosts import MAX_NAME, TOO_LONG, Host, HostInvalid, HostPattern, read_host

NAMED_POLICY: Final = "egress.named"
"""Under which policy templates ask that the gateway has."""
INLINE_POLICY: Final = "egress.inline"
"""Under which policy templates ask that came with a request: their authors may be anybody."""
PORTS: Final = range(1, 65_536)
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")
_NEVER: Final = "which no rule can allow"
_METADATA_NAMES: Final = frozenset({"metadata.google.internal", "metadata.goog"})
_MAX_REMEMBERED: Final = 1_024
_MAX_REMEMBERED_ADDRESSES: Final = 64
_LONGEST_AUTHORITY: Final = MAX_NAME + len(".:65535")


class Redirects(Enum):
    """Which redirects are followed."""

    NONE = "none"
    SAME_ORIGIN = "same-origin"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Rule:
    """What may be asked, and where that may be."""

    name: str
    hosts: Sequence[HostPattern] = ()
    """Empty for all hosts that are in the networks."""
    networks: Sequence[Network] = ()
    """Empty for those that the patterns trust their hosts to be in."""
    schemes: frozenset[str] = frozenset(DEFAULT_PORTS)
    ports: Sequence[range] = ()
    """Empty for the scheme's own."""

    def allows(self, scheme: str, host: Host, port: int) -> bool:
        """Whether a URL of these is the rule's, wherever its host leads."""
        if scheme not in self.schemes:
            return False
        if self.ports:
            is_right_port = any(port in each for each in self.ports)
        else:
            is_right_port = port == DEFAULT_PORTS[scheme]
        return is_right_port and (not self.hosts or any(each.matches(host) for each in self.hosts))

    def allows_address(self, host: Host, address: Address) -> bool:
        """Whether a host of the rule may lead to a meant address."""
        if self.networks:
            return any(address in network for network in self.networks)
        return any(each.matches(host) and each.trusts(address) for each in self.hosts)


EVERYTHING: Final = Rule(
    "everything",
    hosts=(HostPattern(None),),
    networks=(IPv4Network("0.0.0.0/0"), IPv6Network("::/0")),
    ports=(PORTS,),
)


def only(name: str, scheme: str, host: Host, port: int) -> Rule:
    """A rule for one place that the operator names: it is asked wherever its host leads."""
    return replace(
        EVERYTHING,
        name=name,
        hosts=(HostPattern(host),),
        schemes=frozenset({scheme}),
        ports=(range(port, port + 1),),
    )


class Destination:
    """What requests to one origin may be connected to."""

    def __init__(self, policy: str, shown: str, host: Host, rules: tuple[Rule, ...]) -> None:
        self._policy = policy
        self._shown = shown
        """The host as the URL has it: what it leads to is not for everybody to know."""
        self._host = host
        self._rules = rules
        self._remembered: dict[str, str] = {}

    def check(self, address: str) -> None:
        """Refuse an address that the host has, or that is connected to; a text such as ``::1``.

        Raises:
            EgressRefused: it is of no network that the host may be in.

        """
        reason = self._remembered.get(address)
        if reason is None:
            reason = self._reason(address)
            _remember(self._remembered, address, reason, at_most=_MAX_REMEMBERED_ADDRESSES)
        if reason:
            raise EgressRefused(reason)

    def _reason(self, text: str) -> str:
        try:
            address = meant(ip_address(text))
        except ValueError:
            return f"egress: {self._shown} leads to what is no address"
        what = forbidden(address)
        if what:
            return f"egress: {self._shown} leads to {what}, {_NEVER}"
        if any(rule.allows_address(self._host, address) for rule in self._rules):
            return ""
        names = " or ".join(repr(rule.name) for rule in self._rules)
        return (
            f"egress: {self._shown} leads to an address that rule {names} of {self._policy} does"
            " not allow"
        )


class EgressPolicy:
    """What one kind of template may ask; decisions are remembered."""

    def __init__(self, name: str, rules: Sequence[Rule], redirects: Redirects) -> None:
        self.name = name
        """The setting that the policy is from."""
        self.rules = tuple(rules)
        self.redirects = redirects
        self._remembered: dict[tuple[str, str, int], Destination | str] = {}
        self._checked: dict[tuple[str, str], Destination] = {}

    def check_url(self, url: Url) -> Destination:
        """Where a URL leads, which has a scheme and a host that HTTP knows.

        Raises:
            EgressRefused: no rule allows it, or none can.

        """
        destination = self._checked.get((url.scheme, url.host))
        if destination is None:
            if len(url.host) > _LONGEST_AUTHORITY:
                raise EgressRefused(f"egress: {TOO_LONG}")
            destination = self.destination(url.scheme, *host_and_port(url))
            _remember(self._checked, (url.scheme, url.host), destination)
        return destination

    def destination(self, scheme: str, host: str, port: int) -> Destination:
        """The same for the parts of a URL, its host as it is written there.

        Raises:
            EgressRefused: as ``check_url`` does.

        """
        key = (scheme, host, port)
        decision = self._remembered.get(key)
        if decision is None:
            decision = self._decide(scheme, host, port)
            _remember(self._remembered, key, decision)
        if isinstance(decision, str):
            raise EgressRefused(decision)
        return decision

    def check_redirect(self, url: Url, to: Url) -> None:
        """Refuse a redirect that is not to be followed; where it leads is checked like any URL.

        Raises:
            EgressRefused: it is not to be followed.

        """
        if self.redirects is Redirects.NONE:
            raise EgressRefused(f"egress: it answers with a redirect, and {self.name} follows none")
        if self.redirects is Redirects.SAME_ORIGIN and url.origin != to.origin:
            raise EgressRefused(
                f"egress: it redirects to {to.scheme}://{to.host}, and {self.name} follows"
                " redirects to the same origin only"
            )

    def _decide(self, scheme: str, written: str, port: int) -> Destination | str:
        try:
            host = read_host(written)
        except HostInvalid as error:
            return f"egress: {error}"
        if port not in PORTS:
            return f"egress: {port} is no port"
        what = _never_allowed(host)
        if what:
            return f"egress: {written} is {what}, {_NEVER}"
        rules = tuple(rule for rule in self.rules if rule.allows(scheme, host, port))
        if not isinstance(host, str):
            rules = tuple(rule for rule in rules if rule.allows_address(host, host))
        if not rules:
            place = written if port == DEFAULT_PORTS[scheme] else f"{written}:{port}"
            return f"egress: no rule of {self.name} allows {scheme}://{place}"
        return Destination(self.name, written, host, rules)


OPERATORS: Final = EgressPolicy("egress", (EVERYTHING,), Redirects.SAME_ORIGIN)
"""For addresses that stand in settings: everything but what no rule can allow."""


def _never_allowed(host: Host) -> str:
    if isinstance(host, str):
        return "a metadata service" if host in _METADATA_NAMES else ""
    return forbidden(host)


def _remember(
    remembered: dict[_Key, _Value], key: _Key, value: _Value, *, at_most: int = _MAX_REMEMBERED
) -> None:
    """Who brings templates chooses hosts and what they lead to, so there is a bound."""
    if len(remembered) >= at_most:
        remembered.clear()
    remembered[key] = value
