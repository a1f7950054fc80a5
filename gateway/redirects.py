"""A chain of redirects: what is sent first, and what each answer has us send next.

Source: Go 1.26 net/http. Unlike Go, a redirect to another origin carries none of the request's own
headers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gateway.errors import ProviderInvalid, ProviderUnreadable
from gateway.gotext import quote
from gateway.gourl import Url, UrlInvalid, parse_url, resolve, unsendable, unsendable_header
from gateway.provider import HttpRequest

MAX_REDIRECTS = 10
"""Source: Go net/http.defaultCheckRedirect."""
REDIRECTS = {301, 302, 303, 307, 308}
_REDIRECTS_THAT_KEEP_THE_BODY = {307, 308}
_HEADERS_OF_A_BODY = {
    "content-encoding",
    "content-language",
    "content-location",
    "content-type",
}


@dataclass(frozen=True, slots=True)
class Hop:
    """One request of a chain of redirects, ready to be sent."""

    request: HttpRequest
    url: Url
    first_method: str

    @property
    def shown(self) -> str:
        """``Post "<url>"``, as Go's errors begin: with the method that the chain began with."""
        return f"{self.first_method.capitalize()} {quote(self.url.masked)}"


def first_hop(request: HttpRequest) -> Hop:
    """What a request begins with. Raises ProviderInvalid if it cannot be sent."""
    try:
        url = parse_url(request.url)
    except UrlInvalid as error:
        raise ProviderInvalid(str(error)) from error
    return _checked(Hop(request, url, request.method))


def _checked(hop: Hop) -> Hop:
    reason = unsendable(hop.request.method, hop.url)
    for name, value in hop.request.headers.items():
        reason = reason or unsendable_header(name, value)
    if reason:
        raise ProviderInvalid(f"{hop.shown}: {reason}")
    return hop


def target(hop: Hop, location: str) -> Url:
    """Where a ``Location`` leads. Raises ProviderUnreadable if it is none."""
    try:
        return resolve(hop.url, location)
    except UrlInvalid as error:
        raise ProviderUnreadable(
            f"{hop.shown}: failed to parse Location header {quote(location)}: {error}"
        ) from error


def next_hop(hop: Hop, status: int, url: Url) -> Hop:
    """What follows an answer that leads there. Raises ProviderInvalid if it cannot be sent."""
    request = hop.request
    headers: Mapping[str, str] = request.headers
    if status not in _REDIRECTS_THAT_KEEP_THE_BODY:
        method = request.method if request.method in {"GET", "HEAD"} else "GET"
        headers = _without(headers, _HEADERS_OF_A_BODY)
        request = replace(request, method=method, body=None)
    if url.origin != hop.url.origin:
        # API keys travel in headers of any name: a stranger gets none, and neither does whoever
        # the stranger sends us on to.
        headers = {name: headers[name] for name in headers if name.lower() in _HEADERS_OF_A_BODY}
    return _checked(Hop(replace(request, headers=headers), url, hop.first_method))


def _without(headers: Mapping[str, str], names: set[str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in names}
