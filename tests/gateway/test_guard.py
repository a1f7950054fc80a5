"""What a provider may raise, and what it raises in spite of that."""

import asyncio
import logging

import pytest

from gateway.errors import ProviderError, ProviderRejected, ProviderUnreadable
from gateway.guard import guarded


async def raising(error: BaseException) -> str:
    """A provider's work that ends so."""
    raise error


async def test_what_comes_of_the_work_is_handed_on() -> None:
    """Whatever it is."""

    async def work() -> str:
        return "done"

    assert await guarded(work()) == "done"


async def test_a_providers_error_is_handed_on(caplog: pytest.LogCaptureFixture) -> None:
    """The same one, and nothing is logged."""
    error = ProviderRejected("no")
    with pytest.raises(ProviderError) as caught:
        await guarded(raising(error))
    assert caught.value is error
    assert caplog.records == []


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(KeyError("hunter2"), id="a-bug"),
        pytest.param(TimeoutError("hunter2"), id="a-time-out-of-its-own"),
        pytest.param(RecursionError("hunter2"), id="nesting-without-end"),
    ],
)
async def test_what_nobody_foresaw_is_an_error_of_the_provider(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """One metric fails; the log has the kind and the places, and no text that may be secret."""
    with pytest.raises(ProviderUnreadable) as caught:
        await guarded(raising(error))
    assert str(caught.value) == (
        f"the provider failed unexpectedly ({type(error).__name__}); the gateway's log says where"
    )
    assert caught.value.__cause__ is None
    (record,) = caplog.records
    logged = vars(record)
    assert (record.levelno, record.message) == (
        logging.ERROR,
        "a provider failed as it never should",
    )
    assert logged["kind"] == type(error).__name__
    assert logged["places"].startswith(f"{__file__}:")
    assert "hunter2" not in caplog.text + repr(logged)


async def test_who_is_cancelled_is_cancelled() -> None:
    """That is no failure of the provider."""
    with pytest.raises(asyncio.CancelledError):
        await guarded(raising(asyncio.CancelledError()))
