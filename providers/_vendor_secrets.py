"""What providers make of the Secret that holds their credentials."""

from gateway.errors import ProviderInvalid
from gateway.gourl import Url, UrlInvalid, parse_url
from gateway.provider import Credential, FoundSecret
from gateway.secrets import Secret

_SCHEMES = {"http", "https"}


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


def credential(found: FoundSecret, key: str, server: Url) -> Credential:
    """The credential that stands under a key, and the password in the server's address."""
    secrets = [revealed(found, key), server.password or ""]
    return Credential(found.name, tuple(Secret(text) for text in secrets if text))
