"""Errors as ``application/problem+json``: whatever goes wrong, a caller reads one shape."""

import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Final

import orjson
from aiohttp import web
from aiohttp.typedefs import Middleware

from gateway.errors import (
    AccessDenied,
    ClusterUnavailable,
    CredentialMissing,
    CredentialRefused,
    CredentialUnchecked,
    GatewayError,
    IdempotencyKeyReused,
    JobsForbidden,
    Problem,
    RequestInvalid,
    RunNotFound,
    RunUnderWay,
    StoreUnavailable,
    TemplateInvalid,
    TemplateNotFound,
    TooManyRequests,
    TooManyRuns,
)
from gateway.telemetry import Telemetry

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
AnswersFailure = Callable[[web.Request, GatewayError], Awaitable[web.StreamResponse]]
"""What a caller gets for a request that failed; what it raises becomes a problem document."""

RETRY_AFTER_S: Final = 1
"""When to ask again for what is under way, or cannot be had right now."""
_STATUS_BY_ERROR: Final[Mapping[type[GatewayError], int]] = {
    RequestInvalid: 400,
    CredentialMissing: 401,
    AccessDenied: 403,
    CredentialUnchecked: 503,
    TemplateNotFound: 404,
    RunNotFound: 404,
    RunUnderWay: 409,
    IdempotencyKeyReused: 422,
    TooManyRuns: 429,
    TooManyRequests: 429,
    ClusterUnavailable: 503,
    StoreUnavailable: 503,
}
_CHALLENGE: Final = 'Bearer realm="analysis-gateway"'
_PASSING: Final = frozenset({429, 503})
"""What may be over soon."""
_HELP: Final[Mapping[int, str]] = {
    404: "there is nothing at this path; /openapi.yaml lists what there is",
    405: "this path does not answer that method",
    413: "the request body is larger than this gateway accepts",
}
_log = logging.getLogger(__name__)


class RequestRefused(GatewayError):
    """The request was understood and will not be served: a status with a sentence."""

    slug = "request_refused"

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def problem(
    status: int,
    detail: str,
    *,
    slug: str,
    problems: Iterable[Problem] = (),
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """A problem document (RFC 9457) that also carries a verdict's ``phase``, ``ok``, ``reason``."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "phase": "Error",
        "ok": False,
        "reason": detail,
        "error": slug,
        "problems": [{"path": each.path, "message": each.message} for each in problems],
    }
    return web.Response(
        status=status,
        body=orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE),
        content_type="application/problem+json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


async def as_problem(request: web.Request, error: GatewayError) -> web.StreamResponse:
    """Answer every failure with a problem document."""
    return refused(request, error)


def error_middleware(
    telemetry: Telemetry, answer_failure: AnswersFailure = as_problem
) -> Middleware:
    """Turn every failure of a handler into an answer, and count every answer."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        started_s = time.perf_counter()
        try:
            # What only failures need is no middleware: every request would go through it.
            try:
                response = await handler(request)
            except GatewayError as error:
                response = await answer_failure(request, error)
        except web.HTTPException as error:
            response = _http_problem(error)
        except GatewayError as error:
            response = refused(request, error)
        except Exception:  # noqa: BLE001 - a caller gets a sentence, the log the traceback
            _log.exception("a request could not be served", extra={"path": request.path})
            detail = "the gateway failed to serve this request; its log says more"
            response = problem(500, detail, slug="internal_error")
        telemetry.answered(
            route=_route(request), status=response.status, took_s=time.perf_counter() - started_s
        )
        return response

    return middleware


def refused(request: web.BaseRequest, error: GatewayError) -> web.Response:
    """The problem document of a failure, of which the log tells, too."""
    response = refusal(error)
    if isinstance(error, TooManyRequests):
        # Who lets callers in tells it, and not each time.
        return response
    # Callers such as Argo keep the status and nothing else. The sentence may quote them.
    keys = {"status": response.status, "error": error.slug, "path": request.rel_url.raw_path}
    _log.info("refused", extra=keys)
    return response


def refusal(
    error: GatewayError, *, addition: str = "", headers: Mapping[str, str] | None = None
) -> web.Response:
    """The problem document of a failure; ``addition`` is said behind the failure's own words."""
    problems = error.problems if isinstance(error, TemplateInvalid) else ()
    status = _status(error)
    named = {**(headers or {})}
    if status in _PASSING:
        known_s = error.retry_after_s if isinstance(error, TooManyRequests) else RETRY_AFTER_S
        named["Retry-After"] = str(known_s)
    if isinstance(error, CredentialMissing):
        # Source: RFC 6750, section 3.
        is_refused = isinstance(error, CredentialRefused)
        named["WWW-Authenticate"] = _CHALLENGE + (', error="invalid_token"' * is_refused)
    return problem(status, f"{error}{addition}", slug=error.slug, problems=problems, headers=named)


def _status(error: GatewayError) -> int:
    match error:
        case RequestRefused():
            return error.status
        case JobsForbidden():
            return 403
        case TemplateInvalid():
            return 422
        case _:
            known = (_STATUS_BY_ERROR.get(kind) for kind in type(error).__mro__)
            return next((status for status in known if status is not None), 500)


def _http_problem(error: web.HTTPException) -> web.Response:
    kept = {name: error.headers[name] for name in ("Allow",) if name in error.headers}
    detail = _HELP.get(error.status, error.reason)
    return problem(error.status, detail, slug="http_error", headers=kept)


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "none"
