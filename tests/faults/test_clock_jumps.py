"""The clock of the machine is set while runs are under way and readings are kept."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from backends import Play, backend
from running import service, template, until, web_metric

from gateway.runs import upkeep

HOUR_S = 3600.0


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Move wall time by so many seconds; what only counts seconds goes on, as in the kernel."""
    real, moved = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: real() + moved[0])

    def move(by_s: float) -> None:
        moved[0] += by_s

    return move


@pytest.mark.parametrize("by_s", [pytest.param(HOUR_S, id="on"), pytest.param(-HOUR_S, id="back")])
async def test_a_run_goes_on(
    tmp_path: Path,
    set_clock: Callable[[float], None],
    monkeypatch: pytest.MonkeyPatch,
    by_s: float,
) -> None:
    """It has all its measurements, and none of them an hour late."""
    monkeypatch.setattr(upkeep, "EVERY_S", 0.2)
    async with backend(Play("1")) as upstream, service(tmp_path) as gateway:
        metric = web_metric(upstream.url, "result == 1", interval="500ms", count=6)
        started = await gateway.post("/v1/runs", template(metric))
        path = started.headers["Location"]
        await until(lambda: len(upstream.requests) == 2)
        set_clock(by_s)
        began_s = time.monotonic()
        ended = await gateway.get(f"{path}?wait=20s")
        took_s = time.monotonic() - began_s
    assert ended.body["status"]["phase"] == "Successful", ended.text
    assert ended.body["status"]["metricResults"][0]["count"] == 6
    # The first one after the jump seems to be an hour younger than the one before: a reading that
    # is kept may serve for both.
    assert len(upstream.requests) in {5, 6}
    assert took_s < 5


@pytest.mark.parametrize("by_s", [pytest.param(HOUR_S, id="on"), pytest.param(-HOUR_S, id="back")])
async def test_a_reading_is_as_old_as_it_is(
    tmp_path: Path, set_clock: Callable[[float], None], by_s: float
) -> None:
    """Not younger than it is when the clock is set back, and no older."""
    async with backend(Play("1")) as upstream, service(tmp_path) as gateway:
        content = template(web_metric(upstream.url, "result == 1"))
        for _ in range(2):
            reply = await gateway.post("/v1/verdict?maxAge=1s", content)
            set_clock(by_s)
        await asyncio.sleep(1.1)
        late = await gateway.post("/v1/verdict?maxAge=1s", content)
    measured = reply.body["metrics"]["m"]
    assert (measured["cache"], late.body["metrics"]["m"]["cache"]) == ("hit", "miss")
    assert 0 <= measured["ageSeconds"] < 1
    assert 0 <= late.body["metrics"]["m"]["ageSeconds"] < 1
