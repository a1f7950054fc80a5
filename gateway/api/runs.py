"""The calls about durable runs: start, read, list, terminate and delete them."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, Protocol
from uuid import UUID

from aiohttp import web

from gateway.access.caller import ANONYMOUS, Caller
from gateway.access.needs import granted, of_brought_run, of_question, usable
from gateway.access.policy import Action
from gateway.access.rights import Rights
from gateway.api import bodies, run_parameters
from gateway.api.bodies import Body
from gateway.api.callers import caller_of
from gateway.api.contents import NamedRun, OfRun, OfTemplates, content_of
from gateway.api.origins import refuse_other_origins
from gateway.api.parameters import StatusMode, Wait
from gateway.api.problems import RETRY_AFTER_S, refusal
from gateway.api.run_answers import answer, document, location, noted, page_json
from gateway.api.run_parameters import NewRunParameters
from gateway.api.statuses import status_of
from gateway.api.visible_runs import VisibleRuns
from gateway.audit import Audit, Call, Entry
from gateway.config.settings import Settings
from gateway.errors import RunNotFound, StoreUnavailable
from gateway.planner import Planner
from gateway.run_manifest import Order
from gateway.run_verdict import gate_phase, run_verdict
from gateway.runs.plans import Origin
from gateway.runs.runs import Wishes, order_of_manifest, order_of_question
from gateway.runs.store import (
    Created,
    Filter,
    Idempotency,
    Page,
    Run,
    RunUnreadable,
    Terminated,
    understood,
)
from gateway.runs.watch import Watch

REPLAYED: Final = "Idempotency-Replayed"
_MAYBE_STARTED: Final = (
    "; the run may have been started: repeat with the same Idempotency-Key, or look for it with"
    " GET /v1/runs"
)
OrderOf = Callable[[OfTemplates | OfRun], Order]
"""What a body asks to have run. Raises TemplateNotFound, TemplateInvalid."""


class StartsRuns(Protocol):
    """The use case behind these calls."""

    async def find(self, once: Idempotency) -> Created | None:
        """The run that ``once`` made before, None if it is new."""

    async def start(self, order: Order, wishes: Wishes, once: Idempotency | None) -> Created:
        """A run that will be driven, or the one that ``once`` made before."""

    async def terminate(self, run_id: str) -> Terminated:
        """Have a run end."""


class KeepsRuns(Protocol):
    """Where runs are."""

    async def load(self, run_id: str) -> Run:
        """A run. Raises RunNotFound, StoreUnavailable."""

    async def manifest(self, run_id: str) -> Mapping[str, object]:
        """The manifest of a run. Raises RunNotFound, StoreUnavailable."""

    async def list(self, wanted: Filter, *, limit: int, cursor: str | None) -> Page:
        """A page of runs. Raises RequestInvalid for a wrong cursor, StoreUnavailable."""

    async def delete(self, run_id: str, now_unix_s: float) -> None:
        """Drop a run. Raises RunNotFound, RunUnderWay, StoreUnavailable."""


class RunCalls:
    """``/v1/runs`` and what is below it, events excepted."""

    def __init__(
        self,
        runs: StartsRuns,
        store: KeepsRuns,
        watch: Watch,
        order_of: OrderOf,
        rights: Rights,
        settings: Settings,
        audit: Audit,
    ) -> None:
        self._runs = runs
        self._store = store
        self._rights = rights
        self._visible = VisibleRuns(store, rights)
        self._watch = watch
        self._connections = settings.connection_names
        self._order_of = order_of
        self._settings = settings
        self._audit = audit

    def routes(self) -> list[web.RouteDef]:
        """The paths that this resource answers."""
        return [
            web.post("/v1/runs", self.start),
            web.get("/v1/runs", self.list),
            web.get("/v1/runs/{id}", self.read),
            web.get("/v1/runs/{id}/verdict", self.verdict),
            web.post("/v1/runs/{id}/terminate", self.terminate),
            web.delete("/v1/runs/{id}", self.delete),
        ]

    async def start(self, request: web.Request) -> web.Response:
        """A run of what the body names or brings; the same one for a key that came before."""
        caller = caller_of(request)
        self._rights.check_any(caller, Action.RUN)
        chosen = run_parameters.read_new(request, self._settings)
        body = await bodies.body(request, self._settings.limits)
        try:
            created = await self._created(caller, chosen, body)
        except StoreUnavailable as error:
            return refusal(error, addition=_MAYBE_STARTED)
        headers = {"Location": location(created.run_id)}
        if not created.is_new:
            headers[REPLAYED] = "true"
        try:
            run = await self._until_ended(request, created.run_id, chosen.wait)
        except StoreUnavailable as error:
            # Who is told nothing but this would start another one.
            known = f"; run {created.run_id} goes on as soon as Redis does"
            return refusal(error, addition=known, headers=headers)
        status = 200 if run.status.phase.is_completed else 202
        if chosen.status_mode is StatusMode.GATE:
            phase = gate_phase(run.status, is_terminated=run.is_terminated)
            status = status_of(phase, StatusMode.GATE)
        return answer(document(run), status=status, headers={**headers, **chosen.wait.headers()})

    async def list(self, request: web.Request) -> web.Response:
        """A page of runs, newest first."""
        caller = self._may_see_some(request)
        chosen = run_parameters.read_list(request)
        if chosen.wanted.namespace is not None:
            self._visible.check_namespace(caller, chosen.wanted.namespace)
        wanted = replace(chosen.wanted, sees=self._visible.of(caller))
        page = await self._store.list(wanted, limit=chosen.limit, cursor=chosen.cursor)
        # A large page takes long enough to write that verdicts would notice.
        return answer(await asyncio.to_thread(page_json, page))

    async def read(self, request: web.Request) -> web.Response:
        """A run, when it has ended or the wait is over."""
        self._may_see_some(request)
        wait, mode = run_parameters.read_one(request, self._settings)
        run = await self._until_ended(request, run_id_of(request), wait)
        phase = gate_phase(run.status, is_terminated=run.is_terminated)
        status = status_of(phase, mode) if mode is StatusMode.GATE else 200
        return answer(document(run), status=status, headers=wait.headers())

    async def verdict(self, request: web.Request) -> web.Response:
        """The verdict of a run, when it has ended or the wait is over."""
        self._may_see_some(request)
        wait, mode = run_parameters.read_verdict(request, self._settings)
        run = await self._until_ended(request, run_id_of(request), wait)
        with understood(run):
            body = run_verdict(
                run.id,
                run.manifest,
                run.status,
                is_terminated=run.is_terminated,
                now_unix_s=time.time(),
            )
        phase = gate_phase(run.status, is_terminated=run.is_terminated)
        headers = {"Location": location(run.id), **wait.headers()}
        if not phase.is_completed:
            headers["Retry-After"] = str(RETRY_AFTER_S)
        return answer(body, status=status_of(phase, mode), headers=headers)

    async def terminate(self, request: web.Request) -> web.Response:
        """Have a run end with what it has; nothing happens to one that has ended."""
        caller = self._may_see_some(request)
        run_parameters.read_nothing(request)
        refuse_other_origins(request)
        run_id = run_id_of(request)
        await self._visible.load(caller, run_id)
        outcome = await self._runs.terminate(run_id)
        run = await self._store.load(run_id)
        if outcome is not Terminated.FINISHED:
            self._note(Call.RUN_TERMINATED, caller, run_id, run)
            return answer(document(run), status=202, headers={"Location": location(run_id)})
        note = f"nothing was to be done: the run had ended before, {run.status.phase}"
        return answer(noted(document(run), note), headers={"Warning": f'299 - "{note}"'})

    async def delete(self, request: web.Request) -> web.Response:
        """Drop a run that has ended, or that nobody can drive."""
        caller = self._may_see_some(request)
        run_parameters.read_nothing(request)
        refuse_other_origins(request)
        run_id = run_id_of(request)
        run: Run | None = None
        with contextlib.suppress(RunUnreadable):
            run = await self._visible.load(caller, run_id)
        await self._store.delete(run_id, time.time())
        self._note(Call.RUN_DELETED, caller, run_id, run)
        return web.Response(status=204, headers={"Cache-Control": "no-store"})

    def _note(self, call: Call, caller: Caller, run_id: str, run: Run | None) -> None:
        origin = Origin() if run is None else Origin.of(run.manifest)
        self._audit.note(
            Entry(
                at_unix_s=time.time(),
                call=call,
                caller=caller.name,
                namespace=origin.namespace,
                templates=origin.templates,
                run=run_id,
                phase="" if run is None else run.status.phase.value,
            )
        )

    async def _created(self, caller: Caller, chosen: NewRunParameters, body: Body) -> Created:
        once = chosen.idempotency(body.data, owner=_owner(caller))
        if once is not None:
            # Its templates may have changed or gone since: that is nothing to who repeats.
            found = await self._runs.find(once)
            if found is not None:
                return found
        content = content_of(body.documents, chosen, self._settings, names=NamedRun)
        content = self._granted(caller, content)
        wishes = replace(
            _wishes(content, chosen, caller), connections=self._usable(caller, content)
        )
        return await self._runs.start(self._order_of(content), wishes, once)

    def _granted(self, caller: Caller, content: OfTemplates | OfRun) -> OfTemplates | OfRun:
        if isinstance(content, OfRun):
            self._rights.check(caller, *of_brought_run(content.namespace))
            return content
        question = content.question
        needed = of_question(Action.RUN, question)
        return replace(
            content, question=granted(self._rights, caller, question, needed, self._connections)
        )

    def _usable(self, caller: Caller, content: OfTemplates | OfRun) -> tuple[str, ...] | None:
        if isinstance(content, OfTemplates):
            return content.question.connections
        wanted = of_brought_run(content.namespace)
        return usable(self._rights, caller, wanted, self._connections)

    def _may_see_some(self, request: web.Request) -> Caller:
        """Who asks. Raises AccessDenied if there is no run that it could ever see."""
        caller = caller_of(request)
        self._rights.check_any(caller, Action.RUN, Action.ADMIN)
        return caller

    async def _until_ended(self, request: web.Request, run_id: str, wait: Wait) -> Run:
        run = await self._visible.load(caller_of(request), run_id)
        if wait.seconds == 0:
            return run
        return await self._watch.until_ended(
            run, wait_s=wait.seconds, is_abandoned=lambda: request.transport is None
        )


def order_of(planner: Planner, content: OfTemplates | OfRun) -> Order:
    """What a body asks to have run.

    Raises:
        TemplateNotFound: a name that nobody has.
        TemplateInvalid: references, names or arguments are wrong.
        JobsForbidden: it brings a Job.

    """
    if isinstance(content, OfTemplates):
        return order_of_question(planner, content.question)
    return order_of_manifest(
        planner, content.run, namespace=content.namespace, given=content.arguments
    )


def run_id_of(request: web.Request) -> str:
    """The id in the path. Raises RunNotFound if no run can have it."""
    text = request.match_info["id"]
    try:
        is_id = str(UUID(text)) == text
    except ValueError:
        is_id = False
    if not is_id:
        raise RunNotFound(f"there is no run {text[:40]!r}: the id of a run is its metadata.uid")
    return text


def _owner(caller: Caller) -> str:
    return "" if caller == ANONYMOUS else caller.name


def _wishes(content: OfTemplates | OfRun, chosen: NewRunParameters, caller: Caller) -> Wishes:
    if isinstance(content, OfRun):
        return Wishes(labels=chosen.labels, is_dry_run=chosen.is_dry_run, made_by=caller.name)
    return Wishes(
        labels={**content.labels, **chosen.labels},
        context=content.context,
        is_dry_run=chosen.is_dry_run,
        made_by=caller.name,
    )
