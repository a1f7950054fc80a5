"""What one evaluation may spend: work and memory, both counted, never timed.

The work budget is ours: the reference has none, and its host can be kept busy for minutes.
"""

import threading
import time
from collections.abc import Mapping

from gateway.expr.faults import Fault
from gateway.expr.values import Floats, Record

BASE_STEPS = 200_000.0
"""Steps that any evaluation may take; a step is about a tenth of a microsecond."""
STEPS_PER_ITEM = 64
"""Steps on top for each value inside ``result``, so that honest work on much data goes through."""
MEMORY = 1_000_000
"""List items and string bytes. Source: expr-lang v1.17.8, conf/config.go:13-15."""
_CHARACTERS_PER_ITEM = 16


class _Meter(threading.local):
    """Of the evaluation that this thread is in."""

    def __init__(self) -> None:
        self.steps = 0.0
        self.memory = 0
        self.result: object = None
        self.now_ns: int | None = None


_meter = _Meter()


def start(result: object, now_ns: int | None) -> None:
    """Begin an evaluation over ``result``; without an instant, the clock is read when asked."""
    _meter.steps = BASE_STEPS
    _meter.memory = 0
    _meter.result = result
    _meter.now_ns = now_ns


def charge(steps: float) -> None:
    """Pay for work. Raises Fault when it is too much for the size of ``result``."""
    _meter.steps -= steps
    if _meter.steps < 0:
        # Only who needs more than everybody gets has the result weighed.
        _meter.steps += STEPS_PER_ITEM * _weight(_meter.result)
        _meter.result = None
        if _meter.steps < 0:
            raise Fault("evaluation takes too many steps: work on less, or nest fewer predicates")


def _weight(result: object) -> int:
    weight = 0
    waiting: list[object] = [result]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            weight += len(value) // _CHARACTERS_PER_ITEM
        elif isinstance(value, Floats):
            weight += len(value)
        elif isinstance(value, tuple):
            weight += len(value)
            waiting.extend(value)
        elif isinstance(value, Record):
            waiting.extend(value.fields.values())
        elif isinstance(value, Mapping):
            weight += len(value)
            waiting.extend(value.values())
    return weight


def allocate(size: int) -> None:
    """Pay for memory that the reference counts. Raises Fault when it is too much."""
    _meter.memory += size
    if _meter.memory >= MEMORY:
        raise Fault("memory budget exceeded")


def is_spent() -> bool:
    """Whether an evaluation ended because of its budget, and nothing more can follow within it."""
    return _meter.steps < 0 or _meter.memory >= MEMORY


def now_ns() -> int:
    """The instant of the evaluation, in nanoseconds since 1970.

    The only clock of the language: its function ``now`` has to read one.
    """
    return time.time_ns() if _meter.now_ns is None else _meter.now_ns
