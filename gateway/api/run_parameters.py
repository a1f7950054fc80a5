"""Query parameters and headers of the calls about runs."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import orjson
from aiohttp import web

from gateway.api.parameters import (
    ARGUMENT_PREFIX,
    StatusMode,
    Wait,
    is_true,
    prefixed,
    single_values,
    status_mode,
    values,
    wait_of,
)
from gateway.config.settings import Settings
from gateway.errors import RequestInvalid
from gateway.model import Phase
from gateway.names import is_label_key, is_label_value
from gateway.runs.store import Filter, Idempotency

LABEL_PREFIX: Final = "labels."
OF_NEW: Final = frozenset({"namespace", "dryRun", "wait", "gate"})
"""What starting a run understands, beside ``args.NAME`` and ``labels.NAME``."""
OF_ONE: Final = frozenset({"wait", "gate"})
"""What reading a run understands."""
OF_VERDICT: Final = frozenset({"wait", "gate", "errors"})
"""What reading a run's verdict understands."""
OF_EVENTS: Final = frozenset({"lastEventId"})
"""What following a run understands."""
OF_LIST: Final = frozenset(
    {
        *("namespace", "template", "phase", "label", "createdAfter", "createdBefore"),
        *("limit", "continue"),
    }
)
"""What listing runs understands."""
DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 500
"""Runs on one page."""
_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")
_TIME: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
_LIMIT: Final = re.compile(r"[0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class NewRunParameters:
    """The parameters of a call that starts a run."""

    namespace: str | None
    wait: Wait
    status_mode: StatusMode
    is_dry_run: bool
    arguments: tuple[tuple[str, str], ...] = field(repr=False)
    labels: Mapping[str, str]
    key: str | None
    """What makes a repeated request known."""

    def idempotency(self, body: bytes, *, owner: str) -> Idempotency | None:
        """The caller's key, and a digest of all that makes the run what it is; None without one."""
        if self.key is None:
            return None
        parts = [
            self.namespace,
            self.is_dry_run,
            sorted(self.arguments),
            sorted(self.labels.items()),
        ]
        digest = hashlib.sha256(orjson.dumps(parts))
        digest.update(body)
        return Idempotency(self.key, digest.hexdigest(), owner)


@dataclass(frozen=True, slots=True)
class ListParameters:
    """The parameters of a call that lists runs."""

    wanted: Filter
    limit: int
    cursor: str | None


def read_new(request: web.Request, settings: Settings) -> NewRunParameters:
    """The parameters of a call that starts a run.

    Raises:
        RequestInvalid: for one that is unknown, repeated or malformed.

    """
    query = single_values(
        request.rel_url.raw_query_string, known=OF_NEW, prefixes=(ARGUMENT_PREFIX, LABEL_PREFIX)
    )
    labels = dict(prefixed(query, LABEL_PREFIX))
    for key, value in labels.items():
        _check_label(f"{LABEL_PREFIX}{key}", key, value)
    return NewRunParameters(
        namespace=query.get("namespace") or None,
        wait=_wait(request, query, settings),
        status_mode=status_mode(query),
        is_dry_run=is_true(query, "dryRun"),
        arguments=prefixed(query, ARGUMENT_PREFIX),
        labels=labels,
        key=_idempotency_key(request),
    )


def read_one(request: web.Request, settings: Settings) -> tuple[Wait, StatusMode]:
    """How long the caller waits, and what the status is to speak of. Raises RequestInvalid."""
    query = single_values(request.rel_url.raw_query_string, known=OF_ONE, prefixes=())
    return _wait(request, query, settings), status_mode(query)


def read_verdict(request: web.Request, settings: Settings) -> tuple[Wait, StatusMode]:
    """How long the caller waits, and what the status is to speak of. Raises RequestInvalid."""
    query = single_values(request.rel_url.raw_query_string, known=OF_VERDICT, prefixes=())
    return _wait(request, query, settings), status_mode(query)


def read_last_event(request: web.Request) -> str | None:
    """The id of the last event that the caller has, None if there is none.

    The query is for clients that cannot send the header; where there are both, the header is newer.

    Raises:
        RequestInvalid: a parameter that is unknown or repeated.

    """
    query = single_values(request.rel_url.raw_query_string, known=OF_EVENTS, prefixes=())
    return request.headers.get("Last-Event-ID") or query.get("lastEventId") or None


def read_nothing(request: web.Request) -> None:
    """There are no parameters. Raises RequestInvalid if there are."""
    single_values(request.rel_url.raw_query_string, known=frozenset(), prefixes=())


def read_list(request: web.Request) -> ListParameters:
    """The parameters of a call that lists runs.

    Raises:
        RequestInvalid: for one that is unknown, repeated or malformed.

    """
    found = values(
        request.rel_url.raw_query_string,
        known=OF_LIST,
        prefixes=(),
        repeatable=frozenset({"label"}),
    )
    query = {name: given[0] for name, given in found.items()}
    wanted = Filter(
        namespace=query.get("namespace") or None,
        template=query.get("template") or None,
        phase=phase_of(query.get("phase")),
        labels=dict(_label(text) for text in found.get("label", ())),
        created_after_unix_s=time_of(query, "createdAfter"),
        created_before_unix_s=time_of(query, "createdBefore"),
    )
    return ListParameters(wanted, limit_of(query.get("limit")), query.get("continue") or None)


def _wait(request: web.Request, query: Mapping[str, str], settings: Settings) -> Wait:
    prefer = request.headers.get("Prefer", "")
    return wait_of(query, prefer, default_s=0, max_s=settings.runs.max_wait_s)


def _idempotency_key(request: web.Request) -> str | None:
    given = request.headers.getall("Idempotency-Key", [])
    if not given:
        return None
    if len(given) > 1 or not _KEY.fullmatch(given[0]):
        raise RequestInvalid(
            "Idempotency-Key: must be given once, as 1 to 255 visible ASCII characters"
        )
    return given[0]


def phase_of(text: str | None) -> Phase | None:
    """The phase of that name. Raises RequestInvalid."""
    if text is None:
        return None
    try:
        return Phase(text)
    except ValueError:
        known = ", ".join(Phase)
        raise RequestInvalid(f"query parameter 'phase' must be one of {known}") from None


def _label(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise RequestInvalid("query parameter 'label' must be KEY=VALUE, percent-encoded: team%3Da")
    _check_label("label", key, value)
    return key, value


def _check_label(name: str, key: str, value: str) -> None:
    if not is_label_key(key) or not is_label_value(value):
        raise RequestInvalid(
            f"query parameter {name!r}: key and value of a label are up to 63 letters, digits,"
            " '-', '_' and '.', with a letter or a digit at both ends"
        )


def time_of(query: Mapping[str, str], name: str) -> float | None:
    """The time in a parameter, in Unix seconds. Raises RequestInvalid."""
    text = query.get(name)
    if text is None:
        return None
    moment = _unix_s(text)
    if moment is None:
        raise RequestInvalid(
            f"query parameter {name!r} must be a time such as 2026-11-23T15:04:05Z"
            " (RFC 3339; a + is written %2B)"
        )
    return moment


def _unix_s(text: str) -> float | None:
    if not _TIME.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper()).timestamp()
    except (ValueError, OverflowError):
        return None


def limit_of(text: str | None) -> int:
    """How many a page has at most. Raises RequestInvalid."""
    if text is None:
        return DEFAULT_LIMIT
    if not _LIMIT.fullmatch(text) or not 1 <= int(text) <= MAX_LIMIT:
        raise RequestInvalid(f"query parameter 'limit' must be a number from 1 to {MAX_LIMIT}")
    return int(text)
