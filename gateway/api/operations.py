"""What operators and their tools ask for: metrics, health, the contract."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files

import orjson
from aiohttp import web
from prometheus_client.exposition import choose_encoder

from gateway.access.policy import EVERYWHERE, Action, Wanted
from gateway.access.rights import Rights
from gateway.api.callers import caller_of, known_caller_of
from gateway.api.templates import ListsTemplates
from gateway.telemetry.registry import Telemetry
from gateway.template import Kind

Details = Callable[[], Mapping[str, object]]
"""What a part of the gateway says of its own state; JSON-ready."""


@dataclass(slots=True)
class Health:
    """Whether the gateway wants requests, and how its parts are."""

    details: dict[str, Details] = field(default_factory=dict)
    prerequisites: list[Callable[[], bool]] = field(default_factory=list)
    """What must have come true before requests can be answered."""
    is_ready: bool = False
    """False before the start is complete and from the moment a shutdown begins."""

    def wants_requests(self) -> bool:
        """Whether it is ready, and all that it depends on as well."""
        return self.is_ready and all(is_met() for is_met in self.prerequisites)


class Contract:
    """``/openapi.yaml``."""

    def __init__(self) -> None:
        self._text = files("gateway.api").joinpath("openapi.yaml").read_bytes()

    def routes(self) -> list[web.RouteDef]:
        """The path that this resource answers."""
        return [web.get("/openapi.yaml", self.read)]

    async def read(self, _request: web.Request) -> web.Response:
        """The contract of this very version."""
        return web.Response(body=self._text, content_type="application/yaml")


class Operations:
    """``/metrics``, ``/healthz`` and ``/readyz``."""

    def __init__(
        self, telemetry: Telemetry, health: Health, source: ListsTemplates, rights: Rights
    ) -> None:
        self._rights = rights
        self._telemetry = telemetry
        self._health = health
        self._source = source

    def routes(self) -> list[web.RouteDef]:
        """The paths that this resource answers."""
        return [
            web.get("/metrics", self.metrics),
            web.get("/healthz", self.healthz),
            web.get("/readyz", self.readyz),
        ]

    async def metrics(self, request: web.Request) -> web.Response:
        """The exposition, in the format that the scraper prefers."""
        self._rights.check(caller_of(request), Wanted(Action.METRICS))
        by_kind = Counter(template.kind for _, template in self._source.entries())
        self._telemetry.templates_loaded(
            by_kind={kind: by_kind[kind] for kind in Kind},
            broken_files=sum(1 for _ in self._source.broken()),
        )
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        # Thousands of series take long enough to render that verdicts would notice.
        body = await asyncio.to_thread(encode, self._telemetry.registry)
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def healthz(self, _request: web.Request) -> web.Response:
        """Alive: the event loop answers."""
        return web.json_response({"status": "ok"})

    async def readyz(self, request: web.Request) -> web.Response:
        """Ready for requests; a store that is away does not make it unready.

        The state of the parts is for admins: it names files, namespaces and addresses.
        """
        is_ready = self._health.wants_requests()
        caller = known_caller_of(request)
        body: dict[str, object] = {"ready": is_ready}
        if caller is not None and self._rights.may(caller, Wanted(Action.ADMIN, EVERYWHERE)):
            body |= {name: detail() for name, detail in self._health.details.items()}
        return web.Response(
            status=200 if is_ready else 503,
            body=orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE),
            content_type="application/json",
            headers={"Cache-Control": "no-store"},
        )
