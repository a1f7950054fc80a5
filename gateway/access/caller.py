"""Somebody who asks, as a credential proved it."""

from dataclasses import dataclass
from typing import Final

Claims = tuple[tuple[str, tuple[str, ...]], ...]
"""Names and, of each, the values; in the order of the names."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. The name is told in logs and kept with runs; all else only the policy sees."""

    name: str
    """Such as ``token:ci-shop``: the kind of its credential, and what that calls it."""
    groups: frozenset[str] = frozenset()
    claims: Claims = ()
    """What its credential says of it beside the name."""


ANONYMOUS: Final = Caller("anonymous")
"""Everybody, where no access is configured."""
