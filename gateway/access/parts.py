"""Who lets requests in and by which policy, put together, and the order of their lives."""

import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from gateway.access.authentication import CredentialKind, Door, GuardedDoor, OpenDoor
from gateway.access.kept_file import KeptFile
from gateway.access.key_sets import KeySet
from gateway.access.policy import OPEN, Policy
from gateway.access.policy_file import parse_policy
from gateway.access.reviewed_tokens import ReviewedTokens
from gateway.access.rights import Rights
from gateway.access.static_tokens import StaticTokens, parse_tokens
from gateway.background import keep
from gateway.config.access import Access
from gateway.upstreams.http_client import HttpClient

if TYPE_CHECKING:
    from gateway.kube.client import KubeClient

_MAX_KEYS_BYTES: Final = 1 << 20
Content = TypeVar("Content")
Details = Callable[[], Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class AccessParts:
    """Who may ask, and for what."""

    door: Door
    rights: Rights
    policy: Callable[[], Policy]
    """The one that is in force."""
    details: Mapping[str, Details] = field(default_factory=dict)
    """What tells how each part stands."""

    def state(self) -> Mapping[str, object]:
        """How each part stands; JSON-ready."""
        return {name: details() for name, details in self.details.items()}


def everybody() -> AccessParts:
    """No credential is needed, and everything is allowed: who gets here was let in elsewhere."""
    return AccessParts(OpenDoor(), Rights(lambda: OPEN), lambda: OPEN)


async def open_access(
    access: Access, cluster: "KubeClient | None", parts: AsyncExitStack
) -> AccessParts:
    """All that the settings name, kept up to date until ``parts`` are closed.

    Raises:
        SettingsInvalid: the policy or the tokens cannot be read.

    """
    if access.policy is None:
        return everybody()
    policy = await _kept(access.policy, parse_policy, "access.policy", parts)
    details: dict[str, Details] = {"policy": policy.details}
    kinds: list[CredentialKind] = []
    if access.tokens is not None:
        tokens = await _kept(access.tokens, parse_tokens, "access.tokens", parts)
        details["tokens"] = tokens.details
        kinds.append(StaticTokens(lambda: tokens.content))
    if access.jwt:
        details["jwt"] = await _web_tokens(access, kinds, parts)
    if cluster is not None and access.token_review.audiences:
        kinds.append(_reviewed_tokens(access, cluster))
    door = GuardedDoor(kinds, takes_certificates=access.certificates)
    return AccessParts(door, Rights(lambda: policy.content), lambda: policy.content, details)


async def _web_tokens(
    access: Access, kinds: list[CredentialKind], parts: AsyncExitStack
) -> Details:
    # Who accepts no such tokens does not pay for the library with memory and a slower start.
    from gateway.access.web_tokens import Source, WebTokens  # noqa: PLC0415

    http = await parts.enter_async_context(HttpClient(max_body_bytes=_MAX_KEYS_BYTES))
    sources = [Source(each, KeySet(each, http, time.monotonic)) for each in access.jwt]
    for source in sources:
        parts.push_async_callback(source.keys.close)
    kinds.append(WebTokens({each.issuer.issuer: each for each in sources}, time.time))
    return lambda: {each.issuer.name: each.keys.details() for each in sources}


def _reviewed_tokens(access: Access, cluster: "KubeClient") -> CredentialKind:
    # Who has no cluster does not pay for its client with memory and a slower start.
    from gateway.kube.token_reviews import ClusterTokenReviews  # noqa: PLC0415

    return ReviewedTokens(ClusterTokenReviews(cluster), access.token_review, time.monotonic)


async def _kept(
    path: Path, parse: Callable[[object], Content], setting: str, parts: AsyncExitStack
) -> KeptFile[Content]:
    file = KeptFile(path, parse, setting=setting)
    await file.open()
    keep(file.watch(), f"watch {setting}", parts)
    return file
