"""Whose certificate it is."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

_KINDS: Final = ("URI", "DNS")


def certificate_names(peercert: Mapping[str, Any]) -> tuple[str, ...]:
    """The names that a verified client certificate gives its owner, each once.

    URIs first (SPIFFE ids are such), then DNS names; common names of the subject only if there is
    none of either: an authority that vouches for alternative names may let anything stand in the
    subject (RFC 6125, section 6.4.4).

    Args:
        peercert: as ``ssl.SSLSocket.getpeercert`` gives it, which is empty if nothing was verified.

    """
    alternatives: Iterable[tuple[str, str]] = peercert.get("subjectAltName", ())
    names = [name for kind in _KINDS for found, name in alternatives if found == kind and name]
    return tuple(dict.fromkeys(names or _common_names(peercert)))


def _common_names(peercert: Mapping[str, Any]) -> Iterator[str]:
    for part in peercert.get("subject", ()):
        for key, value in part:
            if key == "commonName" and value:
                yield value
