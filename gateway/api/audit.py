"""``GET /v1/audit``, and the entries of who is not let through."""

import re
import time
from collections.abc import Mapping
from typing import Any, Final, Protocol

from aiohttp import web

from gateway.access.caller import Caller
from gateway.access.policy import EVERYWHERE, Action, Wanted
from gateway.access.rights import Rights
from gateway.api.callers import caller_of, known_caller_of
from gateway.api.parameters import single_values
from gateway.api.problems import AnswersFailure, RequestRefused
from gateway.api.run_answers import answer
from gateway.api.run_parameters import limit_of, phase_of, time_of
from gateway.audit import Audit, Call, Entry
from gateway.audit_trail import Page
from gateway.audit_trail import Wanted as WantedEntry
from gateway.errors import (
    AccessDenied,
    CredentialMissing,
    GatewayError,
    JobsForbidden,
    RequestInvalid,
)

OF_AUDIT: Final = frozenset({"limit", "since", "namespace", "caller", "phase", "continue"})
"""What the call understands."""
_CURSOR: Final = re.compile(r"\d{1,19}-\d{1,19}")


class ReadsAudit(Protocol):
    """Where entries are kept."""

    @property
    def has_stream(self) -> bool:
        """Whether there is anything to read."""

    async def read(
        self, wanted: WantedEntry, *, limit: int, cursor: str | None, since_unix_s: float | None
    ) -> Page:
        """The newest wanted entries. Raises StoreUnavailable."""


class AuditCalls:
    """``/v1/audit``."""

    def __init__(self, trail: ReadsAudit, rights: Rights) -> None:
        self._trail = trail
        self._rights = rights

    def routes(self) -> list[web.RouteDef]:
        """The path that this resource answers."""
        return [web.get("/v1/audit", self.list)]

    async def list(self, request: web.Request) -> web.Response:
        """A page of entries, newest first, of the namespaces that the caller is admin of."""
        caller = caller_of(request)
        self._rights.check_any(caller, Action.ADMIN)
        query = single_values(request.rel_url.raw_query_string, known=OF_AUDIT, prefixes=())
        phase_of(query.get("phase"))
        limit, since_unix_s = limit_of(query.get("limit")), time_of(query, "since")
        cursor = _cursor(query.get("continue"))
        if "namespace" in query:
            self._rights.check(caller, Wanted(Action.ADMIN, query["namespace"]))
        if not self._trail.has_stream:
            raise RequestRefused(404, "audit.entries is 0: the audit is in the log only")
        page = await self._trail.read(
            self._wanted(caller, query), limit=limit, cursor=cursor, since_unix_s=since_unix_s
        )
        more = {} if page.cursor is None else {"continue": page.cursor}
        return answer({"metadata": more, "items": page.entries})

    def _wanted(self, caller: Caller, query: Mapping[str, str]) -> WantedEntry:
        named = {key: query[key] for key in ("namespace", "caller", "phase") if key in query}

        def is_wanted(entry: Mapping[str, Any]) -> bool:
            if any(entry.get(key, "") != value for key, value in named.items()):
                return False
            # What is of no namespace may be of any.
            place = entry.get("namespace", EVERYWHERE)
            return self._rights.may(caller, Wanted(Action.ADMIN, place))

        return is_wanted


def noting_refusals(audit: Audit, answer_failure: AnswersFailure) -> AnswersFailure:
    """Note everybody who is not let through, and answer as ``answer_failure`` does."""

    async def answer(request: web.Request, error: GatewayError) -> web.StreamResponse:
        if isinstance(error, CredentialMissing | AccessDenied | JobsForbidden):
            audit.note(_refused(request, error))
        return await answer_failure(request, error)

    return answer


def _refused(request: web.Request, error: GatewayError) -> Entry:
    caller = known_caller_of(request)
    return Entry(
        at_unix_s=time.time(),
        call=Call.REFUSED,
        caller="" if caller is None else caller.name,
        path=request.rel_url.raw_path,
        reason=str(error),
    )


def _cursor(text: str | None) -> str | None:
    if text is not None and not _CURSOR.fullmatch(text):
        raise RequestInvalid("query parameter 'continue' must be what the page before gave")
    return text
