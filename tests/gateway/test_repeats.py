"""One verdict for all who ask the same within milliseconds."""

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest
from redis_server import Counted

from gateway.memory import Memory
from gateway.model import Phase, Reading, ResultType
from gateway.plan import MetricPlan
from gateway.planned import Planned, PlannedMetric, Question
from gateway.readings import Freshness, Readings
from gateway.repeats import REPEAT_S, Ask, Repeats
from gateway.secrets import Redaction
from gateway.verdict import MAX_TEXT_CHARS, Measurement, Verdict

NOW = 1_000.0
READING = Reading(1.0, ResultType.FLOAT, "1")
ASK = Ask(question=Question(namespace="n"), freshness=Freshness(5, is_explicit=False), wait_s=8)
PLANNED = Planned(
    namespace="n",
    label="t",
    templates=("t@sha256:00",),
    metrics=(PlannedMetric(cast("MetricPlan", SimpleNamespace(name="m")), "key", ""),),
    redaction=Redaction(()),
)
MEASURED = Measurement(
    metric="m", provider="web", phase=Phase.SUCCESSFUL, reading=READING, cache="hit"
)
VERDICT = Verdict(
    phase=Phase.SUCCESSFUL,
    reason="",
    namespace="n",
    templates=("t@sha256:00",),
    started_at_unix_s=NOW,
    finished_at_unix_s=NOW,
    measurements=(MEASURED,),
)


class World:
    """Kept readings, a monotonic clock, and what is repeated from them."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.memory = Memory(max_entries=10, max_bytes=1_000_000, retention_s=300)
        self.memory.put("key", READING, began_s=0.0)
        self.observer = Counted()
        self.repeats = Repeats(
            Readings(
                memory=self.memory,
                shared=None,
                observer=self.observer,
                monotonic_s=lambda: self.now_s,
            )
        )


def test_who_asks_the_same_at_once_gets_the_same() -> None:
    """The very verdict, and so the very bytes."""
    world = World()
    world.repeats.keep(PLANNED, ASK, VERDICT)
    assert world.repeats.find(PLANNED, ASK, NOW + REPEAT_S / 2) is VERDICT


@pytest.mark.parametrize(
    ("ask", "planned", "passed_s"),
    [
        pytest.param(ASK, PLANNED, 1.5 * REPEAT_S, id="milliseconds-later"),
        pytest.param(ASK, PLANNED, -1.0, id="after-the-clock-was-set-back"),
        pytest.param(replace(ASK, is_dry_run=True), PLANNED, 0.0, id="a-dry-run"),
        pytest.param(replace(ASK, context={"a": 1}), PLANNED, 0.0, id="with-a-context"),
        pytest.param(
            replace(ASK, question=Question(namespace="other")), PLANNED, 0.0, id="another-question"
        ),
        pytest.param(ASK, replace(PLANNED, label="new"), 0.0, id="of-a-changed-template"),
        pytest.param(
            replace(ASK, freshness=Freshness(0, is_explicit=True)), PLANNED, 0.0, id="anew"
        ),
    ],
)
def test_who_asks_something_else_gets_something_else(
    ask: Ask, planned: Planned, passed_s: float
) -> None:
    """Nothing is repeated to whom it would not be said."""
    world = World()
    world.repeats.keep(PLANNED, ASK, VERDICT)
    world.now_s = 0.001
    assert world.repeats.find(planned, ask, NOW + passed_s) is None


def test_a_newer_reading_ends_a_verdict() -> None:
    """A pass never outlives a later failure."""
    world = World()
    world.repeats.keep(PLANNED, ASK, VERDICT)
    world.memory.put("key", Reading(0.0, ResultType.FLOAT, "0"), began_s=0.001)
    assert world.repeats.find(PLANNED, ASK, NOW) is None


@pytest.mark.parametrize(
    ("other", "lookups"),
    [
        pytest.param(READING, ["hit", "hit"], id="both-are-current"),
        pytest.param(replace(READING), [], id="one-is-newer"),
    ],
)
def test_readings_are_counted_once_for_each_verdict(other: Reading, lookups: list[str]) -> None:
    """Those of a verdict that is repeated; if it is not, they are counted when they are judged."""
    world = World()
    world.memory.put("other", READING, began_s=0.0)
    planned = replace(PLANNED, metrics=(*PLANNED.metrics, replace(PLANNED.metrics[0], key="other")))
    verdict = replace(VERDICT, measurements=(MEASURED, MEASURED))
    world.repeats.keep(planned, ASK, verdict)
    world.memory.put("other", other, began_s=0.001)
    assert (world.repeats.find(planned, ASK, NOW) is verdict) is bool(lookups)
    assert world.observer.lookups == lookups


@pytest.mark.parametrize(
    ("ask", "measured"),
    [
        pytest.param(ASK, replace(MEASURED, cache="miss"), id="just-measured"),
        pytest.param(ASK, replace(MEASURED, reading=None), id="without-a-reading"),
        pytest.param(
            ASK,
            replace(MEASURED, reading=replace(READING, text="x" * (MAX_TEXT_CHARS + 1))),
            id="of-a-large-reading",
        ),
        pytest.param(replace(ASK, context={"a": 1}), MEASURED, id="with-a-context"),
        pytest.param(
            replace(ASK, question=Question(namespace="n" * 20_000)), MEASURED, id="of-a-long-ask"
        ),
    ],
)
def test_some_verdicts_are_not_kept(ask: Ask, measured: Measurement) -> None:
    """Those that say something about their caller, or weigh too much."""
    world = World()
    world.repeats.keep(PLANNED, ask, replace(VERDICT, measurements=(measured,)))
    assert world.repeats.find(PLANNED, replace(ask, context={}), NOW) is None


def test_only_so_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was kept first goes first."""
    monkeypatch.setattr("gateway.repeats._MAX_KEPT", 1)
    world = World()
    other = replace(ASK, question=Question(namespace="other"))
    world.repeats.keep(PLANNED, ASK, VERDICT)
    world.repeats.keep(PLANNED, other, VERDICT)
    assert world.repeats.find(PLANNED, ASK, NOW) is None
    assert world.repeats.find(PLANNED, other, NOW) is VERDICT
