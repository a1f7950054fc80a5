"""Requests within the budget of a named upstream, in virtual time."""

import asyncio
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from rate_limited_vendor import GREEN, Vendor, limited, request
from virtual_time import in_virtual_time, now_s

from gateway.errors import EgressRefused, ProviderError, ProviderUnreadable, RedirectRefused
from gateway.provider import DEADLINE_EXCEEDED, HttpRequest, NoAnswer, Stage
from gateway.telemetry.registry import Telemetry
from gateway.telemetry.upstreams import UpstreamTelemetry
from gateway.upstreams.breaker import Breaker, State
from gateway.upstreams.buckets import Rate
from gateway.upstreams.budget import Allowance, UpstreamBudget
from gateway.upstreams.budgeted_http import BudgetedHttp
from gateway.upstreams.gate import Gate
from gateway.upstreams.parts import PATIENCE_S
from gateway.upstreams.shared_bucket import SharedBucket

AWAY = limited(status=503)
BAD = limited(status=502)
LATER = limited("1", status=503)
WRONG = limited(status=500)
REFUSED = NoAnswer("refused", cause="refused", stage=Stage.AWAITING_HEADERS, is_passing=True)
LATE = NoAnswer("late", cause=DEADLINE_EXCEEDED, stage=Stage.AWAITING_HEADERS)
QUERY = request(method="POST", is_repeatable=True)
POST = request(method="POST")


@dataclass
class Upstream:
    """A vendor, and what may be asked of it."""

    vendor: Any = field(default_factory=Vendor)
    concurrency: int = 9
    rate: Rate | None = None
    retries: int = 2
    failures: int = 5

    def __post_init__(self) -> None:
        telemetry = Telemetry()
        self.registry = telemetry.registry
        bucket = None if self.rate is None else SharedBucket("u", self.rate, None)
        self.budget = UpstreamBudget(
            "u",
            self.vendor,
            Allowance(
                concurrency=self.concurrency,
                rate=self.rate,
                retries=self.retries,
                patience_s=PATIENCE_S,
            ),
            gate=Gate(places=self.concurrency, bucket=bucket),
            breaker=Breaker(failures=self.failures, pause_s=2.0),
            telemetry=UpstreamTelemetry(telemetry),
        )

    async def send(
        self,
        asked: HttpRequest = QUERY,
        *,
        tenant: str = "shop",
        timeout_s: float = 10.0,
        given_up_at_s: float = 1e9,
    ) -> str:
        """A request of a measurement of its own; the status of the answer, or why there is none."""
        http = BudgetedHttp(self.budget, tenant=tenant, given_up_at_s=given_up_at_s)
        try:
            answer = await http.send(asked, timeout_s=timeout_s)
        except ProviderError as error:
            return str(error)
        return str(answer.status)

    def counted(self, name: str, **labels: str) -> float | None:
        """What a metric says."""
        named = {"connection": "u", **labels}
        return self.registry.get_sample_value(f"analysis_gateway_upstream_{name}", named)


@pytest.mark.parametrize(
    ("asked", "answers", "told", "sent"),
    [
        pytest.param(QUERY, [GREEN], "200", 1, id="an-answer"),
        pytest.param(QUERY, [REFUSED, GREEN], "200", 2, id="no-connection"),
        pytest.param(QUERY, [BAD, AWAY, GREEN], "200", 3, id="away-twice"),
        pytest.param(QUERY, [AWAY, AWAY, BAD, GREEN], "502", 3, id="away-too-often"),
        pytest.param(QUERY, [REFUSED, REFUSED, REFUSED], "refused", 3, id="never-there"),
        pytest.param(request(), [AWAY, GREEN], "200", 2, id="a-get"),
        pytest.param(POST, [AWAY, GREEN], "503", 1, id="what-may-act-is-not-repeated"),
        pytest.param(POST, [REFUSED, GREEN], "refused", 1, id="not-even-if-it-was-not-sent"),
        pytest.param(QUERY, [LATE, GREEN], "late", 1, id="too-late"),
        pytest.param(QUERY, [WRONG, GREEN], "500", 1, id="its-own-fault"),
        pytest.param(QUERY, [LATER, GREEN], "503", 1, id="who-says-when-is-waited-for-elsewhere"),
        pytest.param(QUERY, [limited()], "429", 1, id="a-limit-is-handled-elsewhere"),
    ],
)
def test_what_is_repeated(asked: HttpRequest, answers: list[Any], told: str, sent: int) -> None:
    """What only reads, after a fault that may be over."""

    @in_virtual_time
    async def story() -> None:
        upstream = Upstream(Vendor(answers))
        assert await upstream.send(asked) == told
        assert len(upstream.vendor.requests) == sent
        assert upstream.counted("retries_total") == sent - 1
        assert now_s() < 1.0

    story()


