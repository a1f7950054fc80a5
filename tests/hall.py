"""A small server behind the gateway's own doors, for callers of every kind."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from gateway.access.certificates import caller_of_certificate
from gateway.api import bodies
from gateway.api.problems import error_middleware
from gateway.config.settings import Settings
from gateway.doors import Doors
from gateway.telemetry.registry import Telemetry

LARGE_BYTES = 16 * 1024 * 1024


@dataclass
class Hall:
    """What is served, and what the metrics say of it."""

    settings: Settings
    telemetry: Telemetry = field(default_factory=Telemetry)
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    """What the slow path waits for."""
    url: str = ""
    handled: int = 0
    """How many requests have come as far as a handler."""

    def app(self) -> web.Application:
        """Its paths."""
        middleware = error_middleware(self.telemetry)
        app = web.Application(
            middlewares=[middleware], client_max_size=self.settings.limits.request_bytes
        )
        app.router.add_get("/quick", self.quick)
        app.router.add_get("/slow", self.slow)
        app.router.add_post("/slow", self.slow)
        app.router.add_get("/stream", self.stream)
        app.router.add_get("/large", self.large)
        app.router.add_get("/names", self.names)
        app.router.add_post("/body", self.body)
        return app

    async def quick(self, _request: web.Request) -> web.Response:
        """At once."""
        return web.json_response("quick")

    async def slow(self, request: web.Request) -> web.Response:
        """When somebody says so, and the request is complete."""
        self.handled += 1
        await request.read()
        await self.opened.wait()
        return web.json_response("slow")

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """A lot at once, and the end when somebody says so."""
        self.handled += 1
        response = web.StreamResponse()
        response.content_length = LARGE_BYTES + 1
        await response.prepare(request)
        await response.write(bytes(LARGE_BYTES))
        await self.opened.wait()
        await response.write_eof(b".")
        return response

    async def large(self, _request: web.Request) -> web.Response:
        """More than fits between two machines."""
        return web.Response(body=bytes(LARGE_BYTES))

    async def names(self, request: web.Request) -> web.Response:
        """Who asks, by its certificate."""
        assert request.transport is not None
        peer = request.transport.get_extra_info("peercert")
        caller = caller_of_certificate(peer or {})
        return web.json_response([caller.name.removeprefix("certificate:")] if caller else [])

    async def body(self, request: web.Request) -> web.Response:
        """Read as the gateway reads bodies."""
        self.handled += 1
        await bodies.documents(request, self.settings.limits)
        return web.json_response("read")

    def cuts(self) -> Mapping[str, int]:
        """How many connections have been ended early, by reason; what was never is left out."""
        name = "analysis_gateway_connections_cut_total"
        samples = (each for family in self.telemetry.registry.collect() for each in family.samples)
        counts = {each.labels["reason"]: int(each.value) for each in samples if each.name == name}
        return {reason: count for reason, count in counts.items() if count}

    def connections(self) -> int:
        """How many are connected."""
        return int(self.telemetry.registry.get_sample_value("analysis_gateway_connections") or 0)


@asynccontextmanager
async def hall(**settings: object) -> AsyncIterator[Hall]:
    """A hall that is open; ``settings`` in wire names."""
    given = {"port": 0, "shutdown": {"grace": "1s"}, **settings}
    built = Hall(Settings.model_validate(given))
    doors = Doors(built.app(), None, built.settings, built.telemetry)
    await doors.open()
    try:
        built.url = doors.urls[0]
        yield built
    finally:
        built.opened.set()
        await doors.close()
