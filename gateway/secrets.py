"""A string that prints as asterisks, and the redaction of texts that may contain one."""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

MASK: Final = "*****"
"""What a secret looks like from outside.

Source: argo-rollouts analysis/analysis.go:409-414 @ 9f8d111d8.
"""

NOT_TOLD: Final = "why is not told: a secret stands in it"
"""In place of what is wrong with an expression: that quotes words of it, and so of the secret."""
_SHORT_ESCAPES: Final = {
    '"': r"\"",
    "\\": r"\\",
    "\b": r"\b",
    "\f": r"\f",
    "\n": r"\n",
    "\r": r"\r",
    "\t": r"\t",
}
_MIN_CORE_CHARS: Final = 6
"""Shorter ones are found by chance in texts that hold no secret."""
_URL_SAFE: Final = str.maketrans("+/", "-_")
_PIECES: Final = re.compile(r"[A-Za-z0-9_-]{6,}")
_WORDS: Final = re.compile(r"[A-Za-z0-9]+")
_MIN_HEAD_CHARS: Final = 3
_CUT_MARK: Final = "..."
"""Behind what a message shows of a longer text."""
_CUT: Final = re.compile(
    r"(?:%[0-9A-Fa-f]{0,2}|\\(?:u[0-9A-Fa-f]{0,4}|x[0-9A-Fa-f]{0,2})?){0,4}\.\.\."
)
"""The mark, maybe behind the half of an escaped character."""
_ESCAPES_BEGIN: Final = "%\\+"
_MAX_CUT_CHARS: Final = 64 * 1024
"""A longer text is an answer as it came, and no message: nobody has cut it."""


