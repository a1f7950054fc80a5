"""What a vendor tells of its rate limits in the headers of an answer.

Three families of headers say the same in different words:

    X-RateLimit-Remaining, -Limit, -Reset    Datadog, Dynatrace, GitHub, Envoy
    RateLimit-Remaining, -Limit, -Reset      the IETF's drafts up to 06
    RateLimit, RateLimit-Policy              Honeycomb and the IETF's drafts since 07

They differ in how they tell the time of the reset: seconds from now, or an instant in Unix seconds,
milliseconds or microseconds. The size of the number tells which. What cannot be read is ignored:
these headers are hints.

``Retry-After`` is a number of seconds or a date, which Honeycomb writes as in RFC 3339.

Sources: RFC 9110 section 10.2.3; docs.datadoghq.com/api/latest/rate-limits (seconds);
Dynatrace/dynatrace-configuration-as-code pkg/rest/rate_limit.go @ 07e693f82 (microseconds, and
nothing of what remains); draft-ietf-httpapi-ratelimit-headers-06 and -10;
docs.honeycomb.io/api/rate-limit.
"""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

Headers = Mapping[str, str]
"""Case-insensitive for reading."""

LONGEST_S: Final = 366 * 86_400.0
"""Nobody means a longer time: what is larger is ignored."""
TOO_MANY_REQUESTS: Final = 429
_UNAVAILABLE: Final = 503
_TRIPLES: Final = tuple(
    (f"{prefix}-Remaining", f"{prefix}-Limit", f"{prefix}-Reset")
    for prefix in ("X-RateLimit", "RateLimit")
)
_NUMBER: Final = re.compile(r"[0-9]{1,16}(?:\.[0-9]{1,9})?")
_INSTANTS: Final = ((1e14, 1e-6), (1e11, 1e-3), (1e9, 1.0))
"""From which size on a number is an instant, and what its unit is in seconds."""
_MAX_DATE_CHARS: Final = 64


@dataclass(frozen=True, slots=True)
class Quota:
    """What a vendor lets one still ask; None is what it did not tell."""

    remaining: float | None
    limit: float | None = None
    resets_in_s: float | None = None


def quota_in(headers: Headers, *, now_unix_s: float) -> Quota | None:
    """The quota that the headers tell of, None if they do not; of several the scarcest."""
    for remaining, limit, reset in _TRIPLES:
        if remaining in headers or reset in headers:
            return Quota(
                _number(headers.get(remaining, "")),
                _number(headers.get(limit, "")),
                _seconds(headers.get(reset, ""), now_unix_s),
            )
    field = headers.get("RateLimit")
    if field is None:
        return None
    return _scarcest(field, headers.get("RateLimit-Policy", ""), now_unix_s)


def silence_s(status: int, headers: Headers, *, now_unix_s: float) -> float | None:
    """For how many seconds a vendor wants to hear nothing, None if the answer does not say.

    With 429 that is ``Retry-After``, else the time until the quota is reset, unless something of it
    remains. With 503 it is ``Retry-After``. Other answers ask for nothing.
    """
    if status not in {TOO_MANY_REQUESTS, _UNAVAILABLE}:
        return None
    text = headers.get("Retry-After")
    wait_s = None if text is None else _retry_after_s(text, now_unix_s)
    if wait_s is not None or status != TOO_MANY_REQUESTS:
        return wait_s
    quota = quota_in(headers, now_unix_s=now_unix_s)
    if quota is None or (quota.remaining is not None and quota.remaining >= 1):
        return None
    return quota.resets_in_s


def _retry_after_s(text: str, now_unix_s: float) -> float | None:
    seconds = _number(text)
    if seconds is not None:
        return seconds if seconds <= LONGEST_S else None
    return _until(_date_unix_s(text), now_unix_s)


def _date_unix_s(text: str) -> float | None:
    if len(text) > _MAX_DATE_CHARS:
        return None
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        # The standard library's parsers are not careful with what is no date at all.
        with suppress(ValueError, TypeError, IndexError, OverflowError):
            return _in_utc(parse(text)).timestamp()
    return None


def _in_utc(instant: datetime) -> datetime:
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


def _seconds(text: str, now_unix_s: float) -> float | None:
    number = _number(text)
    if number is None:
        return None
    for size, unit_s in _INSTANTS:
        if number >= size:
            return _until(number * unit_s, now_unix_s)
    return number if number <= LONGEST_S else None


def _until(instant_unix_s: float | None, now_unix_s: float) -> float | None:
    if instant_unix_s is None or instant_unix_s - now_unix_s > LONGEST_S:
        return None
    return max(0.0, instant_unix_s - now_unix_s)


def _number(text: str) -> float | None:
    # ``100, 100;w=60``: the first is the quota, the others are policies.
    first = text.partition(",")[0].partition(";")[0].strip()
    return float(first) if _NUMBER.fullmatch(first) else None


def _scarcest(field: str, policy: str, now_unix_s: float) -> Quota | None:
    members, listed = _members(field)
    if "remaining" in members:
        return Quota(
            _number(members["remaining"]),
            _number(members.get("limit", "")),
            _seconds(members.get("reset", ""), now_unix_s),
        )
    limits = {name: _number(parameters.get("q", "")) for name, parameters in _members(policy)[1]}
    quotas = [
        Quota(
            _number(parameters.get("r", "")),
            limits.get(name),
            _seconds(parameters.get("t", ""), now_unix_s),
        )
        for name, parameters in listed
    ]
    told = [(quota.remaining, quota) for quota in quotas if quota.remaining is not None]
    return min(told, key=lambda each: each[0])[1] if told else None


def _members(field: str) -> tuple[dict[str, str], list[tuple[str, dict[str, str]]]]:
    """The members of a dictionary, and of a list with the parameters of each."""
    members: dict[str, str] = {}
    listed: list[tuple[str, dict[str, str]]] = []
    for member in field.split(","):
        name, *parameters = member.split(";")
        if "=" in name:
            members |= _pairs([name])
        else:
            listed.append((name.strip(), _pairs(parameters)))
    return members, listed


def _pairs(parts: Iterable[str]) -> dict[str, str]:
    split = (part.partition("=") for part in parts)
    return {name.strip(): value.strip() for name, _, value in split}
