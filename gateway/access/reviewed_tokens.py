"""Tokens of Kubernetes: who holds one is whom the API server says.

An answer is used for a while. What the API server does not know is remembered for a shorter time,
and only so many tokens are asked about at a time: anybody can make them up.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from gateway.access.caller import Caller
from gateway.access.kept_answers import KeptAnswers
from gateway.config.access import TokenReview
from gateway.errors import (
    ClusterRefused,
    ClusterUnavailable,
    CredentialRefused,
    CredentialUnchecked,
)
from gateway.single_flight import Flights, shared

MAX_REVIEWS: Final = 64
"""Tokens that are being asked about at the same time."""
MAX_NAME_CHARS: Final = 512
_SERVICE_ACCOUNT: Final = "system:serviceaccount:"
_log: Final = logging.getLogger(__name__)


class ReviewsTokens(Protocol):
    """The API server, as far as it is asked whose tokens are."""

    async def review(self, token: str, audiences: Sequence[str]) -> Mapping[str, object]:
        """The status of a TokenReview. Raises ClusterUnavailable, ClusterRefused."""


class ReviewedTokens:
    """A kind of credential."""

    def __init__(
        self, reviews: ReviewsTokens, settings: TokenReview, now_s: Callable[[], float]
    ) -> None:
        self._reviews = reviews
        self._settings = settings
        self._now_s = now_s
        self._known = KeptAnswers[Caller](now_s)
        # Those that are made up must not crowd out the good ones.
        self._refused = KeptAnswers[CredentialRefused](now_s)
        self._under_way: Flights[bytes, Caller] = {}

    async def caller_of(self, token: str) -> Caller:
        """Whose a token is.

        Raises:
            CredentialRefused: the API server does not know it, or not for this audience.
            CredentialUnchecked: the API server cannot be asked now.

        """
        known = self._known.find(token)
        if known is not None:
            return known
        refused = self._refused.find(token)
        if refused is not None:
            raise CredentialRefused(str(refused))
        key = self._known.key(token)
        if key not in self._under_way and len(self._under_way) >= MAX_REVIEWS:
            raise _unchecked()
        return await shared(self._under_way, key, lambda: self._reviewed(token))

    async def _reviewed(self, token: str) -> Caller:
        settings = self._settings
        asked_at_s = self._now_s()
        try:
            status = await self._reviews.review(token, settings.audiences)
        except (ClusterUnavailable, ClusterRefused) as error:
            # Who asks is told nothing of addresses and accounts; the text may hold them.
            _log.warning("a token cannot be reviewed", extra={"reason": str(error)})
            raise _unchecked() from error
        caller = caller_of_review(status, settings.audiences)
        if caller is None:
            refused = CredentialRefused(
                "the token is not one that this gateway or its cluster knows, or not any more"
            )
            self._refused.keep(token, refused, until_s=asked_at_s + settings.refused_ttl_s)
            raise refused
        self._known.keep(token, caller, until_s=asked_at_s + settings.ttl_s)
        return caller


def caller_of_review(status: Mapping[str, object], audiences: Sequence[str]) -> Caller | None:
    """Whose a token is by the status of its review; None if it is nobody's.

    An API server that does not look at audiences tells of none: then it is not known whom the
    token is for, and it proves nothing here.

    Source: kubernetes staging/src/k8s.io/api/authentication/v1/types.go, TokenReviewStatus.
    """
    user, fitting = status.get("user"), status.get("audiences")
    if status.get("authenticated") is not True or not isinstance(user, dict):
        return None
    if not isinstance(fitting, list) or not set(audiences).intersection(map(str, fitting)):
        return None
    name, groups = user.get("username"), user.get("groups")
    if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= MAX_NAME_CHARS:
        return None
    known = groups if isinstance(groups, list) else []
    return Caller(_shown(name), frozenset(each for each in known if isinstance(each, str)))


def _shown(user: str) -> str:
    """``serviceaccount:NAMESPACE/NAME``, or ``user:NAME`` for everybody else."""
    account = user.removeprefix(_SERVICE_ACCOUNT)
    namespace, colon, name = account.partition(":")
    if account == user or not colon:
        return f"user:{user}"
    return f"serviceaccount:{namespace}/{name}"


def _unchecked() -> CredentialUnchecked:
    return CredentialUnchecked("the token cannot be checked now: its cluster does not answer")
