"""What callers do with runs: start them and end them.

choose     the templates, or the manifest, that the caller wants      gateway/planner.py
plan       it can be measured: else the caller hears of it now        gateway/runs/plans.py
create     the run is in Redis: it will be driven, whoever dies       gateway/runs/store.py
put        a worker takes it up                                       gateway/runs/queue.py
"""

import logging
import secrets
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

import orjson

from gateway.audit import Audit, Call, Entry
from gateway.errors import Problem, StoreUnavailable, TemplateInvalid
from gateway.planned import INLINE, Question
from gateway.planner import Planner
from gateway.provider import Clock
from gateway.run_manifest import (
    CONNECTIONS_ANNOTATION,
    CONTEXT_ANNOTATION,
    LABEL_ANNOTATION,
    MADE_BY_ANNOTATION,
    TEMPLATES_ANNOTATION,
    AnalysisRun,
    Order,
    manifest,
    order_of,
    parse_run,
)
from gateway.runs.plans import Origin, RunPlan, plan_run, wanted
from gateway.runs.store import Created, Idempotency, NewRun, RunStore, Terminated
from gateway.settings import Runs as RunSettings
from gateway.template import Argument

MAX_METRIC_NAME_CHARS: Final = 253
"""Every event repeats the name."""
_SUFFIX_BYTES: Final = 3
_log: Final = logging.getLogger(__name__)


class Queue(Protocol):
    """Who has runs driven."""

    async def put(self, run_id: str) -> None:
        """Have a run driven, if it is not already. Raises StoreUnavailable."""

    async def wake(self, run_id: str) -> None:
        """Have a run driven now. Raises StoreUnavailable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a caller may want of a run beside what it measures."""

    labels: Mapping[str, str] = field(default_factory=dict)
    context: Mapping[str, object] = field(default_factory=dict)
    """Repeated in the manifest."""
    is_dry_run: bool = False
    """Whether no metric counts."""
    made_by: str
    """The name of the caller."""
    connections: tuple[str, ...] | None = None
    """The connections that the caller has the right to; None for all."""


class Runs:
    """Starts and ends runs."""

    def __init__(
        self,
        *,
        planner: Planner,
        store: RunStore,
        queue: Queue,
        settings: RunSettings,
        now_unix_s: Clock,
        audit: Audit,
    ) -> None:
        self._planner = planner
        self._store = store
        self._queue = queue
        self._settings = settings
        self._now_unix_s = now_unix_s
        self._audit = audit

    async def find(self, once: Idempotency) -> Created | None:
        """The run that a key made before, whatever has become of its templates since.

        Raises:
            IdempotencyKeyReused: the key was used for another request.
            RunNotFound: the run that the key made has been deleted.
            StoreUnavailable: repeat.

        """
        return await self._store.find(once, self._now_unix_s())

    async def start(self, order: Order, wishes: Wishes, once: Idempotency | None) -> Created:
        """A run that will be driven to its end; the one that ``once`` made before, if any.

        Raises:
            TemplateInvalid: with every problem of metrics, rules and secrets.
            IdempotencyKeyReused: the key was used for another request.
            RunNotFound: the run that the key made has been deleted.
            TooManyRuns: as many as there may be are under way.
            StoreUnavailable: nothing is known of the run; repeat with the same key.
            ClusterUnavailable: a secret cannot be read now; repeat.

        """
        order = _with_wishes(order, wishes)
        plan = await plan_run(self._planner, wanted(order))
        problems = tuple(refusals(plan, self._settings.max_duration_s))
        if problems:
            raise TemplateInvalid(problems)
        now_unix_s = self._now_unix_s()
        run_id = str(uuid.uuid4())
        suffix = secrets.token_hex(_SUFFIX_BYTES)
        made = manifest(order, run_id=run_id, suffix=suffix, created_at_unix_s=now_unix_s)
        # Names and namespaces come from all sides: what is kept must be readable again.
        parse_run(made)
        new = NewRun(
            id=run_id,
            manifest=made,
            created_at_unix_s=now_unix_s,
            is_terminated=order.is_terminated,
        )
        created = await self._store.create(new, once)
        if created.is_new:
            self._note(run_id, Origin.of(made), plan, now_unix_s)
        try:
            await self._queue.put(created.run_id)
        except StoreUnavailable:
            # The run is kept; whoever looks after runs without a job will find it.
            _log.warning("a new run has to wait for Redis", extra={"run": created.run_id})
        return created

    def _note(self, run_id: str, origin: Origin, plan: RunPlan, now_unix_s: float) -> None:
        self._audit.note(
            Entry(
                at_unix_s=now_unix_s,
                call=Call.RUN_STARTED,
                caller=origin.made_by,
                namespace=origin.namespace,
                templates=origin.templates,
                arguments=plan.planned.arguments,
                run=run_id,
            )
        )

    async def terminate(self, run_id: str) -> Terminated:
        """Have a run end with what it has measured so far.

        Raises:
            RunNotFound: there is none of this id.
            StoreUnavailable: it is not known whether the run will end; repeat.

        """
        terminated = await self._store.terminate(run_id)
        if terminated is not Terminated.FINISHED:
            await self._queue.wake(run_id)
        return terminated


