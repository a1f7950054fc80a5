"""5,000 askers of 10 questions, two replicas, and a vendor that takes 10 requests a second."""

import asyncio
import json
import random
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import quantiles

import aiohttp
import yaml
from harness import VERDICT, Server, gateway, get, reference, table
from shared import redis

ASKERS = 5_000
QUESTIONS = 10
SECONDS = 30
MAX_AGE = "500ms"
"""Ten questions whose answers may be so old: twice as much as the vendor takes."""
LIMIT = 10
LATENCY_MS = 50
REPLICAS = 2
FILES = 16_384
TOO_MANY = 429
CASES: Mapping[str, Mapping[str, object]] = {
    "none": {},
    "9 requests a second": {"rate": {"perSecond": 9}},
}
"""A little less than the vendor takes: what is evenly spaced here is not quite so there."""


async def ask_all(replicas: list[Server]) -> tuple[Counter[str], list[float]]:
    """All askers, each at a time of its own: what they were told, and how long that took."""
    told: Counter[str] = Counter()
    took_s: list[float] = []

    async def asker(session: aiohttp.ClientSession, number: int) -> None:
        url = f"{replicas[number % len(replicas)].url}{VERDICT}?maxAge={MAX_AGE}&wait=30s"
        await asyncio.sleep(SECONDS * random.random())
        asked_s = time.monotonic()
        async with session.get(f"{url}&args.ingress={number % QUESTIONS}") as response:
            verdict = await response.json()
        took_s.append(time.monotonic() - asked_s)
        is_limited = response.status == TOO_MANY or str(TOO_MANY) in verdict["reason"]
        told["429" if is_limited else verdict["phase"]] += 1

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(asker(session, number) for number in range(ASKERS)))
    return told, took_s


def run_case(name: str, budget: Mapping[str, object]) -> tuple[object, ...]:
    """Everybody asks; what the vendor saw of it."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        state = Path(folder)
        vendor = stack.enter_context(
            reference("vendor", str(LIMIT), str(LATENCY_MS), ready="/seen")
        )
        connection = {"name": "vendor", "url": vendor.url, "namespaces": ["*"], **budget}
        settings = {"connections": [connection], "limits": {"connections": 2 * ASKERS}}
        (state / "settings.yaml").write_text(yaml.safe_dump(settings))
        flags = ("--config", str(state / "settings.yaml"))
        url = stack.enter_context(redis(state))
        replicas = [
            stack.enter_context(gateway(vendor.url, state / str(number), "--redis", url, *flags))
            for number in range(REPLICAS)
        ]
        told, took_s = asyncio.run(ask_all(replicas))
        seen = json.loads(get(f"{vendor.url}/seen"))
    cuts = quantiles(took_s, n=100)
    return (
        name,
        len(took_s),
        seen["requests"],
        seen["most_in_a_second"],
        seen["refused"],
        told.pop("429", 0),
        dict(told),
        f"{cuts[49] * 1000:.0f} / {cuts[98] * 1000:.0f}",
    )


def main() -> None:
    """With a budget, and without one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, hard), hard))
    table(
        f"{ASKERS} askers of {QUESTIONS} questions over {SECONDS} s, {REPLICAS} replicas, readings"
        f" at most {MAX_AGE} old, a vendor that takes {LIMIT} requests a second",
        (
            *("rate of the connection", "asks", "vendor requests", "most in any second"),
            *("429 of the vendor", "429 at callers", "verdicts", "p50/p99 ms"),
        ),
        [run_case(name, budget) for name, budget in CASES.items()],
    )


if __name__ == "__main__":
    main()
