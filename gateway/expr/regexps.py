"""Regular expressions of RE2, which is what Go's regexp package speaks.

Source: Go 1.26 regexp/syntax, as the operator ``matches`` of expr-lang v1.17.8 uses it.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import re2

from gateway.expr.budget import charge
from gateway.expr.faults import Fault

_GO_WORDS = {
    "invalid escape sequence": "invalid escape sequence",
    "invalid character class": "invalid character class",
    "invalid character class range": "invalid character class range",
    "missing ]": "missing closing ]",
    "missing )": "missing closing )",
    "unexpected )": "unexpected )",
    "trailing \\": "trailing backslash at end of expression",
    "no argument for repetition operator": "missing argument to repetition operator",
    "invalid repetition size": "invalid repeat count",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "invalid named capture group": "invalid named capture",
    "pattern too large - compile failed": "expression too large",
}
_PIECES = re.compile(
    r"\\Q.*?(?:\\E|\Z)"  # what is quoted
    r"|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*+\]"  # a class
    r"|\\."
    r"|\(\?P?<[^>]*>"
    r"|\{[0-9,]+\}",
    re.DOTALL,
)
_MANY = re.compile(r"(?<![0-9])[1-9][0-9]{9}")
"""RE2 for C++ takes such a number of times for a text."""
_BYTES_PER_STEP = 32
_BYTES_PER_RUNE = 3
_LARGE_PATTERN = 100
"""Instructions."""
_SURROGATES = re.compile("[\ud800-\udfff]")


class Pattern:
    """A compiled regular expression."""

    __slots__ = ("_search", "_size")

    def __init__(self, program: Any) -> None:  # noqa: ANN401 - re2 has no types
        self._search = program.search
        self._size: int = program.programsize

    def matches(self, text: str | bytes) -> bool:
        """Whether it matches anywhere in a text. Raises Fault if finding out takes too much."""
        if isinstance(text, bytes):
            text = text.decode("utf-8", "surrogateescape")
        size = len(text) if text.isascii() else _BYTES_PER_RUNE * len(text)
        # RE2 needs one step per byte, but for large patterns one per byte and instruction.
        work = size * self._size // 2 if self._size > _LARGE_PATTERN else size
        charge(1 + work // _BYTES_PER_STEP)
        return self._search(_encodable(text)) is not None


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> Pattern:
    """The compiled pattern. Raises Fault for what Go refuses, look-around for instance."""
    return Pattern(_program(pattern))


def searching(pattern: str) -> Callable[[str], bool] | None:
    """What looks for a pattern in texts that no condition pays for; None if Go refuses it."""
    try:
        search = _program(pattern).search
    except Fault:
        return None
    return lambda text: search(_encodable(text)) is not None


def _program(pattern: str) -> Any:  # noqa: ANN401 - re2 has no types
    options = re2.Options()
    options.log_errors = False
    # Whether it matches is all that is asked; where its groups match takes ten times as long.
    options.never_capture = True
    try:
        program = re2.compile(_encodable(pattern), options=options)
    except re2.error as error:
        raise _refused(error.args[0]) from None
    # Only now is it known that every class is closed, so that this takes little time.
    for piece in _PIECES.findall(pattern):
        _check(piece)
    return program


def _check(piece: str) -> None:
    """Raises Fault for what RE2 for C++ knows, and Go does not."""
    if piece == r"\C":
        raise _refused(rb"invalid escape sequence: \C")
    if piece.startswith("(") and not piece.isascii():
        raise _refused(f"invalid named capture group: {piece}".encode("utf-8", "replace"))
    if piece.startswith("{") and _MANY.search(piece):
        raise _refused(f"invalid repetition size: {piece}".encode())


def _encodable(text: str) -> str:
    return _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", text)


def _refused(message: bytes) -> Fault:
    why, _, where = message.decode("utf-8", "replace").partition(": ")
    shown = _GO_WORDS.get(why, why)
    return Fault(f"error parsing regexp: {shown}" + (f": `{where}`" if where else ""))
