"""A gateway's readings in a process of their own, as a replica runs them.

Usage: python replica_process.py URL FOLDER ASKERS MEASURE_S

Waits for FOLDER/go, asks one question ASKERS times at once, leaves a file measured-PID-N for its
Nth measurement, and prints how the answers came.
"""

import asyncio
import itertools
import json
import os
import sys
from collections import Counter
from pathlib import Path

import uvloop
from redis_server import replica_of, until

from gateway.model import Reading, ResultType
from gateway.readings import Freshness
from gateway.secrets import Secret


async def main(url: str, folder: Path, askers: int, measure_s: float) -> None:
    """Ask."""
    numbers = itertools.count()

    async def measure() -> Reading:
        (folder / f"measured-{os.getpid()}-{next(numbers)}").touch()
        await asyncio.sleep(measure_s)
        return Reading(0.5, ResultType.FLOAT, "0.5")

    async with replica_of(Secret(url)) as replica:
        await replica.store.start()
        (folder / f"ready-{os.getpid()}").touch()
        await until((folder / "go").exists)
        freshness = Freshness(5, is_explicit=False)
        answers = await asyncio.gather(
            *(replica.readings.read("question", freshness, measure) for _ in range(askers))
        )
    print(json.dumps(Counter(answer.cache for answer in answers)))  # noqa: T201 # for the test


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
