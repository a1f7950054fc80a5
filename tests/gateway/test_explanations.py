"""Why an answer was empty: asked once for all, and never for long."""

import asyncio
import math
from dataclasses import dataclass, field
from typing import cast

import pytest

from gateway import explanations as module
from gateway.explanations import Explanations, wants_explanation
from gateway.model import Reading, ResultType
from gateway.provider import Context

CONTEXT = cast("Context", None)


@dataclass
class Doctor:
    """A provider that can tell, when it is let."""

    asked: int = 0
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    async def explain_no_data(self, _context: Context) -> str:
        """Wait, then tell."""
        self.asked += 1
        await self.may_answer.wait()
        return f"because {self.asked}"


@dataclass
class Clock:
    """Seconds that pass when told to."""

    now_s: float = 0.0

    def __call__(self) -> float:
        """Now."""
        return self.now_s


@pytest.mark.parametrize(
    ("reading", "wants"),
    [
        pytest.param(Reading((), ResultType.FLOATS, "[]", is_empty=True), True, id="no-series"),
        pytest.param(Reading(math.nan, ResultType.FLOAT, "NaN"), True, id="a-scalar-nan"),
        pytest.param(Reading((1.0, math.nan), ResultType.FLOATS, ""), True, id="one-nan-of-two"),
        pytest.param(Reading((1.0,), ResultType.FLOATS, "[1]"), False, id="a-number"),
        pytest.param(Reading("NaN", ResultType.JSON, '"NaN"'), False, id="a-text"),
    ],
)
def test_what_holds_nothing_to_judge_wants_a_reason(reading: Reading, wants: bool) -> None:  # noqa: FBT001 - a column
    """No data, or a number that is none."""
    assert wants_explanation(reading) is wants


async def test_many_who_wonder_ask_once() -> None:
    """One question to the provider serves all, until it is old."""
    clock, doctor = Clock(), Doctor()
    explanations = Explanations(budget_s=5, now_s=clock)
    doctor.may_answer.set()
    told = await asyncio.gather(*(explanations.of("k", doctor, CONTEXT) for _ in range(5)))
    clock.now_s = module.REMEMBERED_S - 0.1
    told.append(await explanations.of("k", doctor, CONTEXT))
    assert (set(told), doctor.asked) == ({"because 1"}, 1)
    clock.now_s = module.REMEMBERED_S
    assert await explanations.of("k", doctor, CONTEXT) == "because 2"


async def test_who_leaves_does_not_take_the_answer_along() -> None:
    """A caller's deadline ends its own waiting only."""
    doctor = Doctor()
    explanations = Explanations(budget_s=5, now_s=Clock())
    first = asyncio.create_task(explanations.of("k", doctor, CONTEXT))
    second = asyncio.create_task(explanations.of("k", doctor, CONTEXT))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.cancel()
    doctor.may_answer.set()
    assert await second == "because 1"


async def test_the_budget_ends_it() -> None:
    """A provider that thinks for too long has said nothing."""
    explanations = Explanations(budget_s=0.01, now_s=Clock())
    assert await explanations.of("k", Doctor(), CONTEXT) == ""


@pytest.mark.parametrize(
    ("budget_s", "provider"),
    [
        pytest.param(0.0, Doctor, id="nobody-may-be-asked"),
        pytest.param(5.0, object, id="nobody-can-tell"),
    ],
)
async def test_nothing_is_asked_in_vain(budget_s: float, provider: type) -> None:
    """Without a budget, or of a provider that cannot tell."""
    explanations = Explanations(budget_s=budget_s, now_s=Clock())
    assert await explanations.of("k", provider(), CONTEXT) == ""


async def test_only_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was asked first is forgotten first."""
    monkeypatch.setattr(module, "_MAX_REMEMBERED", 1)
    doctor = Doctor()
    doctor.may_answer.set()
    explanations = Explanations(budget_s=5, now_s=Clock())
    for key in ("a", "b", "a"):
        await explanations.of(key, doctor, CONTEXT)
    assert doctor.asked == 3


async def test_closing_leaves_nothing_behind() -> None:
    """What is under way is cancelled and awaited."""
    explanations = Explanations(budget_s=60, now_s=Clock())
    waiting = asyncio.create_task(explanations.of("k", Doctor(), CONTEXT))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await explanations.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert len(asyncio.all_tasks()) == 1
