"""When an upstream is given a rest, and for how long."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.breaker import LONGEST_PAUSE_S, MEMORY_S, Breaker, Refusal, State, Trial


def broken(*, at_s: float = 0.0, tenant: str = "a") -> Breaker:
    """One that has just opened, for two seconds."""
    breaker = Breaker(failures=3, pause_s=2.0)
    for _ in range(3):
        breaker.failed(tenant, at_s, breaker.begin())
    return breaker


def test_failures_in_a_row_open_it() -> None:
    """And say when it is tried again."""
    breaker = Breaker(failures=3, pause_s=2.0)
    for _ in range(2):
        breaker.failed("a", 0.0, breaker.begin())
    assert (breaker.state(0.0), breaker.refusal("a", 0.0)) == (State.CLOSED, None)
    breaker.failed("a", 0.5, breaker.begin())
    assert (breaker.state(1.0), breaker.refusal("a", 1.0)) == (State.OPEN, Refusal(3, 1.5))


def test_an_answer_between_them_makes_no_row() -> None:
    """Whoever got it."""
    breaker = Breaker(failures=2, pause_s=2.0)
    for _ in range(5):
        breaker.failed("a", 0.0, breaker.begin())
        breaker.answered()
    assert breaker.state(0.0) is State.CLOSED


def test_failures_long_ago_make_no_row() -> None:
    """They tell nothing of now."""
    breaker = Breaker(failures=2, pause_s=2.0)
    for number in range(5):
        breaker.failed("a", number * (MEMORY_S + 1), breaker.begin())
    assert breaker.state(0.0) is State.CLOSED


def test_none_is_a_breaker_that_never_opens() -> None:
    """With ``failures: 0``."""
    breaker = Breaker(failures=0, pause_s=2.0)
    for _ in range(100):
        breaker.failed("a", 0.0, breaker.begin())
    assert breaker.refusal("a", 0.0) is None


def test_after_the_pause_one_may_try() -> None:
    """The others wait for what comes of it: here an answer."""
    breaker = broken()
    assert breaker.refusal("a", 2.0) is None
    assert breaker.begin()
    assert (breaker.state(2.0), breaker.refusal("b", 2.0)) == (State.HALF_OPEN, Refusal(3, 0.0))
    breaker.answered()
    assert (breaker.state(2.0), breaker.refusal("b", 2.0)) == (State.CLOSED, None)
    assert not breaker.begin()


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
        breaker.failed("a", now_s, breaker.begin())
    assert pauses == [2, 4, 8, 16, LONGEST_PAUSE_S, LONGEST_PAUSE_S]


def test_a_trial_that_came_to_nothing_leaves_it_to_the_next() -> None:
    """Its measurement was given up, say."""
    breaker = broken()
    breaker.given_up(breaker.begin())
    assert breaker.refusal("a", 2.0) is None


def test_who_has_not_seen_it_fail_may_try() -> None:
    """One tenant's queries may be at fault; if they are not, it has seen that now."""
    breaker = broken(tenant="a")
    assert breaker.refusal("a", 1.0) is not None
    assert breaker.refusal("b", 1.0) is None
    trial = breaker.begin()
    assert breaker.refusal("c", 1.0) is not None
    breaker.failed("b", 1.0, trial)
    assert breaker.refusal("b", 1.0) == Refusal(4, 1.0)
    assert breaker.refusal("c", 1.0) is None
    breaker.begin()
    breaker.answered()
    assert breaker.refusal("a", 1.0) is None


def test_what_began_before_it_opened_is_no_trial() -> None:
    """Its failure neither ends a trial nor makes the pause longer."""
    breaker = broken()
    breaker.begin()
    breaker.failed("a", 2.5, None)
    assert breaker.refusal("a", 2.5) == Refusal(4, 0.0)


def test_a_trial_of_an_earlier_rest_is_none_any_more() -> None:
    """It was closed and has opened again meanwhile."""
    breaker = broken()
    earlier = breaker.begin()
    breaker.answered()
    for _ in range(3):
        breaker.failed("a", 2.0, None)
    breaker.begin()
    breaker.given_up(earlier)
    assert breaker.refusal("a", 5.0) == Refusal(3, 0.0)


class Machine(RuleBasedStateMachine):
    """Any tenants that ask as they may, in any order, and any outcome."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker = Breaker(failures=3, pause_s=1.0)
        self.now_s = 0.0
        self.under_way: list[tuple[str, Trial | None]] = []
        self.in_a_row = 0
        self.failed_at_s = 0.0

    @rule(seconds=st.floats(0, 70))
    def time_passes(self, seconds: float) -> None:
        """Nothing else happens."""
        self.now_s += seconds

    @rule(tenant=st.sampled_from("abc"))
    def asks(self, tenant: str) -> None:
        """Who may ask does."""
        refusal = self.breaker.refusal(tenant, self.now_s)
        if refusal is None:
            self.under_way.append((tenant, self.breaker.begin()))
        else:
            assert 0 <= refusal.retry_in_s <= LONGEST_PAUSE_S

    @precondition(lambda self: self.under_way)
    @rule(data=st.data())
    def is_answered(self, data: st.DataObject) -> None:
        """An answer closes it, whatever was before."""
        self._ended(data)
        self.breaker.answered()
        self.in_a_row = 0
        assert self.breaker.state(self.now_s) is State.CLOSED

    @precondition(lambda self: self.under_way)
    @rule(data=st.data())
    def fails(self, data: st.DataObject) -> None:
        """Three in a row open it, not two."""
        tenant, trial = self._ended(data)
        was_closed = self.breaker.state(self.now_s) is State.CLOSED
        if was_closed and self.now_s - self.failed_at_s > MEMORY_S:
            self.in_a_row = 0
        self.in_a_row += 1
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
    def nobody_is_shut_out(self) -> None:
        """When the pause is over, somebody may try unless somebody does."""
        on_trial = [trial for _, trial in self.under_way if trial is not None]
        refusal = self.breaker.refusal("a", self.now_s + LONGEST_PAUSE_S)
        assert refusal is None or on_trial

    def _ended(self, data: st.DataObject) -> tuple[str, Trial | None]:
        index = data.draw(st.integers(0, len(self.under_way) - 1))
        return self.under_way.pop(index)


TestAnyOrder = Machine.TestCase
