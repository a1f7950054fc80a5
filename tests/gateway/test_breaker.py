"""When an upstream is given a rest, and for how long."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.upstreams.breaker import LONGEST_PAUSE_S, MEMORY_S, Breaker, Refusal, State, Trial


def broken(*, at_s: float = 0.0, tenant: str = "a") -> Breaker:
    """One that has just opened, for two seconds."""
    breaker = Breaker(failures=3, pause_s=2.0)
    for _ in range(3):
        breaker.failed(tenant, at_s, breaker.begin(tenant))
    return breaker


def test_failures_in_a_row_open_it() -> None:
    """And say when it is tried again."""
    breaker = Breaker(failures=3, pause_s=2.0)
    for _ in range(2):
        breaker.failed("a", 0.0, breaker.begin("a"))
    assert (breaker.state(0.0), breaker.refusal("a", 0.0)) == (State.CLOSED, None)
    breaker.failed("a", 0.5, breaker.begin("a"))
    assert (breaker.state(1.0), breaker.refusal("a", 1.0)) == (State.OPEN, Refusal(3, 1.5))


def test_an_answer_between_them_makes_no_row() -> None:
    """Whoever got it."""
    breaker = Breaker(failures=2, pause_s=2.0)
    for _ in range(5):
        breaker.failed("a", 0.0, breaker.begin("a"))
        breaker.answered()
    assert breaker.state(0.0) is State.CLOSED


def test_failures_long_ago_make_no_row() -> None:
    """They tell nothing of now."""
    breaker = Breaker(failures=2, pause_s=2.0)
    for number in range(5):
        breaker.failed("a", number * (MEMORY_S + 1), breaker.begin("a"))
    assert breaker.state(0.0) is State.CLOSED


def test_none_is_a_breaker_that_never_opens() -> None:
    """With ``failures: 0``."""
    breaker = Breaker(failures=0, pause_s=2.0)
    for _ in range(100):
        breaker.failed("a", 0.0, breaker.begin("a"))
    assert breaker.refusal("a", 0.0) is None


def test_after_the_pause_a_tenant_may_try_once() -> None:
    """What else it has waits for what comes of it: here an answer."""
    breaker = broken()
    assert breaker.refusal("a", 2.0) is None
    assert breaker.begin("a")
    assert (breaker.state(2.0), breaker.refusal("a", 2.0)) == (State.HALF_OPEN, Refusal(3, 0.0))
    breaker.answered()
    assert (breaker.state(2.0), breaker.refusal("a", 2.0)) == (State.CLOSED, None)
    assert not breaker.begin("a")


def test_how_it_rests() -> None:
    """For whoever looks at it."""
    breaker = broken()
    assert breaker.rest(0.5) == Refusal(3, 1.5)
    assert breaker.rest(2.0) is None
    breaker.begin("a")
    assert breaker.rest(2.0) == Refusal(3, 0.0)
    breaker.answered()
    assert breaker.rest(2.0) is None


def test_nobody_waits_for_the_trial_of_another_tenant() -> None:
    """It may hang for as long as it likes."""
    breaker = broken(tenant="a")
    breaker.failed("b", 1.0, breaker.begin("b"))
    breaker.begin("a")
    assert breaker.refusal("a", 60.0) == Refusal(4, 0.0)
    assert breaker.refusal("b", 60.0) is None
    assert breaker.refusal("c", 60.0) is None


def test_a_failed_trial_makes_the_pause_twice_as_long() -> None:
    """Up to a bound."""
    breaker, now_s = broken(), 0.0
    pauses = []
    for _ in range(6):
        refusal = breaker.refusal("a", now_s)
        assert refusal is not None
        pauses.append(refusal.retry_in_s)
        now_s += refusal.retry_in_s
        assert breaker.refusal("a", now_s) is None
        breaker.failed("a", now_s, breaker.begin("a"))
    assert pauses == [2, 4, 8, 16, LONGEST_PAUSE_S, LONGEST_PAUSE_S]


def test_a_trial_that_came_to_nothing_leaves_it_to_the_next() -> None:
    """Its measurement was given up, say."""
    breaker = broken()
    breaker.given_up(breaker.begin("a"))
    assert breaker.refusal("a", 2.0) is None


def test_who_has_not_seen_it_fail_may_ask() -> None:
    """One tenant's queries may be at fault; if they are not, it has seen that now."""
    breaker = broken(tenant="a")
    assert breaker.refusal("a", 1.0) is not None
    trials = [breaker.begin("b") for _ in range(3) if breaker.refusal("b", 1.0) is None]
    assert len(trials) == 3
    assert breaker.state(1.0) is State.OPEN
    breaker.failed("b", 1.0, trials[0])
    assert breaker.refusal("b", 1.0) == Refusal(4, 1.0)
    assert breaker.refusal("c", 1.0) is None
    breaker.answered()
    assert breaker.refusal("a", 1.0) is None


