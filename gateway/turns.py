"""Whose turn it is: tenants in rounds, and what is each one's own in its order.

However much one tenant wants, another one waits for one turn of each of those who wait, and no
longer.
"""

from collections import OrderedDict
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Turns(Generic[Item]):
    """What waits, by tenant."""

    def __init__(self) -> None:
        self._lines: OrderedDict[str, OrderedDict[Item, None]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        """How many wait."""
        return self._count

    def wait(self, tenant: str, item: Item) -> None:
        """It waits from now on, behind what is its tenant's; a new tenant behind all others."""
        self._lines.setdefault(tenant, OrderedDict())[item] = None
        self._count += 1

    def next(self) -> Item:
        """Whose turn it is, which then waits no longer. Raises KeyError if nothing waits."""
        tenant, line = next(iter(self._lines.items()), ("", OrderedDict[Item, None]()))
        item, _ = line.popitem(last=False)
        self._count -= 1
        if line:
            self._lines.move_to_end(tenant)
        else:
            del self._lines[tenant]
        return item

    def give_up(self, tenant: str, item: Item) -> None:
        """It waits no longer, if it still did."""
        line = self._lines.get(tenant)
        if line is None or item not in line:
            return
        del line[item]
        self._count -= 1
        if not line:
            del self._lines[tenant]