def order_of_question(planner: Planner, question: Question) -> Order:
    """What a run of templates measures.

    Raises:
        TemplateNotFound: a name that nobody has.
        TemplateInvalid: references, names or arguments are wrong.
        JobsForbidden: a template that came with the question has a Job.

    """
    choice = planner.choose(question)
    templates = choice.flat.templates
    return Order(
        name=f"{(question.inline or templates)[0].name}-",
        is_name_open=True,
        namespace=choice.namespace,
        flat=choice.flat,
        arguments=choice.arguments,
        annotations={
            TEMPLATES_ANNOTATION: ",".join(each.versioned_name for each in templates),
            LABEL_ANNOTATION: choice.label,
        },
        is_brought=choice.is_brought,
    )


def order_of_manifest(
    planner: Planner, run: AnalysisRun, *, namespace: str, given: tuple[Argument, ...]
) -> Order:
    """What a manifest asks for; ``given`` arguments win over those in the manifest.

    Raises:
        TemplateInvalid: an argument that the manifest does not have, or one without a value.
        JobsForbidden: it has a Job.

    """
    planner.check_brought(run.flat().metrics)
    return order_of(run, namespace=namespace, given=given)


def _with_wishes(order: Order, wishes: Wishes) -> Order:
    annotations = {
        LABEL_ANNOTATION: INLINE,
        **order.annotations,
        MADE_BY_ANNOTATION: wishes.made_by,
    }
    if wishes.connections is not None:
        annotations[CONNECTIONS_ANNOTATION] = orjson.dumps(wishes.connections).decode()
    if wishes.context:
        annotations[CONTEXT_ANNOTATION] = orjson.dumps(dict(wishes.context)).decode()
    return replace(
        order,
        labels={**order.labels, **wishes.labels},
        annotations=annotations,
        is_dry_run=wishes.is_dry_run,
    )


def refusals(plan: RunPlan, max_duration_s: float) -> Iterator[Problem]:
    """What is valid for Argo, and no run of the gateway's.

    Of a count that is below one in 32 bits Argo takes one measurement, and an Error of it passes.
    """
    for planned, rules in zip(plan.planned.metrics, plan.rules, strict=True):
        if len(rules.name) > MAX_METRIC_NAME_CHARS:
            yield Problem(
                f"{planned.plan.path}.name",
                f"has {len(rules.name)} characters; a run takes up to {MAX_METRIC_NAME_CHARS}",
            )
        path = f"{planned.plan.path}.count"
        if rules.count is not None and rules.count < 1:
            yield Problem(
                path,
                f"is {rules.count} in 32 bits; a run needs a count of one or more: leave it out for"
                " one measurement, or for as many as there is time for if there is an interval",
            )
        lasts_s = (rules.initial_delay_s or 0.0) + max(0, (rules.count or 1) - 1) * (
            rules.interval_s or 0.0
        )
        if lasts_s > max_duration_s:
            yield Problem(
                path,
                f"takes {lasts_s:g}s with its interval and initialDelay, longer than a run may"
                f" last: {max_duration_s:g}s (runs.maxDuration)",
            )
