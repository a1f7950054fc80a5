"""Errors as ``application/problem+json``: whatever goes wrong, a caller reads one shape."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Final

import orjson
from aiohttp import web
from aiohttp.typedefs import Middleware

from gateway.errors import (
    GatewayError,
    Problem,
    RequestInvalid,
    TemplateInvalid,
    TemplateNotFound,
)
from gateway.telemetry import Telemetry

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_STATUS_BY_ERROR: Final[Mapping[type[GatewayError], int]] = {
    RequestInvalid: 400,
    TemplateNotFound: 404,
    TemplateInvalid: 422,
}
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


def error_middleware(telemetry: Telemetry) -> Middleware:
    """Turn every failure of a handler into a problem document, and count every answer."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        started_s = time.perf_counter()
        response = await _guarded(request, handler)
        telemetry.answered(
            route=_route(request), status=response.status, took_s=time.perf_counter() - started_s
        )
        return response

    return middleware


async def _guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except asyncio.CancelledError:
        raise
    except web.HTTPException as error:
        return _http_problem(error)
    except RequestRefused as error:
        return problem(error.status, str(error), slug=error.slug)
    except TemplateInvalid as error:
        return problem(422, str(error), slug=error.slug, problems=error.problems)
    except tuple(_STATUS_BY_ERROR) as error:
        return problem(_status_of(error), str(error), slug=error.slug)
    except Exception:  # noqa: BLE001 - the edge: a caller gets a sentence, the log the traceback
        _log.exception("a request could not be served", extra={"path": request.path})
        return problem(
            500,
            "the gateway failed to serve this request; its log says more",
            slug="internal_error",
        )


def _status_of(error: GatewayError) -> int:
    return next(status for kind, status in _STATUS_BY_ERROR.items() if isinstance(error, kind))


def _http_problem(error: web.HTTPException) -> web.Response:
    kept = {name: error.headers[name] for name in ("Allow",) if name in error.headers}
    detail = _HELP.get(error.status, error.reason)
    return problem(error.status, detail, slug="http_error", headers=kept)


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "none"
