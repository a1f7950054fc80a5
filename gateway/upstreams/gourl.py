"""URLs as Go reads and sends them: which are refused with which words, and what is escaped.

Sources: Go 1.26 net/url and the checks of net/http, through which argo-rollouts @ 9f8d111d8 sends.
"""

import base64
import re
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv6Address
from typing import Final
from urllib.parse import quote, quote_from_bytes, unquote, unquote_to_bytes, urljoin

from gateway.gotext import quote as go_quote

DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2}).{0,2}", re.DOTALL)
_PORT = re.compile(r"(?::[0-9]*)?")
_USERINFO = re.compile(r"[A-Za-z0-9\-._:~!$&'()*+,;=%@]*")
# An escape of ASCII is no part of a host, nor is one that is none. Quotes and angle brackets are no
# host characters, but Go lets them pass for old users' sake.
_HOST_FLAW = re.compile(
    r"(?P<escape>%(?![0-9A-Fa-f]{2}).{0,2}|%(?!25)[0-7][0-9A-Fa-f])"
    r"|[^A-Za-z0-9\-_.~!$&'()*+,;=:\[\]<>\"%\x80-\U0010ffff]",
    re.DOTALL,
)
_VALID_PATH = re.compile(r"[A-Za-z0-9\-_.~!$&'()*+,;=:@/\[\]%]*")
_PATH_SAFE = "$&+,/:;=@"
_USER_SAFE = "$&+,;="
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_BAD_HEADER_VALUE = re.compile("[\x00-\x08\x0a-\x1f\x7f]")


class UrlInvalid(ValueError):
    """A text is no URL; ``str(error)`` is Go's ``parse "<url>": <cause>``."""


@dataclass(frozen=True, slots=True)
class Url:
    """A URL in its parts; only ``path`` has been made ready for the wire."""

    scheme: str
    """Lower case; may be empty."""
    host: str
    """With its port, as written; may be empty."""
    # Keys stand in all of them: a URL shows itself as scheme and host.
    path: str = field(repr=False)
    """Escaped as Go escapes it."""
    query: str | None = field(repr=False)
    """Verbatim; None without a question mark."""
    opaque: str = field(default="", repr=False)
    """What follows a scheme without a slash, e.g. ``9090`` in ``prometheus:9090``."""
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    @property
    def authorization(self) -> str:
        """The ``Authorization`` header that Go makes of the credentials; empty without any."""
        if self.username is None:
            return ""
        return basic_authorization(self.username, self.password or "")

    @property
    def text(self) -> str:
        """The whole text, credentials included."""
        if self.username is None:
            return self._text(user="")
        password = "" if self.password is None else f":{quote(self.password, safe=_USER_SAFE)}"
        return self._text(user=f"{quote(self.username, safe=_USER_SAFE)}{password}@")

    @property
    def wire(self) -> str:
        """The whole text without credentials, as requests carry it."""
        return self._text(user="")

    @property
    def masked(self) -> str:
        """The whole text with the password as ``***``, as error texts show it."""
        if self.username is None:
            return self._text(user="")
        user = quote(self.username, safe=_USER_SAFE)
        return self._text(user=f"{user}@" if self.password is None else f"{user}:***@")

    @property
    def origin(self) -> tuple[str, str]:
        """What two URLs share that lead to the same server: scheme and host with port."""
        port = {"http": ":80", "https": ":443"}.get(self.scheme, "")
        return self.scheme, self.host.lower().removesuffix(port)

    def _text(self, *, user: str) -> str:
        query = "" if self.query is None else f"?{self.query}"
        scheme = f"{self.scheme}:" if self.scheme else ""
        if self.opaque:
            return f"{scheme}{self.opaque}{query}"
        authority = f"//{user}{self.host}" if self.host or user else ""
        return f"{scheme}{authority}{self.path}{query}"


@lru_cache(maxsize=1024)
def parse_url(text: str) -> Url:
    """The parts of a URL.

    Source: Go net/url.Parse.

    Raises:
        UrlInvalid: with Go's text, e.g. ``parse ":80": missing protocol scheme``.

    """
    shown, _, fragment = text.partition("#")
    try:
        url = _parsed(shown)
        shown = text
        _check_escapes(fragment)
    except ValueError as error:
        raise UrlInvalid(f"parse {go_quote(shown)}: {error}") from error
    return url


def resolve(base: Url, location: str) -> Url:
    """Where a ``Location`` header leads.

    Raises:
        UrlInvalid: as ``parse_url`` does.

    """
    try:
        joined = urljoin(base.wire, location)
    except ValueError as error:
        raise UrlInvalid(f"parse {go_quote(location)}: {error}") from error
    return parse_url(joined)


