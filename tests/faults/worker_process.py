"""A worker of runs in a process of its own, as a replica runs it, with steps that do nothing.

Usage: python worker_process.py URL FOLDER STEP_S INTERVAL_S

Leaves a line ``began|ended RUN UNIX_S`` in FOLDER/steps-PID for each step, and its log in
FOLDER/log-PID. SIGTERM stops it.
"""

import asyncio
import logging
import os
import signal
import sys
import time
from pathlib import Path

import uvloop

from gateway.runs.queue import RunQueue
from gateway.runs.worker import RunWorker
from gateway.secrets import Secret
from gateway.storage.client import Patience, connect


class Lateness:
    """An observer that does not care."""

    def run_stepped(self, *, late_s: float) -> None:
        """A step begins."""


async def main(url: str, folder: Path, step_s: float, interval_s: float) -> None:
    """Drive runs."""
    logging.basicConfig(level=logging.INFO, filename=folder / f"log-{os.getpid()}")
    lines = os.open(folder / f"steps-{os.getpid()}", os.O_CREAT | os.O_WRONLY | os.O_APPEND)

    def note(what: str, run_id: str) -> None:
        os.write(lines, f"{what} {run_id} {time.time()}\n".encode())

    async def drive(run_id: str) -> float:
        note("began", run_id)
        await asyncio.sleep(step_s)
        note("ended", run_id)
        return time.time() + interval_s

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    client = connect(Secret(url), Patience(socket_timeout_s=10, max_connections=32, retries=1))
    queue = RunQueue(client.commands)
    worker = RunWorker(queue, drive, concurrency=250, observer=Lateness())
    await worker.start()
    await stop.wait()
    await worker.stop(0.5)
    await client.close()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])))
