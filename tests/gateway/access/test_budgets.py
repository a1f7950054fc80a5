"""How much a caller may ask, by the policy and the settings."""

from typing import Any

import pytest

from gateway.access.budgets import budget_of
from gateway.access.caller import Caller
from gateway.access.policy_file import parse_policy
from gateway.config.access import Access, CallerBudget
from gateway.errors import TemplateInvalid

ALICE = Caller("token:alice", frozenset({"devs"}))
DEFAULT = CallerBudget(per_second=10, burst=20, concurrency=3, queue=4)


@pytest.mark.parametrize(
    ("budgets", "expected"),
    [
        pytest.param([], (10, 20, 3, 4), id="nothing-said"),
        pytest.param(
            [{"callers": ["token:bob"], "burst": 9}], (10, 20, 3, 4), id="only-of-somebody-else"
        ),
        pytest.param(
            [{"callers": ["token:*"], "perSecond": 1, "queue": 0}],
            (1, 20, 3, 0),
            id="less-than-others-and-the-rest-as-they-have",
        ),
        pytest.param(
            [
                {"callers": ["token:*"], "perSecond": 1, "burst": 7},
                {"callers": ["x", {"group": "devs"}], "perSecond": 5, "concurrency": 1},
            ],
            (5, 7, 1, 4),
            id="of-several-the-most",
        ),
    ],
)
def test_a_budget(budgets: list[Any], expected: tuple[int, ...]) -> None:
    """Requests a second, at once after a rest, under way, waiting."""
    found = budget_of(parse_policy({"rules": [], "budgets": budgets}), ALICE, DEFAULT)
    assert (found.per_second, found.burst, found.concurrency, found.queue) == expected


@pytest.mark.parametrize(
    "budget",
    [
        pytest.param({"perSecond": 0}, id="nothing-a-second"),
        pytest.param({"callers": []}, id="nobody"),
        pytest.param({"rate": 1}, id="a-key-that-is-none"),
    ],
)
def test_what_cannot_be_meant_is_refused(budget: dict[str, Any]) -> None:
    """With its path."""
    content = {"rules": [], "budgets": [{"callers": ["a"], **budget}]}
    with pytest.raises(TemplateInvalid, match=r"budgets\[0\]"):
        parse_policy(content)


@pytest.mark.parametrize(
    ("access", "is_bounded"),
    [
        pytest.param({}, False, id="open-to-everybody"),
        pytest.param({"budget": {"perSecond": 5}}, True, id="open-with-a-budget"),
        pytest.param({"policy": "p", "tokens": "t"}, True, id="callers-are-known"),
    ],
)
def test_when_callers_are_bounded(
    access: dict[str, Any],
    is_bounded: bool,  # noqa: FBT001 - from a table
) -> None:
    """While a gateway is tried out on this machine nobody counts."""
    assert Access.model_validate(access).is_bounded is is_bounded
