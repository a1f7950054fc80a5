"""Durable runs that all go on at the same time: how late their steps begin, and what they cost.

python runs.py [--runs 10000] [--interval 10] [--replicas 2] [--minutes 2]

With ``--minutes 30`` it shows whether memory stays flat. Every run asks a question of its own.
"""

import argparse
import asyncio
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from harness import Server, cpu_s, gateway, get, reference, rss_mb, table

CALLERS = 16
MARKS_MINUTES = (1, 2, 10, 30)
TEMPLATE = """\
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: bench-runs}
spec:
  args: [{name: ingress}]
  metrics:
    - name: success-rate
      interval: INTERVALs
      successCondition: result[0] >= 0.95
      failureLimit: 3
      provider:
        prometheus:
          address: UPSTREAM
          query: up{ingress="{{args.ingress}}"}
"""
_BUCKET = re.compile(r'run_lateness_seconds_bucket\{le="([^"]+)"\} (\S+)')


@contextmanager
def redis(directory: Path) -> Iterator[tuple[int, str]]:
    """A Redis that keeps what it is told, as a gateway's own does; its process and URL."""
    program = shutil.which("redis-server")
    if program is None:
        raise RuntimeError("redis-server is missing: make bench installs it")
    address = directory / "redis.sock"
    process = subprocess.Popen(
        (
            *(program, "--port", "0", "--unixsocket", str(address), "--save", ""),
            *("--appendonly", "yes", "--appendfsync", "everysec", "--dir", str(directory)),
        ),
        stdout=subprocess.DEVNULL,
    )
    try:
        while not address.exists():
            time.sleep(0.01)
        yield process.pid, f"unix://{address}"
    finally:
        process.terminate()
        process.wait()


def redis_bytes(url: str) -> int:
    """What Redis has allocated."""
    address = url.removeprefix("unix://")
    told = subprocess.run(
        ("redis-cli", "-s", address, "info", "memory"), check=True, capture_output=True, text=True
    )
    return int(told.stdout.split("used_memory:")[1].split()[0])


@dataclass(frozen=True, slots=True)
class Moment:
    """What all processes have used and done so far."""

    at_s: float
    cpu_s: dict[str, float]
    steps_by_limit_s: dict[float, float]
    """How many steps were late by this limit at most."""

    @classmethod
    def now(cls, replicas: list[Server], pids: dict[str, int]) -> "Moment":
        """Ask everybody."""
        steps: dict[float, float] = {}
        for replica in replicas:
            for limit, count in _BUCKET.findall(get(replica.url + "/metrics")):
                steps[float(limit)] = steps.get(float(limit), 0) + float(count)
        cpu = {name: cpu_s(pid) for name, pid in pids.items()}
        return cls(time.monotonic(), cpu, steps)

    def since(self, other: "Moment") -> "Moment":
        """The same for the time between two moments."""
        return Moment(
            self.at_s - other.at_s,
            {name: used_s - other.cpu_s[name] for name, used_s in self.cpu_s.items()},
            {
                limit_s: count - other.steps_by_limit_s.get(limit_s, 0)
                for limit_s, count in self.steps_by_limit_s.items()
            },
        )

    @property
    def steps(self) -> float:
        """How many steps began."""
        return max(self.steps_by_limit_s.values())

    def lateness(self, share: float) -> str:
        """How late this share of the steps was at most, to the histogram's grain."""
        for limit_s, count in sorted(self.steps_by_limit_s.items()):
            if count >= share * self.steps:
                return f"<= {limit_s:g} s"
        raise AssertionError("the last bucket holds all")


async def start_runs(replicas: list[Server], template: str, count: int, over_s: float) -> None:
    """Start so many runs, evenly over a time, so that their steps are spread as evenly."""
    started_s = time.monotonic()
    numbers = iter(range(count))

    async def call() -> None:
        for number in numbers:
            await asyncio.sleep(started_s + number / count * over_s - time.monotonic())
            url = f"{replicas[number % len(replicas)].url}/v1/runs"
            async with session.post(
                url, params={"args.ingress": f"run-{number}"}, data=template, headers=kind
            ) as response:
                if response.status != 202:
                    raise RuntimeError(await response.text())

    kind = {"Content-Type": "application/yaml"}
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as callers:
        for _ in range(CALLERS):
            callers.create_task(call())


def main() -> None:
    """Start the runs, let them go on, and look at the marks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--interval", type=int, default=10)
    parser.add_argument("--replicas", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=2)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        state = Path(name)
        upstream = stack.enter_context(reference("prometheus", ready="/questions"))
        redis_pid, url = stack.enter_context(redis(state))
        replicas = [
            stack.enter_context(gateway(upstream.url, state / str(number), "--redis", url))
            for number in range(wanted.replicas)
        ]
        names = {f"replica {number}": each.pid for number, each in enumerate(replicas)}
        pids = {**names, "redis": redis_pid, "upstream": upstream.pid}
        empty_bytes = redis_bytes(url)
        template = TEMPLATE.replace("UPSTREAM", upstream.url)
        template = template.replace("INTERVAL", str(wanted.interval))
        asyncio.run(start_runs(replicas, template, wanted.runs, over_s=3 * wanted.interval))
        time.sleep(wanted.interval)
        rows = []
        before, begun_s = Moment.now(replicas, pids), time.monotonic()
        for minutes in sorted({*MARKS_MINUTES, wanted.minutes}):
            if minutes > wanted.minutes:
                break
            time.sleep(max(0.0, begun_s + 60 * minutes - time.monotonic()))
            now = Moment.now(replicas, pids)
            used = now.since(before)
            per_run = (redis_bytes(url) - empty_bytes) / wanted.runs
            rows.append(
                (
                    f"{minutes:g}",
                    round(used.steps / used.at_s),
                    used.lateness(0.5),
                    used.lateness(0.99),
                    ", ".join(f"{who} {s / used.at_s:.0%}" for who, s in used.cpu_s.items()),
                    ", ".join(f"{rss_mb(pid):.0f}" for pid in names.values()),
                    round(per_run),
                )
            )
            before = now
    table(
        f"{wanted.runs} runs, one metric each, measured every {wanted.interval} s"
        f" (wanted: {wanted.runs / wanted.interval:.0f} steps/s)",
        (
            *("minutes", "steps/s", "p50 late", "p99 late", "processor", "RSS MB"),
            "Redis bytes/run",
        ),
        rows,
    )


if __name__ == "__main__":
    main()
