"""The Secrets with which providers prove who they are, read before the providers are made.

Source: argo-rollouts utils/defaults/defaults.go:269-282 and the providers' own lookups @ 9f8d111d8.
A Secret of the gateway's own namespace serves the analyses of all namespaces, as a Secret of the
controller's does in Argo.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gateway.args import MissingKey, MissingSecret
from gateway.errors import ProviderInvalid
from gateway.plan import FinalMetric
from gateway.provider import FoundSecret, ProviderType, SecretOwner, SecretUse, Surroundings
from gateway.secrets import Secret
from gateway.template import SecretKeyRef


class SecretSource(Protocol):
    """Where the values of secrets come from."""

    async def read(
        self, namespace: str, refs: Sequence[SecretKeyRef]
    ) -> Mapping[SecretKeyRef, Secret | MissingSecret]:
        """A value for every reference, or why there is none.

        Raises:
            ClusterUnavailable: it cannot be known now.

        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Finds what a deployment has for its providers."""

    provider_types: Mapping[str, ProviderType]
    own_namespace: str
    """The gateway's."""
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What providers may read of the environment."""

    async def surroundings(
        self, metrics: Sequence[FinalMetric], namespace: str, source: SecretSource
    ) -> list[Surroundings | ProviderInvalid]:
        """For each metric of an analysis in ``namespace``; each Secret is read once.

        A Secret that cannot be had is the provider's to tell of. Who cannot say which one it wants
        has an error instead: a provider that does not look must not measure without it.

        Raises:
            ClusterUnavailable: it cannot be known now.

        """
        uses = [self._use(metric) for metric in metrics]
        wanted = list(dict.fromkeys(use for use in uses if isinstance(use, SecretUse)))
        found = await asyncio.gather(*(self._found(use, namespace, source) for use in wanted))
        by_use = dict(zip(wanted, found, strict=True))
        return [
            use
            if isinstance(use, ProviderInvalid)
            else Surroundings(self.environ, None if use is None else by_use[use])
            for use in uses
        ]

    def _use(self, metric: FinalMetric) -> SecretUse | ProviderInvalid | None:
        provider_type = self.provider_types[metric.provider_name]
        try:
            return provider_type.credentials(metric.block, self.environ)
        except ProviderInvalid as error:
            return error

    async def _found(
        self, use: SecretUse, namespace: str, source: SecretSource
    ) -> FoundSecret | ProviderInvalid:
        place = self.own_namespace if use.owner is SecretOwner.GATEWAY else namespace
        refs = [SecretKeyRef(name=use.name, key=key) for key in use.keys]
        values = await source.read(place, refs)
        for value in values.values():
            if isinstance(value, MissingSecret) and not isinstance(value, MissingKey):
                return ProviderInvalid(value.message)
        keys = {ref.key: value for ref, value in values.items() if isinstance(value, Secret)}
        return FoundSecret(f"{place}/{use.name}", keys)
