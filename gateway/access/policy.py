"""Which caller may do what: rules that allow, and nothing else that does.

No rule forbids: what no rule allows is refused, and one rule more never takes a right away. The
order of the rules means nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, Self, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from gateway.access.caller import ANONYMOUS, Caller
from gateway.access.globs import fits_any
from gateway.wire import WireModel, refuse

ANYTHING: Final = "*"
EVERYWHERE: Final = "*"
"""As a namespace that is asked about: only who may do it in all namespaces may do it there."""
MAX_RULES: Final = 1_000
_MAX_SHOWN_CHARS: Final = 260
Item = TypeVar("Item")


def _not_empty(items: tuple[Item, ...]) -> tuple[Item, ...]:
    return items or refuse("must not be empty")


Some = Annotated[
    tuple[Item, ...], Field(strict=False, max_length=MAX_RULES), AfterValidator(_not_empty)
]


class Action(StrEnum):
    """What callers do."""

    VERDICT = "verdict"
    """Ask for the verdict of templates."""
    RUN = "run"
    """Start runs of templates; see, follow, end and delete such runs, whoever started them."""
    INLINE = "inline"
    """Bring templates, or a whole run, beside the right to ask for verdicts or to run them."""
    EXPLAIN = "explain"
    """See the requests and answers behind a verdict, beside the right to ask for it."""
    JOBS = "jobs"
    """Have templates judged that run Jobs."""
    ADMIN = "admin"
    """See, end and delete all runs of a namespace, and see what is wrong with the gateway."""
    METRICS = "metrics"
    """Read ``/metrics``."""


_WORDS: Final = {
    Action.VERDICT: "ask for verdicts",
    Action.RUN: "run analyses",
    Action.INLINE: "bring templates",
    Action.EXPLAIN: "see requests and answers",
    Action.JOBS: "run Jobs",
    Action.ADMIN: "see and end all runs",
    Action.METRICS: "read metrics",
}


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Patterns = Annotated[Some[Annotated[str, Field(min_length=1)]], BeforeValidator(_listed)]
"""A glob, or a list of which one is enough."""


class Callers(WireModel):
    """Whom a rule is for: those of whom all this is true."""

    name: Patterns | None = None
    group: Patterns | None = None
    """One of the caller's groups."""
    claims: dict[str, Patterns] = Field(default_factory=dict)
    """Names of claims, each with what one of its values must be."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.name is None and self.group is None and not self.claims:
            refuse("must have a name, a group or claims")
        return self

    def include(self, caller: Caller) -> bool:
        """Whether this is true of a caller."""
        if self.name is not None and not fits_any(self.name, caller.name):
            return False
        if self.group is not None and not _one_fits(self.group, tuple(caller.groups)):
            return False
        claims = dict(caller.claims)
        return all(
            _one_fits(patterns, claims.get(name, ())) for name, patterns in self.claims.items()
        )


def _one_fits(patterns: Sequence[str], texts: Sequence[str]) -> bool:
    return any(fits_any(patterns, text) for text in texts)


def _named(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


class Rule(WireModel):
    """What some callers may."""

    callers: Some[Annotated[Callers, BeforeValidator(_named)]]
    """Those of whom one entry is true; an entry that is a text is a pattern of names."""
    actions: Some[Annotated[Action, Field(strict=False)]]
    namespaces: Patterns | None = None
    """Where; only ``metrics`` needs none."""
    templates: Patterns = (ANYTHING,)
    """Which of the templates that the gateway has, by name."""
    connections: Patterns | None = None
    """Which connections analyses may use, by name; none unless it says so."""

    @model_validator(mode="after")
    def _has_a_place(self) -> Self:
        if self.namespaces is None and set(self.actions) != {Action.METRICS}:
            refuse('needs namespaces, such as [shop], or ["*"] for all')
        return self


AtLeastOne = Annotated[int, Field(ge=1)]


class Budget(WireModel):
    """How much some callers may ask; what it does not say is as ``access.budget`` has it."""

    callers: Some[Annotated[Callers, BeforeValidator(_named)]]
    """As those of a rule."""
    per_second: AtLeastOne | None = None
    burst: AtLeastOne | None = None
    concurrency: AtLeastOne | None = None
    queue: Annotated[int, Field(ge=0)] | None = None


class Policy(WireModel):
    """All rules."""

    rules: Annotated[tuple[Rule, ...], Field(strict=False, max_length=MAX_RULES)]
    budgets: Annotated[tuple[Budget, ...], Field(strict=False, max_length=MAX_RULES)] = ()


OPEN: Final = Policy(
    rules=(
        Rule(
            callers=(Callers(name=(ANONYMOUS.name,)),),
            actions=tuple(Action),
            namespaces=(EVERYWHERE,),
            connections=(ANYTHING,),
        ),
    )
)
"""The policy of a gateway whose access is not configured."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a caller is about to do: an action upon all of this."""

    action: Action
    namespace: str | None = None
    """None asks whether it may be done in any namespace at all."""
    templates: tuple[str, ...] = ()
    """Names of templates that the gateway has."""
    connections: tuple[str, ...] = ()
    """Names of what is connected to."""


def refusal(policy: Policy, caller: Caller, wanted: Wanted) -> str | None:
    """What a caller lacks for what it is about to do, in a sentence; None if it may do it.

    Each template, with each connection, must be allowed by one rule that is for the caller, the
    action and the namespace.
    """
    rules = [rule for rule in policy.rules if _is_about(rule, caller, wanted)]
    if not rules:
        return _sentence(caller, wanted)
    scopes = [
        (_of(template, rules), f" of template {_shown(template)}") for template in wanted.templates
    ]
    for ours, upon in scopes or [(rules, "")]:
        if not ours:
            return _sentence(caller, wanted, upon)
        for connection in wanted.connections:
            if not any(fits_any(rule.connections or (), connection) for rule in ours):
                return _sentence(caller, wanted, f"{upon} with connection {_shown(connection)}")
    return None


def _is_about(rule: Rule, caller: Caller, wanted: Wanted) -> bool:
    if wanted.action not in rule.actions:
        return False
    is_there = wanted.namespace is None or fits_any(rule.namespaces or (), wanted.namespace)
    return is_there and any(each.include(caller) for each in rule.callers)


def _of(template: str, rules: Sequence[Rule]) -> list[Rule]:
    return [rule for rule in rules if fits_any(rule.templates, template)]


def _sentence(caller: Caller, wanted: Wanted, upon: str = "") -> str:
    place = "" if wanted.namespace is None else f" in namespace {_shown(wanted.namespace)}"
    if wanted.namespace == EVERYWHERE:
        place = " in all namespaces"
    what = f"{_WORDS[wanted.action]}{upon}{place}"
    return f"caller {caller.name} may not {what}: no rule of the policy allows it"


def _shown(text: str) -> str:
    return f"'{text[:_MAX_SHOWN_CHARS]}'"
