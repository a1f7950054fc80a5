"""Regular expressions of RE2, which is what Go's regexp package speaks.

Source: Go 1.26 regexp/syntax, as the operator ``matches`` of expr-lang v1.17.8 uses it.
"""

import re
from functools import lru_cache

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
_ANY_BYTE = re.compile(r"(?:[^\\]|\\[^C])*+\\C", re.DOTALL)
"""RE2 for C++ knows ``\\C``; Go does not."""
_BYTES_PER_STEP = 32
_BYTES_PER_RUNE = 3
_LARGE_PATTERN = 100
"""Instructions."""
_SURROGATES = re.compile("[\ud800-\udfff]")


class Pattern:
    """A compiled regular expression."""

    __slots__ = ("_search", "_size")

    def __init__(self, pattern: str) -> None:
        options = re2.Options()
        options.log_errors = False
        # Whether it matches is all that is asked; where its groups match takes ten times as long.
        options.never_capture = True
        try:
            program = re2.compile(pattern, options=options)
        except re2.error as error:
            raise _refused(error.args[0]) from None
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
        return self._search(_SURROGATES.sub("\N{REPLACEMENT CHARACTER}", text)) is not None


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> Pattern:
    """The compiled pattern. Raises Fault for what RE2 refuses, look-around for instance."""
    if _ANY_BYTE.match(pattern) is not None:
        raise _refused(rb"invalid escape sequence: \C")
    return Pattern(_SURROGATES.sub("\N{REPLACEMENT CHARACTER}", pattern))


def _refused(message: bytes) -> Fault:
    why, _, where = message.decode("utf-8", "replace").partition(": ")
    shown = _GO_WORDS.get(why, why)
    return Fault(f"error parsing regexp: {shown}" + (f": `{where}`" if where else ""))
