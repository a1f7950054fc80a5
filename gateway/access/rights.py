"""What callers may do, by the policy that is in force at the moment."""

from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeVar, TypeVarTuple

from gateway.access.caller import Caller
from gateway.access.policy import Action, Policy, Wanted, refusal
from gateway.errors import AccessDenied

_MAX_REMEMBERED: Final = 4_096
Asked = TypeVarTuple("Asked")
Found = TypeVar("Found")


class Rights:
    """Asks the policy, and remembers what it said: few callers want the same again and again."""

    def __init__(self, policy: Callable[[], Policy]) -> None:
        self._policy = policy
        self.refusal: Final = self.remembering(self._refusal)
        """What a caller lacks for what it wants, in a sentence; None if it may."""

    def remembering(self, compute: Callable[[*Asked], Found]) -> Callable[[*Asked], Found]:
        """The same function, but its newest results are kept for as long as the policy stays.

        Args:
            compute: decides by what it is given, and by these rights; arguments are hashable.
                What it raises is not kept.

        """
        known = self._policy()
        remembered = lru_cache(_MAX_REMEMBERED)(compute)

        def recall(*asked: *Asked) -> Found:
            nonlocal known
            policy = self._policy()
            if policy is not known:
                known = policy
                remembered.cache_clear()
            return remembered(*asked)

        return recall

    def _refusal(self, caller: Caller, wanted: Wanted) -> str | None:
        return refusal(self._policy(), caller, wanted)

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
