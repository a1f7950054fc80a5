"""Secrets with values of their own, and the search for any form of them in what came out."""

import random
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from re import findall, finditer
from typing import Final
from urllib.parse import quote

# Nothing that is found by chance: no digits, no letters of hexadecimal numbers, no vowels.
_LETTERS: Final = "GHJKLMNPQRSTVWXZghjkmnpqrstvwxz"
_HEAD_CHARS: Final = 6
"""So much of a secret is looked for: docs/templates.md#secrets."""
_ODD: Final = '/"'
"""What looks different in URLs and in JSON."""


@dataclass
class Vault:
    """All secrets of a test, by the places that hold them."""

    values: dict[str, str] = field(default_factory=dict)

    def plain(self, place: str, chars: int = 24) -> str:
        """A new secret of letters alone; the same if there is one for this place."""
        made = "".join(random.SystemRandom().choices(_LETTERS, k=chars))
        return self.values.setdefault(place, made)

    def odd(self, place: str) -> str:
        """One with characters in it that are escaped in URLs and in JSON."""
        return self.values.setdefault(place, f"{self.plain(f'{place}, 1', 12)}{_ODD}tail")

    def keep(self, place: str, value: str) -> str:
        """One whose value is not ours to choose, such as a key in PEM."""
        return self.values.setdefault(place, value)

    def sent_in(self, text: str) -> list[str]:
        """The secrets that a request carries."""
        heard = text + "".join(_basic(text))
        return [
            value
            for value in self.values.values()
            if any(
                form in heard for form in (value, quote(value, safe=""), value.replace('"', r"\""))
            )
        ]

    def leaks(self, outputs: Mapping[str, str]) -> list[str]:
        """Which secret stands in which output, and what is around it."""
        forms = [(place, form) for place, value in self.values.items() for form in _forms(value)]
        found: list[str] = []
        for name, text in outputs.items():
            # Hundreds of forms are looked for in megabytes.
            parts = {text[at : at + _HEAD_CHARS] for at in range(len(text))}
            found += [
                f"{place} in {name}: ...{text[max(0, at - 60) : at + 40]!r}"
                for place, form in forms
                if form[:_HEAD_CHARS] in parts and (at := text.find(form)) >= 0
            ]
        return found


def _forms(value: str) -> Iterable[str]:
    """The beginning of each piece that no escape changes, and what base64 makes of the whole."""
    lines = [line for line in value.split("\n") if line and not line.startswith("-----")]
    for line in lines:
        yield from (piece[:_HEAD_CHARS] for piece in findall(r"[A-Za-z0-9_-]{6,}", line))
        for before in range(3):
            # What depends on the neighbours is left out.
            core = b64encode(bytes(before) + line.encode()).decode()[4:-4]
            yield core[:12]
            yield core.translate(str.maketrans("+/", "-_"))[:12]


def _basic(text: str) -> Iterator[str]:
    for found in finditer(r"Basic ([A-Za-z0-9+/=]+)", text):
        try:
            yield b64decode(found[1]).decode("utf-8", "replace")
        except Error:
            continue
