"""What runs the code of a plugin: its time, its end, and what is told of its faults."""

import asyncio
import logging
import time

import pytest

from gateway.errors import ProviderError, ProviderInvalid, ProviderUnreachable
from providers._plugins.guard import Guard
from providers._plugins.watch import BLOCKING_S, Watch


def guard(timeout_s: float = 60.0, watch: Watch | None = None) -> Guard:
    """A guard of acme's plugin."""
    return Guard("acme/kpi", watch or Watch(), measurement_timeout_s=timeout_s)


def logged(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    """The keys of each line, with its event."""
    return [{"event": record.getMessage(), **vars(record)} for record in caplog.records]


async def test_work_is_done() -> None:
    """However often it awaits, and whatever it awaits."""

    async def work() -> int:
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, int, "7") + guard().call(lambda: 1)

    assert await guard().run("measure", work) == 8


async def test_an_exception_can_be_caught_by_the_plugin() -> None:
    """What is awaited raises where it is awaited."""

    async def fail() -> None:
        await asyncio.sleep(0)
        raise ValueError("inner")

    async def work() -> str:
        try:
            await asyncio.gather(fail())
        except ValueError as error:
            return str(error)
        return ""

    assert await guard().run("measure", work) == "inner"


async def test_time_limits_of_its_own_work() -> None:
    """A plugin may cancel what it awaits."""

    async def work() -> str:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(60)
        except TimeoutError:
            return "late"
        return ""

    assert await guard().run("measure", work) == "late"


async def test_a_fault_is_told_in_the_log_without_its_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It may hold a secret; the places are where to look."""

    async def work() -> None:
        raise KeyError("hunter2")

    with pytest.raises(ProviderError, match=r"^plugin acme/kpi: KeyError: 'hunter2'$") as caught:
        await guard().run("measure", work)
    (line,) = logged(caplog)
    assert (line["event"], line["plugin"], line["kind"], line["levelno"]) == (
        "a plugin failed as it never should",
        "acme/kpi",
        "KeyError",
        logging.ERROR,
    )
    assert str(line["places"]).startswith(f"{__file__}:")
    assert "hunter2" not in caplog.text + repr(line)
    assert caught.value.__cause__ is None


def test_an_error_that_is_raised_on_purpose_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is the plugin's answer. Whoever parses hears of it as of any wrong block."""

    def refuse() -> None:
        raise ProviderUnreachable("no way")

    with pytest.raises(ProviderInvalid, match=r"^plugin acme/kpi: no way$"):
        guard().call(refuse)
    assert caplog.records == []


async def test_an_error_keeps_its_metadata() -> None:
    """If that is what metadata should be."""

    async def work(metadata: object) -> None:
        raise ProviderError("no", metadata=metadata)  # type: ignore[arg-type] # that is the point

    for given, kept in (({"a": "b"}, {"a": "b"}), ({"a": 1}, {}), (5, {})):
        with pytest.raises(ProviderError) as caught:
            await guard().run("measure", lambda given=given: work(given))  # type: ignore[misc]
        assert caught.value.metadata == kept


async def test_who_is_cancelled_is_cancelled() -> None:
    """And so is the plugin, which may clean up."""
    began, cleaned = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        began.set()
        try:
            await asyncio.sleep(60)
        finally:
            cleaned.set()

    task = asyncio.create_task(guard().run("measure", work))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(cleaned.wait(), 5)


async def test_nobody_waits_for_a_plugin_that_does_not_end() -> None:
    """It is cancelled and left behind, until it ends in its own time."""
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0.2)
            ended.set()

    began_s = time.monotonic()
    with pytest.raises(ProviderUnreachable, match=r"^plugin acme/kpi: measure has not ended with"):
        await guard(0.1).run("measure", work)
    assert time.monotonic() - began_s < 0.2
    assert not ended.is_set()
    await asyncio.wait_for(ended.wait(), 5)


async def test_a_fault_on_the_way_out_harms_nobody() -> None:
    """Even one that would end the process."""
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.set()
            raise SystemExit from None

    with pytest.raises(ProviderUnreachable):
        await guard(0.1).run("measure", work)
    await asyncio.wait_for(ended.wait(), 5)
    await asyncio.sleep(0)


async def test_who_cancels_itself_is_named() -> None:
    """Nobody else did: it is no end of the gateway."""

    async def work(*, awaits: bool) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        if awaits:
            await asyncio.sleep(60)

    for awaits in (True, False):
        with pytest.raises(ProviderError, match=r"^plugin acme/kpi: CancelledError$"):
            await guard().run("measure", lambda awaits=awaits: work(awaits=awaits))  # type: ignore[misc]


async def test_leaving_like_a_generator_is_told_with_its_place(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Python has the same sign for what is dropped, which is no fault."""

    async def work() -> None:
        raise GeneratorExit

    with pytest.raises(ProviderError, match=r"^plugin acme/kpi: RuntimeError: coroutine raised G"):
        await guard().run("measure", work)
    (line,) = logged(caplog)
    assert str(line["places"]).startswith(f"{__file__}:")


async def test_a_loop_that_is_gone_is_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    """What was under way is dropped by Python itself."""

    async def work() -> None:
        await asyncio.sleep(60)

    left = guard()._contained(work)
    left.send(None)
    left.close()
    assert caplog.records == []


async def test_who_blocks_the_loop_is_named_while_it_does(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Once, with the place where it is, from another thread."""
    watch = Watch()
    seen: list[int] = []

    async def work() -> None:
        await asyncio.sleep(0)
        time.sleep(BLOCKING_S + 1)  # noqa: ASYNC251 - that is the point
        seen.append(len(caplog.records))

    with watch.watching():
        await guard(watch=watch).run("measure", work)
    (line,) = logged(caplog)
    assert seen == [1]
    assert line["event"] == "a plugin blocks the event loop, and so every request"
    assert (line["plugin"], line["levelno"]) == ("acme/kpi", logging.ERROR)
    assert str(line["places"]).startswith(f"{__file__}:")
    assert isinstance(line["seconds"], float)
    assert line["seconds"] >= BLOCKING_S


async def test_who_awaits_does_not_block(caplog: pytest.LogCaptureFixture) -> None:
    """However long it takes, and whatever others do meanwhile."""
    watch = Watch()

    async def work() -> None:
        await asyncio.sleep(BLOCKING_S + 0.6)

    with watch.watching():
        task = asyncio.create_task(guard(watch=watch).run("measure", work))
        await asyncio.sleep(0.01)
        time.sleep(BLOCKING_S + 0.3)  # noqa: ASYNC251 - no plugin does this
        await task
    assert caplog.records == []
