"""Measurements that go on while nobody looks: a verdict follows one to its end."""

import asyncio
from dataclasses import replace

import pytest
from job_api import Clock, world_with
from lasting_scripts import ATTEMPT, NOW, SUCCESS, Scripted, World, running

from gateway.errors import ProviderError, ProviderUnreachable
from gateway.lasting import KEPT_OF_A_QUESTION, Lasting
from gateway.model import Judgement, Phase, Reading, ResultType
from gateway.provider import Attempt, LastingProvider, Progress

AWAY = ProviderUnreachable("no answer")


def test_the_scripted_provider_is_one_that_lasts() -> None:
    """Or it would be measured at once."""
    assert isinstance(Scripted(), LastingProvider)


async def test_a_verdict_follows_a_measurement_to_its_end() -> None:
    """It sleeps as long as it is told, never less than a moment, and hands on what it has."""
    world = World()
    provider = Scripted(
        [running(), running(NOW - 9), running(NOW + 10.5), running(None, id="8"), SUCCESS]
    )
    assert await world.lasting().follow(provider, ATTEMPT) == Reading(
        result=None,
        result_type=ResultType.JSON,
        text="fine",
        metadata={"id": "7", "log": "ok"},
        judgement=Judgement(Phase.SUCCESSFUL),
    )
    assert world.slept == [0.25, 0.25, 10.0, 0.25]
    assert [dict(each.metadata) for each in provider.advanced] == [
        {},
        {"id": "7"},
        {"id": "7"},
        {"id": "7"},
        {"id": "8"},
    ]
    assert {replace(each, metadata=()) for each in provider.advanced} == {  # type: ignore[arg-type]
        replace(ATTEMPT, metadata=())  # type: ignore[arg-type]
    }


@pytest.mark.parametrize(
    ("value", "result"),
    [
        pytest.param(None, None, id="nothing"),
        pytest.param(81, 81.0, id="a-number"),
        pytest.param(0, 0.0, id="zero"),
    ],
)
async def test_a_verdict_has_the_number_that_was_measured(
    value: int | None, result: float | None
) -> None:
    """As any number is: a double."""
    reading = await World().lasting().follow(Scripted([replace(SUCCESS, value=value)]), ATTEMPT)
    assert (reading.result, type(reading.result)) == (result, type(result))
    assert reading.text == "fine"


@pytest.mark.parametrize(
    ("began_at", "lag_s"),
    [
        pytest.param([None, None], 0.0, id="its-own"),
        pytest.param([NOW - 300, None], 300.0, id="one-that-was-under-way"),
        pytest.param([None, NOW - 300], 300.0, id="one-that-was-found-at-the-second-look"),
        pytest.param([NOW + 5, None], 0.0, id="by-a-clock-that-is-ahead"),
    ],
)
async def test_the_age_of_what_was_found_under_way_is_known(
    began_at: list[float | None], lag_s: float
) -> None:
    """Counted from when it was asked for, however long ago somebody wanted it."""
    first, second = began_at
    looks = [
        replace(running(), began_at_unix_s=first),
        replace(SUCCESS, began_at_unix_s=second),
    ]
    asked_long_ago = replace(ATTEMPT, began_at_unix_s=NOW - 900)
    reading = await World().lasting().follow(Scripted(looks), asked_long_ago)
    assert reading.lag_s == lag_s


@pytest.mark.parametrize(
    ("phase", "is_partial"),
    [
        pytest.param(Phase.SUCCESSFUL, False, id="a-success-may-be-repeated"),
        pytest.param(Phase.FAILED, False, id="a-failure-may-be-repeated"),
        pytest.param(Phase.INCONCLUSIVE, True, id="what-was-not-judged-may-not"),
    ],
)
async def test_only_what_was_judged_is_remembered(phase: Phase, *, is_partial: bool) -> None:
    """A partial reading is never kept."""
    end = Progress(phase=phase, message="so it is", text="a", metadata={})
    reading = await World().lasting().follow(Scripted([end]), ATTEMPT)
    assert reading.is_partial is is_partial
    assert reading.judgement == Judgement(phase, "so it is")


@pytest.mark.parametrize(
    ("looks", "collected"),
    [
        pytest.param([SUCCESS], [], id="one-that-has-ended-leaves-nothing-new"),
        pytest.param(
            [running(), running(), SUCCESS],
            [(ATTEMPT, KEPT_OF_A_QUESTION)],
            id="one-that-begins-makes-room-once",
        ),
    ],
)
async def test_a_new_measurement_of_a_question_removes_old_ones(
    looks: list[Progress | Exception], collected: list[tuple[Attempt, int]]
) -> None:
    """A question is asked again and again."""
    provider = Scripted(looks)
    await World().lasting().follow(provider, ATTEMPT)
    assert provider.collected == collected


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param(AWAY, "no answer", id="one-that-was-foreseen"),
        pytest.param(
            KeyError("hunter2"),
            "the provider failed unexpectedly (KeyError); the gateway's log says where",
            id="one-that-was-not",
        ),
    ],
)
async def test_what_cannot_be_removed_does_not_spoil_a_measurement(
    fault: Exception, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told in the log."""
    provider = Scripted([running(), SUCCESS], {"collect": fault})
    assert (await World().lasting().follow(provider, ATTEMPT)).text == "fine"
    told = vars(caplog.records[-1])
    assert told["message"] == "old measurements could not be removed"
    assert (told["owner"], told["reason"]) == ("u-1", reason)


@pytest.mark.parametrize("looks", [[AWAY], [running(), AWAY]])
async def test_an_error_ends_a_measurement(looks: list[Progress | Exception]) -> None:
    """At its beginning or later."""
    with pytest.raises(ProviderUnreachable, match=r"^no answer$"):
        await World().lasting().follow(Scripted(looks), ATTEMPT)


async def test_a_fault_of_a_provider_is_its_error() -> None:
    """Nothing else is raised, and no text that may be secret."""
    with pytest.raises(ProviderError, match=r"^the provider failed unexpectedly \(KeyError\)"):
        await World().lasting().follow(Scripted([running(), KeyError("hunter2")]), ATTEMPT)


async def test_who_is_cancelled_leaves_the_measurement_to_go_on() -> None:
    """The next one who asks finds it."""
    provider = Scripted([running(NOW + 3_600)])
    following = asyncio.create_task(Lasting(world_with(None, Clock(NOW))).follow(provider, ATTEMPT))
    for _ in range(5):
        await asyncio.sleep(0)
    following.cancel()
    await asyncio.wait({following})
    assert (len(provider.advanced), provider.terminated) == (1, [])
