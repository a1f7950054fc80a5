"""Nouns that every layer shares: Phase, Reading, Judgement."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Phase(StrEnum):
    """How a measurement, a metric or an analysis stands.

    Source: argo-rollouts pkg/apis/rollouts/v1alpha1/analysis_types.go:207-223 @ 9f8d111d8.
    """

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCESSFUL = "Successful"
    FAILED = "Failed"
    ERROR = "Error"
    INCONCLUSIVE = "Inconclusive"

    @property
    def is_completed(self) -> bool:
        """Whether nothing more will happen."""
        return self not in {Phase.PENDING, Phase.RUNNING}


class ResultType(StrEnum):
    """How ``result`` is typed before a condition runs; it decides between Error and Failed."""

    FLOAT = "float"
    """One float64: a Prometheus scalar."""
    FLOATS = "floats"
    """A list of float64, possibly empty: a Prometheus vector or matrix."""
    JSON = "json"
    """Decoded JSON; every number in it is a float64."""
    TYPED = "typed"
    """A list whose elements have Go types of their own: see ``Typed``."""
    METRIC_DATA = "metricData"
    """The records of CloudWatch, one for each query; conditions know their fields beforehand."""


@dataclass(frozen=True, slots=True)
class Typed:
    """An element of a typed list that is no bool, float64, string or nil."""

    go_type: str
    """``int64``, ``uint64``, ``time.Time``, ``time.Duration`` or ``[]uint8``."""
    text: str
    """Decimal digits, RFC 3339, a duration in Go's notation, or base64."""

    @property
    def json_value(self) -> int | str:
        """What a reader of JSON gets."""
        return int(self.text) if self.go_type in {"int64", "uint64"} else self.text


@dataclass(frozen=True, slots=True)
class Judgement:
    """What conditions make of a reading, or what a provider that judges says."""

    phase: Phase
    message: str = ""
    """Argo's words for an Error, a provider's for what it could not judge; empty otherwise."""
    hint: str = ""
    """The condition's text with a caret under the offending character; empty if there is none."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Reading:
    """What a provider measured, before any condition is applied to it.

    A reading is a value: ``result`` holds only None, bool, float, str, Typed, tuple and read-only
    mappings (see ``gateway.freeze``), so that it can be shared between callers.
    """

    result: object
    """What conditions see as ``result``; None is JSON's null."""
    result_type: ResultType
    text: str
    """The same value as Argo prints it into ``measurement.value``."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """For the measurement, e.g. ``warnings``."""
    value_metadata: Mapping[str, str] = field(default_factory=dict)
    """The same, told only with the value: where it was found, e.g. ``timestamps``."""
    is_empty: bool = False
    """Whether the provider had no data at all; such a reading is never cached."""
    is_partial: bool = False
    """Whether the provider warned that data are missing; such a reading is never cached."""
    lag_s: float = 0.0
    """How long before it was asked for its measurement had begun: it was found under way."""
    judgement: Judgement | None = None
    """What the provider itself decided: then no condition is asked."""
    outlives_error: bool = False
    """Whether its value is reported although a condition could not be evaluated, as Argo does for
    graphite and cloudWatch."""

    def is_reported_with(self, phase: Phase) -> bool:
        """Whether a measurement of that phase shows the value."""
        return phase is not Phase.ERROR or self.outlives_error

    def metadata_with(self, phase: Phase) -> Mapping[str, str]:
        """What a measurement of that phase tells beside its value."""
        of_value = self.value_metadata if self.is_reported_with(phase) else {}
        return {**self.metadata, **of_value}
