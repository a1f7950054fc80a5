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
from statistics import median, quantiles
from typing import Any

import aiohttp
import yaml
from harness import TEMPLATE, Server, gateway, get, reference, table

ROUNDS = 3
SECONDS = 8
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
def flood(url: str, name: str) -> Iterator[None]:
    """Different questions of one tenant, as fast as they are answered."""
    program = shutil.which("wrk")
    if program is None:
        raise RuntimeError("wrk is missing: make bench installs it")
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as lua:
        lua.write(SCRIPT.replace("PATH", f"{PATH.format(tenant='flood')}{name}-"))
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
    """The modest tenant alone, and then beside the flood, in turn: a neighbour disturbs both."""
    with (
        tempfile.TemporaryDirectory() as state,
        reference("vendor", "0", str(LATENCY_MS), ready="/seen") as vendor,
        served(Path(state), vendor, connection) as running,
    ):
        rounds = [run_round(running, vendor, str(number)) for number in range(ROUNDS)]
    alone_p50, alone_p99, beside_p50, beside_p99, per_s = map(median, zip(*rounds, strict=True))
    return (
        name,
        f"{alone_p50:.0f} / {alone_p99:.0f}",
        f"{beside_p50:.0f} / {beside_p99:.0f}",
        f"{beside_p99 / alone_p99:.2f}",
        f"{per_s:.0f}",
    )


def run_round(running: Server, vendor: Server, name: str) -> tuple[float, ...]:
    """Both, p50 and p99 of each, and how often the vendor was asked in a second of the flood."""
    alone_ms = quantiles(asyncio.run(modest(running.url, f"alone{name}-")), n=100)
    with flood(running.url, name):
        time.sleep(2)
        before = json.loads(get(f"{vendor.url}/seen"))["requests"]
        beside_ms = quantiles(asyncio.run(modest(running.url, f"beside{name}-")), n=100)
        asked = json.loads(get(f"{vendor.url}/seen"))["requests"] - before
    return alone_ms[49], alone_ms[98], beside_ms[49], beside_ms[98], asked / SECONDS


def main() -> None:
    """All budgets, one after the other."""
    table(
        f"10 questions a second of one tenant, a vendor that takes {LATENCY_MS} ms, and {FLOOD}"
        " connections of another tenant that flood (medians of the rounds)",
        ("budget", "alone p50/p99 ms", "beside p50/p99 ms", "ratio of p99", "vendor requests/s"),
        [run_case(name, connection) for name, connection in CASES.items()],
    )


if __name__ == "__main__":
    main()
