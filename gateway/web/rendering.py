"""Pages out of templates, with the headers that keep whatever they quote from doing anything."""

import asyncio
import gzip
from collections.abc import Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web

from gateway.access.caller import ANONYMOUS
from gateway.access.policy import EVERYWHERE, Action, Wanted
from gateway.access.rights import Rights
from gateway.api.callers import known_caller_of
from gateway.web.assets import Assets

if TYPE_CHECKING:
    from jinja2 import Environment

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""No script and no style that stands in a page counts, wherever it came from."""
_HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    # Forms would say that they come from nowhere if nothing were told to our own pages.
    "Referrer-Policy": "same-origin",
    "Vary": "Accept-Encoding",
}
_LEVEL: Final = 5


def redirect(location: str) -> web.Response:
    """Have the browser look elsewhere, whatever it has sent."""
    return web.Response(status=303, headers={"Location": location, "Cache-Control": "no-store"})


class Renderer:
    """Makes pages."""

    def __init__(self, assets: Assets, rights: Rights) -> None:
        self._assets = assets
        self._rights = rights

    async def page(
        self, request: web.Request, file: str, /, *, status: int = 200, **values: object
    ) -> web.Response:
        """A page.

        Args:
            request: who asks, and what may be packed for it.
            file: its template below ``gateway/web/templates``.
            status: of the answer.
            values: what it shows; all of it is escaped.

        """
        known = {**self._known(request), **values}
        is_packed = "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, "")
        # A thousand measurements take long enough that other callers would notice.
        body = await asyncio.to_thread(partial(self._body, file, known, is_packed=is_packed))
        headers = {**_HEADERS, **({"Content-Encoding": "gzip"} if is_packed else {})}
        return web.Response(
            status=status, body=body, content_type="text/html", charset="utf-8", headers=headers
        )

    def _body(self, file: str, values: Mapping[str, object], *, is_packed: bool) -> bytes:
        text = self._environment.get_template(file).render(values)
        # What was quoted may hold one half of a surrogate pair.
        body = text.encode(errors="replace")
        return gzip.compress(body, _LEVEL, mtime=0) if is_packed else body

    def _known(self, request: web.Request) -> Mapping[str, object]:
        caller = known_caller_of(request)
        is_admin = caller is not None and self._rights.may(caller, Wanted(Action.ADMIN, EVERYWHERE))
        return {
            "static": f"/static/{self._assets.version}",
            "path": request.path,
            "caller": None if caller is None or caller == ANONYMOUS else caller.name,
            "is_known": caller is not None,
            "is_admin": is_admin,
        }

    @cached_property
    def _environment(self) -> "Environment":
        # Who never looks at a page does not pay for the library with a slower start.
        from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415

        return Environment(
            loader=PackageLoader("gateway.web"),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
