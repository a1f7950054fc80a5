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

from gateway import app
from gateway.config.settings import Settings
from gateway.doors import Doors


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
    operations_url: str = ""
    """Of the port for operators."""

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
    given = {"port": 0, "shutdown": {"grace": "1s"}, "state": state, "runs": runs, **settings}
    chosen = Settings.model_validate(given)
    async with (
        app.gateway(chosen, environ=environ or {}) as running,
        aiohttp.ClientSession() as session,
    ):
        doors = Doors(running.app, running.operations, chosen, running.telemetry)
        await doors.open()
        running.health.is_ready = True
        try:
            yield Service(doors.urls[0], running, session, "".join(doors.operations_urls))
        finally:
            await session.close()
            await running.runs.watch.close()
            await doors.close()
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
