"""Plugins over HTTP: their secrets stay, their measurements may last, the unlisted are refused."""

import asyncio
import json
import logging
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from backends import Play, backend
from command_line import command, started, the_rest, written
from plugins import PREAMBLE, TYPE, distribution
from running import Service, service, template, until

from gateway.logs import JsonFormatter

LASTING = """
class Lasts:
    def resolved_query(self):
        return "how long"

    def longest_s(self):
        return 60

    async def advance(self, context, attempt):
        if attempt.metadata:
            return Progress(phase=Phase.SUCCESSFUL, text="it took a while", value=7, metadata={})
        return Progress(
            phase=Phase.RUNNING, metadata={"id": "1"}, resume_at_unix_s=context.now_unix_s() + 0.1
        )

    async def terminate(self, context, attempt):
        pass

    async def collect(self, context, attempt, *, keep):
        pass

def parse(block, surroundings):
    return Lasts()
"""
HANGING = LASTING.replace("if attempt.metadata:", "await asyncio.sleep(3600)\n        if True:")
BLOCKING = """
async def measure(self, context):
    loop = asyncio.get_running_loop()
    hanging = [loop.run_in_executor(context.threads, time.sleep, 1) for _ in range(16)]
    await asyncio.sleep(0.1)
    open(__file__.replace("blocking_plugin.py", "blocked"), "w").close()
    await asyncio.gather(*hanging)
    return Reading(1.0, ResultType.FLOAT, "1")

Made.measure = measure
"""
STRAY = """
async def measure(self, context):
    async def stray():
        raise ValueError("hunter2")
    asyncio.create_task(stray())
    await asyncio.sleep(0.1)
    return Reading(1.0, ResultType.FLOAT, "1")

Made.measure = measure
"""
TELLING = """
def parse(block, surroundings):
    told = " ".join([block["token"], *surroundings.secret_values().values()])
    if "parse" in block:
        raise ValueError(told)
    made = Made()
    made.told = told
    return made

async def measure(self, context):
    raise ValueError(self.told)

def credentials(block, environ):
    return SecretUse("vendor", ("token",))

Made.measure = measure
TYPE = ProviderType(check=check, parse=parse, credentials=credentials)
"""


@pytest.fixture(name="folder")
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def metric(plugin: str, **block: object) -> dict[str, Any]:
    """A metric of a plugin."""
    return {"name": "m", "provider": {"plugin": {plugin: block}}}


async def measured(gateway: Service, content: object) -> Any:
    """What a verdict says of the metric."""
    return (await gateway.post("/v1/verdict", content)).body["metrics"]["m"]


async def url_of(process: asyncio.subprocess.Process) -> str:
    """Where a service listens that has just been started."""
    assert process.stderr is not None
    async for line in process.stderr:
        if found := re.search(r"url=(\S+)", line.decode()):
            return found.group(1)
    pytest.fail("it does not listen")


async def test_one_that_is_not_listed_is_refused(tmp_path: Path) -> None:
    """The template is: it asks for what this gateway does not have."""
    async with service(tmp_path) as gateway:
        reply = await gateway.post("/v1/verdict", template(metric("acme/kpi")))
        health = await gateway.get("/readyz")
    assert reply.status == 422
    assert reply.body["problems"] == [
        {
            "path": "spec.metrics[0].provider.plugin.acme/kpi",
            "message": "this gateway does not have the plugin: its setting plugins lists none",
        }
    ]
    assert "plugins" not in health.body


async def test_a_measurement_may_last(folder: Path) -> None:
    """In a verdict and in a run."""
    distribution(folder, "acme/lasting", PREAMBLE + LASTING + TYPE, module="lasting_plugin")
    async with service(folder / "state", plugins=["acme/lasting"]) as gateway:
        content = template(metric("acme/lasting"))
        found = await measured(gateway, content)
        run = (await gateway.post("/v1/runs?wait=10s", content)).body["status"]
    assert (found["phase"], found["text"], found["value"]) == ("Successful", "it took a while", 7.0)
    (measurement,) = run["metricResults"][0]["measurements"]
    assert (measurement["phase"], measurement["value"]) == ("Successful", "7")


