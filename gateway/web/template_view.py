"""A template as its page shows it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from gateway.lint import Finding
from gateway.template import Argument, Kind, Template
from gateway.web.manifests import yaml_text

_WITHOUT_SENSE: Final = frozenset({"annotations", "labels"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTemplate:
    """A template in the list."""

    name: str
    namespace: str
    """Empty for one of the cluster."""
    kind: Kind
    digest: str
    arguments: tuple[str, ...]
    metrics: tuple[str, ...]
    page: str
    """Where its own page is."""


@dataclass(frozen=True, slots=True)
class Field:
    """An argument in a form."""

    name: str
    value: str
    is_required: bool
    secret: str
    """Where its value comes from that nobody types in; empty for all others."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a manifest, with what is wrong in it."""

    number: int
    text: str
    findings: tuple[Finding, ...]


def listed(namespace: str, template: Template) -> ListedTemplate:
    """A template as the list shows it."""
    return ListedTemplate(
        name=template.name,
        namespace=namespace if template.kind is Kind.NAMESPACED else "",
        kind=template.kind,
        digest=template.digest,
        arguments=tuple(each.name for each in template.spec.args),
        metrics=tuple(each.name for each in template.spec.metrics),
        page=page_of(namespace, template),
    )


def page_of(namespace: str, template: Template) -> str:
    """Where the page of a template is."""
    name = quote(template.name, safe="")
    if template.kind is Kind.CLUSTER:
        return f"/clustertemplates/{name}"
    return f"/templates/{quote(namespace, safe='')}/{name}"


def verdict_url(namespace: str, template: Template) -> str:
    """Where the verdict of a template is asked for."""
    name = quote(template.name, safe="")
    if template.kind is Kind.CLUSTER:
        return f"/v1/clusteranalysistemplates/{name}/verdict"
    return f"/v1/namespaces/{quote(namespace, safe='')}/analysistemplates/{name}/verdict"


def fields(arguments: Sequence[Argument]) -> Iterator[Field]:
    """What a form asks for."""
    for each in arguments:
        ref = each.value_from.secret_key_ref if each.value_from is not None else None
        secret = "" if ref is None else f"{ref.name}/{ref.key}"
        yield Field(each.name, each.value or "", each.value is None and not secret, secret)


def manifest_text(template: Template) -> str:
    """The template as YAML, without what means nothing to the gateway."""
    content: Mapping[str, object] = template.model_dump(
        mode="json", by_alias=True, exclude_unset=True
    )
    metadata = content["metadata"]
    if isinstance(metadata, dict):
        metadata = {key: value for key, value in metadata.items() if key not in _WITHOUT_SENSE}
    return yaml_text({**content, "metadata": metadata})


def lines(text: str, findings: Sequence[Finding]) -> Iterator[Line]:
    """The lines of a manifest, each with its findings; those of no line are in the first one."""
    by_line: dict[int, list[Finding]] = {}
    for each in findings:
        by_line.setdefault(each.line or 1, []).append(each)
    for number, line in enumerate(text.splitlines(), start=1):
        yield Line(number, line, tuple(by_line.get(number, ())))
