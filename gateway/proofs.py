"""What led from readings to phases, found once for all who are shown it."""

import weakref
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from gateway.conditions import evidence_of
from gateway.evidence import Evidence
from gateway.model import Judgement, Phase, Reading
from gateway.newest import remember
from gateway.plan import MetricPlan
from gateway.secrets import NOT_TOLD, Redaction
from gateway.verdict import MAX_TEXT_CHARS, masked

_MAX_KEPT: Final = 512
MAX_KEPT_CHARS: Final = 16_384
"""Of evidence with its conditions; more, which nobody reads, is found anew each time."""
_Key = tuple[int, int, Phase, str, str]


@dataclass(frozen=True, slots=True)
class _Kept:
    """Its owners decide how long a reading stays; where another one has its id, it is not meant."""

    reading: weakref.ref[Reading]
    redaction: weakref.ref[Redaction]
    evidence: Evidence | None = field(repr=False)

    def is_of(self, reading: Reading, redaction: Redaction) -> bool:
        return self.reading() is reading and self.redaction() is redaction


class Proofs:
    """Evidence by the reading: taking conditions apart costs more than asking them."""

    def __init__(self) -> None:
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()

    def of(
        self, reading: Reading, judgement: Judgement, plan: MetricPlan, redaction: Redaction
    ) -> Evidence | None:
        """What led to a judgement; None for a reading so large that nobody could check it.

        None as well for an Error whose reason must not be told.

        Conditions are asked about what may be shown of the reading: so no piece of a secret is in
        the answer, whatever they do with it. If they say something else of that, there is none.
        """
        if len(reading.text) > MAX_TEXT_CHARS or NOT_TOLD in judgement.message:
            return None
        conditions = (plan.success_condition, plan.failure_condition)
        key = (id(reading), id(redaction), judgement.phase, *conditions)
        kept = self._kept.get(key)
        if kept is not None and kept.is_of(reading, redaction):
            return kept.evidence
        evidence = evidence_of(
            masked(reading, redaction),
            judgement.phase,
            success_condition=redaction.text(plan.success_condition),
            failure_condition=redaction.text(plan.failure_condition),
        )
        if sum(map(len, conditions)) + len(repr(evidence)) <= MAX_KEPT_CHARS:
            known = _Kept(weakref.ref(reading), weakref.ref(redaction), evidence)
            remember(self._kept, key, known, at_most=_MAX_KEPT)
        return evidence
