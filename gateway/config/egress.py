"""The settings about where requests may go."""

import re
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from gateway.config.setting_types import Section
from gateway.upstreams.addresses import forbidden, forbidden_network, read_network
from gateway.upstreams.hosts import HostPattern, read_pattern

_PORTS: Final = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
_LAST_PORT: Final = 65_535
_NEVER: Final = "which no rule can allow"


def _pattern(value: object) -> object:
    if not isinstance(value, str):
        # pydantic turns a ValueError into a problem with a path, a TypeError into a crash.
        raise ValueError("must be a text such as '*.corp.example'")  # noqa: TRY004
    pattern = read_pattern(value)
    if pattern.host is not None and not isinstance(pattern.host, str):
        what = forbidden(pattern.host)
        if what:
            raise ValueError(f"{value} is {what}, {_NEVER}")
    return pattern


def _ports(value: object) -> object:
    match = _PORTS.fullmatch(str(value))
    if match is None or isinstance(value, bool):
        raise ValueError("must be a port such as 9090, or a text such as '9000-9100'")
    first, last = int(match[1]), int(match[2] or match[1])
    if not 1 <= first <= last <= _LAST_PORT:
        raise ValueError(f"ports go from 1 to {_LAST_PORT}")
    return range(first, last + 1)


def _network(value: object) -> object:
    return read_network(str(value))


def _useful(value: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    what = forbidden_network(value)
    if what:
        raise ValueError(f"{value} is {what}, {_NEVER}")
    return value


Pattern = Annotated[HostPattern, BeforeValidator(_pattern)]
Ports = Annotated[range, BeforeValidator(_ports)]
NetworkText = Annotated[
    IPv4Network | IPv6Network, BeforeValidator(_network), AfterValidator(_useful)
]
Follow = Literal["none", "same-origin", "all"]


class EgressRule(Section):
    """What may be asked, and where that may be."""

    name: str = Field(min_length=1)
    """What refusals call the rule."""
    schemes: tuple[Literal["http", "https"], ...] = Field(("http", "https"), min_length=1)
    """The schemes that URLs may have."""
    hosts: tuple[Pattern, ...] = ()
    """The hosts: a name, an address, `*.corp.example` for all names below one, or `*`. Unset, all
    that are in `networks`."""
    ports: tuple[Ports, ...] = ()
    """The ports: `9090`, or `"9000-9100"` for all in between. Unset, 80 for http and 443 for
    https."""
    networks: tuple[NetworkText, ...] = ()
    """Where the hosts may be, such as `10.0.0.0/8`. Unset, a host that is given by its name may
    be anywhere but on this machine, and one that is meant by a `*` at public addresses only."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.hosts and not self.networks:
            raise ValueError("needs hosts or networks; for all of them: hosts: ['*']")
        return self


class Egress(Section):
    """Where requests may go, and which redirects they follow."""

    named: tuple[EgressRule, ...] | None = None
    """What templates may ask that the gateway has: rules, one of which must allow it. Unset,
    everything but metadata services and their like."""
    named_redirects: Follow = "same-origin"
    """Which redirects they follow: `none`, `same-origin` or `all`."""
    inline: tuple[EgressRule, ...] | None = None
    """What templates may ask that come with a request: rules as in `egress.named`. Unset, nothing;
    but what `egress.named` says while the gateway is open to everybody on this machine, and to
    nobody else."""
    inline_redirects: Literal["none", "same-origin"] = "none"
    """Which redirects they follow: `none` or `same-origin`."""
