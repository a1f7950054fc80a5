"""How much a caller may ask: what the policy says of it, else what holds for everybody."""

from gateway.access.caller import Caller
from gateway.access.policy import Policy
from gateway.config.access import CallerBudget


def budget_of(policy: Policy, caller: Caller, default: CallerBudget) -> CallerBudget:
    """The budget of a caller: of all that the policy says of it, the most.

    What the policy does not say is as in ``default``.
    """
    said = [
        each.model_dump(include=set(CallerBudget.model_fields), exclude_none=True)
        for each in policy.budgets
        if any(callers.include(caller) for callers in each.callers)
    ]
    most = {
        key: max(each[key] for each in said if key in each)
        for key in CallerBudget.model_fields
        if any(key in each for each in said)
    }
    return default.model_copy(update=most)
