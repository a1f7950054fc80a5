"""A gateway that is told to stop, as a process."""

import asyncio
import re
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from backends import Play, backend
from running import template, until, web_metric


@asynccontextmanager
async def process(
    state: Path, *options: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A real gateway process and its URL."""
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "serve", "--port", "0", "--state", str(state), *options),
        stderr=asyncio.subprocess.PIPE,
    )
    assert running.stderr is not None
    try:
        async with asyncio.timeout(20):
            async for line in running.stderr:
                if found := re.search(rb"url=(http://\S+)", line):
                    break
        assert found
        yield running, found.group(1).decode()
    finally:
        if running.returncode is None:
            running.kill()
        await running.communicate()


def settings(tmp_path: Path, text: str) -> str:
    """A file of settings."""
    file = tmp_path / "settings.yaml"
    file.write_text(text)
    return str(file)


async def post(session: aiohttp.ClientSession, url: str, content: object) -> Any:
    """The JSON that a posted template gets."""
    headers = {"Content-Type": "application/yaml"}
    async with session.post(url, data=yaml.safe_dump(content), headers=headers) as reply:
        return await reply.json()


async def test_sigterm_drains_and_loses_nothing(tmp_path: Path) -> None:
    """A hundred verdicts under way are all given; new callers are told that it is over."""
    config = settings(tmp_path, "shutdown: {delay: 300ms, grace: 10s}\n")
    async with (
        backend(Play("1", delay_s=1.5)) as upstream,
        process(tmp_path / "s", "--config", config) as (gateway, url),
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
    ):

        async def ask(number: int) -> str:
            content = template(web_metric(f"{upstream.url}/{number}", "result == 1"))
            return str((await post(session, f"{url}/v1/verdict", content))["phase"])

        asked = [asyncio.create_task(ask(number)) for number in range(100)]
        await until(lambda: len(upstream.requests) >= 30)
        gateway.send_signal(signal.SIGTERM)
        async with session.get(f"{url}/healthz") as alive:
            assert alive.status == 200
        while True:
            async with session.get(f"{url}/readyz") as ready:
                if ready.status == 503:
                    break
        assert await asyncio.gather(*asked) == ["Successful"] * 100
        assert await asyncio.wait_for(gateway.wait(), 15) == 0


async def test_a_measurement_without_callers_is_finished_before_the_end(tmp_path: Path) -> None:
    """Its reading is shared, so that another replica's next caller finds it."""
    config = settings(tmp_path, "shutdown: {delay: 0s, grace: 10s}\n")
    async with backend(Play("1", delay_s=1.0)) as upstream, aiohttp.ClientSession() as session:
        content = template(web_metric(upstream.url, "result == 1"))
        async with process(tmp_path / "s", "--config", config) as (first, url):
            running = await post(session, f"{url}/v1/verdict?wait=0s", content)
            assert running["phase"] == "Running"
            first.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(first.wait(), 15) == 0
        async with process(tmp_path / "s", "--config", config) as (_, url):
            body = await post(session, f"{url}/v1/verdict", content)
    assert (body["phase"], body["metrics"]["m"]["cache"]) == ("Successful", "hit")
    assert len(upstream.requests) == 1


async def test_ctrl_c_is_quick(tmp_path: Path) -> None:
    """Nobody at a terminal waits for load balancers."""
    async with process(tmp_path / "s") as (gateway, _):
        started_s = time.monotonic()
        gateway.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(gateway.wait(), 10) == 0
        assert time.monotonic() - started_s < 3


async def test_who_waits_for_a_run_hears_at_once(tmp_path: Path) -> None:
    """Long polls get the run as it stands, streams end; the run goes on elsewhere."""
    config = settings(tmp_path, "shutdown: {delay: 0s, grace: 20s}\n")
    async with (
        backend(Play("1")) as upstream,
        aiohttp.ClientSession() as session,
        process(tmp_path / "s", "--config", config) as (gateway, url),
    ):
        content = template(web_metric(upstream.url, "result == 1", interval="1h"))
        run = await post(session, f"{url}/v1/runs", content)
        path = f"{url}/v1/runs/{run['metadata']['uid']}"
        polling = asyncio.create_task(session.get(f"{path}?wait=10m"))
        async with session.get(f"{path}/events") as stream:
            await stream.content.readuntil(b"event: phase")
            started_s = time.monotonic()
            gateway.send_signal(signal.SIGTERM)
            told = (await stream.content.read()).decode()
        polled = await polling
        assert (polled.status, (await polled.json())["status"]["phase"]) == (200, "Running")
        assert "event: end" not in told
        assert await asyncio.wait_for(gateway.wait(), 15) == 0
        assert time.monotonic() - started_s < 5