def host_and_port(url: Url) -> tuple[str, int]:
    """Host as it is written and port of a URL of HTTP that ``parse_url`` has let pass."""
    host, colon, port = url.host.rpartition(":")
    if not colon or port.endswith("]"):
        return url.host, DEFAULT_PORTS[url.scheme]
    return host, int(port)


def unsendable(method: str, url: Url) -> str:
    """Why no HTTP request can be made of these, in Go's words; empty if one can.

    Source: Go net/http.Transport.roundTrip.
    """
    if url.scheme not in {"http", "https"}:
        return f"unsupported protocol scheme {go_quote(url.scheme)}"
    if not is_token(method):
        return f"net/http: invalid method {go_quote(method)}"
    if not url.host:
        return "http: no Host in request URL"
    return ""


def unsendable_header(name: str, value: str) -> str:
    """Why a header cannot be sent, in Go's words; empty if it can.

    Source: Go net/http.Transport.roundTrip and golang.org/x/net/http/httpguts.
    """
    if not is_token(name):
        return f"net/http: invalid header field name {go_quote(name)}"
    if _BAD_HEADER_VALUE.search(value):
        return f"net/http: invalid header field value for {go_quote(name)}"
    return ""


def basic_authorization(username: str, password: str) -> str:
    """The ``Authorization`` header of a user with a password."""
    credentials = f"{username}:{password}".encode("utf-8", "replace")
    return f"Basic {base64.b64encode(credentials).decode('ascii')}"


def escape_path(path: str | bytes) -> str:
    """A path for the wire, every character as Go escapes it."""
    octets = path if isinstance(path, bytes) else path.encode("utf-8", "replace")
    return quote_from_bytes(octets, safe=_PATH_SAFE)


def is_token(text: str) -> bool:
    """Whether a text can be a method or the name of a header."""
    return _TOKEN.fullmatch(text) is not None


def _parsed(text: str) -> Url:
    if _CONTROL.search(text):
        raise ValueError("net/url: invalid control character in URL")
    if text.startswith(":"):
        raise ValueError("missing protocol scheme")
    match = _SCHEME.match(text)
    scheme = match[1].lower() if match else ""
    rest, mark, query = text[match.end() if match else 0 :].partition("?")
    shown_query = query if mark else None
    if not rest.startswith("/"):
        if scheme:
            return Url(scheme, "", "", shown_query, opaque=rest)
        if ":" in rest.partition("/")[0]:
            raise ValueError("first path segment in URL cannot contain colon")
    authority = ""
    if rest.startswith("//") and (scheme or not rest.startswith("///")):
        authority, slash, rest = rest[2:].partition("/")
        rest = slash + rest
    userinfo, _, host = authority.rpartition("@")
    host = _host(scheme, host)
    username, password = _credentials(userinfo) if "@" in authority else (None, None)
    _check_escapes(rest)
    return Url(scheme, host, _escaped_path(rest), shown_query, "", username, password)


def _host(scheme: str, host: str) -> str:
    if host.rfind("[") > 0:
        raise ValueError("invalid IP-literal")
    if host.startswith("["):
        name, bracket, port = host[1:].rpartition("]")
        if not bracket:
            raise ValueError("missing ']' in host")
        _check_port(port)
        _check_host_characters(name)
        try:
            IPv6Address(unquote(name))
        except ValueError as error:
            raise ValueError(f"invalid host: {error}") from error
        return f"[{unquote(name)}]{port}".removesuffix(":")
    if ":" in host:
        is_strict = scheme in {"http", "https"}
        _check_port(host[host.index(":") if is_strict else host.rindex(":") :])
    _check_host_characters(host)
    # Go drops a colon that no port follows.
    return unquote(host).removesuffix(":")


def _check_port(port: str) -> None:
    if not _PORT.fullmatch(port):
        raise ValueError(f"invalid port {go_quote(port)} after host")


def _check_host_characters(host: str) -> None:
    flaw = _HOST_FLAW.search(host)
    if flaw is None:
        return
    if flaw["escape"]:
        raise ValueError(f"invalid URL escape {go_quote(flaw[0])}")
    raise ValueError(f"invalid character {go_quote(flaw[0])} in host name")


def _check_escapes(text: str) -> None:
    bad = _BAD_ESCAPE.search(text)
    if bad:
        raise ValueError(f"invalid URL escape {go_quote(bad[0])}")


def _credentials(userinfo: str) -> tuple[str, str | None]:
    if not _USERINFO.fullmatch(userinfo):
        raise ValueError("net/url: invalid userinfo")
    username, colon, password = userinfo.partition(":")
    _check_escapes(username)
    _check_escapes(password)
    return unquote(username), unquote(password) if colon else None


def _escaped_path(path: str) -> str:
    if _VALID_PATH.fullmatch(path):
        return path
    return escape_path(unquote_to_bytes(path.encode("utf-8", "replace")))