@pytest.mark.parametrize(
    ("timeout_s", "given_up_at_s"),
    [
        pytest.param(1.0, 1e9, id="of-the-request"),
        pytest.param(99.0, 1.0, id="of-the-measurement"),
    ],
)
def test_repetitions_stay_within_the_time_limit(timeout_s: float, given_up_at_s: float) -> None:
    """The vendor takes its time to fail."""

    @in_virtual_time
    async def story() -> None:
        upstream = Upstream(Vendor([AWAY], takes_s=0.2), retries=10)
        told = await upstream.send(timeout_s=timeout_s, given_up_at_s=given_up_at_s)
        assert told == "503"
        assert now_s() <= 1.0
        assert len(upstream.vendor.requests) >= 2

    story()


@in_virtual_time
async def test_every_try_takes_a_token() -> None:
    """So that a vendor in trouble is not asked more often than one that is well."""
    upstream = Upstream(Vendor([AWAY]), rate=Rate(0.5))
    assert await upstream.send() == "503"
    assert upstream.vendor.arrivals_s == [0.0, 2.0, 4.0]


@in_virtual_time
async def test_many_questions_at_once_go_out_one_by_one() -> None:
    """Nobody is refused, and the vendor is asked as often as it may be."""
    upstream = Upstream(rate=Rate(10))
    told = await asyncio.gather(*(upstream.send(timeout_s=60) for _ in range(300)))
    assert set(told) == {"200"}
    arrivals_s = upstream.vendor.arrivals_s
    gaps_s = [after - before for before, after in pairwise(arrivals_s)]
    assert min(gaps_s) == pytest.approx(0.1)
    assert now_s() == pytest.approx(29.9)


@pytest.mark.parametrize(
    ("limits", "keys"),
    [
        pytest.param(
            {"rate": Rate(0.1)}, "connections[].concurrency, connections[].rate", id="no-token"
        ),
        pytest.param({"concurrency": 1}, "connections[].concurrency", id="no-place"),
    ],
)
def test_who_finds_no_room_in_time_is_told(limits: dict[str, Any], keys: str) -> None:
    """Early enough for somebody else to have it."""

    @in_virtual_time
    async def story() -> None:
        upstream = Upstream(Vendor(takes_s=50.0), **limits)
        first = asyncio.create_task(upstream.send(timeout_s=90.0))
        await asyncio.sleep(0)
        assert await upstream.send(timeout_s=4.0) == (
            "connection u: no room for a request within 3.5s, the time that there was; others of"
            f" the same budget came first ({keys})"
        )
        assert upstream.counted("unasked_total", reason="budget") == 1
        assert await first == "200"

    story()


@pytest.mark.parametrize("answer", [AWAY, REFUSED])
def test_who_fails_again_and_again_is_not_asked(answer: Any) -> None:
    """Until it is tried again, as every error says; an answer ends it."""

    @in_virtual_time
    async def story() -> None:
        upstream = Upstream(Vendor([*[answer] * 6, GREEN]), retries=0)
        for _ in range(5):
            await upstream.send()
        assert await upstream.send() == (
            "connection u: not asked, as its last 5 requests failed; it is tried again in 2.0s"
            " (connections[].breaker)"
        )
        assert upstream.counted("breaker_open") == 1
        await asyncio.sleep(2.0)
        await upstream.send()
        await asyncio.sleep(3.9)
        assert "tried again in 0.1s" in await upstream.send()
        await asyncio.sleep(0.1)
        assert await upstream.send() == "200"
        assert len(upstream.vendor.requests) == 7
        assert upstream.counted("unasked_total", reason="breaker") == 2
        assert upstream.counted("breaker_open") == 0

    story()


