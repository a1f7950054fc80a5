"""Where code was, without a word of what it did: that may be secret."""

from collections.abc import Iterable
from itertools import islice
from traceback import walk_tb
from types import FrameType
from typing import Final

_MAX_PLACES: Final = 8


def places(frames: Iterable[tuple[FrameType, int]]) -> str:
    """The innermost places of a stack that comes innermost first; no text of theirs."""
    shown = (f"{frame.f_code.co_filename}:{line}" for frame, line in islice(frames, _MAX_PLACES))
    return " < ".join(shown)


def places_of(error: BaseException) -> str:
    """Where an error comes from, the innermost place first."""
    return places(reversed([*walk_tb(error.__traceback__)]))


def kind_and_places(error: BaseException) -> dict[str, str]:
    """What a log line may tell of an error that nobody foresaw: its own text may hold a secret."""
    return {"kind": type(error).__name__, "places": places_of(error)}
