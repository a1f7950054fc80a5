"""Which page has a browser ask: none of another origin changes anything here."""

from functools import lru_cache
from typing import Final

from aiohttp import hdrs, web
from yarl import URL

from gateway.api.problems import RequestRefused
from gateway.setting_types import LOOPBACK_HOSTS

_READING: Final = frozenset({"GET", "HEAD"})
_OWN_SITES: Final = frozenset({"same-origin", "none"})


def refuse_other_origins(request: web.Request) -> None:
    """Let no page of another origin change anything. Raises RequestRefused with 403."""
    # A page from elsewhere, open in a browser beside a gateway on loopback, must not use it; nor
    # one whose name was made to lead to this machine after it was loaded.
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is None:
        return
    listener = request.transport.get_extra_info("sockname") if request.transport else None
    is_rebound = (
        listener is not None
        and listener[0] in LOOPBACK_HOSTS
        and request.url.host not in LOOPBACK_HOSTS
    )
    if is_rebound or origin.partition("://")[2] != request.host:
        raise RequestRefused(403, "pages of another origin cannot post here")


def refuse_other_hosts(request: web.Request) -> None:
    """Answer this machine alone. Raises RequestRefused with 403.

    A page whose name was made to lead to loopback after it was loaded may read what it finds there,
    and a browser sends no ``Origin`` with it; but the name stands in ``Host``.
    """
    host = request.headers.get(hdrs.HOST)
    if host is not None and not _is_loopback(host):
        raise RequestRefused(
            403,
            f"this gateway knows no callers and answers its own machine alone, not {host[:260]!r};"
            " behind a proxy have that send Host: localhost, or configure access",
        )


@lru_cache(256)
def _is_loopback(host: str) -> bool:
    try:
        return URL.build(authority=host).host in LOOPBACK_HOSTS
    except ValueError:
        return False


def refuse_without_origin(request: web.Request) -> None:
    """Let a browser change nothing unless it says which page wants it. Raises RequestRefused."""
    if request.method in _READING:
        return
    if hdrs.ORIGIN not in request.headers:
        raise RequestRefused(403, "who has signed in with a browser changes things by it alone")
    refuse_other_origins(request)


def comes_from_here(request: web.Request) -> bool:
    """Whether no page of another origin made the browser ask.

    A cookie is for a site, and a site has many origins: other ports, other names of a domain.

    Source: W3C Fetch Metadata Request Headers, ``Sec-Fetch-Site``. Browsers leave it out over plain
    HTTP, where the cookie's ``SameSite`` has to do.
    """
    return request.headers.get("Sec-Fetch-Site", "none") in _OWN_SITES
