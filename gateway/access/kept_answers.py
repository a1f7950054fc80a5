"""What became of credentials that cost more than a hash to check, for a while.

Nothing here shows a credential: each is known by a hash alone, whose key the process takes along.
"""

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from gateway.newest import remember

MAX_KEPT: Final = 10_000
"""The one that was used longest ago goes first."""
Answer = TypeVar("Answer")


class KeptAnswers(Generic[Answer]):
    """Answers by credential."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._hash_key = secrets.token_bytes(32)
        self._kept: OrderedDict[bytes, tuple[float, Answer]] = OrderedDict()

    def find(self, token: str) -> Answer | None:
        """What is known of a credential; None if that is nothing, or over."""
        key = self.key(token)
        kept = self._kept.get(key)
        if kept is None:
            return None
        until_s, answer = kept
        if until_s <= self._now_s():
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return answer

    def keep(self, token: str, answer: Answer, *, until_s: float) -> None:
        """Remember an answer until a time of the clock."""
        remember(self._kept, self.key(token), (until_s, answer), at_most=MAX_KEPT)

    def key(self, token: str) -> bytes:
        """What a credential is known by."""
        return hashlib.blake2b(token.encode(), key=self._hash_key, digest_size=32).digest()
