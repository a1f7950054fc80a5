"""What one analysis may use of the connections, with the values that their secrets have now."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.errors import EgressRefused, ProviderError
from gateway.secrets import Secret
from gateway.upstreams.connections import Upstream, upstream_of


@dataclass(frozen=True, slots=True)
class Grant:
    """One connection that may be used."""

    upstream: Upstream
    headers: Mapping[str, str] | ProviderError = field(repr=False)
    """What it adds to requests, or why that cannot be had."""
    secrets: tuple[Secret, ...] = ()
    """What must be masked in all that leaves."""

    def added_to(self, own: Mapping[str, str], *, has_user: bool) -> dict[str, str]:
        """The headers to send: what a request says itself wins.

        Args:
            own: the request's.
            has_user: whether credentials stand in its URL.

        Raises:
            ProviderError: what is to be added cannot be had.

        """
        if isinstance(self.headers, ProviderError):
            # It is raised for many: without this each would add its frames to it.
            raise self.headers.with_traceback(None)
        taken = {name.lower() for name in own} | ({"authorization"} if has_user else set())
        # A host of its own would lead the credentials to a neighbour of the upstream.
        kept = {name: text for name, text in own.items() if name.lower() != "host"}
        added = {name: text for name, text in self.headers.items() if name.lower() not in taken}
        return {**kept, **added}


@dataclass(frozen=True, slots=True)
class Grants:
    """All connections, for one namespace and one kind of template."""

    granted: Mapping[str, Grant] = field(default_factory=dict)
    """By name."""
    refusals: Mapping[str, str] = field(default_factory=dict)
    """Why the others may not be used, by name."""
    upstreams: tuple[Upstream, ...] = ()
    """Of both."""
    namespace: str = ""
    """Whose they are: namespaces take turns where an upstream has not enough for all."""

    def grant_of(self, url: str) -> Grant | None:
        """The connection that a request to a URL uses; None if it is of none.

        Raises:
            EgressRefused: it is of one that may not be used.

        """
        upstream = upstream_of(self.upstreams, url)
        if upstream is None:
            return None
        if upstream.name in self.refusals:
            raise EgressRefused(self.refusals[upstream.name])
        return self.granted[upstream.name]

    @property
    def identity(self) -> str:
        """Differs when anything differs that decides what is asked; holds secrets."""
        parts = [
            [name, repr(grant.upstream), _plain(grant.headers)]
            for name, grant in self.granted.items()
        ]
        return json.dumps(parts, sort_keys=True)

    @property
    def are_broken(self) -> bool:
        """Whether there is a value that cannot be had now."""
        return any(isinstance(each.headers, ProviderError) for each in self.granted.values())

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What must be masked in all that leaves."""
        return tuple(secret for grant in self.granted.values() for secret in grant.secrets)


def _plain(headers: Mapping[str, str] | ProviderError) -> object:
    return str(headers) if isinstance(headers, ProviderError) else dict(headers)
