"""From a client's certificate to the caller that it names."""

from collections.abc import Iterator, Mapping
from typing import Final

from gateway.access.caller import Caller

MAX_NAME_CHARS: Final = 512
_KINDS: Final = ("URI", "DNS")
_COMMON_NAME: Final = "commonName"


def caller_of_certificate(certificate: Mapping[str, object]) -> Caller | None:
    """Whose a certificate is that TLS has verified; None if it names nobody.

    The name is the first URI (a SPIFFE id is one), else the first DNS name; the common name counts
    only if there is none of either: an authority that vouches for alternative names may let
    anything stand in the subject (RFC 6125, section 6.4.4). All that subject and alternative names
    say is kept as claims, by the words of Python's ``ssl``: ``organizationalUnitName``, ``DNS``.
    """
    facts: dict[str, list[str]] = {}
    for kind, value in _facts(certificate):
        facts.setdefault(kind, []).append(value)
    names = [name for kind in _KINDS for name in facts.get(kind, ())]
    name = next(iter(names or facts.get(_COMMON_NAME, [])), "")
    if not name.isprintable() or not 0 < len(name) <= MAX_NAME_CHARS:
        return None
    claims = tuple((kind, tuple(facts[kind])) for kind in sorted(facts))
    return Caller(f"certificate:{name}", claims=claims)


def _facts(certificate: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Kind and value of all names, the subject's first; empty ones are none."""
    subject, others = certificate.get("subject"), certificate.get("subjectAltName")
    parts = [pair for part in subject for pair in part] if isinstance(subject, tuple) else []
    parts += others if isinstance(others, tuple) else ()
    for kind, value in parts:
        if isinstance(value, str) and value:
            yield kind, value
