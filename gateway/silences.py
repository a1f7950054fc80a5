"""For how long which vendor wants to hear nothing of which kind of request.

Requests are of one kind if they go to the same place with the same credentials. All that they are
told apart by may hold a secret, so it is kept only as a hash, whose key the process takes along.
"""

import asyncio
import hashlib
import re
import secrets
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from gateway.newest import remember
from gateway.provider import HttpRequest, HttpResponse

LONGEST_S: Final = 600.0
"""However long a vendor wants to hear nothing: so often it is asked whether it still does."""
SHORTEST_S: Final = 1.0
"""Vendors tell whole seconds, so 0 is some part of one."""
MAX_SILENCES: Final = 1_000
"""The one that began first is forgotten first."""
MAX_BODY_BYTES: Final = 8_192
MAX_HEADER_CHARS: Final = 4_096
FORGOTTEN_AFTER_S: Final = 60.0
_CREDENTIAL: Final = re.compile("key|token|secret|pass|auth|sig|cred|client|user", re.IGNORECASE)
"""Names of what is a credential in a query or a form. Too many match rather than too few: at worst
two kinds are told apart that are one."""
_FORM: Final = "application/x-www-form-urlencoded"
_SIGNATURE: Final = ", SignedHeaders="
_SIGNED_ANEW: Final = {"x-amz-date"}


@dataclass(slots=True)
class Silence:
    """What is known of one kind of request."""

    until_s: float
    """By the event loop's clock."""
    answer: HttpResponse = field(repr=False)
    """What the vendor said last."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)
    """Who has it asks, once the silence is over; the others wait for what comes of it."""


class Silences:
    """All that is known of one process."""

    def __init__(self) -> None:
        self._hash_key = secrets.token_bytes(32)
        self._kept: OrderedDict[bytes, Silence] = OrderedDict()

    def of(self, request: HttpRequest, *, now_s: float) -> Silence | None:
        """The silence that holds for a request, also one that is over but was not ended."""
        if not self._kept:
            return None
        first, oldest = next(iter(self._kept.items()))
        if oldest.until_s + FORGOTTEN_AFTER_S < now_s:
            del self._kept[first]
        return self._kept.get(self._key(request))

    def begin(
        self, request: HttpRequest, answer: HttpResponse, silence_s: float, *, now_s: float
    ) -> None:
        """Remember what a vendor said to a request, and how long it wants to hear nothing."""
        until_s = now_s + min(max(silence_s, SHORTEST_S), LONGEST_S)
        key = self._key(request)
        silence = self._kept.get(key)
        if silence is None:
            silence = Silence(until_s, _bounded(answer))
            remember(self._kept, key, silence, at_most=MAX_SILENCES)
            return
        silence.answer = _bounded(answer)
        # Of answers to requests that were under way together the most cautious one counts.
        silence.until_s = max(silence.until_s, until_s)

    def end(self, request: HttpRequest) -> None:
        """Forget it: the vendor has answered, or cannot be reached at all."""
        self._kept.pop(self._key(request), None)

    def _key(self, request: HttpRequest) -> bytes:
        text = repr((request.method, *_place(request), *sorted(_lasting_headers(request))))
        data = text.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(data, key=self._hash_key, digest_size=32).digest()


def _place(request: HttpRequest) -> Iterator[str]:
    """The URL without its query, and what of query and form are credentials."""
    place, _, query = request.url.partition("?")
    yield place
    pairs = query.split("&")
    if request.headers.get("Content-Type", "").startswith(_FORM):
        pairs += (request.body or b"").decode("utf-8", "replace").split("&")
    for pair in pairs:
        if _CREDENTIAL.search(pair.partition("=")[0]):
            yield pair


def _lasting_headers(request: HttpRequest) -> Iterator[tuple[str, str]]:
    """The headers without what a signature changes with every request."""
    for name, value in request.headers.items():
        if name.lower() not in _SIGNED_ANEW:
            yield name.lower(), value.partition(_SIGNATURE)[0]


def _bounded(answer: HttpResponse) -> HttpResponse:
    size = sum(len(name) + len(value) for name, value in answer.headers.items())
    headers = answer.headers if size <= MAX_HEADER_CHARS else {}
    return replace(answer, headers=headers, body=answer.body[:MAX_BODY_BYTES])
