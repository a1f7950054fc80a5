"""The manifest of an AnalysisRun: what somebody sends, and what the gateway makes of templates.

Source: argo-rollouts pkg/apis/rollouts/v1alpha1/analysis_types.go:225-297 @ 9f8d111d8. A ``status``
that comes along is ignored: a run that was copied out of a cluster starts anew.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationError

from gateway import args
from gateway.errors import TemplateInvalid
from gateway.flatten import FlatTemplate
from gateway.shapes import shape_problems
from gateway.template import Argument, DryRunRule, Located, Metric, Part, RetentionRule
from gateway.verdict import timestamp
from gateway.wire import (
    API_VERSION,
    Items,
    WireModel,
    check_api_version,
    check_int32,
    check_labels,
    check_namespace,
    check_object_name,
)

KIND: Final = "AnalysisRun"
OWN_PREFIX: Final = "analysis-gateway/"
"""Annotations that begin so are what the gateway says of a run; who brings a run cannot."""
TEMPLATES_ANNOTATION: Final = "analysis-gateway/templates"
"""``name@sha256:...`` of every template that took part, with commas between."""
LABEL_ANNOTATION: Final = "analysis-gateway/template"
"""What own metrics call the run's template."""
NAMED_ANNOTATION: Final = "analysis-gateway/named"
"""There if the gateway had all that the run measures, and no request brought any of it."""
CONTEXT_ANNOTATION: Final = "analysis-gateway/context"
"""JSON of what the caller asked to have repeated."""
MADE_BY_ANNOTATION: Final = "analysis-gateway/made-by"
"""The name of the caller who started the run."""
CONNECTIONS_ANNOTATION: Final = "analysis-gateway/connections"
"""JSON of the connections that the caller had the right to; not there if to all."""
_MAX_NAME_CHARS: Final = 63
_EVERY_METRIC: Final = DryRunRule(metricName=".*")

Seconds = Annotated[int, AfterValidator(check_int32)]


class TtlStrategy(WireModel):
    """How long a run is kept after its end."""

    seconds_after_completion: Seconds | None = None
    seconds_after_success: Seconds | None = None
    seconds_after_failure: Seconds | None = None


def _name_prefix(value: str) -> str:
    check_object_name(f"{value}x")
    return value


class RunMetadata(WireModel):
    """What the gateway wants to know of a run; all else that Kubernetes has there may stay."""

    model_config = ConfigDict(extra="ignore")

    name: Annotated[str, AfterValidator(check_object_name)] | None = None
    generate_name: Annotated[str, AfterValidator(_name_prefix)] | None = None
    namespace: Annotated[str, AfterValidator(check_namespace)] | None = None
    labels: Annotated[dict[str, str], AfterValidator(check_labels)] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class RunSpec(WireModel):
    """What a run measures; there are no references to templates any more."""

    metrics: Items[Metric]
    args: Items[Argument] = ()
    dry_run: Items[DryRunRule] = ()
    measurement_retention: Items[RetentionRule] = ()
    terminate: bool = False
    ttl_strategy: TtlStrategy | None = None


class AnalysisRun(WireModel):
    """A manifest that is well formed."""

    api_version: Annotated[str, BeforeValidator(check_api_version)]
    kind: Literal["AnalysisRun"]
    metadata: RunMetadata = RunMetadata()
    spec: RunSpec
    status: object = None

    def flat(self) -> FlatTemplate:
        """The metrics with their places, as if they came from one template."""
        spec = self.spec
        return FlatTemplate(
            templates=(),
            metrics=tuple(_located("metrics", spec.metrics)),
            args=spec.args,
            dry_run=tuple(_located("dryRun", spec.dry_run)),
            measurement_retention=tuple(
                _located("measurementRetention", spec.measurement_retention)
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A run that somebody wants, before it has an identity."""

    name: str
    """The run's name, or what its name begins with if ``is_name_open``."""
    is_name_open: bool
    namespace: str
    flat: FlatTemplate
    arguments: tuple[Argument, ...] = field(repr=False)
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    ttl_strategy: TtlStrategy | None = None
    is_terminated: bool = False
    is_dry_run: bool = False
    """Whether no metric counts."""
    is_brought: bool
    """Whether a request brought any of what is measured."""


def parse_run(content: object) -> AnalysisRun:
    """A document to a run's manifest.

    Raises:
        TemplateInvalid: with every field that is unknown, missing or of a wrong type.

    """
    try:
        return AnalysisRun.model_validate(content)
    except ValidationError as error:
        raise TemplateInvalid(shape_problems(AnalysisRun, error)) from None


def order_of(run: AnalysisRun, *, namespace: str, given: tuple[Argument, ...]) -> Order:
    """What a manifest asks for; ``given`` arguments win over those in the manifest.

    Raises:
        TemplateInvalid: an argument that the manifest does not have, or one without a value.

    """
    metadata = run.metadata
    return Order(
        name=metadata.name or metadata.generate_name or "run-",
        is_name_open=metadata.name is None,
        namespace=namespace,
        flat=run.flat(),
        arguments=args.merge(run.spec.args, given),
        labels=metadata.labels,
        annotations={
            key: text
            for key, text in metadata.annotations.items()
            if not key.startswith(OWN_PREFIX)
        },
        ttl_strategy=run.spec.ttl_strategy,
        is_terminated=run.spec.terminate,
        is_brought=True,
    )


def label_of(names: Iterable[str]) -> str:
    """What own metrics call templates that were asked for by these names."""
    return "+".join(names)


def names_in(label: str) -> tuple[str, ...]:
    """The names out of such a label: no name of Kubernetes has a plus in it."""
    return tuple(label.split("+"))


def manifest(
    order: Order, *, run_id: str, suffix: str, created_at_unix_s: float
) -> dict[str, object]:
    """The manifest of a run that begins now; JSON-ready, without a status.

    Args:
        order: what is wanted.
        run_id: the run's ``uid``.
        suffix: what makes an open name one of a kind.
        created_at_unix_s: now.

    """
    room = _MAX_NAME_CHARS - len(suffix)
    described = {"labels": dict(order.labels), "annotations": _annotations(order)}
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {
            "name": f"{order.name[:room]}{suffix}" if order.is_name_open else order.name,
            "namespace": order.namespace,
            "uid": run_id,
            "creationTimestamp": timestamp(created_at_unix_s),
            **{key: value for key, value in described.items() if value},
        },
        "spec": _spec(order),
    }


def _annotations(order: Order) -> dict[str, str]:
    named = {} if order.is_brought else {NAMED_ANNOTATION: "true"}
    return {**order.annotations, **named}


def _spec(order: Order) -> dict[str, object]:
    flat = order.flat
    own_dry_run = [_EVERY_METRIC] if order.is_dry_run else []
    lists: dict[str, Sequence[WireModel]] = {
        "args": order.arguments,
        "dryRun": [*(each.part for each in flat.dry_run), *own_dry_run],
        "measurementRetention": [each.part for each in flat.measurement_retention],
    }
    spec: dict[str, object] = {"metrics": [_wire(each.part) for each in flat.metrics]}
    spec |= {field: [_wire(part) for part in parts] for field, parts in lists.items() if parts}
    if order.ttl_strategy is not None:
        spec["ttlStrategy"] = _wire(order.ttl_strategy)
    return spec


def _located(field: str, parts: Sequence[Part]) -> Iterator[Located[Part]]:
    for index, part in enumerate(parts):
        yield Located(part, f"spec.{field}[{index}]")


def _wire(part: WireModel) -> dict[str, object]:
    return part.model_dump(mode="json", by_alias=True, exclude_unset=True)
