"""Label sets with a ceiling, so that no caller can make the exposition grow without end."""

from collections import OrderedDict
from collections.abc import Callable

OTHER = "other"
IDLE_S = 3_600.0
"""A label set that was not used for this many seconds makes room for a new one."""

Labels = tuple[str, ...]


class CappedLabels:
    """At most ``limit`` label sets of one length; those that find no room become ``other``."""

    def __init__(
        self,
        limit: int,
        *,
        on_other: Callable[[], None],
        on_evict: Callable[[Labels], None],
    ) -> None:
        self._limit = limit
        self._on_other = on_other
        self._on_evict = on_evict
        self._used_at: OrderedDict[Labels, float] = OrderedDict()

    def admit(self, labels: Labels, *, now_unix_s: float) -> Labels:
        """``labels`` themselves, or as many ``other`` if there is no room for them."""
        if labels not in self._used_at and not self._has_room(now_unix_s):
            self._on_other()
            return (OTHER,) * len(labels)
        self._used_at[labels] = now_unix_s
        self._used_at.move_to_end(labels)
        return labels

    def _has_room(self, now_unix_s: float) -> bool:
        if len(self._used_at) < self._limit:
            return True
        oldest, used_at = next(iter(self._used_at.items()))
        if now_unix_s - used_at < IDLE_S:
            return False
        del self._used_at[oldest]
        self._on_evict(oldest)
        return True
