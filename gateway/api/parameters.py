"""Query parameters and headers to typed values; every complaint names the parameter."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from aiohttp import hdrs, web
from multidict import istr
from yarl import URL

from gateway.durations import parse_duration_s
from gateway.errors import RequestInvalid
from gateway.settings import Settings

ARGUMENT_PREFIX: Final = "args."
OF_NAMESPACED: Final = frozenset({"wait", "maxAge", "gate", "errors", "dryRun", "explain"})
"""What a verdict call understands whose path names the namespace."""
OF_OTHERS: Final = OF_NAMESPACED | {"namespace"}
"""What the other verdict calls understand."""
_PREFER: Final = istr("Prefer")
_MAX_AGE = re.compile(r"max-age=\"?(\d{1,9})", re.IGNORECASE)
_PREFER_WAIT = re.compile(r"wait=(\d{1,9})", re.IGNORECASE)


class StatusMode(Enum):
    """What the status code of an answer speaks about."""

    REQUEST = "request"
    """200 for every verdict: the caller reads the body, as Argo's Web metric does."""
    ERRORS = "errors"
    """As REQUEST, but 503 when the analysis could not be judged."""
    GATE = "gate"
    """The verdict itself: for ``curl --fail`` and webhooks."""


class Given(NamedTuple):
    """The parts of a request that hold parameters, as they came: equal parts mean the same."""

    query_string: str
    prefer: str
    cache_control: str


def given(request: web.Request) -> Given:
    """The parts of this request."""
    headers = request.headers
    return Given(
        request.rel_url.raw_query_string,
        ",".join(headers.getall(_PREFER, ())),
        ",".join(headers.getall(hdrs.CACHE_CONTROL, ())),
    )


@dataclass(frozen=True, slots=True)
class Wait:
    """How long a caller waits."""

    seconds: float
    is_preference: bool
    """Whether it came with ``Prefer``, and so is owed a ``Preference-Applied``."""

    def headers(self) -> dict[str, str]:
        """What is owed."""
        return {"Preference-Applied": f"wait={self.seconds:g}"} if self.is_preference else {}


@dataclass(frozen=True, slots=True)
class VerdictParameters:
    """The parameters that all verdict calls share."""

    namespace: str | None
    wait: Wait
    max_age_s: float | None
    """None if the caller did not say; 0 measures anew."""
    status_mode: StatusMode
    is_dry_run: bool
    is_explained: bool
    """Whether the caller wants to see requests and answers."""
    arguments: tuple[tuple[str, str], ...]


def read(parts: Given, settings: Settings, *, known: frozenset[str]) -> VerdictParameters:
    """The parameters of a verdict call.

    Raises:
        RequestInvalid: for a parameter that is unknown, repeated or malformed.

    """
    query = single_values(parts.query_string, known=known)
    waits = settings.verdicts
    return VerdictParameters(
        namespace=query.get("namespace") or None,
        wait=wait_of(query, parts.prefer, default_s=waits.wait_s, max_s=waits.max_wait_s),
        max_age_s=_max_age_s(query.get("maxAge"), parts.cache_control),
        status_mode=status_mode(query),
        is_dry_run=is_true(query, "dryRun"),
        is_explained=is_true(query, "explain"),
        arguments=prefixed(query, ARGUMENT_PREFIX),
    )


def single_values(
    query_string: str, *, known: frozenset[str], prefixes: tuple[str, ...] = (ARGUMENT_PREFIX,)
) -> dict[str, str]:
    """The query as a dict; ``args.NAME`` is known unless ``prefixes`` says otherwise.

    Raises:
        RequestInvalid: for a parameter that is unknown, given twice, or no UTF-8.

    """
    found = values(query_string, known=known, prefixes=prefixes, repeatable=frozenset())
    return {name: value for name, (value,) in found.items()}


def values(
    query_string: str,
    *,
    known: frozenset[str],
    prefixes: tuple[str, ...],
    repeatable: frozenset[str],
) -> dict[str, list[str]]:
    """The query, with all values of each parameter in their order.

    Args:
        query_string: percent-encoded.
        known: the names that the call understands.
        prefixes: what further names begin with: ``args.``.
        repeatable: those of ``known`` that may be given more than once.

    Raises:
        RequestInvalid: for a parameter that is unknown, given too often, or no UTF-8.

    """
    _see_it_is_utf8(query_string)
    found: dict[str, list[str]] = {}
    for name, value in URL.build(query_string=query_string, encoded=True).query.items():
        is_prefixed = name.startswith(prefixes) and name not in prefixes
        if name not in known and not is_prefixed:
            expected = ", ".join([*sorted(known), *(f"{prefix}NAME" for prefix in prefixes)])
            raise RequestInvalid(f"query parameter {name!r} is unknown; known: {expected}")
        if name in found and name not in repeatable:
            raise RequestInvalid(f"query parameter {name!r} is given more than once")
        found.setdefault(name, []).append(value)
    return found


def _see_it_is_utf8(query_string: str) -> None:
    # Bytes that are none would stay percent-encoded, and be taken for the text "%FF".
    try:
        unquote_to_bytes(query_string).decode()
    except UnicodeError:
        raise RequestInvalid("the query is not valid UTF-8") from None


def prefixed(query: Mapping[str, str], prefix: str) -> tuple[tuple[str, str], ...]:
    """Names without the prefix, and values, of the parameters that have it."""
    return tuple(
        (name.removeprefix(prefix), value)
        for name, value in query.items()
        if name.startswith(prefix)
    )


def wait_of(query: Mapping[str, str], prefer: str, *, default_s: float, max_s: float) -> Wait:
    """The wait that the query asks for, else the ``Prefer`` header; never more than ``max_s``.

    Raises:
        RequestInvalid: it is no duration.

    """
    preferred = _PREFER_WAIT.search(prefer)
    if "wait" in query:
        wait = Wait(_duration_s("wait", query["wait"]), is_preference=False)
    elif preferred is not None:
        wait = Wait(float(preferred.group(1)), is_preference=True)
    else:
        return Wait(default_s, is_preference=False)
    return replace(wait, seconds=min(wait.seconds, max_s))


def _max_age_s(text: str | None, cache_control: str) -> float | None:
    if text is not None:
        return _duration_s("maxAge", text)
    directives = cache_control.lower()
    if "no-cache" in directives or "no-store" in directives:
        return 0.0
    found = _MAX_AGE.search(directives)
    return float(found.group(1)) if found else None


def _duration_s(name: str, text: str) -> float:
    try:
        seconds = parse_duration_s(text)
    except ValueError as error:
        raise RequestInvalid(f"query parameter {name!r}: {error}; write it like 8s or 1m") from None
    if seconds < 0:
        raise RequestInvalid(f"query parameter {name!r} must not be negative")
    return seconds


def status_mode(query: Mapping[str, str]) -> StatusMode:
    """What ``gate`` and ``errors`` say. Raises RequestInvalid for other values than theirs."""
    if is_true(query, "gate"):
        return StatusMode.GATE
    if "errors" not in query:
        return StatusMode.REQUEST
    if query["errors"] != "status":
        raise RequestInvalid("query parameter 'errors' can only be 'status'")
    return StatusMode.ERRORS


def is_true(query: Mapping[str, str], name: str) -> bool:
    """Whether a parameter says ``true``. Raises RequestInvalid unless it is true or false."""
    text = query.get(name, "false")
    if text not in {"true", "false"}:
        raise RequestInvalid(f"query parameter {name!r} must be true or false")
    return text == "true"
