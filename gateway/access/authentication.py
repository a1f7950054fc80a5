"""From what a request carries to the caller that it proves."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from gateway.access.caller import ANONYMOUS, Caller
from gateway.access.certificates import caller_of_certificate
from gateway.errors import CredentialMissing, CredentialRefused

_BEARER: Final = re.compile(r"(?i:bearer) +([\x21-\x7e]+)")


@dataclass(frozen=True, slots=True)
class Proofs:
    """What may prove who asks."""

    authorization: Sequence[str] = field(repr=False)
    """Every value of the header, as it came."""
    certificate: Mapping[str, object] | None
    """The client's certificate as Python's ``ssl`` shows it, if TLS has verified one."""


class Door(Protocol):
    """Who lets requests in."""

    async def caller_of(self, proofs: Proofs) -> Caller:
        """Who asks.

        Raises:
            CredentialMissing: nobody says so.
            CredentialRefused: it is not true, or not any more.
            CredentialUnchecked: it cannot be found out now.

        """


class CredentialKind(Protocol):
    """One way to find out whose a token is."""

    async def caller_of(self, token: str) -> Caller | None:
        """Whose it is; None if this kind knows nothing of it.

        Raises:
            CredentialRefused: it is of this kind, and worth nothing.
            CredentialUnchecked: it cannot be found out now.

        """


class OpenDoor:
    """Lets everybody in: no access is configured."""

    async def caller_of(self, proofs: Proofs) -> Caller:
        """Nobody in particular."""
        del proofs
        return ANONYMOUS


class GuardedDoor:
    """Lets nobody in without a credential."""

    def __init__(self, kinds: Sequence[CredentialKind], *, takes_certificates: bool) -> None:
        self._kinds = kinds
        self._takes_certificates = takes_certificates

    async def caller_of(self, proofs: Proofs) -> Caller:
        """Who asks, as ``Door`` has it; who shows a token is not asked for a certificate."""
        if proofs.authorization:
            return await self._of_token(_bearer(proofs.authorization))
        caller = None
        if self._takes_certificates and proofs.certificate:
            caller = caller_of_certificate(proofs.certificate)
        if caller is None:
            raise CredentialMissing(
                "this gateway answers nobody without a credential: send Authorization: Bearer TOKEN"
            )
        return caller

    async def _of_token(self, token: str) -> Caller:
        for kind in self._kinds:
            caller = await kind.caller_of(token)
            if caller is not None:
                return caller
        raise CredentialRefused("the token is not one that this gateway knows, or not any more")


def _bearer(values: Sequence[str]) -> str:
    if len(values) > 1:
        raise CredentialRefused("Authorization: must be given once")
    found = _BEARER.fullmatch(values[0])
    if found is None:
        raise CredentialRefused("Authorization: must be Bearer TOKEN")
    return found[1]
