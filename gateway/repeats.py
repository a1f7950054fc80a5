"""One verdict for all who ask the same within milliseconds, from the same readings."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.model import Reading
from gateway.newest import remember
from gateway.planned import Planned, Question
from gateway.readings import CacheState, Freshness, Readings
from gateway.verdict import MAX_TEXT_CHARS, Verdict

REPEAT_S: Final = 0.02
"""How long a verdict may be repeated: its times are off by so much, and ``now()`` in conditions."""
_MAX_KEPT: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What one caller wants to know, and how."""

    question: Question
    freshness: Freshness
    wait_s: float
    """How long this caller waits; the measurements themselves go on."""
    is_dry_run: bool = False
    """Whether no metric counts."""
    context: Mapping[str, object] = field(default_factory=dict)
    """Repeated in the answer."""
    is_explained: bool = False
    """Whether the answer tells of requests and answers."""

    @property
    def is_personal(self) -> bool:
        """Whether the answer says something that others did not ask for."""
        return bool(self.context) or self.is_explained


@dataclass(frozen=True, slots=True)
class _Kept:
    planned: Planned
    verdict: Verdict
    readings: Sequence[tuple[str, Reading]]
    """What it was judged by: each with its key."""


class Repeats:
    """Verdicts that were given just now from kept readings.

    A verdict is repeated only while each of its readings is still the one that would be used: a
    newer reading always brings a new verdict.
    """

    def __init__(self, readings: Readings) -> None:
        self._readings = readings
        self._kept: OrderedDict[tuple[str, bool], _Kept] = OrderedDict()

    def find(self, planned: Planned, ask: Ask, now_unix_s: float) -> Verdict | None:
        """The verdict that was given just now, if it would be given again."""
        kept = self._kept.get((ask.question.identity, ask.is_dry_run))
        if kept is None or kept.planned is not planned or ask.is_personal:
            return None
        if not 0 <= now_unix_s - kept.verdict.started_at_unix_s < REPEAT_S:
            return None
        return kept.verdict if self._readings.are_current(kept.readings, ask.freshness) else None

    def keep(self, planned: Planned, ask: Ask, verdict: Verdict) -> None:
        """Remember a verdict that kept readings gave."""
        if ask.is_personal or not ask.question.is_worth_remembering:
            return
        readings = [
            (metric.key, each.reading)
            for metric, each in zip(planned.metrics, verdict.measurements, strict=True)
            if each.reading is not None
            and each.cache == CacheState.HIT
            and len(each.reading.text) <= MAX_TEXT_CHARS
        ]
        if len(readings) < len(planned.metrics):
            return
        key = (ask.question.identity, ask.is_dry_run)
        remember(self._kept, key, _Kept(planned, verdict, readings), at_most=_MAX_KEPT)