async def test_a_look_that_hangs_ends_no_worker(folder: Path) -> None:
    """The run hears of it as of any Error."""
    distribution(folder, "acme/hanging", PREAMBLE + HANGING + TYPE, module="hanging_plugin")
    limits = {"measurementTimeout": "0.5s"}
    async with service(
        folder / "state", plugins=["acme/hanging"], verdicts=limits, runs={"concurrency": 1}
    ) as gateway:
        content = template({**metric("acme/hanging"), "consecutiveErrorLimit": 0})
        run = (await gateway.post("/v1/runs?wait=10s", content)).body["status"]
    (measurement,) = run["metricResults"][0]["measurements"]
    assert (run["phase"], measurement["phase"]) == ("Error", "Error")
    assert measurement["message"] == (
        "plugin acme/hanging: advance has not ended within 0.475s (verdicts.measurementTimeout is"
        " 0.5s)"
    )


async def test_threads_that_hang_are_its_own(folder: Path) -> None:
    """A provider of the gateway reads a large answer in a thread all the same."""
    distribution(folder, "acme/blocking", PREAMBLE + BLOCKING + TYPE, module="blocking_plugin")
    large = Play(json.dumps([{"target": "a", "datapoints": [[1, 1]] * 10_000}]))
    async with (
        backend(large) as upstream,
        service(folder / "state", plugins=["acme/blocking"]) as gateway,
    ):
        blocked = asyncio.create_task(measured(gateway, template(metric("acme/blocking"))))
        await until(lambda: Path(folder / "blocked").exists())
        block = {"address": upstream.url, "query": "target=a"}
        found = await measured(gateway, template({"name": "m", "provider": {"graphite": block}}))
        assert not blocked.done()
        assert (await blocked)["phase"] == "Successful"
    assert found["phase"] == "Successful"


async def test_a_task_that_it_left_behind_tells_no_secret(folder: Path) -> None:
    """The service and the command say of what failed there its type and its place."""
    distribution(folder, "acme/stray", PREAMBLE + STRAY + TYPE, module="stray_plugin")
    content = template(metric("acme/stray"))
    config = written(folder / "settings.yaml", {"plugins": ["acme/stray"]})
    words = ("serve", "--port", "0", "--state", str(folder / "state"), "--config", config)
    async with started(*words) as process, aiohttp.ClientSession() as session:
        url = await url_of(process)
        async with session.post(f"{url}/v1/verdict", json=content) as reply:
            assert (await reply.json())["phase"] == "Successful"
        process.terminate()
        served = await the_rest(process)
    ran = await command(
        *("run", written(folder / "t.yaml", content), "--plugin", "acme/stray"),
    )
    for told in (served.err, ran.err):
        assert "something failed that nobody waits for kind=ValueError" in told
        assert "stray_plugin.py:" in told
        assert "hunter2" not in told


@pytest.mark.parametrize("where", ["parse", "measure"])
async def test_its_secrets_stay(folder: Path, caplog: pytest.LogCaptureFixture, where: str) -> None:
    """Those of the arguments, and those that it was given; whoever it tells them."""
    caplog.set_level(logging.DEBUG)
    distribution(folder, "acme/telling", PREAMBLE + TELLING, module=f"telling_plugin_{where}")
    for name in ("args", "vendor"):
        (folder / "secrets" / "default" / name).mkdir(parents=True)
        (folder / "secrets" / "default" / name / "token").write_text(f"hush-{name}")
    arguments = [
        {"name": "t", "valueFrom": {"secretKeyRef": {"name": "args", "key": "token"}}},
    ]
    content = template(metric("acme/telling", token="{{args.t}}", **{where: True}), args=arguments)
    async with service(
        folder / "state", plugins=["acme/telling"], secrets=folder / "secrets", namespace="default"
    ) as gateway:
        found = await measured(gateway, content)
    assert (found["phase"], found["message"]) == (
        "Error",
        "plugin acme/telling: ValueError: ***** *****",
    )
    logged = "\n".join(map(JsonFormatter().format, caplog.records))
    assert "a plugin failed as it never should" in logged
    assert "hush" not in logged
