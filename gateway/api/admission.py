"""Requests of known callers, let in as far as the budget of each goes."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Middleware

from gateway.access.admission import Admission
from gateway.access.policy import Policy
from gateway.api.callers import known_caller_of
from gateway.api.problems import Handler
from gateway.config.access import Access
from gateway.errors import TooManyRequests
from gateway.telemetry.callers import CallerTelemetry
from gateway.telemetry.registry import Telemetry

EXEMPT: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""What must be answered above all when somebody asks too much."""
RUNS: Final = "/v1/runs"
"""Who waits for a run, or watches one, may do so for hours, and has nothing measured by it."""
TOLD_AGAIN_S: Final = 60.0
_log: Final = logging.getLogger(__name__)


def admission_of(
    access: Access, policy: Callable[[], Policy], telemetry: Telemetry
) -> Sequence[Middleware]:
    """What keeps callers within their budgets, if they have any."""
    if not access.is_bounded:
        return ()
    clock_s = asyncio.get_running_loop().time
    admission = Admission(policy, access.budget, CallerTelemetry(telemetry), clock_s)
    return (admission_middleware(admission),)


def admission_middleware(admission: Admission) -> Middleware:
    """Let nobody have more than its budget; who makes answers of failures is around this one."""
    told_s: dict[str, float] = {}

    def tell(caller: str, error: TooManyRequests) -> None:
        # A line for each would make a flood of requests one of lines.
        now_s = time.monotonic()
        if now_s - told_s.get(caller, -TOLD_AGAIN_S) >= TOLD_AGAIN_S:
            for name in [name for name, at_s in told_s.items() if now_s - at_s >= TOLD_AGAIN_S]:
                del told_s[name]
            told_s[caller] = now_s
            keys = {"caller": caller, "reason": str(error)}
            _log.warning("a caller asks too much; told again after a minute", extra=keys)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        resource = request.match_info.route.resource
        path = "" if resource is None else resource.canonical
        caller = known_caller_of(request)
        if caller is None or path in EXEMPT:
            return await handler(request)
        meter = admission.of(caller)
        try:
            if path.startswith(RUNS):
                meter.pass_by()
                return await handler(request)
            await meter.enter()
        except TooManyRequests as error:
            tell(caller.name, error)
            raise
        try:
            return await handler(request)
        finally:
            meter.leave()

    return middleware
