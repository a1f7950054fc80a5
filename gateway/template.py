"""AnalysisTemplate and ClusterAnalysisTemplate as frozen values; a complaint names its place.

Source: argo-rollouts pkg/apis/rollouts/v1alpha1/analysis_types.go:19-143, 431-457 and
types.go:790-803 @ 9f8d111d8. Unlike Argo, a field that nobody knows is a problem: a misspelt
``successCondition`` would let every release pass.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Final, Generic, TypeVar

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationError

from gateway.errors import Problem, TemplateInvalid
from gateway.gotext import json_text
from gateway.shapes import mended, shape_problems
from gateway.wire import (
    API_VERSION,
    Items,
    Limit,
    WireModel,
    check_api_version,
    check_int32,
    check_namespace,
    check_object_name,
    quoted,
    refuse,
)

_STAND_INS: Final[Mapping[str, object]] = {
    "metadata": {"name": "unnamed"},
    "spec": {},
    "name": "unnamed",
    "provider": {},
    "metricName": "",
    "limit": 0,
    "templateName": "unnamed",
    "key": "",
    "fieldPath": "",
}
"""For required fields that are wrong or missing, so that the rest can be looked at."""
_OTHER_KINDS: Final = frozenset({"Rollout", "AnalysisRun", "Experiment"})


class Kind(StrEnum):
    """Which of the two template kinds a manifest is."""

    NAMESPACED = "AnalysisTemplate"
    CLUSTER = "ClusterAnalysisTemplate"


class Metadata(WireModel):
    """What the gateway wants to know of an object; all else that Kubernetes has there may stay."""

    model_config = ConfigDict(extra="ignore")

    name: Annotated[str, AfterValidator(check_object_name)]
    namespace: Annotated[str, AfterValidator(check_namespace)] | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class Metric(WireModel):
    """One thing to measure; texts may hold ``{{args.x}}`` until they are resolved."""

    name: str
    interval: str = ""
    initial_delay: str = ""
    count: Limit = None
    # These may hold secrets once they are resolved.
    success_condition: str = Field("", repr=False)
    failure_condition: str = Field("", repr=False)
    failure_limit: Limit = None
    inconclusive_limit: Limit = None
    consecutive_error_limit: Limit = None
    consecutive_success_limit: Limit = None
    provider: dict[str, dict[str, object]] = Field(repr=False)
    """Blocks by Argo's provider name, as decoded JSON; a valid metric has exactly one."""


class SecretKeyRef(WireModel):
    """One key of a Kubernetes Secret in the run's namespace."""

    name: str
    key: str


class FieldRef(WireModel):
    """Known to the schema; nothing resolves it in a template's argument."""

    field_path: str


class ValueFrom(WireModel):
    """Where an argument's value comes from if it is not given in place."""

    secret_key_ref: SecretKeyRef | None = None
    field_ref: FieldRef | None = None


class Argument(WireModel):
    """A declared or a given argument; an absent value differs from an empty one."""

    name: str
    value: str | None = None
    value_from: ValueFrom | None = None


class DryRunRule(WireModel):
    """An RE2 expression, searched in metric names: the verdict of those is ignored."""

    metric_name: str


class RetentionRule(WireModel):
    """How many measurements are kept of the metrics that ``metric_name`` finds."""

    metric_name: str
    limit: Annotated[int, AfterValidator(check_int32)]


class TemplateRef(WireModel):
    """How a template, or a caller, names a template."""

    template_name: str
    cluster_scope: bool = False

    @property
    def kind(self) -> Kind:
        """The kind that is meant."""
        return Kind.CLUSTER if self.cluster_scope else Kind.NAMESPACED

    def __str__(self) -> str:
        return f"{self.kind} '{self.template_name}'"


class Spec(WireModel):
    """What both kinds have in common."""

    metrics: Items[Metric] = ()
    args: Items[Argument] = ()
    dry_run: Items[DryRunRule] = ()
    measurement_retention: Items[RetentionRule] = ()
    templates: Items[TemplateRef] = ()


def _kind(value: object) -> object:
    if value not in list(Kind):
        refuse(f"must be AnalysisTemplate or ClusterAnalysisTemplate, not {quoted(value)}")
    return Kind(str(value))


class Template(WireModel):
    """A manifest that is well formed; whether it makes sense is judged when it is planned."""

    api_version: Annotated[str, BeforeValidator(check_api_version)]
    kind: Annotated[Kind, BeforeValidator(_kind)]
    metadata: Metadata
    spec: Spec

    @property
    def name(self) -> str:
        """The object's name."""
        return self.metadata.name

    @property
    def ref(self) -> TemplateRef:
        """How others name this template."""
        return TemplateRef(templateName=self.name, clusterScope=self.kind is Kind.CLUSTER)

    @cached_property
    def digest(self) -> str:
        """``sha256:`` and the hash of the canonical JSON of ``spec``."""
        return f"sha256:{sha256(self._canonical).hexdigest()}"

    @property
    def size_bytes(self) -> int:
        """How long the canonical JSON of ``spec`` is."""
        return len(self._canonical)

    @cached_property
    def _canonical(self) -> bytes:
        return json_text(self.spec.model_dump(by_alias=True, exclude_unset=True)).encode()

    @property
    def versioned_name(self) -> str:
        """``name@sha256:...``: which text of the template was used."""
        return f"{self.name}@{self.digest}"


Part = TypeVar("Part", Metric, Argument, DryRunRule, RetentionRule)


@dataclass(frozen=True, slots=True)
class Located(Generic[Part]):
    """A part of a template, and where it stands."""

    part: Part
    path: str
    """``spec.metrics[0]``; with the template's name before it if there are several templates."""


def parse(content: object) -> Template:
    """A document to a template.

    Args:
        content: decoded YAML or JSON, see ``gateway.documents``.

    Raises:
        TemplateInvalid: with every field that is unknown, missing or of a wrong type.

    """
    template, problems = examine(content)
    if template is None or problems:
        raise TemplateInvalid(problems)
    return template


def examine(content: object) -> tuple[Template | None, tuple[Problem, ...]]:
    """As ``parse``, but goes on without the fields that are wrong, for who looks for more.

    Returns:
        What is left of the template, with stand-ins for required fields, None if it is not enough;
        and all problems of its form.

    """
    try:
        return Template.model_validate(content), ()
    except ValidationError as error:
        problems = shape_problems(Template, error)
        rest = mended(content, error, _STAND_INS)
    # Nobody is helped by hearing that each field of another kind's spec is unknown.
    of_kind = tuple(problem for problem in problems if problem.path in {"apiVersion", "kind"})
    if of_kind:
        return None, of_kind
    try:
        return Template.model_validate(rest), problems
    except ValidationError:
        return None, problems


def is_of_others(content: object) -> bool:
    """Whether a document is a manifest that may stand beside templates, but is none."""
    match content:
        case {"apiVersion": str(version), "kind": str(kind)}:
            group = API_VERSION.partition("/")[0]
            return version.partition("/")[0] != group or kind in _OTHER_KINDS
        case _:
            return False
