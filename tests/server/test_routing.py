"""How requests come to their handlers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from gateway.api import routing
from gateway.api.problems import error_middleware
from gateway.doors import Doors
from gateway.settings import Settings
from gateway.telemetry import Telemetry

ROUTE = "/things/{name}"


@asynccontextmanager
async def things(telemetry: Telemetry) -> AsyncIterator[aiohttp.ClientSession]:
    """A server that repeats names."""

    async def name(request: web.Request) -> web.Response:
        return web.Response(text=request.match_info["name"])

    async def change(request: web.Request) -> web.Response:
        return web.Response(text=f"{request.match_info['name']} {await request.text()}")

    app = web.Application(middlewares=[error_middleware(telemetry)])
    app.add_routes([web.get(ROUTE, name), web.put(ROUTE, change)])
    doors = Doors(app, None, Settings.model_validate({"port": 0}), telemetry)
    await doors.open()
    try:
        async with aiohttp.ClientSession(doors.urls[0]) as session:
            yield session
    finally:
        await doors.close()


async def said(
    session: aiohttp.ClientSession, method: str, path: str, **options: object
) -> tuple[int, str]:
    """The status and the text of an answer."""
    async with session.request(method, path, **options) as response:  # type: ignore[arg-type]
        return response.status, await response.text()


@pytest.mark.parametrize("known", [0, 1, 4_096])
async def test_who_asks_again_gets_the_same(known: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was asked between, and however many paths are known; each answer is counted."""
    monkeypatch.setattr(routing, "MAX_KNOWN", known)
    telemetry = Telemetry()
    async with things(telemetry) as session:
        for _ in range(3):
            assert await said(session, "GET", "/things/a") == (200, "a")
            assert await said(session, "GET", "/things/b?a=1") == (200, "b")
            assert await said(session, "PUT", "/things/a", data="x") == (200, "a x")
            assert await said(session, "PUT", "/things/a", data="y", expect100=True) == (200, "a y")
            assert await said(session, "HEAD", "/things/a") == (200, "")
            assert (await said(session, "GET", "/thing/a"))[0] == 404
            assert (await said(session, "POST", "/things/a"))[0] == 405
    counted = "analysis_gateway_http_request_duration_seconds_count"
    labels = {"route": ROUTE, "status": "200"}
    assert telemetry.registry.get_sample_value(counted, labels) == 15


@pytest.mark.parametrize(
    ("path", "known"),
    [
        pytest.param("/things/a", 1, id="of-a-handler"),
        pytest.param(f"/things/{'a' * routing.MAX_PATH_CHARS}", 0, id="a-long-one"),
        pytest.param("/nothing", 0, id="of-nobody"),
    ],
)
async def test_some_paths_are_found_anew_each_time(path: str, known: int) -> None:
    """Callers choose their paths: those that are known take little room."""
    app = web.Application()

    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=request.path)

    async def handle(request: web.Request) -> web.StreamResponse:
        found = await app.router.resolve(request)
        request._match_info = found
        handled.append(request.path)
        return web.Response()

    handled: list[str] = []
    app.router.add_get(ROUTE, answer)
    way = routing.Routing(app, handle)
    for _ in range(2):
        await way(make_mocked_request("GET", path))
    assert len(handled) == 2 - known
