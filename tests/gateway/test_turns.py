"""In which order those are served who wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.turns import Turns


def served(turns: Turns[str]) -> str:
    """All that waits, in the order in which it is served."""
    found = iter(turns.next, None)
    return " ".join(item for _, item in found)


@pytest.mark.parametrize(
    ("waiting", "order"),
    [
        pytest.param("a1 a2 a3", "a1 a2 a3", id="one-tenant-in-its-order"),
        pytest.param("a1 a2 a3 a4 b1 b2", "a1 b1 a2 b2 a3 a4", id="a-flood-and-a-modest-one"),
        pytest.param("a1 a2 b1 c1 b2", "a1 b1 c1 a2 b2", id="three"),
    ],
)
def test_tenants_take_turns(waiting: str, order: str) -> None:
    """A tenant is the letter here."""
    turns = Turns[str]()
    for item in waiting.split():
        turns.wait(item[0], item)
    assert served(turns) == order
    assert len(turns) == 0


def test_who_was_served_goes_behind_the_others() -> None:
    """Also if it left nothing behind and comes again at once."""
    turns = Turns[str]()
    for item in ("a1", "a2", "b1"):
        turns.wait(item[0], item)
    assert (turns.next(), turns.next()) == (("a", "a1"), ("b", "b1"))
    turns.wait("b", "b2")
    assert served(turns) == "a2 b2"


def test_who_may_not_is_passed_over() -> None:
    """And keeps its place."""
    turns = Turns[str]()
    for item in ("a1", "a2", "b1"):
        turns.wait(item[0], item)
    assert turns.has(lambda tenant: tenant == "b")
    assert turns.next(lambda tenant: tenant == "b") == ("b", "b1")
    assert not turns.has(lambda tenant: tenant == "b")
    assert turns.next(lambda tenant: tenant == "b") is None
    assert served(turns) == "a1 a2"


def test_who_gives_up_is_not_served() -> None:
    """And takes nobody's turn; to give up twice does nothing."""
    turns = Turns[str]()
    for item in ("a1", "a2", "b1"):
        turns.wait(item[0], item)
    for item in ("a1", "b1", "b1", "c1"):
        turns.give_up(item[0], item)
    assert served(turns) == "a2"
    assert turns.next() is None


@given(st.lists(st.sampled_from("abcde"), max_size=60))
def test_nobody_is_served_twice_before_another_once(tenants: list[str]) -> None:
    """Of those who still have something waiting."""
    turns = Turns[int]()
    for number, tenant in enumerate(tenants):
        turns.wait(tenant, number)
    left = {tenant: tenants.count(tenant) for tenant in set(tenants)}
    served = dict.fromkeys(left, 0)
    for tenant, _ in iter(turns.next, None):
        served[tenant] += 1
        assert all(
            served[other] >= served[tenant] - 1 for other in left if served[other] < left[other]
        )
    assert served == left
