"""The life of the process: start, listen, and let everything finish that is under way."""

import asyncio
import gc
import logging
import os
import signal
import time
from typing import Final

from gateway import strays
from gateway.app import gateway
from gateway.config.settings import Settings
from gateway.doors import Doors

_GC_THRESHOLDS: Final = (20_000, 20, 50)
"""Python's own thresholds look for garbage after every 700 objects, which is every other request,
and cost a third of the processor."""
_log: Final = logging.getLogger(__name__)


async def serve(settings: Settings) -> None:
    """Answer requests until SIGTERM or SIGINT, then let everything under way finish."""
    strays.tell()
    stop = _stop_signal()
    async with gateway(settings, environ=os.environ) as running:
        doors = Doors(running.app, running.operations, settings, running.telemetry)
        await doors.open()
        # What was made during the start stays: looking through it again costs requests time.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GC_THRESHOLDS)
        running.health.is_ready = True
        _announce(settings, doors)
        received = await stop
        _log.info("stopping", extra={"signal": received.name})
        running.health.is_ready = False
        if received is signal.SIGTERM:
            await asyncio.sleep(settings.shutdown.delay_s)
        deadline_s = time.monotonic() + settings.shutdown.grace_s
        # Who waits for a run hears how it stands, and asks another replica.
        await running.runs.watch.close()
        await asyncio.gather(doors.close(), running.runs.worker.stop(settings.shutdown.grace_s))
        await running.readings.drain(max(0.0, deadline_s - time.monotonic()))
    _log.info("stopped")


def _stop_signal() -> asyncio.Future[signal.Signals]:
    loop = asyncio.get_running_loop()
    stop: asyncio.Future[signal.Signals] = loop.create_future()

    def received(which: signal.Signals) -> None:
        if not stop.done():
            stop.set_result(which)

    for which in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(which, received, which)
    return stop


def _announce(settings: Settings, doors: Doors) -> None:
    for url in doors.urls:
        _log.info("listening", extra={"url": url})
    for url in doors.operations_urls:
        _log.info("listening for operators", extra={"url": url})
    if not settings.access.is_configured:
        _log.warning("open to everybody on this machine: no access is configured")
