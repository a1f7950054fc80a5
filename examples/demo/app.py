"""A rollout demo: an application with a good and a bad version, and traffic to tell them apart.

GET  /               a page that shows the colour
GET  /color          the colour as a JSON string: "green" or "red"
GET  /metrics        requests by status, named as ingress-nginx names them
POST /version/good   serve green; 2 of 100 requests fail
POST /version/bad    serve red; 30 of 100 requests fail
"""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field

from aiohttp import web

REQUESTS_PER_TICK = 10
TICK_S = 0.1
_PERCENT = 100


@dataclass(frozen=True, slots=True)
class Version:
    """One release of the demo."""

    color: str
    failing_percent: int
    """How many of 100 requests end in status 500; whole, so that the share is exact."""


VERSIONS = {
    "good": Version(color="green", failing_percent=2),
    "bad": Version(color="red", failing_percent=30),
}


@dataclass(slots=True)
class Traffic:
    """The requests that the demo's make-believe users have sent, and how they ended."""

    version: Version = VERSIONS["good"]
    requests_by_status: dict[int, int] = field(default_factory=lambda: {200: 0, 500: 0})
    _failing_parts: int = 0

    def serve(self, requests: int) -> None:
        """Count ``requests`` more; the failing ones are spread evenly, not drawn by chance."""
        for _ in range(requests):
            self._failing_parts += self.version.failing_percent
            failed = self._failing_parts >= _PERCENT
            self._failing_parts %= _PERCENT
            self.requests_by_status[500 if failed else 200] += 1

    def exposition(self) -> str:
        """The counters as Prometheus reads them."""
        name = "nginx_ingress_controller_requests"
        samples = (
            f'{name}{{ingress="demo",status="{status}"}} {count}\n'
            for status, count in self.requests_by_status.items()
        )
        return f"# HELP {name} Requests by status.\n# TYPE {name} counter\n{''.join(samples)}"


TRAFFIC = web.AppKey("traffic", Traffic)


async def show_page(request: web.Request) -> web.Response:
    """The colour, for people."""
    color = request.app[TRAFFIC].version.color
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" '
        f'content="2"><title>{color}</title><body style="background:{color}"><h1>{color}</h1>'
    )
    return web.Response(text=page, content_type="text/html")


async def show_color(request: web.Request) -> web.Response:
    """The colour, for the Web metric."""
    return web.json_response(request.app[TRAFFIC].version.color)


async def show_metrics(request: web.Request) -> web.Response:
    """The counters, for Prometheus."""
    return web.Response(text=request.app[TRAFFIC].exposition())


async def switch_version(request: web.Request) -> web.Response:
    """Release the version that the path names."""
    name = request.match_info["name"]
    version = VERSIONS[name]
    request.app[TRAFFIC].version = version
    return web.json_response({"version": name, "color": version.color})


async def keep_traffic_coming(app: web.Application) -> AsyncIterator[None]:
    """Users send requests for as long as the application runs."""

    async def send() -> None:
        while True:
            await asyncio.sleep(TICK_S)
            app[TRAFFIC].serve(REQUESTS_PER_TICK)

    task = asyncio.create_task(send(), name="traffic")
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def create_app() -> web.Application:
    """The demo, starting with its good version."""
    app = web.Application()
    app[TRAFFIC] = Traffic()
    app.cleanup_ctx.append(keep_traffic_coming)
    app.add_routes(
        [
            web.get("/", show_page),
            web.get("/color", show_color),
            web.get("/metrics", show_metrics),
            web.post(f"/version/{{name:{'|'.join(VERSIONS)}}}", switch_version),
        ]
    )
    return app


def main() -> None:
    """Serve the demo until a signal ends it."""
    parser = argparse.ArgumentParser(description="A rollout demo with a good and a bad version.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8081)
    options = parser.parse_args()
    web.run_app(create_app(), host=options.host, port=options.port)


if __name__ == "__main__":
    main()
