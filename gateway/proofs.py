"""What led from readings to phases, found once for all who are shown it."""

from collections import OrderedDict
from typing import Final

from gateway.conditions import evidence_of
from gateway.evidence import Evidence
from gateway.model import Judgement, Phase, Reading
from gateway.plan import MetricPlan
from gateway.secrets import Redaction
from gateway.verdict import MAX_TEXT_CHARS, masked

_MAX_KEPT: Final = 512
_Key = tuple[int, int, Phase, str, str]


class Proofs:
    """Evidence by the reading: taking conditions apart costs more than asking them."""

    def __init__(self) -> None:
        # The reading and the redaction are kept with it, so that their ids are nobody else's.
        self._kept: OrderedDict[_Key, tuple[Reading, Redaction, Evidence | None]] = OrderedDict()

    def of(
        self, reading: Reading, judgement: Judgement, plan: MetricPlan, redaction: Redaction
    ) -> Evidence | None:
        """What led to a judgement; None for a reading so large that nobody could check it.

        Conditions are asked about what may be shown of the reading: so no piece of a secret is in
        the answer, whatever they do with it. If they say something else of that, there is none.
        """
        if len(reading.text) > MAX_TEXT_CHARS:
            return None
        conditions = (plan.success_condition, plan.failure_condition)
        key = (id(reading), id(redaction), judgement.phase, *conditions)
        kept = self._kept.get(key)
        if kept is None:
            evidence = evidence_of(
                masked(reading, redaction),
                judgement.phase,
                success_condition=redaction.text(plan.success_condition),
                failure_condition=redaction.text(plan.failure_condition),
            )
            kept = self._kept[key] = (reading, redaction, evidence)
            if len(self._kept) > _MAX_KEPT:
                self._kept.popitem(last=False)
        return kept[2]