class Secret:
    """A text that no log line, error or f-string shows by accident."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __str__(self) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def reveal(self) -> str:
        """The text itself; ``grep 'reveal('`` lists every place that can leak it."""
        return self._value


class Redaction:
    """Replaces secrets in everything that is about to leave the process.

    A secret is also found where some of its characters were escaped for a URL or for JSON, and so
    are its longer pieces between punctuation; and inside base64, as in an echoed Basic header.
    Messages show the beginnings of long texts, and so may end within a secret: what they show of it
    is found as well, from six characters or half of it on.
    """

    def __init__(self, secrets: Iterable[Secret]) -> None:
        whole = {secret.reveal() for secret in secrets} - {""}
        # An error about a URL may quote the part of it that is wrong, and so a part of a secret.
        texts = whole.union(*(_PIECES.findall(text) for text in whole))
        # A log may have been cut between the lines of a key.
        texts = texts.union(*(_lines(text) for text in whole))
        texts = texts.union(*(_base64_cores(text) for text in whole))
        # The longest first: a secret may be part of another one.
        ordered = sorted(texts, key=lambda text: (-len(text), text))
        self._texts: Final = ordered
        self._pattern: Final = _any_of(ordered) if ordered else None
        self._heads: Final = _any_of(dict.fromkeys(map(_head, ordered)))
        # What no escape changes of each: a large answer without any of them is soon found to be so.
        self._words: Final = frozenset(map(_longest_word, ordered))

    def __bool__(self) -> bool:
        return self._pattern is not None

    def text(self, text: str) -> str:
        """``text`` with five asterisks in place of every secret."""
        if self and _CUT_MARK in text and len(text) <= _MAX_CUT_CHARS:
            text = self._without_cut(text)
        return self._masked(text)

    def octets(self, data: bytes) -> bytes:
        """The same for an answer as it came; nothing in it was cut."""
        if not any(word in data for word in self._words):
            return data
        text = data.decode("utf-8", "surrogateescape")
        return self._masked(text).encode("utf-8", "surrogateescape")

    def texts(self, texts: Mapping[str, str]) -> dict[str, str]:
        """The same for texts and their names."""
        return {self.text(name): self.text(text) for name, text in texts.items()}

    def value(self, value: object) -> object:
        """The same for every text in frozen JSON, keys included; nothing in it was cut."""
        match value:
            case str():
                return self._masked(value)
            case tuple():
                return tuple(self.value(item) for item in value)
            case Mapping():
                return MappingProxyType(
                    {self._masked(key): self.value(item) for key, item in value.items()}
                )
            case _:
                return value

    def _masked(self, text: str) -> str:
        return text if self._pattern is None else self._pattern.sub(MASK, text)

    def _without_cut(self, text: str) -> str:
        """``text`` without secrets of which the end is missing."""
        shown: list[str] = []
        done = 0
        head = self._heads.search(text)
        while head is not None:
            start = head.start()
            end = max(_end(secret, text, start) for secret in self._texts)
            if end > done:
                # Of two that overlap, both are behind one mask.
                shown += [text[done:start], MASK] if start >= done else []
                done = end
            head = self._heads.search(text, start + 1)
        return "".join(shown) + text[done:]


def _any_of(texts: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(_pattern, texts)))


def _longest_word(text: str) -> bytes:
    return max(_WORDS.findall(text), key=len, default="").encode()


def _head(text: str) -> str:
    """The least of a secret that is looked for where it may be cut."""
    return text[: max(_MIN_HEAD_CHARS, min(_MIN_CORE_CHARS, (len(text) + 1) // 2))]


def _end(secret: str, text: str, at: int) -> int:
    """Where a secret ends that begins there, whole or cut; 0 if it is neither."""
    if text[at] != secret[0] and text[at] not in _ESCAPES_BEGIN:
        return 0
    cut_at = 0
    least = len(_head(secret))
    # What looks like an escaped character may be one that is not.
    reached = {at}
    for number, char in enumerate(secret):
        if number >= least:
            cuts = [cut.end() for place in reached if (cut := _CUT.match(text, place))]
            cut_at = max([cut_at, *(end - len(_CUT_MARK) for end in cuts)])
        forms = _compiled_forms(char)
        found = [form.match(text, place) for form in forms for place in reached]
        reached = {each.end() for each in found if each}
        if not reached:
            return cut_at
    return max(cut_at, *reached)


@lru_cache(maxsize=1024)
def _compiled_forms(char: str) -> tuple[re.Pattern[str], ...]:
    return tuple(map(re.compile, _forms(char)))


def _lines(text: str) -> Iterator[str]:
    lines = (line.strip() for line in text.splitlines())
    return (line for line in lines if len(line) >= _MIN_CORE_CHARS)


def _base64_cores(text: str) -> Iterator[str]:
    """What base64 of any longer text holds of this one, wherever it begins there."""
    octets = text.encode("utf-8", "surrogatepass")
    for before in range(3):
        encoded = b64encode(bytes(before) + octets).decode().rstrip("=")
        # The first and the last characters depend on the neighbours as well.
        first = -(-before * 8 // 6)
        core = encoded[first : (before + len(octets)) * 8 // 6]
        if len(core) >= _MIN_CORE_CHARS:
            yield core
            yield core.translate(_URL_SAFE)


def _pattern(text: str) -> str:
    return "".join(map(_character, text))


def _character(char: str) -> str:
    """An expression for a character as it is and in every escaped form."""
    forms = _forms(char)
    return forms[0] if len(forms) == 1 else f"(?:{'|'.join(forms)})"


def _forms(char: str) -> list[str]:
    if char.isascii() and char.isalnum():
        return [char]
    units = char.encode("utf-16-be", "surrogatepass").hex()
    octets = char.encode("utf-8", "surrogatepass")
    percent = "".join(f"%{byte:02x}" for byte in octets)
    return [
        re.escape(char),
        f"(?i:{percent})",
        "(?i:" + "".join(rf"\\u{units[at : at + 4]}" for at in range(0, len(units), 4)) + ")",
        # So Go quotes what is no text of ASCII in a time.
        *([] if char.isascii() else ["".join(rf"\\x{byte:02x}" for byte in octets)]),
        *([re.escape(_SHORT_ESCAPES[char])] if char in _SHORT_ESCAPES else []),
        *([r"\+"] if char == " " else []),
    ]
