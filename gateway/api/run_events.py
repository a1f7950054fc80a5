"""A run's events as they come: Server-Sent Events.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import orjson
from aiohttp import web

from gateway.access.policy import Action
from gateway.access.rights import Rights
from gateway.api import run_parameters
from gateway.api.callers import caller_of
from gateway.api.run_answers import document
from gateway.api.runs import run_id_of
from gateway.api.visible_runs import VisibleRuns
from gateway.errors import RunNotFound, StoreUnavailable
from gateway.reasons import explanation_json
from gateway.run_document import parse_measurement
from gateway.run_events import Event
from gateway.run_verdict import judged, metrics_of
from gateway.runs.store import Run, RunOfNewer, RunUnreadable, understood
from gateway.runs.watch import POLL_S, Events, News, Watch, Watcher
from gateway.template import Metric

HEARTBEAT_S: Final = 15.0
"""After so long without an event a comment shows that the connection is alive."""
RECONNECT_S: Final = 2.0
"""How long clients are asked to wait before they come back."""
SLOW_S: Final = 20.0
"""How long a client may take to accept a piece."""
_MAX_RUNS: Final = 100
_MAX_TOLD: Final = 50
_PIECE_BYTES: Final = 16 * 1024
_HEARTBEAT: Final = b": \n\n"
_HEADERS: Final = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    # nginx holds answers back unless it is told not to.
    "X-Accel-Buffering": "no",
}


class RunEvents:
    """``/v1/runs/{id}/events``."""

    def __init__(self, watch: Watch, rights: Rights) -> None:
        self._watch = watch
        self._rights = rights
        self._visible = VisibleRuns(watch.store, rights)
        self._reasons: OrderedDict[str, Reasons] = OrderedDict()

    def routes(self) -> list[web.RouteDef]:
        """The paths that this resource answers."""
        return [web.get("/v1/runs/{id}/events", self.follow, allow_head=False)]

    async def follow(self, request: web.Request) -> web.StreamResponse:
        """All that happened since the last event that the caller has, and goes on happening."""
        caller = caller_of(request)
        self._rights.check_any(caller, Action.RUN, Action.ADMIN)
        after = run_parameters.read_last_event(request)
        run = await self._visible.load(caller, run_id_of(request))
        events = await self._watch.store.events(run.id, after)
        if run.status.phase.is_completed and events == ((), False):
            # The only answer after which browsers do not come back.
            return web.Response(status=204, headers={"Cache-Control": "no-store"})
        reasons = self._reasons_of(run)
        response = web.StreamResponse(headers=_HEADERS)
        await response.prepare(request)
        line = _Line(request, response)
        try:
            await line.send(f"retry: {RECONNECT_S * 1000:.0f}\n\n".encode())
            await self._follow(run, after, events, line, reasons)
        except TimeoutError:
            # What it has not read would lie here for as long as it likes.
            line.cut()
        except ConnectionResetError:
            # The client has gone.
            pass
        return response

    async def _follow(
        self, run: Run, after: str | None, events: Events, line: "_Line", reasons: "Reasons"
    ) -> None:
        with self._watch.join(run, is_abandoned=line.is_abandoned) as watcher:
            if after is not None and events[1]:
                await line.send(_event("run", document(run)))
            after = await _replay(events, after, line, reasons)
            is_over = run.status.phase.is_completed or _has_end(events)
            while not is_over:
                news = await watcher.news(HEARTBEAT_S)
                if news is News.NONE:
                    await line.send(_HEARTBEAT)
                    continue
                if news is not News.CHANGED:
                    return
                try:
                    events, is_over = await self._news(watcher, after, line)
                except StoreUnavailable:
                    await line.send(_HEARTBEAT)
                    await asyncio.sleep(POLL_S)
                    continue
                except RunNotFound:
                    return
                after = await _replay(events, after, line, reasons)
                is_over = is_over or _has_end(events)

    def _reasons_of(self, run: Run) -> "Reasons":
        reasons = self._reasons.get(run.id)
        if reasons is None:
            reasons = self._reasons[run.id] = Reasons(run)
            if len(self._reasons) > _MAX_RUNS:
                self._reasons.popitem(last=False)
        return reasons

    async def _news(
        self, watcher: Watcher, after: str | None, line: "_Line"
    ) -> tuple[Events, bool]:
        """Events, and whether there are none because the run has ended before."""
        events = await watcher.events(after)
        if events == ((), False):
            # Whose last event is none of this run would wait for ever for the next.
            return events, (await watcher.run()).status.phase.is_completed
        if after is not None and events[1]:
            await line.send(_event("run", document(await watcher.run())))
        return events, False


class _Line:
    """The way to one client, who gets nothing as long as it does not accept what it got."""

    def __init__(self, request: web.Request, response: web.StreamResponse) -> None:
        self._request = request
        self._response = response

    async def send(self, data: bytes) -> None:
        """Send a piece. Raises TimeoutError for a slow client, ConnectionResetError for none."""
        async with asyncio.timeout(SLOW_S):
            await self._response.write(data)

    def is_abandoned(self) -> bool:
        """Whether the client has gone."""
        return self._request.transport is None

    def cut(self) -> None:
        """End the connection at once."""
        if self._request.transport is not None:
            self._request.transport.abort()


class Reasons:
    """Adds to the measurements of one run why they came out as they did, once for all watchers."""

    def __init__(self, run: Run) -> None:
        """Raises RunOfNewer: a newer replica can tell them, and this one cannot."""
        self._told: OrderedDict[str, Mapping[str, object]] = OrderedDict()
        self._metrics: Mapping[str, Metric] = {}
        try:
            with understood(run):
                self._metrics = metrics_of(run.manifest)
        except RunOfNewer:
            raise
        except RunUnreadable:
            # What happened is known all the same, and nobody knows more.
            pass

    def added_to(self, event_id: str, event: Event) -> Mapping[str, object]:
        """The data of an event."""
        if event.type != "measurement":
            return event.data
        if event_id not in self._told:
            self._told[event_id] = {**event.data, **self._of(event)}
            if len(self._told) > _MAX_TOLD:
                self._told.popitem(last=False)
        return self._told[event_id]

    def _of(self, event: Event) -> Mapping[str, object]:
        metric = self._metrics.get(str(event.data["metric"]))
        content = event.data["measurement"]
        if metric is None or not isinstance(content, Mapping):
            return {}
        return explanation_json(judged(metric, parse_measurement(content)))


async def _replay(events: Events, after: str | None, line: _Line, reasons: Reasons) -> str | None:
    texts = (
        _event(event.type, reasons.added_to(event_id, event), event_id=event_id)
        for event_id, event in events[0]
    )
    for piece in _pieces(texts):
        await line.send(piece)
    return events[0][-1][0] if events[0] else after


def _has_end(events: Events) -> bool:
    return bool(events[0]) and events[0][-1][1].type == "end"


def _event(kind: str, data: Mapping[str, object], *, event_id: str = "") -> bytes:
    # The whole document has no id: a client that goes right after it comes back with the old one.
    name = f"id: {event_id}\nevent: {kind}\n" if event_id else f"event: {kind}\n"
    return b"%sdata: %s\n\n" % (name.encode(), orjson.dumps(data))


def _pieces(texts: Iterable[bytes]) -> Iterator[bytes]:
    piece = b""
    for text in texts:
        piece += text
        if len(piece) >= _PIECE_BYTES:
            yield piece
            piece = b""
    if piece:
        yield piece