@in_virtual_time
async def test_who_waited_while_it_failed_is_told_at_once() -> None:
    """Nothing of it is sent any more."""
    upstream = Upstream(Vendor([AWAY], takes_s=1.0), concurrency=1, retries=0, failures=1)
    told = await asyncio.gather(*(upstream.send() for _ in range(3)))
    assert [each[:26] for each in told] == ["503", *["connection u: not asked, a"] * 2]


@pytest.mark.parametrize(
    ("takes_s", "answer", "told", "sent"),
    [
        pytest.param(3.0, GREEN, "200", 4, id="an-answer-lets-them-ask"),
        pytest.param(3.0, AWAY, "it is tried again in 4.0s", 2, id="a-failure-refuses-them"),
        pytest.param(60.0, GREEN, "it is tried again right now", 2, id="not-longer-than-they-may"),
    ],
)
def test_what_comes_during_a_trial_waits_for_its_outcome(
    takes_s: float, answer: Any, told: str, sent: int
) -> None:
    """Within its own time, and without a place that others could use."""

    @in_virtual_time
    async def story() -> None:
        upstream = Upstream(Vendor([AWAY, answer]), retries=0, failures=1)
        await upstream.send()
        await asyncio.sleep(2.0)
        upstream.vendor.takes_s = takes_s
        trial = asyncio.create_task(upstream.send(timeout_s=90.0))
        await asyncio.sleep(0)
        waiting = [asyncio.create_task(upstream.send(timeout_s=7.0)) for _ in range(2)]
        await asyncio.sleep(1.0)
        assert (upstream.budget.gate.under_way, upstream.counted("breaker_open")) == (1, 0.5)
        assert all(told in each for each in await asyncio.gather(*waiting))
        assert now_s() <= 9.0
        assert len(upstream.vendor.requests) == sent
        await trial

    story()


@in_virtual_time
async def test_who_comes_to_the_gate_during_a_trial_waits_for_it() -> None:
    """All had come when the pause was over, and were let out one by one."""
    upstream = Upstream(Vendor([AWAY, GREEN], takes_s=1.5), rate=Rate(1), retries=0, failures=1)
    await upstream.send()
    await asyncio.sleep(2.0)
    told = await asyncio.gather(*(upstream.send() for _ in range(3)))
    assert told == ["200"] * 3
    assert upstream.vendor.arrivals_s == pytest.approx([0.0, 3.5, 5.5, 6.5])


@in_virtual_time
async def test_a_trial_that_is_given_up_leaves_it_to_who_waits() -> None:
    """Its measurement was cancelled."""
    upstream = Upstream(Vendor([AWAY, GREEN]), retries=0, failures=1)
    await upstream.send()
    await asyncio.sleep(2.0)
    upstream.vendor.takes_s = 3.0
    trial = asyncio.create_task(upstream.send())
    await asyncio.sleep(0)
    waiting = asyncio.create_task(upstream.send())
    await asyncio.sleep(0)
    trial.cancel()
    assert await waiting == "200"


@in_virtual_time
async def test_another_tenant_may_ask_for_itself() -> None:
    """Queries of one tenant may fail because they are what they are."""
    upstream = Upstream(Vendor([*[AWAY] * 5, GREEN]), retries=0)
    for _ in range(5):
        await upstream.send(tenant="slow")
    assert "not asked" in await upstream.send(tenant="slow")
    told = await asyncio.gather(*(upstream.send(tenant="shop") for _ in range(4)))
    assert set(told) == {"200"}
    assert await upstream.send(tenant="slow") == "200"


