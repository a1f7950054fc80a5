"""Texts, numbers and results of a plugin, copied: bounded, read-only, and fit to be written down.

Integers, lists and dicts are taken, as an author may well mean them. Every function here raises
ProviderUnreadable and says what is wrong.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from gateway.bounds import MAX_DEPTH
from gateway.errors import ProviderUnreadable
from gateway.model import Typed
from providers._requests import shortened

MAX_VALUES: Final = 100_000
"""In one result, those of lists and mappings included."""
MAX_CHARS: Final = 1 << 20
"""Of all texts in a result together; and of any other text."""
MAX_METADATA_CHARS: Final = 1 << 16
"""Of all names and texts together."""
LONGEST_S: Final = 86_400.0
"""The most that a measurement may take that lasts."""
_END_OF_TIME_UNIX_S: Final = 253_402_300_800.0
"""The first that has no date."""
_ALLOWED: Final = "None, bool, int, float, str, Typed, list, tuple, and mappings with text keys"


def expected(kind: Any, value: object, what: str) -> Any:  # noqa: ANN401 - isinstance's own types
    """The value, if it is of a type."""
    if isinstance(value, kind):
        return value
    wanted = getattr(kind, "__name__", str(kind))
    raise ProviderUnreadable(f"{what} must be {wanted}, not {type(value).__name__}")


def text(value: object, what: str) -> str:
    """A text that can be written as UTF-8."""
    found = _sound(value, what)
    if len(found) > MAX_CHARS:
        raise ProviderUnreadable(f"{what} is longer than {MAX_CHARS:,} characters")
    return found


def message(value: object, what: str = "a message") -> str:
    """A text for a person, cut to what one reads."""
    return shortened(_sound(value, what))


def texts(value: object, what: str) -> Mapping[str, str]:
    """Texts by their names."""
    found: dict[str, str] = {}
    chars = 0
    for key, item in expected(Mapping, value, what).items():
        name = text(key, f"a key of {what}")
        found[name] = text(item, f"{what}[{shortened(name)!r}]")
        chars += len(name) + len(found[name])
        if chars > MAX_METADATA_CHARS:
            raise ProviderUnreadable(f"{what} is longer than {MAX_METADATA_CHARS:,} characters")
    return MappingProxyType(found)


def number(value: object, what: str) -> float:
    """A finite number."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    raise ProviderUnreadable(f"{what} must be a finite number")


def lag(value: object, what: str) -> float:
    """Seconds that a measurement has been under way: neither before it began nor for ever."""
    found = number(value, what)
    if 0 <= found <= LONGEST_S:
        return found
    raise ProviderUnreadable(f"{what} must be from 0 to {LONGEST_S:,.0f} seconds")


def moment(value: object, what: str) -> float:
    """A time that has a date."""
    found = number(value, what)
    if 0 <= found < _END_OF_TIME_UNIX_S:
        return found
    raise ProviderUnreadable(f"{what} must be seconds since 1970, before the year 10000")


def whole_number(value: object, what: str) -> int:
    """An integer of 64 bits."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63:
        return int(value)
    raise ProviderUnreadable(f"{what} must be an int that fits into 64 bits")


class ResultCopy:
    """A copy of a result, counted while it is made: what refers to itself has no end."""

    def __init__(self) -> None:
        self._values = 0
        self._chars = 0

    def of(self, value: object, depth: int = 0) -> object:
        """The value, and all that is in it."""
        self._values += 1
        if self._values > MAX_VALUES:
            raise ProviderUnreadable(f"the result holds more than {MAX_VALUES:,} values")
        if depth > MAX_DEPTH:
            raise ProviderUnreadable(f"the result is nested deeper than {MAX_DEPTH} levels")
        match value:
            case None | bool():
                return value
            case int() | float():
                return _double(value)
            case str():
                return self._text(value)
            case Typed(str(go_type), str(shown)):
                return Typed(self._text(go_type), self._text(shown))
            case list() | tuple():
                return tuple(self.of(item, depth + 1) for item in value)
            case Mapping():
                return MappingProxyType(
                    {self._text(key): self.of(item, depth + 1) for key, item in value.items()}
                )
        raise ProviderUnreadable(
            f"the result holds a value of type {type(value).__name__}; it may hold {_ALLOWED}"
        )

    def _text(self, value: object) -> str:
        found = text(value, "a text in the result")
        self._chars += len(found)
        if self._chars > MAX_CHARS:
            raise ProviderUnreadable(f"the texts in the result have more than {MAX_CHARS:,} chars")
        return found


def _sound(value: object, what: str) -> str:
    # Half a surrogate pair can be neither sent nor stored. A subclass becomes a plain text.
    return str.encode(expected(str, value, what), "utf-8", "replace").decode()


def _double(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        raise ProviderUnreadable("the result holds an integer beyond 64-bit floats") from None
