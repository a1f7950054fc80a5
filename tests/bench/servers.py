"""What the gateway is measured against, each a process of its own.

python servers.py hello PORT        answers 13 bytes: what aiohttp on uvloop can do at all
python servers.py relay PORT URL    asks a Prometheus once for every request it answers
python servers.py prometheus PORT   a Prometheus that always answers 0.97 and counts questions
python servers.py replay PORT FILE  answers every request with the content of a file
python servers.py vendor PORT LIMIT LATENCY_MS  the same Prometheus, which takes its time, and
                                    answers 429 to more than LIMIT in any second; 0 for no limit

"""

import asyncio
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import orjson
import uvloop
from aiohttp import web

ANSWER = orjson.dumps(
    {
        "status": "success",
        "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1.7e9, "0.97"]}]},
    }
)


def hello() -> web.Application:
    """The least that a handler can do."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=b"Hello, world!", content_type="text/plain")

    app = web.Application()
    app.router.add_get("/", answer)
    return app


def relay(upstream: str) -> web.Application:
    """The least that one query per request can cost: a client, a server, nothing between."""
    sessions: list[aiohttp.ClientSession] = []

    async def keep_session(_: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=32)) as session:
            sessions.append(session)
            yield

    async def answer(request: web.Request) -> web.Response:
        form = {"query": f'up{{ingress="{request.query["args.ingress"]}"}}', "time": "1700000000"}
        async with sessions[0].post(f"{upstream}/api/v1/query", data=form) as response:
            document = orjson.loads(await response.read())
        value = float(document["data"]["result"][0]["value"][1])
        return web.Response(body=orjson.dumps({"ok": value >= 0.95}))

    app = web.Application()
    app.cleanup_ctx.append(keep_session)
    app.router.add_get("/", answer)
    return app


def prometheus() -> web.Application:
    """A Prometheus without data or delay."""
    questions: list[int] = [0]

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        questions[0] += 1
        return web.Response(body=ANSWER, content_type="application/json")

    async def report(_: web.Request) -> web.Response:
        return web.Response(text=str(questions[0]))

    app = web.Application()
    app.router.add_post("/api/v1/query", answer)
    app.router.add_get("/questions", report)
    return app


def vendor(limit: str, latency_ms: str) -> web.Application:
    """A Prometheus with a limit, that says how near to it callers came."""
    newest: deque[float] = deque()
    seen = {"requests": 0, "refused": 0, "most_in_a_second": 0}

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        now_s = time.monotonic()
        while newest and now_s - newest[0] >= 1:
            newest.popleft()
        newest.append(now_s)
        seen["requests"] += 1
        seen["most_in_a_second"] = max(seen["most_in_a_second"], len(newest))
        if 0 < int(limit) < len(newest):
            seen["refused"] += 1
            return web.Response(status=429, text="slow down", headers={"Retry-After": "1"})
        await asyncio.sleep(float(latency_ms) / 1000)
        return web.Response(body=ANSWER, content_type="application/json")

    async def report(_: web.Request) -> web.Response:
        return web.Response(body=orjson.dumps(seen), content_type="application/json")

    app = web.Application()
    app.router.add_post("/api/v1/query", answer)
    app.router.add_get("/seen", report)
    return app


def replay(file: str) -> web.Application:
    """A vendor that knows one answer."""
    content = Path(file).read_bytes()

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(body=content, content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    return app


def main(name: str, port: str, *arguments: str) -> None:
    """Serve one of them on the loopback address."""
    apps: dict[str, Callable[..., web.Application]] = {
        "hello": hello,
        "relay": relay,
        "prometheus": prometheus,
        "replay": replay,
        "vendor": vendor,
    }
    web.run_app(
        apps[name](*arguments),
        host="127.0.0.1",
        port=int(port),
        access_log=None,
        print=None,
        loop=uvloop.new_event_loop(),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
