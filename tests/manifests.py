"""Short words for templates and their parts."""

from collections.abc import Mapping, Sequence
from typing import Any, Never

from gateway import template
from gateway.args import Arguments
from gateway.errors import ProviderInvalid
from gateway.flatten import FlatTemplate
from gateway.plan import AnalysisPlan, build, resolve_metrics
from gateway.provider import Block, Provider, ProviderType, Surroundings
from gateway.template import Argument, Kind, Located, Metric, Template

WEB = {"web": {"url": "http://x"}}


def manifest(name: str = "t", kind: str = Kind.NAMESPACED, **spec: object) -> dict[str, Any]:
    """A template's document; ``spec`` in wire names."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    }


def parsed(name: str = "t", kind: str = Kind.NAMESPACED, **spec: object) -> Template:
    """A template; ``spec`` in wire names."""
    return template.parse(manifest(name, kind, **spec))


def metric(name: str = "m", **fields: object) -> Metric:
    """A metric with a provider; ``fields`` in wire names."""
    return Metric.model_validate({"name": name, "provider": WEB, **fields})


def argument(name: str, value: str | None = None, **fields: object) -> Argument:
    """An argument without a value unless one is given."""
    given = {} if value is None else {"value": value}
    return Argument.model_validate({"name": name, **given, **fields})


def secret_argument(name: str, value: str | None = None, *, key: str = "k") -> Argument:
    """An argument from a key of secret ``s``."""
    return argument(name, value, valueFrom={"secretKeyRef": {"name": "s", "key": key}})


def located(metrics: Sequence[Metric]) -> list[Located[Metric]]:
    """Metrics at the places that one template gives them."""
    return [Located(each, f"spec.metrics[{index}]") for index, each in enumerate(metrics)]


def values(**by_name: str) -> Arguments:
    """Arguments without secrets."""
    return Arguments(by_name, by_name)


class FakeProvider:
    """A provider that remembers its block and never measures."""

    def __init__(self, block: Block) -> None:
        self.block = block

    async def measure(self, _context: object) -> Never:
        """Not used: plans are not carried out here."""
        raise NotImplementedError

    def resolved_query(self) -> str:
        """The address."""
        return str(self.block["url"])


def _check(block: Block) -> list[tuple[str, str]]:
    problems = [(key, "unknown field") for key in block if key not in {"url", "headers"}]
    headers = block.get("headers", [])
    if not isinstance(headers, list):
        problems.append(("headers", "must be a list"))
    return problems


def _parse(block: Block, surroundings: Surroundings) -> Provider:
    url = block.get("url", surroundings.environ.get("URL"))
    if not url:
        raise ProviderInvalid("web address is not configured")
    return FakeProvider({**block, "url": url})


def _check_list(block: Block) -> list[tuple[str, str]]:
    return [("", "is never right"), ("[0].x", "neither")] if block else []


PROVIDER_TYPES = {
    "web": ProviderType(check=_check, parse=_parse),
    "job": ProviderType(check=_check_list, parse=lambda block, _: FakeProvider(block)),
}


def plan_of(
    flat: FlatTemplate,
    arguments: Arguments,
    provider_types: Mapping[str, ProviderType],
    surroundings: Surroundings | None = None,
) -> AnalysisPlan:
    """The plan of a template, all of its providers in the same surroundings."""
    metrics = resolve_metrics(flat, arguments, provider_types)
    around = [surroundings or Surroundings()] * len(metrics)
    return build(flat, arguments, metrics, around, provider_types=provider_types)