def test_failures_of_one_time_make_the_pause_longer_once() -> None:
    """Though several tenants find out at the same time."""
    breaker = broken()
    trials = [("a", breaker.begin("a")), *(("b", breaker.begin("b")) for _ in range(3))]
    for tenant, trial in trials:
        breaker.failed(tenant, 2.0, trial)
    assert breaker.refusal("b", 2.0) == Refusal(7, 4.0)


def test_what_began_before_it_opened_is_no_trial() -> None:
    """Its failure neither ends a trial nor makes the pause longer."""
    breaker = broken()
    breaker.begin("a")
    breaker.failed("a", 2.5, None)
    assert breaker.refusal("a", 2.5) == Refusal(4, 0.0)


def test_a_trial_of_an_earlier_rest_is_none_any_more() -> None:
    """It was closed and has opened again meanwhile."""
    breaker = broken()
    earlier = breaker.begin("a")
    breaker.answered()
    for _ in range(3):
        breaker.failed("a", 2.0, None)
    trial = breaker.begin("a")
    breaker.given_up(earlier)
    breaker.failed("a", 5.0, earlier)
    assert breaker.refusal("a", 5.0) == Refusal(4, 0.0)
    breaker.given_up(trial)
    assert breaker.refusal("a", 5.0) is None


class Machine(RuleBasedStateMachine):
    """Any tenants that ask as they may, in any order, and any outcome."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker = Breaker(failures=3, pause_s=1.0)
        self.now_s = 0.0
        self.under_way: list[tuple[str, Trial | None]] = []
        self.in_a_row = 0
        self.failed_at_s = 0.0
        self.have_seen: set[str] = set()

    @rule(seconds=st.floats(0, 70))
    def time_passes(self, seconds: float) -> None:
        """Nothing else happens."""
        self.now_s += seconds

    @rule(tenant=st.sampled_from("abc"))
    def asks(self, tenant: str) -> None:
        """Who may ask does; a trial is waited for by its own tenant alone."""
        refusal = self.breaker.refusal(tenant, self.now_s)
        if refusal is None:
            self.under_way.append((tenant, self.breaker.begin(tenant)))
            return
        assert 0 <= refusal.retry_in_s <= LONGEST_PAUSE_S
        assert refusal.is_on_trial <= self._is_on_trial(tenant)

    @precondition(lambda self: self.under_way)
    @rule(data=st.data())
    def is_answered(self, data: st.DataObject) -> None:
        """An answer closes it, whatever was before."""
        self._ended(data)
        self.breaker.answered()
        self.in_a_row = 0
        self.have_seen.clear()
        assert self.breaker.state(self.now_s) is State.CLOSED

    @precondition(lambda self: self.under_way)
    @rule(data=st.data())
    def fails(self, data: st.DataObject) -> None:
        """Three in a row open it, not two."""
        tenant, trial = self._ended(data)
        was_closed = self.breaker.state(self.now_s) is State.CLOSED
        if was_closed and self.now_s - self.failed_at_s > MEMORY_S:
            self.in_a_row = 0
            self.have_seen.clear()
        self.in_a_row += 1
        self.have_seen.add(tenant)
        self.failed_at_s = self.now_s
        self.breaker.failed(tenant, self.now_s, trial)
        is_closed = self.breaker.state(self.now_s) is State.CLOSED
        assert is_closed == (was_closed and self.in_a_row < 3)

    @precondition(lambda self: self.under_way)
    @rule(data=st.data())
    def is_given_up(self, data: st.DataObject) -> None:
        """Nobody knows."""
        _, trial = self._ended(data)
        self.breaker.given_up(trial)

    @invariant()
    def who_has_seen_nothing_may_ask(self) -> None:
        """Whatever others do."""
        for tenant in set("abc") - self.have_seen:
            assert self.breaker.refusal(tenant, self.now_s) is None

    @invariant()
    def nobody_is_shut_out(self) -> None:
        """When the pause is over, a tenant may try unless it does."""
        for tenant in "abc":
            refusal = self.breaker.refusal(tenant, self.now_s + LONGEST_PAUSE_S)
            assert refusal is None or self._is_on_trial(tenant)

    def _is_on_trial(self, tenant: str) -> bool:
        return any(of == tenant and trial is not None for of, trial in self.under_way)

    def _ended(self, data: st.DataObject) -> tuple[str, Trial | None]:
        index = data.draw(st.integers(0, len(self.under_way) - 1))
        return self.under_way.pop(index)


TestAnyOrder = Machine.TestCase
