"""A whole gateway for tests: real server, real private Redis, real client."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import aiohttp
import yaml
from aiohttp import web

from gateway import app
from gateway.api.server import Runner
from gateway.settings import Settings


@dataclass(frozen=True)
class Reply:
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:
        """The JSON of the answer; NaN and the like are refused."""
        return json.loads(self.text, parse_constant=_refuse)


@dataclass(frozen=True)
class Service:
    """A gateway that listens."""

    url: str
    gateway: app.Gateway
    session: aiohttp.ClientSession

    async def get(self, path: str, **headers: str) -> Reply:
        """GET a path with its query as it stands."""
        return await self.send("GET", path, headers=headers)

    async def post(self, path: str, content: object, **headers: str) -> Reply:
        """POST a document as YAML, or a text as it is, as ``curl --data-binary`` would."""
        text = content if isinstance(content, str) else yaml.safe_dump(content)
        data = io.BytesIO(text.encode())
        named = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        return await self.send("POST", path, data=data, headers=named)

    async def send(self, method: str, path: str, **options: Any) -> Reply:
        """Any request."""
        async with self.session.request(method, self.url + path, **options) as response:
            text = await response.text()
            return Reply(response.status, dict(response.headers), text)


@asynccontextmanager
async def service(
    state: Path, *, environ: Mapping[str, str] | None = None, **settings: object
) -> AsyncIterator[Service]:
    """A running gateway; ``settings`` in wire names."""
    # Tests need not wait for what protects runs from each other.
    runs = {"shortestGap": "0s", **cast("Mapping[str, object]", settings.pop("runs", {}))}
    chosen = Settings.model_validate({"state": state, "runs": runs, **settings})
    async with (
        app.gateway(chosen, environ=environ or {}) as running,
        aiohttp.ClientSession() as session,
    ):
        runner = Runner(running.app, access_log=None, shutdown_timeout=1, auto_decompress=False)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        running.health.is_ready = True
        try:
            port = runner.addresses[0][1]
            yield Service(f"http://127.0.0.1:{port}", running, session)
        finally:
            await session.close()
            await running.runs.watch.close()
            await runner.cleanup()
            await running.readings.drain(0)


def template(*metrics: Mapping[str, object], **spec: object) -> dict[str, object]:
    """An inline AnalysisTemplate."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        "metadata": {"name": "t"},
        "spec": {"metrics": list(metrics), **spec},
    }


def web_metric(url: str, success: str = "", *, name: str = "m", **fields: object) -> dict[str, Any]:
    """A metric that asks a web server."""
    block = {"url": url, **{key: fields.pop(key) for key in ("jsonPath",) if key in fields}}
    conditions = {"successCondition": success} if success else {}
    return {"name": name, **conditions, "provider": {"web": block}, **fields}


async def until(condition: Any, *, within_s: float = 10.0) -> None:
    """Wait for something that is about to be true."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - what is waited for knows of no event
            await asyncio.sleep(0.01)


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")
