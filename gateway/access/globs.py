"""Patterns in which ``*`` stands for any text, also for none, and all else for itself."""

from collections.abc import Iterable


def fits(pattern: str, text: str) -> bool:
    """Whether all of ``text`` is as ``pattern`` says.

    The time that it takes grows with the product of both lengths at most: texts come from callers.
    """
    first, *others = pattern.split("*")
    if not others:
        return text == pattern
    *middle, last = others
    place, end = len(first), len(text) - len(last)
    if place > end or not (text.startswith(first) and text.endswith(last)):
        return False
    for part in middle:
        found = text.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return True


def fits_any(patterns: Iterable[str], text: str) -> bool:
    """Whether one of the patterns fits."""
    return any(fits(pattern, text) for pattern in patterns)
