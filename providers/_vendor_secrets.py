"""What providers make of the Secret that holds their credentials."""

from urllib.parse import unquote, unquote_plus

from gateway.errors import ProviderInvalid
from gateway.provider import Credential, FoundSecret
from gateway.secrets import Secret
from gateway.upstreams.gourl import Url, UrlInvalid, parse_url

_SCHEMES = {"http", "https"}
_MIN_VALUE_CHARS = 6
"""A shorter value in a query is no secret, and would be masked in all that is said."""
_MIN_SEGMENT_CHARS = 16
"""The same of a part of a path: most of these are words."""


def revealed(found: FoundSecret, key: str) -> str:
    """The content of a key, empty if the Secret does not have it."""
    value = found.keys.get(key)
    return "" if value is None else value.reveal()


def server_of(address: str, place: str) -> Url:
    """The URL that a deployment gives for a server; ``place`` is where it stands.

    Raises:
        ProviderInvalid: it is none. The address is not shown, as a password may stand in it.

    """
    try:
        url = parse_url(address)
    except UrlInvalid:
        url = None
    if url is None or url.scheme not in _SCHEMES or not url.host:
        raise ProviderInvalid(f"{place} is not the URL of a server, such as https://host:8086")
    return url


def secrets_of(server: Url) -> tuple[Secret, ...]:
    """What may be secret in the address of a server: a password, or a token in its place.

    A user without a password is one, and so may be the values of the query and the longer parts of
    the path.
    """
    pairs = [pair.partition("=")[2] or pair for pair in (server.query or "").split("&")]
    values = [text for raw in pairs for text in (raw, unquote_plus(raw))]
    segments = [text for raw in server.path.split("/") for text in (raw, unquote(raw))]
    texts = [
        server.password or server.username or "",
        *(text for text in values if len(text) >= _MIN_VALUE_CHARS),
        *(text for text in segments if len(text) >= _MIN_SEGMENT_CHARS),
    ]
    return tuple(Secret(text) for text in dict.fromkeys(texts) if text)


def credential(found: FoundSecret, key: str, server: Url) -> Credential:
    """The credential that stands under a key, and what is secret in the server's address."""
    return Credential(found.name, (Secret(revealed(found, key)), *secrets_of(server)))
