"""Work in the background that ends by an error is told of."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from gateway.background import keep


async def fails() -> None:
    """Ends at once."""
    raise ValueError("hunter2-secret")


async def fails_in_a_group() -> None:
    """As what serves several at once does."""
    async with asyncio.TaskGroup() as group:
        group.create_task(fails())


async def lasts() -> None:
    """Ends when it is told to."""
    await asyncio.Event().wait()


async def test_the_log_says_what_ended_and_where(caplog: pytest.LogCaptureFixture) -> None:
    """Without the error's own words; what is stopped has not failed."""
    async with AsyncExitStack() as parts:
        keep(fails(), "fail", parts)
        keep(fails_in_a_group(), "fail together", parts)
        keep(lasts(), "last", parts)
        await asyncio.sleep(0.01)
    told = [vars(each) for each in caplog.records]
    assert {each["message"] for each in told} == {"work in the background has ended"}
    assert sorted((each["work"], each["kind"]) for each in told) == [
        ("fail", "ValueError"),
        ("fail together", "ValueError"),
    ]
    assert all("test_background.py:" in each["places"] for each in told)
    assert "hunter2" not in str(told[0]["places"]) + caplog.text
