"""Argo's nouns that every layer shares: Phase, Reading, Measurement."""

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


@dataclass(frozen=True, slots=True)
class Judgement:
    """What conditions make of a reading, or what a provider that judges says."""

    phase: Phase
    message: str = ""
    """Argo's words for an Error, a provider's for what it could not judge; empty otherwise."""
    hint: str = ""
    """The condition's text with a caret under the offending character; empty if there is none."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a provider measured, before any condition is applied to it.

    A reading is a value: ``result`` holds only None, bool, float, str, tuple and read-only mappings
    (see ``gateway.freeze``), so that it can be shared between callers.
    """

    result: object
    """What conditions see as ``result``; None is JSON's null."""
    result_type: ResultType
    text: str
    """The same value as Argo prints it into ``measurement.value``."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """For the measurement, e.g. ``warnings``."""
    is_empty: bool = False
    """Whether the provider had no data at all; such a reading is never cached."""
    is_partial: bool = False
    """Whether the provider warned that data are missing; such a reading is never cached."""
    lag_s: float = 0.0
    """How long before it was asked for its measurement had begun: it was found under way."""
    judgement: Judgement | None = None
    """What the provider itself decided: then no condition is asked."""
