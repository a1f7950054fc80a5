"""Make decoded JSON read-only, so that one reading can serve many callers."""

from collections.abc import Mapping
from types import MappingProxyType


def freeze(value: object) -> object:
    """A deep copy of decoded JSON in which lists are tuples and objects are read-only mappings."""
    match value:
        case list() | tuple():
            return tuple(freeze(item) for item in value)
        case Mapping():
            return MappingProxyType({str(key): freeze(item) for key, item in value.items()})
        case _:
            return value


def thaw(value: object) -> object:
    """The reverse: plain lists and dicts, for whoever writes JSON."""
    match value:
        case tuple():
            return [thaw(item) for item in value]
        case Mapping():
            return {key: thaw(item) for key, item in value.items()}
        case _:
            return value
