"""Texts, with Go's ideas of upper case, blanks and bytes.

Source: Go 1.26 package strings; expr-lang v1.17.8, builtin/builtin.go.
"""

import base64
import re
from collections.abc import Callable

from gateway.expr.budget import allocate, charge
from gateway.expr.faults import Fault
from gateway.expr.lexer import SPACES
from gateway.expr.numbers import to_int
from gateway.expr.regexps import Pattern, compiled
from gateway.expr.values import Strings, as_string, go_type, is_nil

_BYTES_PER_STEP = 32
_REGEX_STEPS = 2_000
_MAX_REPEAT = 1_000_000
_LONE_SURROGATE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\Z")


def utf8(text: str) -> bytes:
    """The bytes that the text is in Go."""
    return _LONE_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text).encode("utf-8", "surrogateescape")


def from_utf8(content: bytes) -> str:
    """The text of Go's bytes; what is not UTF-8 is kept."""
    return content.decode("utf-8", "surrogateescape")


def pay(*texts: str) -> None:
    """Charge work for looking at texts."""
    charge(1 + sum(map(len, texts)) // _BYTES_PER_STEP)


def joined(left: str, right: str) -> str:
    """One text after the other; halves of a character become whole again."""
    text = left + right
    pay(text)
    if not text.isascii() and _ESCAPED_BYTE.search(text) is not None:
        return from_utf8(utf8(text))
    return text


def matches(text: object, pattern: object) -> bool:
    """``matches`` with a pattern that is known only now."""
    if is_nil(text) or is_nil(pattern):
        return False
    expression = as_string(pattern)
    if not isinstance(text, bytes):
        as_string_or_bytes(text)
    charge(_REGEX_STEPS + len(expression))
    return matches_pattern(text, compiled(expression))


def matches_pattern(text: object, pattern: Pattern) -> bool:
    """``matches`` with a literal pattern."""
    if is_nil(text):
        return False
    searched = text if isinstance(text, bytes) else as_string_or_bytes(text)
    return pattern.matches(searched)


def as_string_or_bytes(value: object) -> str:
    """A string; Go tries it as bytes last, and says so."""
    if isinstance(value, str):
        return value
    found = "nil" if value is None else go_type(value)
    raise Fault(f"interface conversion: interface {{}} is {found}, not []uint8")


def _text_test(test: Callable[[str, str], bool]) -> Callable[[object, object], bool]:
    def tested(left: object, right: object) -> bool:
        if is_nil(left) or is_nil(right):
            return False
        text, part = as_string(left), as_string(right)
        pay(text, part)
        return test(text, part)

    return tested


contains = _text_test(lambda text, part: part in text)
starts_with = _text_test(str.startswith)
ends_with = _text_test(str.endswith)


def has_prefix(text: object, prefix: object) -> bool:
    """The function, which unlike the operator refuses nil."""
    return as_string(text).startswith(as_string(prefix))


def has_suffix(text: object, suffix: object) -> bool:
    """The function, which unlike the operator refuses nil."""
    return as_string(text).endswith(as_string(suffix))


def trim(text: object, cutset: object = SPACES) -> str:
    """Without the characters of the set, blanks by default, at both ends."""
    pay(as_string(text), as_string(cutset))
    return as_string(text).strip(as_string(cutset)) if cutset else as_string(text)


def trim_prefix(text: object, prefix: object = " ") -> str:
    """Without a prefix, one blank by default."""
    cut = as_string(prefix)
    return as_string(text).removeprefix(cut)


def trim_suffix(text: object, suffix: object = " ") -> str:
    """Without a suffix, one blank by default."""
    cut = as_string(suffix)
    return as_string(text).removesuffix(cut)


def upper(text: object) -> str:
    """Each character in upper case, if it has one of its own."""
    charge(1 + 3 * len(as_string(text)))
    return (
        as_string(text).upper()
        if as_string(text).isascii()
        else "".join(map(_upper, as_string(text)))
    )


def lower(text: object) -> str:
    """Each character in lower case."""
    charge(1 + 3 * len(as_string(text)))
    return (
        as_string(text).lower()
        if as_string(text).isascii()
        else "".join(map(_lower, as_string(text)))
    )


def _upper(char: str) -> str:
    for candidate in (char.upper(), char.title()):
        if len(candidate) == 1:
            return candidate
    return char


def _lower(char: str) -> str:
    # Of all letters, only the dotted capital I becomes two characters in Python.
    return char.lower()[0]


def split(text: object, separator: object, limit: object = -1) -> Strings:
    """The parts between separators; an empty separator splits after each character."""
    whole, mark, most = as_string(text), as_string(separator), to_int(limit)
    pay(whole, mark)
    if most == 0:
        return Strings()
    if mark:
        parts = whole.split(mark, most - 1 if most > 0 else -1)
    elif most < 0 or most > len(whole):
        parts = list(whole)
    else:
        parts = [*whole[: most - 1], whole[most - 1 :]]
    charge(2 * len(parts))
    return Strings(parts)


def split_after(text: object, separator: object, limit: object = -1) -> Strings:
    """As split, but each part keeps the separator that ends it."""
    parts = split(text, separator, limit)
    mark = as_string(separator)
    return Strings([*(part + mark for part in parts[:-1]), *parts[-1:]])


def replace(text: object, old: object, new: object, count: object = -1) -> str:
    """With the first ``count`` occurrences replaced, or all."""
    whole, part, other = as_string(text), as_string(old), as_string(new)
    most = to_int(count)
    pay(whole, part, other)
    found = whole.count(part) if most < 0 else min(whole.count(part), most)
    pay_for(found * len(other) + len(whole))
    return whole.replace(part, other, found)


def pay_for(size: int) -> None:
    """Charge work for writing so many characters."""
    charge(size // _BYTES_PER_STEP)


def repeat(text: object, count: object) -> str:
    """A text so many times over."""
    part, times = as_string(text), to_int(count)
    if times < 0:
        raise Fault(f"invalid argument for repeat (expected positive integer, got {times})")
    if times > _MAX_REPEAT:
        raise Fault("memory budget exceeded")
    size = len(utf8(part)) * times
    allocate(size)
    pay_for(size)
    return part * times


def join(items: object, glue: object = "") -> str:
    """Texts in a row."""
    between = as_string(glue)
    if not isinstance(items, tuple) or go_type(items) not in _JOINABLE:
        shown = "%!s(<nil>)" if items is None else go_type(items)
        raise Fault(f"invalid argument for join (type {shown})")
    parts = [as_string(item) for item in items]
    charge(len(parts))
    pay_for(sum(map(len, parts)) + len(between) * len(parts))
    return between.join(parts)


_JOINABLE = frozenset({"[]interface {}", "[]string"})


def index_of(text: object, part: object) -> int:
    """The byte at which a part begins; -1 if it does not occur."""
    whole, wanted = as_string(text), as_string(part)
    pay(whole, wanted)
    return utf8(whole).find(utf8(wanted))


def last_index_of(text: object, part: object) -> int:
    """The byte at which the last occurrence of a part begins; -1 if it does not occur."""
    whole, wanted = as_string(text), as_string(part)
    pay(whole, wanted)
    return utf8(whole).rfind(utf8(wanted))


def to_base64(text: object) -> str:
    """In the standard alphabet, padded."""
    pay(as_string(text))
    return base64.b64encode(utf8(as_string(text))).decode()


def from_base64(text: object) -> str:
    """The text again. Raises Fault where the first wrong character is."""
    source = as_string(text)
    pay(source)
    clean = source.replace("\r", "").replace("\n", "")
    if _BASE64.match(clean) is None:
        raise Fault(f"illegal base64 data at input byte {_first_illegal(utf8(source))}")
    return from_utf8(base64.b64decode(clean))


def _first_illegal(content: bytes) -> int:
    """Where Go's decoder stops: a wrong byte, or the start of a group that is not whole."""
    group, group_at, padding = 0, 0, 0
    for at, byte in enumerate(content):
        if byte in b"\r\n":
            continue
        if padding == 1 and byte == ord("="):
            padding = 2
            continue
        if padding:
            return at - (padding == 1)
        if group % 4 == 0:
            group_at = at
        if byte == ord("=") and group % 4 > 1:
            padding = group % 4 - 1
            continue
        if byte not in _ALPHABET:
            return at
        group += 1
    return len(content) if padding else group_at


_ALPHABET = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
