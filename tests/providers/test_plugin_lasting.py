"""Measurements of plugins that last: what they may answer, and when they are ended."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from job_api import Clock, world_with
from lasting_scripts import ATTEMPT, NOW, SUCCESS, Scripted, running

from gateway.errors import ProviderError, ProviderInvalid, ProviderRejected
from gateway.model import Phase
from gateway.provider import Context, LastingProvider, Progress, ProviderType, Surroundings
from providers import JobRules, Plugins, provider_types


def lasting(inner: object, *, timeout_s: float = 60.0) -> Any:
    """A provider of a plugin, as the gateway has it."""
    kind = ProviderType(check=lambda _: [], parse=lambda _, __: inner)  # type: ignore[arg-type,return-value]
    types = provider_types(JobRules(), Plugins({"acme/kpi": kind}, timeout_s))
    provider = types["plugin"].parse({"acme/kpi": {}}, Surroundings())
    assert isinstance(provider, LastingProvider)
    return provider


def at(now_unix_s: float) -> Context:
    """The world at a moment."""
    return world_with(None, Clock(now_unix_s))


async def test_its_verbs_are_handed_on() -> None:
    """Each with what it is given."""
    inner = Scripted([running(NOW + 5), SUCCESS])
    provider = lasting(inner)
    assert await provider.advance(at(NOW), ATTEMPT) == running(NOW + 5)
    assert await provider.advance(at(NOW), ATTEMPT) == SUCCESS
    await provider.terminate(at(NOW), ATTEMPT)
    await provider.collect(at(NOW), ATTEMPT, keep=3)
    assert (inner.advanced, inner.terminated) == ([ATTEMPT, ATTEMPT], [ATTEMPT])
    assert inner.collected == [(ATTEMPT, 3)]
    assert provider.resolved_query() == ""


BEGUN = Progress(phase=Phase.RUNNING, metadata={}, resume_at_unix_s=NOW)


@pytest.mark.parametrize(
    ("look", "told"),
    [
        pytest.param(None, "what advance returns must be Progress, not NoneType", id="nothing"),
        pytest.param(
            replace(BEGUN, phase="Running"),  # type: ignore[arg-type]
            "Progress.phase must be Phase, not str",
            id="a-phase-that-is-a-text",
        ),
        pytest.param(
            replace(BEGUN, phase=Phase.PENDING),
            "Progress.phase is Pending; what has begun is Running",
            id="pending",
        ),
        pytest.param(
            replace(BEGUN, resume_at_unix_s=None),
            "Progress.resume_at_unix_s must say when to look at it again",
            id="never-again",
        ),
        pytest.param(
            replace(BEGUN, resume_at_unix_s=float("nan")),
            "Progress.resume_at_unix_s must be a finite number",
            id="no-moment",
        ),
        pytest.param(
            replace(SUCCESS, began_at_unix_s=-1e300),
            "Progress.began_at_unix_s must be seconds since 1970, before the year 10000",
            id="begun-before-time",
        ),
        pytest.param(
            replace(SUCCESS, resume_at_unix_s=1e300),
            "Progress.resume_at_unix_s must be seconds since 1970, before the year 10000",
            id="again-after-time",
        ),
        pytest.param(
            replace(SUCCESS, value=10**5_000),
            "Progress.value must be an int that fits into 64 bits",
            id="a-huge-number",
        ),
        pytest.param(
            replace(SUCCESS, value=True),
            "Progress.value must be an int that fits into 64 bits",
            id="no-number",
        ),
        pytest.param(
            replace(SUCCESS, metadata={"id": 7}),  # type: ignore[dict-item]
            "Progress.metadata['id'] must be str, not int",
            id="metadata-of-numbers",
        ),
        pytest.param(
            replace(SUCCESS, message=None),  # type: ignore[arg-type]
            "Progress.message must be str, not NoneType",
            id="no-message",
        ),
        pytest.param(ZeroDivisionError("by zero"), "ZeroDivisionError: by zero", id="a-bug"),
        pytest.param(
            GeneratorExit(), "RuntimeError: coroutine raised GeneratorExit", id="like-a-generator"
        ),
        pytest.param(ProviderRejected("who?"), "who?", id="an-error"),
    ],
)
async def test_nonsense_is_an_error_with_its_name(look: Any, told: str) -> None:
    """As of any other measurement."""
    with pytest.raises(ProviderError) as caught:
        await lasting(Scripted([look])).advance(at(NOW), ATTEMPT)
    assert str(caught.value) == f"plugin acme/kpi: {told}"


async def test_what_lasts_too_long_is_ended() -> None:
    """The plugin says how long: a minute here. It is looked at once more when that is over."""
    inner = Scripted([running(NOW + 100), running(NOW + 200), SUCCESS])
    provider = lasting(inner)
    assert await provider.advance(at(NOW), ATTEMPT) == running(NOW + 60)
    assert inner.terminated == []
    with pytest.raises(ProviderError) as caught:
        await provider.advance(at(NOW + 60), ATTEMPT)
    assert str(caught.value) == "plugin acme/kpi: the measurement is not completed after 60s"
    assert inner.terminated == [ATTEMPT]
    assert await provider.advance(at(NOW + 61), ATTEMPT) == SUCCESS


async def test_ending_it_may_fail() -> None:
    """What matters is that it is over."""
    inner = Scripted([running(NOW)], faults={"terminate": ValueError("no")})
    with pytest.raises(ProviderError, match="is not completed after 60s"):
        await lasting(inner).advance(at(NOW + 60), ATTEMPT)


@pytest.mark.parametrize(
    ("longest", "allowed_s"),
    [
        pytest.param(60, 60 + 57 + 5, id="as-it-says-with-a-last-look"),
        pytest.param(10**9, 86_400 + 57 + 5, id="a-day-at-most"),
    ],
)
def test_a_verdict_waits_as_long_as_it_may_take(longest: float, allowed_s: float) -> None:
    """So that the plugin's own error is told."""
    inner = Scripted()
    inner.longest_s = lambda: longest  # type: ignore[method-assign]
    assert lasting(inner).longest_s() == allowed_s


@pytest.mark.parametrize("longest", [float("inf"), None, "60"])
def test_how_long_it_may_take_is_a_number(longest: object) -> None:
    """Or nobody could end it."""
    inner = Scripted()
    inner.longest_s = lambda: longest  # type: ignore[method-assign,assignment,return-value]
    with pytest.raises(ProviderInvalid, match="what longest_s returns must be a finite number"):
        lasting(inner)


async def test_a_look_that_hangs_is_ended() -> None:
    """Whoever drives the run goes on."""

    class Hanging(Scripted):
        async def advance(self, *_: object) -> Progress:
            await asyncio.sleep(60)
            raise AssertionError

    with pytest.raises(ProviderError) as caught:
        await lasting(Hanging(), timeout_s=0.1).advance(at(NOW), ATTEMPT)
    assert str(caught.value) == (
        "plugin acme/kpi: advance has not ended within 0.095s (verdicts.measurementTimeout is 0.1s)"
    )


async def test_a_fault_of_collect_is_told_without_its_text() -> None:
    """It goes to the log, where nobody masks the secrets of a metric."""
    inner = Scripted(faults={"collect": ValueError("hunter2")})
    with pytest.raises(ProviderError, match=r"^plugin acme/kpi: collect failed \(ProviderUnrea"):
        await lasting(inner).collect(at(NOW), ATTEMPT, keep=1)