@in_virtual_time
async def test_another_tenant_does_not_wait_for_a_slow_trial() -> None:
    """Neither does one that has seen it fail."""
    upstream = Upstream(Vendor([*[AWAY] * 6, GREEN]), retries=0)
    for tenant in ("slow", "slow", "slow", "slow", "shop"):
        await upstream.send(tenant=tenant)
    await asyncio.sleep(2.0)
    upstream.vendor.answers[5] = GREEN
    upstream.vendor.takes_s = 60.0
    trial = asyncio.create_task(upstream.send(tenant="slow", timeout_s=90.0))
    await asyncio.sleep(0)
    upstream.vendor.takes_s = 0.0
    told = [await upstream.send(tenant=tenant) for tenant in ("shop", "never-asked")]
    assert (told, now_s()) == (["200", "200"], 2.0)
    await trial


class Hanging:
    """A client to which nobody answers."""

    async def send(self, request: HttpRequest, *, timeout_s: float) -> Any:  # noqa: ARG002 - the port's shape
        """Wait for as long as there is time."""
        await asyncio.sleep(timeout_s)
        raise LATE


@pytest.mark.parametrize(
    ("timeout_s", "state"),
    [
        pytest.param(0.01, State.CLOSED, id="hardly-waited"),
        pytest.param(PATIENCE_S - 0.1, State.CLOSED, id="did-not-wait-for-long"),
        pytest.param(PATIENCE_S, State.OPEN, id="waited-for-long-enough"),
    ],
)
def test_who_did_not_wait_for_long_says_nothing_of_the_upstream(
    timeout_s: float, state: State
) -> None:
    """A template chooses its time limit; others share the breaker."""

    @in_virtual_time
    async def story() -> None:
        upstream = Upstream(Hanging())
        for _ in range(5):
            assert await upstream.send(timeout_s=timeout_s) == "late"
        assert upstream.budget.breaker.state(now_s()) is state

    story()


class Refusing:
    """A client that raises something."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def send(self, request: HttpRequest, *, timeout_s: float) -> Any:  # noqa: ARG002 - the port's shape
        """Raise it."""
        raise self.error


@pytest.mark.parametrize(
    ("error", "is_over"),
    [
        pytest.param(EgressRefused("no"), False, id="nothing-was-sent"),
        pytest.param(LATE, False, id="nobody-waited-for-long"),
        pytest.param(RedirectRefused("no"), True, id="an-answer-that-leads-elsewhere"),
        pytest.param(ProviderUnreadable("what?"), True, id="an-answer-of-some-kind"),
    ],
)
def test_what_tells_nothing_of_the_upstream_changes_nothing(
    error: Exception,
    is_over: bool,  # noqa: FBT001 - from a table
) -> None:
    """Here on trial: the next one is on trial then."""

    @in_virtual_time
    async def story() -> None:
        upstream = Upstream(Refusing(REFUSED), failures=1)
        await upstream.send()
        await asyncio.sleep(2.0)
        upstream.vendor.error = error
        assert await upstream.send() == str(error)
        expected = State.CLOSED if is_over else State.HALF_OPEN
        assert upstream.budget.breaker.state(now_s()) is expected

    story()


@in_virtual_time
async def test_how_it_stands() -> None:
    """In figures, without addresses."""
    upstream = Upstream(Vendor([GREEN, AWAY], takes_s=0.25), retries=0, failures=1, rate=Rate(9, 9))
    assert upstream.budget.details()["latencySeconds"] is None
    await upstream.send()
    await upstream.send()
    await upstream.send()
    assert upstream.budget.details() == {
        "name": "u",
        "breaker": "open",
        "retryInSeconds": 2.0,
        "concurrency": 9,
        "underWay": 0,
        "waiting": 0,
        "rate": {"perSecond": 9, "burst": 9},
        "requests": 2,
        "failures": 1,
        "retries": 0,
        "unasked": 1,
        "latencySeconds": {"p50": 0.25, "p99": 0.25},
    }
