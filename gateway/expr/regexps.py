"""Regular expressions of RE2, which is what Go's regexp package speaks.

Source: Go 1.26 regexp/syntax, as the operator ``matches`` of expr-lang v1.17.8 uses it.
"""

import re
from functools import lru_cache

import re2

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
_SURROGATES = re.compile("[\ud800-\udfff]")


class Pattern:
    """A compiled regular expression."""

    __slots__ = ("_search",)

    def __init__(self, pattern: str) -> None:
        options = re2.Options()
        options.log_errors = False
        try:
            self._search = re2.compile(pattern, options=options).search
        except re2.error as error:
            raise _refused(error.args[0]) from None

    def matches(self, text: str | bytes) -> bool:
        """Whether it matches anywhere in a text."""
        if isinstance(text, bytes):
            text = text.decode("utf-8", "surrogateescape")
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
