"""What is asked, what of it was chosen, and what is to be measured for it: as values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from gateway.egress import INLINE_POLICY
from gateway.flatten import FlatTemplate
from gateway.grants import Grants
from gateway.plan import MetricPlan
from gateway.secrets import Redaction
from gateway.template import Argument, Template, TemplateRef

INLINE: Final = "inline"
"""What own metrics call a template that came with a request."""
_MAX_REMEMBERED_CHARS: Final = 16_384


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a caller wants to have measured."""

    namespace: str
    refs: tuple[TemplateRef, ...] = ()
    inline: tuple[Template, ...] = ()
    arguments: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    may_run_jobs: bool = True
    """Whether the caller has the right to Jobs, if there are any in the templates."""
    connections: tuple[str, ...] | None = None
    """The connections that the caller has the right to; None for all."""

    @cached_property
    def without_jobs(self) -> "Question":
        """The same from somebody who has no right to Jobs."""
        return replace(self, may_run_jobs=False)

    @cached_property
    def identity(self) -> str:
        """Equal for equal questions."""
        refs = [[ref.kind, ref.template_name] for ref in self.refs]
        inline = [[each.kind, each.versioned_name] for each in self.inline]
        return json.dumps(
            [
                self.namespace,
                refs,
                inline,
                self.arguments,
                self.may_run_jobs,
                self.connections,
            ]
        )

    @property
    def is_worth_remembering(self) -> bool:
        """Whether it is short: thousands are remembered, and callers choose how long they are."""
        inline_bytes = sum(template.size_bytes for template in self.inline)
        return len(self.identity) + inline_bytes <= _MAX_REMEMBERED_CHARS


@dataclass(frozen=True, slots=True)
class PlannedMetric:
    """One metric and the key under which its readings are shared."""

    plan: MetricPlan
    key: str
    query: str = field(repr=False)
    """The query after argument substitution, secrets in the clear; empty if there is none."""
    query_metadata: str = ""
    """Under which name a run reports it; empty if it does not."""
    egress: str = INLINE_POLICY
    """Under which policy it is asked."""
    grants: Grants = field(default=Grants(), repr=False)
    """What it may use of named upstreams."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What a question comes to before secrets are read and anything is resolved."""

    namespace: str
    label: str
    """What own metrics call the template."""
    flat: FlatTemplate
    arguments: tuple[Argument, ...] = field(repr=False)
    """One for every declared argument, each with a value or a source of one."""
    is_brought: bool
    """Whether a request brought any of it, so that its author may be anybody."""
    connections: tuple[str, ...] | None = None
    """The connections that the caller has the right to; None for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """Everything that is to be measured for a question."""

    namespace: str
    label: str
    """What own metrics call the template."""
    templates: tuple[str, ...]
    metrics: tuple[PlannedMetric, ...]
    redaction: Redaction
    arguments: Mapping[str, str] = field(default_factory=dict)
    """As they may be shown."""
    origins: tuple[str, ...] = ()
    """The templates, whatever is in them: ``KIND/NAME``, with ``inline:`` before it if a request
    brought any."""

    @property
    def may_change(self) -> bool:
        """Whether it has to be planned anew from time to time: values of secrets may change."""
        return bool(self.redaction) or any(each.grants.are_broken for each in self.metrics)
