"""plugin: providers of other people's distributions, under the names that templates give them.

Source: argo-rollouts metric/provider.go, metricproviders/plugin @ 9f8d111d8 for what stands in a
template. Unlike Argo, a plugin is a Python object in the gateway's process instead of a program
beside it, and the gateway applies the conditions to what it measures.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from gateway.bounds import below
from gateway.provider import (
    Block,
    LastingProvider,
    Provider,
    ProviderType,
    SecretUse,
    Surroundings,
)
from gateway.shapes import did_you_mean
from providers._plugins.guarded import guarded
from providers._plugins.loading import Plugins

_MAX_SHOWN: Final = 10
"""More than one is a problem already; the first few say enough."""
_TAG: Final = "{{"
"""Begins what an argument is going to replace."""


def provider_type(plugins: Plugins) -> ProviderType:
    """The provider whose block has one key: the name of a plugin, over the plugin's own block."""
    kinds = {
        name: guarded(kind, plugins.guard(name), plugins.threads(name))
        for name, kind in plugins.kinds.items()
    }
    choice = _Choice(kinds)
    return ProviderType(
        check=choice.check,
        parse=choice.parse,
        credentials=choice.credentials,
        rules=choice.rules,
    )


@dataclass(frozen=True, slots=True)
class _Choice:
    """The plugins that a block may name."""

    kinds: Mapping[str, ProviderType]

    def check(self, block: Block) -> list[tuple[str, str]]:
        return [
            (below(name, rest), message)
            for name, inner in islice(block.items(), _MAX_SHOWN)
            for rest, message in self._problems(name, inner)
        ]

    def parse(self, block: Block, surroundings: Surroundings) -> Provider | LastingProvider:
        kind, inner = self._chosen(block)
        return kind.parse(inner, surroundings)

    def credentials(self, block: Block, environ: Mapping[str, str]) -> SecretUse | None:
        kind, inner = self._chosen(block)
        return kind.credentials(inner, environ)

    def rules(self, block: Block) -> None:
        if block:
            kind, inner = self._chosen(block)
            kind.check_rules(inner, {})

    def _problems(self, name: str, inner: object) -> Iterator[tuple[str, str]]:
        kind = self.kinds.get(name)
        if _TAG in name:
            # Which one it is, is not known yet.
            return
        if kind is None:
            yield "", self._unknown(name)
        elif isinstance(inner, dict):
            yield from kind.check(inner)
        else:
            yield "", "must be an object"

    def _unknown(self, name: str) -> str:
        listed = ", ".join(self.kinds) or "none"
        return (
            f"this gateway does not have the plugin: its setting plugins lists {listed}"
            f"{did_you_mean(name, self.kinds)}"
        )

    def _chosen(self, block: Block) -> tuple[ProviderType, Block]:
        """The plugin of a block that has been checked."""
        ((name, inner), *_) = block.items()
        return self.kinds[name], inner  # type: ignore[return-value] # checked to be an object
