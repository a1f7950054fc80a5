"""Many askers of one question, several replicas on one Redis: how often is Prometheus asked?"""

import asyncio
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import aiohttp
from harness import VERDICT, Server, gateway, get, reference, table

WINDOWS = 5
MAX_AGE_S = 1
ASKS_IN_A_WINDOW = 3
CASES = ((1, 1), (100, 1), (100, 3), (500, 3))


@contextmanager
def redis(directory: Path) -> Iterator[str]:
    """A Redis for all replicas; its URL."""
    program = shutil.which("redis-server")
    if program is None:
        raise RuntimeError("redis-server is missing: make bench installs it")
    address = directory / "redis.sock"
    process = subprocess.Popen(
        (program, "--port", "0", "--unixsocket", str(address), "--save", ""),
        stdout=subprocess.DEVNULL,
    )
    try:
        while not address.exists():
            time.sleep(0.01)
        yield f"unix://{address}"
    finally:
        process.terminate()
        process.wait()


async def ask(askers: int, replicas: list[Server], question: str) -> Counter[str]:
    """All askers at once, spread over the replicas, a few times; what they were told."""
    told: Counter[str] = Counter()

    async def one(number: int) -> None:
        url = f"{replicas[number % len(replicas)].url}{VERDICT}"
        for _ in range(ASKS_IN_A_WINDOW):
            async with session.get(url, params=parameters) as response:
                told[(await response.json())["phase"]] += 1

    parameters = {"args.ingress": question, "maxAge": f"{MAX_AGE_S}s"}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(one(number) for number in range(askers)))
    return told


def run_case(
    askers: int, replicas: list[Server], upstream: Server
) -> tuple[int, int, str, list[int]]:
    """Ask in several freshness windows and count the upstream queries in each."""
    told: Counter[str] = Counter()
    queries = []
    for _ in range(WINDOWS):
        before = int(get(upstream.url + "/questions"))
        told += asyncio.run(ask(askers, replicas, f"shop-{askers}-{len(replicas)}"))
        queries.append(int(get(upstream.url + "/questions")) - before)
        time.sleep(MAX_AGE_S * 1.1)
    return askers, len(replicas), str(dict(told)), queries


def main() -> None:
    """Run all cases on fresh questions."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        state = Path(name)
        upstream = stack.enter_context(reference("prometheus", ready="/questions"))
        url = stack.enter_context(redis(state))
        replicas = [
            stack.enter_context(gateway(upstream.url, state / str(number), "--redis", url))
            for number in range(max(replicas for _, replicas in CASES))
        ]
        rows = [run_case(askers, replicas[:count], upstream) for askers, count in CASES]
    table(
        f"One question, {WINDOWS} freshness windows of {MAX_AGE_S} s, "
        f"{ASKS_IN_A_WINDOW} asks of each asker in each",
        ("askers", "replicas", "verdicts", "upstream queries by window"),
        rows,
    )


if __name__ == "__main__":
    main()
