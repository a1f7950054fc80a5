"""What nobody waits for and fails all the same."""

import asyncio
import gc
import logging
from collections.abc import Callable
from typing import Any

import pytest

from gateway import strays
from gateway.logs import JsonFormatter

SECRET = "hunter2"


async def stray() -> None:
    """Fails with a text that may be secret."""
    raise ValueError(SECRET)


def fail(text: str) -> None:
    """The same of a callback, whose arguments are in the loop's own message."""
    raise ValueError(text)


@pytest.mark.parametrize(
    "begin",
    [
        pytest.param(lambda loop: loop.create_task(stray()), id="a-task"),
        pytest.param(lambda loop: loop.call_soon(fail, SECRET), id="a-callback"),
    ],
)
async def test_it_is_told_with_its_places_alone(
    caplog: pytest.LogCaptureFixture, begin: Callable[[Any], object]
) -> None:
    """Its text may hold a secret."""
    strays.tell()
    begin(asyncio.get_running_loop())
    await asyncio.sleep(0.01)
    gc.collect()
    (record,) = caplog.records
    line = JsonFormatter().format(record)
    assert (record.getMessage(), record.levelno) == (
        "something failed that nobody waits for",
        logging.ERROR,
    )
    assert vars(record)["kind"] == "ValueError"
    assert vars(record)["places"].startswith(f"{__file__}:")
    assert SECRET not in line


async def test_what_is_no_exception_is_told_in_words(caplog: pytest.LogCaptureFixture) -> None:
    """The libraries' own: something that was never closed."""
    strays.tell()
    asyncio.get_running_loop().call_exception_handler({"message": "Unclosed session"})
    (record,) = caplog.records
    assert vars(record)["kind"] == "Unclosed session"
