"""Named upstreams: which of them a URL belongs to, and who may use it.

A URL belongs to the one whose base URL is the longest that it begins with: the same scheme, host
and port, and the same path up to the end of a segment. What steps out of the path again, in any
spelling that a server may undo, does not belong to it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final
from urllib.parse import unquote

from gateway.upstreams.gourl import DEFAULT_PORTS, Url, host_and_port, parse_url
from gateway.upstreams.hosts import Host, read_host

_LONGEST_AUTHORITY: Final = 300
_WANTED: Final = "must be a URL such as https://prometheus.example/prom"
_Place = tuple[str, Host, int]


@dataclass(frozen=True, slots=True)
class Base:
    """Where an upstream begins."""

    place: _Place
    """Scheme, host and port."""
    path: str
    """Escaped, without a slash at its end; empty for all paths."""

    def holds(self, url: Url) -> bool:
        """Whether a URL leads to the upstream, and nowhere above it."""
        return _place(url) == self.place and self._holds_path(url.path)

    def _holds_path(self, path: str) -> bool:
        if not self.path:
            return True
        is_below = path == self.path or path.startswith(f"{self.path}/")
        return is_below and not _climbs(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """A connection without what proves who one is."""

    name: str
    base: Base
    namespaces: tuple[str, ...]
    """Patterns such as ``team-*``."""
    takes_brought: bool
    """Whether templates that came with requests may use it."""
    timeout_s: float | None = None
    """How long one request may take at most."""

    def refusal(self, namespace: str, *, is_brought: bool) -> str:
        """Why templates may not use it; empty if they may."""
        if not any(fnmatchcase(namespace, each) for each in self.namespaces):
            return (
                f"connection {self.name}: its namespaces do not have '{namespace}'"
                " (connections[].namespaces)"
            )
        if is_brought and not self.takes_brought:
            return (
                f"connection {self.name}: a template that came with a request may not use it"
                " (connections[].templates)"
            )
        return ""


def upstream_of(upstreams: Iterable[Upstream], text: str) -> Upstream | None:
    """The upstream that a request's URL belongs to; None if there is none."""
    try:
        url = parse_url(text)
        holding = [each for each in upstreams if each.base.holds(url)]
    except ValueError:
        # Whoever sends it says what is wrong with it.
        return None
    return max(holding, key=lambda each: len(each.base.path), default=None)


def read_base(text: str) -> Base:
    """The base that a setting means.

    Raises:
        ValueError: it is none; the text says what is wanted.

    """
    url = parse_url(text)
    place = _place(url)
    if place is None:
        raise ValueError(_WANTED)
    if url.username is not None:
        raise ValueError("must not hold credentials; basicAuth names a secret that does")
    if url.query is not None or "#" in text:
        raise ValueError("must have neither a query nor a fragment")
    path = url.path.rstrip("/")
    if _climbs(path) or unquote(path).count("/") != path.count("/"):
        raise ValueError("must have a path without '..' and without escaped slashes")
    return Base(place, path)


def _place(url: Url) -> _Place | None:
    if url.scheme not in DEFAULT_PORTS or not url.host or len(url.host) > _LONGEST_AUTHORITY:
        return None
    host, port = host_and_port(url)
    return url.scheme, read_host(host), port


def _climbs(path: str) -> bool:
    """Whether a path has a ``..`` that some server may follow, however often it is escaped."""
    while (plain := unquote(path)) != path:
        path = plain
    segments = path.replace("\\", "/").split("/")
    return any(segment.partition(";")[0].strip() == ".." for segment in segments)
