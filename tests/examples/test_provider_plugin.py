"""The example of a plugin: installed with pip, keeping the contract, asked through a gateway."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
from backends import Play, backend
from command_line import command, started, written
from plugins import EXAMPLE, KPI, installed
from running import Service, template

KPIS = Play("name,value\norders,412\nrefunds,\n")
NO_DATA = (
    'could not evaluate successCondition "result > 400": metric result is nil or empty: no data'
    " returned from the metric provider"
)


def metric(name: str = "orders", **block: object) -> dict[str, Any]:
    """A metric that wants enough of a figure."""
    return {
        "name": name,
        "successCondition": "result > 400",
        "provider": {"plugin": {KPI: {"kpi": name, **block}}},
    }


@pytest.fixture(autouse=True)
def _beside_the_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes of the gateway find the example where it is installed."""
    monkeypatch.setenv("PYTHONPATH", str(installed()))


def settings(folder: Path, url: str) -> str:
    """A file of settings, with the Secret of the example."""
    secret = folder / "secrets" / "default" / "acme-kpi"
    secret.mkdir(parents=True)
    (secret / "address").write_text(url)
    (secret / "token").write_text("hush-hush")
    chosen = {
        "port": 0,
        "plugins": [KPI],
        "namespace": "default",
        "secrets": str(folder / "secrets"),
        "state": str(folder / "state"),
    }
    return written(folder / "settings.yaml", chosen)


async def listening(process: asyncio.subprocess.Process) -> str:
    """The URL of a gateway, as soon as it says so."""
    assert process.stderr is not None
    async with asyncio.timeout(20):
        async for line in process.stderr:
            found = re.search(r"listening url=(\S+)", line.decode())
            if found:
                return found[1]
    pytest.fail("the gateway did not start")


@asynccontextmanager
async def serving(folder: Path, address: str) -> AsyncIterator[Service]:
    """A gateway in a process of its own."""
    async with (
        started("serve", "--config", settings(folder, address)) as process,
        aiohttp.ClientSession() as session,
    ):
        yield Service(await listening(process), cast("Any", None), session)


async def test_a_gateway_uses_it(tmp_path: Path) -> None:
    """Listed in its settings, with the credentials of its Secret, in a verdict and in a run."""
    content = template(metric(), metric("refunds"), metric("visits"))
    async with backend(KPIS) as service, serving(tmp_path, service.url) as gateway:
        verdict = (await gateway.post("/v1/verdict", content)).body["metrics"]
        run = (await gateway.post("/v1/runs?wait=10s", template(metric()))).body["status"]
        health = (await gateway.get("/readyz")).body
    assert {name: (each["phase"], each["message"]) for name, each in verdict.items()} == {
        "orders": ("Successful", ""),
        "refunds": ("Error", NO_DATA),
        "visits": ("Error", "plugin acme/kpi: the KPI service has no figure 'visits'"),
    }
    assert (verdict["orders"]["value"], verdict["orders"]["query"]) == (412.0, "orders")
    (result,) = run["metricResults"]
    assert (run["phase"], result["metadata"]) == ("Successful", {"ResolvedKpi": "orders"})
    assert health["plugins"] == {KPI: "loaded"}
    assert {each.headers["Authorization"] for each in service.requests} == {"Bearer hush-hush"}


async def test_the_command_line_uses_it(tmp_path: Path) -> None:
    """Where it is named: what is not named is not imported, and so not known."""
    async with backend(KPIS) as service:
        file = written(tmp_path / "kpi.yaml", template(metric(address=service.url)))
        wrong = written(tmp_path / "wrong.yaml", template(metric(adress=service.url)))
        run, unnamed, odd, linted = await asyncio.gather(
            command("run", file, "--plugin", KPI),
            command("run", file),
            command("run", file, "--plugin", "kpi"),
            command("lint", wrong, "--plugin", KPI),
        )
    assert (run.code, run.out.splitlines()[-1]) == (
        0,
        "Successful: orders: 412 satisfies result > 400 (met by 12)",
    )
    assert unnamed.code == odd.code == 4
    assert "this gateway does not have the plugin: its setting plugins lists none" in unnamed.err
    assert "write it like NAMESPACE/NAME" in odd.err
    assert linted.code == 1
    assert f"provider.plugin.{KPI}.adress: unknown field; did you mean address?" in linted.out


def test_it_keeps_the_contract_by_its_own_tests() -> None:
    """Those that its author runs, with what the gateway ships for them."""
    words = ["-m", "pytest", "-W", "error", "-q", "-p", "no:cacheprovider", str(EXAMPLE)]
    root = EXAMPLE.parents[1]
    paths = os.pathsep.join([str(installed()), str(root)])
    done = subprocess.run(
        [sys.executable, *words],
        env={**os.environ, "PYTHONPATH": paths},
        cwd=EXAMPLE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert re.search(r"^24 passed", done.stdout, re.MULTILINE)
