"""What callers may do, by the policy that is in force at the moment."""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Final

from gateway.access.caller import Caller
from gateway.access.policy import Action, Policy, Wanted, refusal
from gateway.errors import AccessDenied

_MAX_REMEMBERED: Final = 4_096


class Rights:
    """Asks the policy, and remembers what it said: few callers want the same again and again."""

    def __init__(self, policy: Callable[[], Policy]) -> None:
        self._policy = policy
        self._known = policy()
        self._refusal = self._remembering()

    def refusal(self, caller: Caller, wanted: Wanted) -> str | None:
        """What a caller lacks, in a sentence; None if it may."""
        policy = self._policy()
        if policy is not self._known:
            self._known = policy
            self._refusal = self._remembering()
        return self._refusal(caller, wanted)

    def check(self, caller: Caller, *wanted: Wanted) -> None:
        """Raises AccessDenied unless the caller may do all of this."""
        for each in wanted:
            lacking = self.refusal(caller, each)
            if lacking is not None:
                raise AccessDenied(lacking)

    def may(self, caller: Caller, *wanted: Wanted) -> bool:
        """Whether a caller may do all of this."""
        return all(self.refusal(caller, each) is None for each in wanted)

    def check_any(self, caller: Caller, *actions: Action) -> None:
        """Raises AccessDenied, for the first, unless there is a namespace for one of the actions.

        It is asked before anything is read or looked for that the caller has no business with.
        """
        if not any(self.may(caller, Wanted(action)) for action in actions):
            self.check(caller, Wanted(actions[0]))

    def _remembering(self) -> Callable[[Caller, Wanted], str | None]:
        return lru_cache(_MAX_REMEMBERED)(partial(refusal, self._known))
