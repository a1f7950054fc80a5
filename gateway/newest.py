"""The newest entries of a mapping: what is remembered must not grow without end."""

from collections import OrderedDict
from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


def remember(kept: OrderedDict[Key, Value], key: Key, value: Value, *, at_most: int) -> None:
    """Keep a value as the newest one; if there are too many then, the oldest goes."""
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > at_most:
        kept.popitem(last=False)
