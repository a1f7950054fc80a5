"""Whose turn it is: tenants in rounds, and what is each one's own in its order.

However much one tenant wants, another one waits for one turn of each of those who wait, and no
longer.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


def _everybody(_tenant: str) -> bool:
    return True


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

    def has(self, may: Callable[[str], bool]) -> bool:
        """Whether anything waits that is of a tenant who ``may``."""
        return any(may(tenant) for tenant in self._lines)

    def next(self, may: Callable[[str], bool] = _everybody) -> tuple[str, Item] | None:
        """Whose turn it is, of the tenants who ``may``; it then waits no longer. None for none."""
        tenant = next((each for each in self._lines if may(each)), None)
        if tenant is None:
            return None
        line = self._lines[tenant]
        item, _ = line.popitem(last=False)
        self._count -= 1
        if line:
            self._lines.move_to_end(tenant)
        else:
            del self._lines[tenant]
        return tenant, item

    def give_up(self, tenant: str, item: Item) -> None:
        """It waits no longer, if it still did."""
        line = self._lines.get(tenant)
        if line is None or item not in line:
            return
        del line[item]
        self._count -= 1
        if not line:
            del self._lines[tenant]
