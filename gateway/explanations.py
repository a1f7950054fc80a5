"""Why an answer was empty: asked once for all who wonder, and never for long."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from gateway.model import Reading
from gateway.newest import remember
from gateway.provider import Context, ExplainsNoData

REMEMBERED_S: Final = 10.0
"""How long an explanation serves, so that a herd of callers asks the provider once."""
_MAX_REMEMBERED: Final = 1_000


def wants_explanation(reading: Reading) -> bool:
    """Whether a reading holds nothing to judge: no data, or a number that is none."""
    value = reading.result
    items = value if isinstance(value, tuple) else (value,)
    return reading.is_empty or any(isinstance(item, float) and item != item for item in items)  # noqa: PLR0124 - only NaN differs from itself


class Explanations:
    """Shared explanations by the key of their question."""

    def __init__(self, *, budget_s: float, now_s: Callable[[], float]) -> None:
        self._budget_s = budget_s
        self._now_s = now_s
        self._asked: OrderedDict[str, tuple[float, asyncio.Task[str]]] = OrderedDict()
        self._running: set[asyncio.Task[str]] = set()

    async def of(self, key: str, provider: object, context: Context) -> str:
        """Why the provider had no data; empty if it cannot tell within the budget."""
        if self._budget_s == 0 or not isinstance(provider, ExplainsNoData):
            return ""
        asked = self._asked.get(key)
        if asked is None or self._now_s() - asked[0] >= REMEMBERED_S:
            asked = (self._now_s(), self._start(provider, context))
            remember(self._asked, key, asked, at_most=_MAX_REMEMBERED)
        # A caller that leaves must not take the answer from the others.
        return await asyncio.shield(asked[1])

    async def close(self) -> None:
        """Stop asking."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _start(self, provider: ExplainsNoData, context: Context) -> asyncio.Task[str]:
        task = asyncio.create_task(self._ask(provider, context), name="explain no data")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _ask(self, provider: ExplainsNoData, context: Context) -> str:
        try:
            async with asyncio.timeout(self._budget_s):
                return await provider.explain_no_data(context)
        except TimeoutError:
            return ""
