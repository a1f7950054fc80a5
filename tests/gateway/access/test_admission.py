"""Who is let in, who waits, and who is told to come back later, in virtual time."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

import pytest
from virtual_time import in_virtual_time, now_s

from gateway.access import admission as module
from gateway.access.admission import Admission, Meter
from gateway.access.caller import Caller
from gateway.access.policy import Policy
from gateway.config.access import CallerBudget
from gateway.errors import TooManyRequests
from gateway.telemetry.callers import Excess

ALICE, BOB = Caller("token:alice"), Caller("token:bob")


@dataclass
class Observed:
    """Implements ``gateway.access.admission.AdmissionObserver``."""

    refusals: list[str] = field(default_factory=list)
    waiting: int = 0

    def refused(self, reason: Excess) -> None:
        """Note it."""
        self.refusals.append(reason)

    def waits(self) -> None:
        """One more."""
        self.waiting += 1

    def waited(self) -> None:
        """One less."""
        self.waiting -= 1


def admission(observed: Observed | None = None, **budget: int) -> Admission:
    """With a budget for everybody."""
    default = {"per_second": 1_000, "burst": 1_000, "concurrency": 1_000, "queue": 1_000}
    policy = Policy(rules=())
    chosen = CallerBudget.model_validate({**default, **budget})
    return Admission(lambda: policy, chosen, observed or Observed(), now_s)


async def asked(meter: Meter, *, takes_s: float = 1.0) -> str:
    """What becomes of a request: when it was let in, or when to come back."""
    try:
        await meter.enter()
    except TooManyRequests as error:
        return f"{now_s():g}: again in {error.retry_after_s}s"
    began_s = now_s()
    await asyncio.sleep(takes_s)
    meter.leave()
    return f"{began_s:g}"


@pytest.mark.parametrize(
    ("budget", "told"),
    [
        pytest.param({}, ["0", "0", "0", "0", "0"], id="room-for-all"),
        pytest.param({"concurrency": 2}, ["0", "0", "1", "1", "2"], id="so-many-at-once"),
        pytest.param(
            {"per_second": 2, "burst": 2}, ["0", "0", "0.5", "1", "1.5"], id="so-many-a-second"
        ),
        pytest.param(
            {"concurrency": 1, "queue": 2},
            ["0", "1", "2", "0: again in 1s", "0: again in 1s"],
            id="and-a-few-wait",
        ),
        pytest.param(
            {"per_second": 1, "burst": 1, "queue": 1},
            ["0", "1", "0: again in 2s", "0: again in 2s", "0: again in 2s"],
            id="and-a-few-wait-for-their-tokens",
        ),
        pytest.param({"concurrency": 1, "queue": 0}, ["0", *["0: again in 1s"] * 4], id="nobody"),
    ],
)
def test_five_requests_at_once(budget: dict[str, int], told: list[str]) -> None:
    """In the order in which they came."""

    @in_virtual_time
    async def story() -> None:
        observed = Observed()
        meter = admission(observed, **budget).of(ALICE)
        assert await asyncio.gather(*(asked(meter) for _ in range(5))) == told
        assert observed.waiting == 0
        assert len(observed.refusals) == sum("again" in each for each in told)

    story()


@pytest.mark.parametrize(
    ("budget", "reason", "detail"),
    [
        pytest.param(
            {"concurrency": 1, "queue": 0},
            Excess.CONCURRENCY,
            "caller token:alice asks for more than 1 answers at the same time, and 0 of its"
            " requests wait: ask again in 1s (access.budget, or budgets of the policy)",
            id="at-once",
        ),
        pytest.param(
            {"per_second": 1, "burst": 1, "queue": 0},
            Excess.RATE,
            "caller token:alice asks more than 1 times a second, and 0 of its requests wait: ask"
            " again in 1s (access.budget, or budgets of the policy)",
            id="a-second",
        ),
    ],
)
def test_a_refusal_says_why(budget: dict[str, int], reason: Excess, detail: str) -> None:
    """And where to change it."""

    @in_virtual_time
    async def story() -> None:
        observed = Observed()
        meter = admission(observed, **budget).of(ALICE)
        await meter.enter()
        with pytest.raises(TooManyRequests) as caught:
            await meter.enter()
        assert str(caught.value) == detail
        assert observed.refusals == [reason]

    story()


@in_virtual_time
async def test_nobody_waits_for_long() -> None:
    """Whether a token takes too long, which is known at once, or a place."""
    meter = admission(per_second=1, burst=1).of(ALICE)
    told = await asyncio.gather(*(asked(meter) for _ in range(8)))
    assert told == ["0", "1", "2", "3", "4", *["0: again in 5s"] * 3]
    slow = admission(concurrency=1).of(ALICE)
    began_s = now_s()
    told = await asyncio.gather(*(asked(slow, takes_s=60.0) for _ in range(2)))
    assert told == [f"{began_s:g}", f"{began_s + 5:g}: again in 1s"]


@in_virtual_time
async def test_what_takes_no_place_takes_a_token() -> None:
    """So it is refused only by the rate, and at once."""
    meter = admission(concurrency=1, per_second=1, burst=3).of(ALICE)
    await meter.enter()
    meter.pass_by()
    meter.pass_by()
    with pytest.raises(TooManyRequests):
        meter.pass_by()
    await asyncio.sleep(1)
    meter.pass_by()


@in_virtual_time
async def test_who_hangs_up_while_waiting_takes_nothing() -> None:
    """Also in the very moment in which it is let in."""
    meter = admission(concurrency=1).of(ALICE)
    await meter.enter()
    waiting = [asyncio.create_task(asked(meter)) for _ in range(3)]
    await asyncio.sleep(1)
    waiting[0].cancel()
    waiting[1].cancel()
    meter.leave()
    await asyncio.sleep(0)
    assert await waiting[2] == "1"
    await meter.enter()


@in_virtual_time
async def test_who_is_let_in_while_it_hangs_up_gives_its_place_back() -> None:
    """The other way round."""
    meter = admission(concurrency=1).of(ALICE)
    await meter.enter()
    waiting = asyncio.create_task(asked(meter))
    await asyncio.sleep(1)
    meter.leave()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await meter.enter()


@in_virtual_time
async def test_callers_do_not_count_for_each_other() -> None:
    """Each has a meter, which stays the same."""
    everybody = admission(concurrency=1, queue=0)
    await everybody.of(ALICE).enter()
    assert "again" in await asked(everybody.of(ALICE))
    assert await asked(everybody.of(BOB)) == "0"


@in_virtual_time
async def test_a_changed_policy_is_in_force_at_once() -> None:
    """For the next request."""
    policies = [Policy(rules=())]
    default = CallerBudget(per_second=1, burst=1, queue=0)
    everybody = Admission(lambda: policies[-1], default, Observed(), now_s)
    await everybody.of(ALICE).enter()
    assert "again" in await asked(everybody.of(ALICE))
    policies.append(
        Policy.model_validate({"rules": (), "budgets": [{"callers": ["token:*"], "burst": 9}]})
    )
    told = Counter([await asked(everybody.of(ALICE), takes_s=0) for _ in range(10)])
    assert told == {"0": 9, "0: again in 1s": 1}


@in_virtual_time
async def test_who_asked_longest_ago_is_forgotten_first() -> None:
    """Callers may be many."""
    everybody = admission()
    first = everybody.of(ALICE)
    for number in range(module.MAX_CALLERS):
        everybody.of(Caller(f"token:{number}"))
    assert everybody.of(ALICE) is not first
    second = everybody.of(Caller("token:1"))
    assert everybody.of(Caller("token:1")) is second
