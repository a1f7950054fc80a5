"""The pages about runs."""

import asyncio
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Protocol
from urllib.parse import urlencode

from aiohttp import web

from gateway.access.policy import Action
from gateway.access.rights import Rights
from gateway.api import run_parameters
from gateway.api.callers import caller_of
from gateway.api.run_answers import document
from gateway.api.runs import run_id_of
from gateway.api.visible_runs import LoadsRuns, VisibleRuns
from gateway.model import Phase
from gateway.runs.plans import Origin
from gateway.runs.store import Filter, Page, Run
from gateway.verdict import cut, timestamp
from gateway.web.manifests import yaml_text
from gateway.web.rendering import Renderer
from gateway.web.run_view import MAX_CHARS, run_view

_FILTERS: Final = ("namespace", "template", "phase")
_CURSOR: Final = "continue"


class ListsRuns(LoadsRuns, Protocol):
    """Where runs are."""

    async def list(self, wanted: Filter, *, limit: int, cursor: str | None) -> Page:
        """A page of runs. Raises RequestInvalid for a wrong cursor, StoreUnavailable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRun:
    """A run in the list."""

    id: str
    name: str
    namespace: str
    phase: Phase
    templates: tuple[str, ...]
    """Without their hashes."""
    made_by: str
    created_at: str
    took_s: float
    """Until its end, or until now."""
    message: str
    metrics: tuple[tuple[str, Phase], ...]


class RunPages:
    """``/`` and what is below ``/runs``."""

    paths: Final = ("/", "/runs/{id}", "/runs/{id}/manifest", "/runs/{id}/run.yaml")

    def __init__(self, store: ListsRuns, rights: Rights, renderer: Renderer) -> None:
        self._store = store
        self._rights = rights
        self._visible = VisibleRuns(store, rights)
        self._renderer = renderer

    def routes(self) -> list[web.RouteDef]:
        """The paths that this resource answers."""
        handlers = (self.list, self.run, self.manifest, self.download)
        return [web.get(path, handler) for path, handler in zip(self.paths, handlers, strict=True)]

    async def list(self, request: web.Request) -> web.StreamResponse:
        """Runs, newest first, as far as the caller may see them."""
        caller = caller_of(request)
        self._rights.check_any(caller, Action.RUN, Action.VERDICT, Action.ADMIN)
        chosen = run_parameters.read_list(request)
        wanted = replace(chosen.wanted, sees=self._visible.of(caller))
        page = await self._store.list(wanted, limit=chosen.limit, cursor=chosen.cursor)
        now_unix_s = time.time()
        given = {name: request.query.get(name, "") for name in _FILTERS}
        return await self._renderer.page(
            request,
            "runs.html",
            runs=[listed(each, now_unix_s) for each in page.runs],
            given=given,
            phases=list(Phase),
            older=_older(request, page.cursor),
            is_first=chosen.cursor is None,
        )

    async def run(self, request: web.Request) -> web.StreamResponse:
        """One run: why it stands as it does."""
        run = await self._load(request)
        view = await asyncio.to_thread(partial(run_view, run, now_unix_s=time.time()))
        return await self._renderer.page(request, "run.html", run=view, max_chars=MAX_CHARS)

    async def manifest(self, request: web.Request) -> web.StreamResponse:
        """The AnalysisRun, to be read."""
        run = await self._load(request)
        text = await asyncio.to_thread(yaml_text, document(run))
        return await self._renderer.page(
            request, "manifest.html", run_id=run.id, name=name_of(run), text=text
        )

    async def download(self, request: web.Request) -> web.StreamResponse:
        """The AnalysisRun, as a file."""
        run = await self._load(request)
        text = await asyncio.to_thread(yaml_text, document(run))
        return web.Response(
            text=text,
            content_type="application/yaml",
            headers={
                "Cache-Control": "no-store",
                "Content-Disposition": f'attachment; filename="analysisrun-{run.id}.yaml"',
            },
        )

    async def _load(self, request: web.Request) -> Run:
        caller = caller_of(request)
        self._rights.check_any(caller, Action.RUN, Action.ADMIN)
        run_parameters.read_nothing(request)
        return await self._visible.load(caller, run_id_of(request))


def listed(run: Run, now_unix_s: float) -> ListedRun:
    """A run as the list shows it."""
    origin, status = Origin.of(run.manifest), run.status
    ended_at = now_unix_s if status.completed_at_unix_s is None else status.completed_at_unix_s
    return ListedRun(
        id=run.id,
        name=name_of(run),
        namespace=origin.namespace,
        phase=status.phase,
        templates=tuple(each.partition("@")[0] for each in origin.templates),
        made_by=origin.made_by,
        created_at=timestamp(run.created_at_unix_s),
        took_s=max(ended_at - run.created_at_unix_s, 0),
        message=cut(status.message, MAX_CHARS),
        metrics=tuple((each.name, each.phase) for each in status.metric_results),
    )


def name_of(run: Run) -> str:
    """What a run is called."""
    metadata = run.manifest.get("metadata")
    named = metadata if isinstance(metadata, dict) else {}
    return str(named.get("name", run.id))


def _older(request: web.Request, cursor: str | None) -> str:
    """Where the next page is; empty at the end."""
    if cursor is None:
        return ""
    kept = [(name, text) for name, text in request.query.items() if name != _CURSOR]
    return "/?" + urlencode([*kept, (_CURSOR, cursor)])
