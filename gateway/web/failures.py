"""What becomes of a page that cannot be shown: people get a page, or are asked who they are.

A program that comes without a credential hears the same as with any other path.
"""

import re
from typing import Final
from urllib.parse import urlencode

from aiohttp import hdrs, web

from gateway.api.problems import AnswersFailure, refused
from gateway.errors import CredentialMissing, GatewayError, TooManyRequests
from gateway.web.rendering import Renderer, redirect

SIGN_IN: Final = "/sign-in"
_NEXT: Final = "next"
_START: Final = "/"
_LOCAL: Final = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@?%-][A-Za-z0-9._~!$&'()*+,;=:@/?%-]*)?")
"""A path of ours: two slashes, or a slash and a backslash, would lead to another host."""


def answers_of_pages(pages: frozenset[str], renderer: Renderer) -> AnswersFailure:
    """Make pages of the failures of pages, and problem documents of all others.

    Args:
        pages: the paths of all pages, as they are routed.
        renderer: makes pages.

    """

    async def answer(request: web.Request, error: GatewayError) -> web.StreamResponse:
        resource = request.match_info.route.resource
        if resource is None or resource.canonical not in pages:
            return refused(request, error)
        if isinstance(error, CredentialMissing):
            if resource.canonical == SIGN_IN:
                return await failure(renderer, request, error, "sign-in.html")
            if not _wants_page(request):
                return refused(request, error)
            wanted = urlencode({_NEXT: str(request.rel_url)})
            return redirect(f"{SIGN_IN}?{wanted}")
        # A program that floods a page is answered with as little work as elsewhere.
        if isinstance(error, TooManyRequests) and not _wants_page(request):
            return refused(request, error)
        return await failure(renderer, request, error, "failure.html")

    return answer


def _wants_page(request: web.Request) -> bool:
    return "text/html" in request.headers.get(hdrs.ACCEPT, "")


async def failure(
    renderer: Renderer, request: web.Request, error: GatewayError, template: str
) -> web.Response:
    """The page of a failure, with the status that the API would have."""
    problem = refused(request, error)
    page = await renderer.page(
        request,
        template,
        status=problem.status,
        error=str(error),
        title=problem.reason,
        wanted=wanted_path(request),
    )
    if "Retry-After" in problem.headers:
        page.headers["Retry-After"] = problem.headers["Retry-After"]
    return page


def wanted_path(request: web.Request) -> str:
    """The path of this gateway that somebody wanted before signing in; its start for all else."""
    text = request.query.get(_NEXT, _START)
    return text if _LOCAL.fullmatch(text) else _START
