"""Good callers beside 2,000 who send their requests byte by byte, and come again when dropped.

python slowloris.py               measure
python slowloris.py attack PORT   be the 2,000, until interrupted
"""

import asyncio
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import quantiles
from subprocess import Popen

import uvloop
from harness import VERDICT, Server, gateway, get, reference, table
from yarl import URL

ATTACKERS = 2_000
DRIP_EVERY_S = 1.0
FILES = 8_192
GOOD = 10
"""Callers of each kind: who keep their connection, and who make a new one for each request."""
ASK_EVERY_S = 0.02
SECONDS_BEFORE = 10
SECONDS_DURING = 25
"""Longer than a head may take: the 2,000 are dropped for that, and come again."""
PATH = f"{VERDICT}?maxAge=5m"
Latencies = list[float]


async def attack(port: int) -> None:
    """2,000 requests that never end."""

    async def one(number: int) -> None:
        await asyncio.sleep(number / ATTACKERS)
        while True:
            # uvloop's word for a connection that has ended since is RuntimeError.
            with suppress(OSError, RuntimeError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"GET / HTTP/1.1\r\nX-A: ")
                while not (reader.at_eof() or writer.is_closing()):
                    await asyncio.sleep(DRIP_EVERY_S)
                    writer.write(b"a")
                writer.transport.abort()
            await asyncio.sleep(0.1)

    await asyncio.gather(*(one(number) for number in range(ATTACKERS)))


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One verdict."""
    writer.write(f"GET {PATH} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    if " 200 " not in head:
        raise RuntimeError(head)
    await reader.readexactly(int(head.partition("Content-Length: ")[2].split()[0]))


async def keep(port: int, until_s: float) -> Latencies:
    """How long each answer took over one connection."""
    took_s: Latencies = []
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (began_s := time.perf_counter()) < until_s:
        await ask(reader, writer)
        took_s.append(time.perf_counter() - began_s)
        await asyncio.sleep(ASK_EVERY_S)
    writer.close()
    return took_s


async def renew(port: int, until_s: float) -> Latencies:
    """The same over a new connection each time, from before it is made."""
    took_s: Latencies = []
    while (began_s := time.perf_counter()) < until_s:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await ask(reader, writer)
        took_s.append(time.perf_counter() - began_s)
        writer.close()
        await asyncio.sleep(ASK_EVERY_S)
    return took_s


async def measure(port: int, seconds: float) -> tuple[Latencies, Latencies]:
    """What good callers see."""
    until_s = time.perf_counter() + seconds
    kept, renewed = await asyncio.gather(
        asyncio.gather(*(keep(port, until_s) for _ in range(GOOD))),
        asyncio.gather(*(renew(port, until_s) for _ in range(GOOD))),
    )
    return [each for some in kept for each in some], [each for some in renewed for each in some]


@contextmanager
def attackers(served: Server) -> Iterator[None]:
    """The 2,000, once they are there."""
    process = Popen((sys.executable, __file__, "attack", str(URL(served.url).port)))
    try:
        give_up = time.monotonic() + 30
        while connections(served) < 0.9 * ATTACKERS:
            if time.monotonic() > give_up:
                raise TimeoutError("the attackers did not come")
            time.sleep(0.1)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def samples(served: Server, name: str) -> dict[str, float]:
    """A metric of the gateway, by labels."""
    lines = (line.rpartition(" ") for line in get(served.url + "/metrics").splitlines())
    return {
        series.removeprefix(name): float(value)
        for series, _, value in lines
        if series.startswith(name) and series.removeprefix(name)[:1] in ("", "{")
    }


def connections(served: Server) -> float:
    """How many are connected."""
    return samples(served, "analysis_gateway_connections")[""]


def main() -> None:
    """The same good callers before and during."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, hard), hard))
    with (
        tempfile.TemporaryDirectory() as state,
        reference("prometheus", ready="/questions") as upstream,
        gateway(upstream.url, Path(state)) as served,
    ):
        port = URL(served.url).port
        assert port is not None
        get(served.url + PATH)
        before = uvloop.run(measure(port, SECONDS_BEFORE))
        with attackers(served):
            used_s = served.cpu_s()
            during = uvloop.run(measure(port, SECONDS_DURING))
            used_s = served.cpu_s() - used_s
            there = connections(served)
        cuts = samples(served, "analysis_gateway_connections_cut_total")
    rows = [
        (name, len(took_s), *percentiles(took_s))
        for when, both in (("before", before), ("during", during))
        for name, took_s in zip((f"kept, {when}", f"renewed, {when}"), both, strict=True)
    ]
    table(f"Good callers beside {ATTACKERS} slow ones", ("connection", "asked", *KEYS), rows)
    print(f"  connections: {there:.0f}; gateway: {used_s / SECONDS_DURING:.0%} of a core")
    print(f"  dropped: {', '.join(f'{name} {count:.0f}' for name, count in cuts.items() if count)}")


def percentiles(took_s: Latencies) -> tuple[float, float]:
    """The 50th and the 99th, in milliseconds."""
    cuts = quantiles(took_s, n=100)
    return round(cuts[49] * 1000, 2), round(cuts[98] * 1000, 2)


KEYS = ("p50_ms", "p99_ms")

if __name__ == "__main__":
    if sys.argv[1:2] == ["attack"]:
        uvloop.run(attack(int(sys.argv[2])))
    else:
        main()
