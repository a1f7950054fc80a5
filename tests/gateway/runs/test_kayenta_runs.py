"""Runs whose measurements are canary analyses: begun, looked at and left, by whoever is alive."""

from typing import Any

import pytest
from fake_kayenta import FakeKayenta, answer, completed
from redis_server import RedisServer
from runs_alone import RUN_ID, alone, kayenta_metric, metric

from gateway.model import Phase

MARGINAL = "inconclusive (1) > inconclusiveLimit (0)"
ASSESSED = 'Metric "canary" assessed'
TERMINATED = '"Error Message: Metric Terminated"'
REFUSED = '"Error Message: Invalid Response"'
ID = {"canaryExecutionId": "EX-1"}
IN_FLIGHT = {
    "phase": "Running",
    "startedAt": "1970-01-01T00:16:40.000Z",
    "resumeAt": "1970-01-01T00:16:55.000Z",
    "metadata": ID,
}


async def test_a_run_goes_on_with_its_execution_after_its_driver_died(
    redis_server: RedisServer,
) -> None:
    """Whoever drives next finds its id in the run's document: one order in all."""
    canaries = FakeKayenta()
    async with alone(redis_server, {}, canaries=canaries) as run:
        await run.start(kayenta_metric(interval="10m", count=1))
        assert await run.drive() == 1_015.0
        assert (await run.result("canary"))["measurements"] == [IN_FLIGHT]
    canaries.state = answer(completed(81.5))
    async with alone(redis_server, {}, canaries=canaries) as run:
        run.now_unix_s = 1_020.0
        assert await run.drive() is None
        assert await run.result("canary") == {
            "name": "canary",
            "phase": "Successful",
            "measurements": [
                {
                    "phase": "Successful",
                    "value": "81",
                    "startedAt": IN_FLIGHT["startedAt"],
                    "finishedAt": "1970-01-01T00:17:00.000Z",
                    "metadata": {"outcome": "score 81 (pass 80, marginal 50)", **ID},
                }
            ],
            "count": 1,
            "successful": 1,
            "consecutiveSuccess": 1,
        }
    assert [request.method for request in canaries.asked] == ["GET", "POST", "GET"]


@pytest.mark.parametrize(
    ("score", "phase", "message"),
    [
        pytest.param(80, Phase.SUCCESSFUL, "", id="pass"),
        pytest.param(
            79.9,
            Phase.INCONCLUSIVE,
            f"{ASSESSED} Inconclusive due to inconclusive (1) > inconclusiveLimit (0)",
            id="marginal",
        ),
        pytest.param(
            49,
            Phase.FAILED,
            f"{ASSESSED} Failed due to failed (1) > failureLimit (0)",
            id="less",
        ),
    ],
)
async def test_the_score_decides_a_run(
    redis_server: RedisServer, score: float, phase: Phase, message: str
) -> None:
    """No condition of the metric is asked (KA22)."""
    canaries = FakeKayenta(state=answer(completed(score)))
    async with alone(redis_server, {}, canaries=canaries) as run:
        fields: dict[str, Any] = {"successCondition": "true", "failureCondition": "true"}
        await run.start(kayenta_metric(interval="10m", count=1, **fields))
        await run.drive_to_the_end()
        assert await run.ended() == (phase, message)


async def test_every_measurement_but_the_first_looks_back_to_the_beginning_of_the_run(
    redis_server: RedisServer,
) -> None:
    """The first one is part of the beginning."""
    canaries = FakeKayenta(state=answer(completed(90)))
    async with alone(redis_server, {}, canaries=canaries) as run:
        lookback = kayenta_metric(interval="60s", count=2)
        lookback["provider"]["kayenta"].update(
            lookback=True,
            scopes=[
                {
                    "name": "default",
                    **{
                        side: {"scope": "s", "region": "eu", "step": 60}
                        for side in ("controlScope", "experimentScope")
                    },
                }
            ],
        )
        await run.start(lookback)
        await run.drive_to_the_end()
    bodies = [request.body or b"" for request in canaries.asked if request.method == "POST"]
    assert [body.count(b'"start":"1970-01-01T00:16:40Z"') for body in bodies] == [2, 2]
    assert [body.count(b'"end":"1970-01-01T00:16:40Z"') for body in bodies] == [2, 0]


async def test_a_run_that_is_told_to_end_leaves_its_execution(redis_server: RedisServer) -> None:
    """Nothing is sent, and unlike in Argo nothing stays Running for ever."""
    canaries = FakeKayenta()
    async with alone(redis_server, {}, canaries=canaries) as run:
        await run.start(kayenta_metric())
        await run.drive()
        await run.store.terminate(RUN_ID)
        run.now_unix_s = 1_005.0
        assert await run.drive() is None
        assert await run.ended() == (
            Phase.INCONCLUSIVE,
            f"{ASSESSED} Inconclusive due to {MARGINAL}: {TERMINATED}",
        )
        (measured,) = (await run.result("canary"))["measurements"]
    assert (measured["phase"], measured["message"]) == ("Inconclusive", "Metric Terminated")
    assert len(canaries.asked) == 2


async def test_a_failure_of_another_metric_leaves_an_execution(redis_server: RedisServer) -> None:
    """What nobody waits for any more is not looked at again."""
    canaries = FakeKayenta()
    async with alone(redis_server, {"m": lambda: 0}, canaries=canaries) as run:
        await run.start(kayenta_metric(), metric("m"))
        await run.drive_to_the_end()
        assert (await run.ended())[0] is Phase.FAILED
        (measured,) = (await run.result("canary"))["measurements"]
    assert measured["message"] == "Metric Terminated"
    assert len(canaries.asked) == 2


async def test_a_kayenta_that_is_away_is_an_error_and_asked_again(
    redis_server: RedisServer,
) -> None:
    """As in Argo: at once, and then begun anew."""
    canaries = FakeKayenta(state=answer({}, 500))
    async with alone(redis_server, {}, canaries=canaries) as run:
        await run.start(kayenta_metric(interval="10m", count=1, consecutiveErrorLimit=1))
        visits = await run.drive_to_the_end()
        assert await run.ended() == (
            Phase.ERROR,
            f"{ASSESSED} Error due to consecutiveErrors (2) > consecutiveErrorLimit (1): {REFUSED}",
        )
    assert canaries.begun == 2
    assert [round(at - visits[0]) for at in visits] == [0, 15, 25, 40]
