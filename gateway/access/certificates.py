"""From a client's certificate to the caller that it names."""

from collections.abc import Iterator, Mapping
from typing import Final

from gateway.access.caller import Caller

MAX_NAME_CHARS: Final = 512
_COMMON_NAME: Final = "commonName"
_ALTERNATIVES: Final = ("URI", "DNS", "email")
"""Kinds of alternative names that a caller may have as its name, the first of them first."""


def caller_of_certificate(certificate: Mapping[str, object]) -> Caller | None:
    """Whose a certificate is that TLS has verified; None if it names nobody.

    The name is the common name; without one, the first alternative name. All that the subject and
    the alternative names say is kept as claims, by the words of Python's ``ssl``: ``commonName``,
    ``organizationalUnitName``, ``DNS``, ``URI``.
    """
    facts: dict[str, list[str]] = {}
    for kind, value in _facts(certificate):
        facts.setdefault(kind, []).append(value)
    for kind in (_COMMON_NAME, *_ALTERNATIVES):
        for name in facts.get(kind, ()):
            if name.isprintable() and 0 < len(name) <= MAX_NAME_CHARS:
                claims = tuple((known, tuple(facts[known])) for known in sorted(facts))
                return Caller(f"certificate:{name}", claims=claims)
    return None


def _facts(certificate: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Kind and value of all names, the subject's first."""
    subject, others = certificate.get("subject"), certificate.get("subjectAltName")
    parts = [pair for part in subject for pair in part] if isinstance(subject, tuple) else []
    parts += others if isinstance(others, tuple) else ()
    for kind, value in parts:
        if isinstance(value, str):
            yield kind, value
