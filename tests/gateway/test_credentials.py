"""Secrets that hold the credentials of providers: whose they are, how often they are read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from manifests import PROVIDER_TYPES, FakeProvider, parsed, values

from gateway.args import MissingKey, MissingSecret, UnusableSecret
from gateway.credentials import Credentials
from gateway.errors import ClusterUnavailable, ProviderInvalid
from gateway.flatten import flatten
from gateway.plan import FinalMetric, build, resolve_metrics
from gateway.provider import (
    Block,
    Credential,
    FoundSecret,
    ProviderType,
    SecretOwner,
    SecretUse,
    Surroundings,
)
from gateway.secrets import Secret
from gateway.template import SecretKeyRef

MISSING = MissingSecret('secrets "vendor" not found')
UNUSABLE = UnusableSecret("key 'token' in secret 'vendor' is not UTF-8")


@dataclass
class Vault:
    """Secrets by ``namespace/name/key``; what is not there has no such key."""

    content: Mapping[str, Secret | MissingSecret] = field(default_factory=dict)
    reads: list[str] = field(default_factory=list)

    async def read(
        self, namespace: str, refs: Sequence[SecretKeyRef]
    ) -> Mapping[SecretKeyRef, Secret | MissingSecret]:
        """A value for every reference."""
        self.reads += [f"{namespace}/{ref.name}/{ref.key}" for ref in refs]
        paths = {ref: f"{namespace}/{ref.name}/{ref.key}" for ref in refs}
        return {ref: self.content.get(path, MissingKey("no key")) for ref, path in paths.items()}


def wanted(block: Block, environ: Mapping[str, str]) -> SecretUse | None:
    """What the block names, unless the environment has it."""
    match block.get("headers"):
        case [str(name), str(owner)] if "TOKEN" not in environ:
            return SecretUse(name, ("token", "address"), SecretOwner(owner))
        case [str(name)]:
            raise ProviderInvalid(f"whose is {name}?")
        case _:
            return None


class Credentialed(FakeProvider):
    """A provider with a token."""

    def __init__(self, secret: FoundSecret) -> None:
        super().__init__({"url": ""})
        self.credential = Credential(secret.name, (secret.keys["token"],))


def made(block: Block, surroundings: Surroundings) -> FakeProvider:
    """A provider with the token of its Secret, or without."""
    if surroundings.secret is None:
        return FakeProvider({"url": block["url"]})
    return Credentialed(surroundings.found_secret())


TYPES: Mapping[str, ProviderType] = {
    "web": replace(PROVIDER_TYPES["web"], credentials=wanted, parse=made)
}
FLAT = flatten(
    [
        parsed(
            metrics=[
                {"name": f"m{number}", "provider": {"web": {"url": "u", "headers": headers}}}
                for number, headers in enumerate(
                    [
                        ["vendor", "gateway"],
                        ["vendor", "analysis"],
                        ["vendor", "gateway"],
                        [],
                        ["vendor"],
                    ]
                )
            ]
        )
    ],
    {}.get,
)


def metrics() -> tuple[FinalMetric, ...]:
    """Five metrics, four of which want the Secret ``vendor``."""
    return resolve_metrics(FLAT, values(), TYPES)


async def found(vault: Any, **environ: str) -> list[Any]:
    """What the five get in the namespace ``shop``."""
    credentials = Credentials(provider_types=TYPES, own_namespace="own", environ=environ)
    return await credentials.surroundings(metrics(), "shop", vault)


async def test_each_secret_is_read_once_where_it_is() -> None:
    """That of the gateway's namespace serves everybody; keys that it lacks are left out."""
    vault = Vault({"own/vendor/token": Secret("a"), "shop/vendor/address": Secret("b")})
    own, shop, again, none, broken = await found(vault, PATH="x")
    assert vault.reads == [
        f"{namespace}/vendor/{key}" for namespace in ("own", "shop") for key in ("token", "address")
    ]
    assert own.found_secret() == FoundSecret("own/vendor", {"token": Secret("a")})
    assert shop.found_secret() == FoundSecret("shop/vendor", {"address": Secret("b")})
    assert (own.secret_values(), none.secret_values()) == ({"token": "a"}, {})
    assert (again.secret, none.secret) == (own.secret, None)
    assert str(broken) == "whose is vendor?"
    assert own.environ == {"PATH": "x"}


async def test_the_environment_may_have_it_already() -> None:
    """Then no Secret is read."""
    vault = Vault()
    first, *_ = await found(vault, TOKEN="t")
    assert (first.secret, vault.reads) == (None, [])


@pytest.mark.parametrize(
    "why", [pytest.param(MISSING, id="missing"), pytest.param(UNUSABLE, id="unusable")]
)
async def test_a_secret_that_cannot_be_had_is_told_to_its_provider(why: MissingSecret) -> None:
    """In the words of its source; other keys of it do not help."""
    vault = Vault({"own/vendor/token": why, "own/vendor/address": Secret("b")})
    first, *_ = await found(vault)
    with pytest.raises(ProviderInvalid) as caught:
        first.found_secret()
    assert str(caught.value) == why.message
    assert first.secret_values() == {}


async def test_a_cluster_that_is_away_is_no_missing_secret() -> None:
    """Nobody knows whether there is one."""

    class Away:
        async def read(self, _namespace: str, _refs: Sequence[SecretKeyRef]) -> None:
            raise ClusterUnavailable("away")

    with pytest.raises(ClusterUnavailable):
        await found(Away())


def test_who_asked_for_no_secret_has_none() -> None:
    """A provider that wants one must have asked for it."""
    with pytest.raises(ProviderInvalid, match="no Secret was asked for"):
        Surroundings().found_secret()


async def test_credentials_are_masked_and_named_in_the_plan() -> None:
    """Each once, beside the secrets of the arguments."""
    vault = Vault({"own/vendor/token": Secret("a"), "shop/vendor/token": Secret("b")})
    surroundings = await found(vault)
    plan = build(FLAT, values(), metrics(), surroundings, provider_types=TYPES)
    assert plan.secrets == (Secret("a"), Secret("b"))
    assert [metric.credential for metric in plan.metrics] == [
        "own/vendor",
        "shop/vendor",
        "own/vendor",
        "",
        "",
    ]
    assert str(plan.metrics[4].provider) == "whose is vendor?"
    assert "Secret(" not in repr(plan.metrics[0])


async def test_who_cannot_say_which_secret_measures_nothing() -> None:
    """Even a provider that would never look for it: it may have meant to ask for one."""
    types = {"web": replace(TYPES["web"], parse=lambda block, _: FakeProvider(block))}
    plan = build(FLAT, values(), metrics(), await found(Vault()), provider_types=types)
    assert [str(each.provider) for each in plan.metrics if each.name == "m4"] == [
        "whose is vendor?"
    ]
    assert not isinstance(plan.metrics[0].provider, ProviderInvalid)
