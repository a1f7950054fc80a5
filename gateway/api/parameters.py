"""Query parameters and headers to typed values; every complaint names the parameter."""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from aiohttp import web
from yarl import URL

from gateway.durations import parse_duration_s
from gateway.errors import RequestInvalid
from gateway.settings import Settings

ARGUMENT_PREFIX: Final = "args."
OF_NAMESPACED: Final = frozenset({"wait", "maxAge", "gate", "errors", "dryRun"})
"""What a verdict call understands whose path names the namespace."""
OF_OTHERS: Final = OF_NAMESPACED | {"namespace"}
"""What the other verdict calls understand."""
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_MAX_AGE = re.compile(r"max-age=(\d{1,9})", re.IGNORECASE)
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
        headers.get("Prefer", ""),
        headers.get("Cache-Control", ""),
    )


@dataclass(frozen=True, slots=True)
class VerdictParameters:
    """The parameters that all verdict calls share."""

    namespace: str | None

    wait_s: float
    prefers_wait: bool
    """Whether the wait came with ``Prefer``, and so is owed a ``Preference-Applied``."""
    max_age_s: float | None
    """None if the caller did not say; 0 measures anew."""
    status_mode: StatusMode
    is_dry_run: bool
    arguments: tuple[tuple[str, str], ...]


def read(parts: Given, settings: Settings, *, known: frozenset[str]) -> VerdictParameters:
    """The parameters of a verdict call.

    Raises:
        RequestInvalid: for a parameter that is unknown, repeated or malformed.

    """
    query = single_values(parts.query_string, known=known)
    preferred = _PREFER_WAIT.search(parts.prefer)
    return VerdictParameters(
        namespace=query.get("namespace") or None,
        wait_s=_wait_s(query.get("wait"), preferred, settings),
        prefers_wait=preferred is not None and "wait" not in query,
        max_age_s=_max_age_s(query.get("maxAge"), parts.cache_control),
        status_mode=_status_mode(query),
        is_dry_run=_is_true("dryRun", query.get("dryRun", "false")),
        arguments=tuple(
            (name.removeprefix(ARGUMENT_PREFIX), value)
            for name, value in query.items()
            if name.startswith(ARGUMENT_PREFIX)
        ),
    )


def single_values(query_string: str, *, known: frozenset[str]) -> dict[str, str]:
    """The query as a dict; ``args.NAME`` is always known.

    Raises:
        RequestInvalid: for a parameter that is unknown, given twice, or no UTF-8.

    """
    values: dict[str, str] = {}
    for name, value in URL.build(query_string=query_string, encoded=True).query.items():
        if name not in known and not (name.startswith(ARGUMENT_PREFIX) and name != ARGUMENT_PREFIX):
            expected = ", ".join([*sorted(known), "args.NAME"])
            raise RequestInvalid(f"query parameter {name!r} is unknown; known: {expected}")
        if name in values:
            raise RequestInvalid(f"query parameter {name!r} is given more than once")
        if not value.isascii() and _SURROGATE.search(value):
            raise RequestInvalid(f"query parameter {name!r} is not valid UTF-8")
        values[name] = value
    return values


def _wait_s(text: str | None, preferred: re.Match[str] | None, settings: Settings) -> float:
    if text is not None:
        wait_s = _duration_s("wait", text)
    elif preferred is not None:
        wait_s = float(preferred.group(1))
    else:
        return settings.verdicts.wait_s
    return min(wait_s, settings.verdicts.max_wait_s)


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


def _status_mode(query: dict[str, str]) -> StatusMode:
    if _is_true("gate", query.get("gate", "false")):
        return StatusMode.GATE
    if "errors" not in query:
        return StatusMode.REQUEST
    if query["errors"] != "status":
        raise RequestInvalid("query parameter 'errors' can only be 'status'")
    return StatusMode.ERRORS


def _is_true(name: str, text: str) -> bool:
    if text not in {"true", "false"}:
        raise RequestInvalid(f"query parameter {name!r} must be true or false")
    return text == "true"
