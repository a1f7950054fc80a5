"""The settings about who may ask: kinds of credentials, and the policy."""

import re
from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from gateway.config.setting_types import LOOPBACK_HOSTS, Seconds, Section

LONGEST_LEEWAY_S: Final = 300.0
_ISSUER_NAME: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,30}[a-z0-9])?")


def is_trustworthy_url(text: str) -> bool:
    """Whether nobody on the way can change what a URL answers: it is https, or on this machine."""
    try:
        url = urlsplit(text)
    except ValueError:
        return False
    is_ours = url.scheme == "http" and url.hostname in LOOPBACK_HOSTS
    return bool(url.hostname) and (url.scheme == "https" or is_ours)


def _trustworthy(value: str) -> str:
    if not is_trustworthy_url(value):
        raise ValueError("must be an https:// URL")
    return value


def _issuer_name(value: str) -> str:
    if not _ISSUER_NAME.fullmatch(value):
        raise ValueError("must be up to 32 lower case letters, digits and '-'")
    return value


Url = Annotated[str, AfterValidator(_trustworthy)]
Text = Annotated[str, Field(min_length=1)]


class TokenReview(Section):
    """Which tokens of Kubernetes are accepted."""

    audiences: tuple[Text, ...] = ()
    """The audiences of the tokens that the API server of `kubernetes.connect` is asked about; one
    is enough. Unset, it is asked about none."""
    ttl_s: Seconds = Field(60.0, alias="ttl")
    """How long its answer is used for the same token."""
    refused_ttl_s: Seconds = Field(10.0, alias="refusedTtl")
    """The same for a token that it refused."""


class Issuer(Section):
    """Who issues JSON Web Tokens that are accepted."""

    name: Annotated[str, AfterValidator(_issuer_name)]
    """What callers are named after: `jwt:NAME:SUB`, with the `sub` of the token."""
    issuer: Url
    """The `iss` of its tokens, to the letter."""
    audiences: Annotated[tuple[Text, ...], Field(min_length=1)]
    """The `aud` that tokens must have; one is enough. Take one of the gateway's own: who accepts
    tokens that were made for others can be asked with them by those others."""
    jwks: Url | None = None
    """Where its public keys are. Unset, where the issuer's `/.well-known/openid-configuration`
    says."""
    leeway_s: Seconds = Field(30.0, alias="leeway", le=LONGEST_LEEWAY_S)
    """How far its clock and the gateway's may be apart."""


class CallerBudget(Section):
    """How much each caller may ask of one replica."""

    per_second: int = Field(500, ge=1)
    """How many requests a second."""
    burst: int = Field(1000, ge=1)
    """How many may come at once after a rest."""
    concurrency: int = Field(128, ge=1)
    """How many may be under way at the same time; those that have to do with runs do not count."""
    queue: int = Field(256, ge=0)
    """How many more may wait for that, up to 5 s each; further ones are refused with 429."""


class Access(Section):
    """Who may ask, and for what."""

    policy: Path | None = None
    """The file that says which caller may do what. Needed by all that follows."""
    tokens: Path | None = None
    """The file of tokens, each a name and a hash."""
    token_review: TokenReview = TokenReview()
    """Which tokens of Kubernetes are accepted."""
    jwt: tuple[Issuer, ...] = ()
    """The issuers whose JSON Web Tokens are accepted."""
    certificates: bool = False
    """Whether a client certificate that the server's TLS has verified names a caller."""
    budget: CallerBudget = CallerBudget()
    """How much each caller may ask of one replica, unless the policy says something else of it. Not
    in force while everybody may ask, unless it is set."""

    @property
    def is_bounded(self) -> bool:
        """Whether callers may ask only so much."""
        return self.is_configured or "budget" in self.model_fields_set

    @property
    def is_configured(self) -> bool:
        """Whether callers need a credential."""
        return self.policy is not None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        has_kinds = bool(
            self.tokens or self.token_review.audiences or self.jwt or self.certificates
        )
        if has_kinds and self.policy is None:
            raise ValueError("needs policy: without one no caller may do anything")
        if self.policy is not None and not has_kinds:
            raise ValueError(
                "needs tokens, tokenReview.audiences, jwt or certificates: with a policy alone"
                " nobody has a credential"
            )
        for field in ("name", "issuer"):
            values = [getattr(each, field) for each in self.jwt]
            if len(set(values)) < len(values):
                raise ValueError(f"jwt: two issuers have the same {field}")
        return self
