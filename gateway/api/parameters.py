"""Query parameters and headers to typed values; every complaint names the parameter."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from aiohttp import web

from gateway.durations import parse_duration_s
from gateway.errors import RequestInvalid
from gateway.settings import Settings

ARGUMENT_PREFIX: Final = "args."
COMMON: Final = frozenset({"wait", "maxAge", "gate", "errors", "dryRun"})
"""What every verdict call understands."""
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


@dataclass(frozen=True, slots=True)
class VerdictParameters:
    """The parameters that all verdict calls share."""

    wait_s: float
    prefers_wait: bool
    """Whether the wait came with ``Prefer``, and so is owed a ``Preference-Applied``."""
    max_age_s: float | None
    """None if the caller did not say; 0 measures anew."""
    status_mode: StatusMode
    is_dry_run: bool
    arguments: tuple[tuple[str, str], ...]


def read(
    request: web.Request, settings: Settings, *, also: Iterable[str] = ()
) -> VerdictParameters:
    """The parameters of a verdict call.

    Raises:
        RequestInvalid: for a parameter that is unknown, repeated or malformed.

    """
    query = single_values(request, known=COMMON.union(also))
    preferred = _PREFER_WAIT.search(request.headers.get("Prefer", ""))
    return VerdictParameters(
        wait_s=_wait_s(query.get("wait"), preferred, settings),
        prefers_wait=preferred is not None and "wait" not in query,
        max_age_s=_max_age_s(query.get("maxAge"), request.headers.get("Cache-Control", "")),
        status_mode=_status_mode(query),
        is_dry_run=_is_true("dryRun", query.get("dryRun", "false")),
        arguments=tuple(
            (name.removeprefix(ARGUMENT_PREFIX), value)
            for name, value in query.items()
            if name.startswith(ARGUMENT_PREFIX)
        ),
    )


def single_values(request: web.Request, *, known: frozenset[str]) -> dict[str, str]:
    """The query as a dict; ``args.NAME`` is always known.

    Raises:
        RequestInvalid: for a parameter that is unknown or given twice.

    """
    values: dict[str, str] = {}
    for name, value in request.query.items():
        if name not in known and not (name.startswith(ARGUMENT_PREFIX) and name != ARGUMENT_PREFIX):
            expected = ", ".join(sorted(known))
            raise RequestInvalid(
                f"query parameter {name!r} is unknown; known are {expected} and args.NAME"
            )
        if name in values:
            raise RequestInvalid(f"query parameter {name!r} is given more than once")
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
