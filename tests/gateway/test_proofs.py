"""Evidence that is found once for all who are shown it."""

import gc
import weakref

import pytest

from gateway.errors import ProviderInvalid
from gateway.evidence import Evidence
from gateway.model import Judgement, Phase, Reading, ResultType
from gateway.plan import MetricPlan
from gateway.proofs import MAX_KEPT_CHARS, Proofs
from gateway.secrets import Redaction
from gateway.template import Metric

GOOD = Judgement(Phase.SUCCESSFUL)


def plan(condition: str) -> MetricPlan:
    """Of a metric with this condition for success."""
    return MetricPlan(
        metric=Metric(name="m", provider={}),
        path="",
        provider_name="web",
        block={},
        provider=ProviderInvalid("not asked here"),
        success_condition=condition,
        failure_condition="",
        is_dry_run=False,
    )


def reading() -> Reading:
    """One that is nobody else's."""
    return Reading(1.0, ResultType.FLOAT, "1")


@pytest.mark.parametrize(
    ("condition", "is_kept"),
    [
        pytest.param("result == 1", True, id="what-anybody-reads-is-found-once"),
        pytest.param(f'result == 1 || "{"x" * MAX_KEPT_CHARS}" == ""', False, id="and-no-more"),
        pytest.param(
            f"map(1..10, {{map(1..10, '{'x' * 180}')}}) != nil",
            False,
            id="nor-what-a-short-condition-makes-of-it",
        ),
    ],
)
def test_evidence_is_kept_if_it_is_small(condition: str, is_kept: bool) -> None:  # noqa: FBT001 - a column
    """Nobody reads much of it."""
    proofs, mine, secrets = Proofs(), reading(), Redaction(())
    first = proofs.of(mine, GOOD, plan(condition), secrets)
    assert isinstance(first, Evidence)
    assert (proofs.of(mine, GOOD, plan(condition), secrets) is first) is is_kept


def test_evidence_is_that_of_one_reading_and_one_redaction() -> None:
    """Neither is kept in memory by it."""
    proofs, mine, secrets = Proofs(), reading(), Redaction(())
    first = proofs.of(mine, GOOD, plan("result == 1"), secrets)
    assert proofs.of(reading(), GOOD, plan("result == 1"), secrets) is not first
    assert proofs.of(mine, GOOD, plan("result == 1"), Redaction(())) is not first
    gone = (weakref.ref(mine), weakref.ref(secrets))
    del mine, secrets
    gc.collect()
    assert [each() for each in gone] == [None, None]
