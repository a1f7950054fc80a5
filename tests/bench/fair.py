"""A tenant that asks now and then, beside one that floods: how much longer does it wait?"""

import asyncio
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any

import aiohttp
import yaml
from harness import TEMPLATE, Server, gateway, get, reference, table

SECONDS = 20
ASK_EVERY_S = 0.1
FLOOD = 200
"""Connections of the tenant that floods; each asks its next question when it has an answer."""
LATENCY_MS = 100
PATH = "/v1/clusteranalysistemplates/bench/verdict?namespace={tenant}&args.ingress={tenant}"
SCRIPT = """
local n = 0
request = function()
  n = n + 1
  return wrk.format("GET", "PATH" .. n)
end
"""
CASES: Mapping[str, Mapping[str, object] | None] = {
    "8 requests at once": {"concurrency": 8},
    "50 requests a second": {"rate": {"perSecond": 50}},
    "no connection": None,
}


@contextmanager
def flood(url: str) -> Iterator[None]:
    """Different questions of one tenant, as fast as they are answered."""
    program = shutil.which("wrk")
    if program is None:
        raise RuntimeError("wrk is missing: make bench installs it")
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as lua:
        lua.write(SCRIPT.replace("PATH", PATH.format(tenant="flood")))
        lua.flush()
        command = (program, "-t1", f"-c{FLOOD}", "-d10m", "-s", lua.name, url)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            yield
        finally:
            process.kill()
            process.wait()


async def modest(url: str, name: str) -> list[float]:
    """How long each answer took of who asks now and then, in milliseconds."""

    async def ask(session: aiohttp.ClientSession, number: int) -> float:
        await asyncio.sleep(number * ASK_EVERY_S)
        began_s = time.perf_counter()
        path = PATH.format(tenant="modest")
        async with session.get(f"{url}{path}{name}{number}") as response:
            verdict = await response.json()
        if verdict["phase"] != "Successful":
            raise RuntimeError(verdict["reason"])
        return 1000 * (time.perf_counter() - began_s)

    async with aiohttp.ClientSession() as session:
        asks = range(int(SECONDS / ASK_EVERY_S))
        return await asyncio.gather(*(ask(session, number) for number in asks))


@contextmanager
def served(
    state: Path, vendor: Server, connection: Mapping[str, object] | None
) -> Iterator[Server]:
    """A gateway with a template for all namespaces, which uses the connection if there is one."""
    named = {"name": "vendor", "url": vendor.url, "namespaces": ["*"]}
    settings = {"connections": [] if connection is None else [{**named, **connection}]}
    (state / "settings.yaml").write_text(yaml.safe_dump(settings))
    template: Any = yaml.safe_load(TEMPLATE.replace("UPSTREAM", vendor.url))
    template["kind"] = "ClusterAnalysisTemplate"
    (state / "templates").mkdir()
    (state / "templates" / "cluster.yaml").write_text(yaml.safe_dump(template))
    with gateway(vendor.url, state, "--config", str(state / "settings.yaml")) as running:
        yield running


def run_case(name: str, connection: Mapping[str, object] | None) -> tuple[object, ...]:
    """The modest tenant alone, and then beside the flood."""
    with (
        tempfile.TemporaryDirectory() as state,
        reference("vendor", "0", str(LATENCY_MS), ready="/seen") as vendor,
        served(Path(state), vendor, connection) as running,
    ):
        alone_ms = asyncio.run(modest(running.url, "alone"))
        before = json.loads(get(f"{vendor.url}/seen"))["requests"]
        with flood(running.url):
            time.sleep(2)
            beside_ms = asyncio.run(modest(running.url, "beside"))
            asked = json.loads(get(f"{vendor.url}/seen"))["requests"] - before
    cuts = [
        (quantiles(each, n=100)[49], quantiles(each, n=100)[98]) for each in (alone_ms, beside_ms)
    ]
    (alone_p50, alone_p99), (beside_p50, beside_p99) = cuts
    return (
        name,
        f"{alone_p50:.0f} / {alone_p99:.0f}",
        f"{beside_p50:.0f} / {beside_p99:.0f}",
        f"{beside_p99 / alone_p99:.2f}",
        f"{asked / (SECONDS + 2):.0f}",
    )


def main() -> None:
    """All budgets, one after the other."""
    table(
        f"10 questions a second of one tenant, a vendor that takes {LATENCY_MS} ms, and {FLOOD}"
        " connections of another tenant that flood",
        ("budget", "alone p50/p99 ms", "beside p50/p99 ms", "ratio of p99", "vendor requests/s"),
        [run_case(name, connection) for name, connection in CASES.items()],
    )


if __name__ == "__main__":
    main()
