"""Small pieces of requests that providers share: headers with Go's set semantics, forms, deadlines.

Source: Go net/http.Header.Set and net/url.Values.Encode, as argo-rollouts @ 9f8d111d8 uses them.
"""

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from functools import partial
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode

from gateway.errors import ProviderUnreachable
from gateway.gotext import quote
from gateway.provider import (
    DEADLINE_EXCEEDED,
    Context,
    HttpRequest,
    HttpResponse,
    NoAnswer,
    Stage,
)
from gateway.upstreams.gourl import Url, is_token, parse_url

Read = TypeVar("Read")
FORM = "application/x-www-form-urlencoded"
_MALFORMED = re.compile("%(?![0-9A-Fa-f]{2})|;")
_MAX_SHOWN_CHARACTERS = 4_096
_SET_BY_THE_CLIENT = {"host", "content-length", "transfer-encoding", "trailer"}


def canonical(name: str) -> str:
    """A header's name as Go writes it: ``x-scope-orgid`` becomes ``X-Scope-Orgid``."""
    if not is_token(name):
        return name
    return "-".join(part[:1].upper() + part[1:].lower() for part in name.split("-"))


def with_headers(headers: Mapping[str, str], added: Iterable[tuple[str, str]]) -> dict[str, str]:
    """``headers`` with others set over them; the last one of a name wins.

    Names that Go's client sets by itself are dropped, as there.
    """
    merged = {canonical(name): value for name, value in headers.items()}
    for name, value in added:
        if name.lower() not in _SET_BY_THE_CLIENT:
            merged[canonical(name)] = value
    return merged


def encode_form(pairs: Mapping[str, str] | Iterable[tuple[str, str]]) -> str:
    """A form or a query string, sorted by name."""
    items = pairs.items() if isinstance(pairs, Mapping) else pairs
    return urlencode(sorted(items, key=lambda pair: pair[0]), errors="replace")


def decode_form(text: str) -> list[tuple[str, str]]:
    """The pairs of a query string; what is malformed is left out."""
    sound = "&".join(pair for pair in text.split("&") if not _MALFORMED.search(pair))
    return parse_qsl(sound.replace("+", "%20"), keep_blank_values=True, errors="replace")


def shown(method: str, url: Url | str) -> str:
    """``Post "<url>"``, as Go's errors begin; a password in the URL is masked."""
    parsed = parse_url(url) if isinstance(url, str) else url
    return f"{method.capitalize()} {quote(parsed.masked)}"


def shown_request(request: HttpRequest) -> str:
    """``shown`` for a whole request."""
    return shown(request.method, request.url)


def shortened(text: str, max_chars: int = _MAX_SHOWN_CHARACTERS) -> str:
    """What a server said, as far as a message can bear it.

    By the three dots ``gateway/secrets.py`` sees that half a secret may stand before them.
    """
    return text if len(text) <= max_chars else f"{text[:max_chars]}..."


def with_client_limit(failure: NoAnswer) -> str:
    """A failure as Go's client words it when the time limit is its own (http.Client.Timeout)."""
    if failure.cause != DEADLINE_EXCEEDED:
        return str(failure)
    if failure.stage is Stage.READING_BODY:
        return f"{failure} (Client.Timeout or context cancellation while reading body)"
    return f"{failure} (Client.Timeout exceeded while awaiting headers)"


def as_received(failure: NoAnswer) -> str:
    """The same where Argo reads the body itself, for ``web`` and ``datadog``."""
    is_begun = failure.stage is Stage.READING_BODY
    return f"{'Received no bytes in response: ' * is_begun}{with_client_limit(failure)}"


class Deadline:
    """One time limit over all requests of a measurement."""

    def __init__(self, timeout_s: float) -> None:
        self._clock_s = asyncio.get_running_loop().time
        self._until_s = self._clock_s() + timeout_s

    @property
    def remaining_s(self) -> float:
        """Seconds that are left; not positive once the limit has passed."""
        return self._until_s - self._clock_s()


async def exchange(
    context: Context,
    request: HttpRequest,
    read: Callable[[HttpResponse], Read],
    *,
    timeout_s: float,
    told: Callable[[NoAnswer], str] = with_client_limit,
) -> Read:
    """What ``read`` makes of the answer to a request; ``told`` words that none came.

    Raises:
        ProviderUnreachable: no whole answer came within ``timeout_s`` seconds.
        ProviderError: what ``read`` and the port raise.

    """
    try:
        response = await context.http.send(request, timeout_s=timeout_s)
    except NoAnswer as failure:
        raise ProviderUnreachable(told(failure)) from failure
    return await read_beside_the_loop(response, partial(read, response), context.threads)


SMALL_BYTES = 64 * 1024
"""Larger answers take long enough to read that other callers would notice."""


async def read_beside_the_loop(
    response: HttpResponse, read: Callable[[], Read], threads: Executor
) -> Read:
    """What ``read`` makes of an answer; a large one is read in a thread.

    Raises: what ``read`` raises.
    """
    if len(response.body) <= SMALL_BYTES:
        return read()
    return await asyncio.get_running_loop().run_in_executor(threads, read)
