"""Secrets of a cluster: whose may be read, how often they are asked for, and what is said."""

import asyncio
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from virtual_time import in_virtual_time, now_s

from gateway.args import MissingKey, MissingSecret, UnusableSecret
from gateway.config.kubernetes import Kubernetes
from gateway.errors import ClusterRefused, ClusterUnavailable
from gateway.kube import secrets as module
from gateway.kube.resources import SECRETS, Kind, Object
from gateway.kube.secrets import ClusterSecrets
from gateway.secrets import Secret
from gateway.template import SecretKeyRef

NO_RIGHT = "the gateway has no right to get secrets in namespace 'shop'"
Answer = dict[str, Any] | Exception


def encoded(content: bytes) -> str:
    """As the data of a Secret are written."""
    return b64encode(content).decode()


class Vault:
    """An API server that has Secrets; each answer takes a second."""

    def __init__(self, **answers: Answer) -> None:
        self.asked: list[str] = []
        self.answers = answers

    async def read(self, kind: Kind, name: str, namespace: str) -> Object:
        """A Secret by its name."""
        assert kind is SECRETS
        self.asked.append(f"{now_s():.0f} {namespace}/{name}")
        await asyncio.sleep(1)
        answer = self.answers[name]
        if isinstance(answer, Exception):
            raise answer
        return answer


def secrets_of(vault: Vault, **settings: object) -> ClusterSecrets:
    """What reads; ``settings`` in wire names."""
    chosen = Kubernetes.model_validate({"secrets": ["shop"], **settings})
    return ClusterSecrets(vault, chosen, now_s=now_s)


async def value(
    secrets: ClusterSecrets, key: str = "token", name: str = "api", namespace: str = "shop"
) -> Secret | MissingSecret:
    """What is read for one key."""
    ref = SecretKeyRef(name=name, key=key)
    answers = await secrets.read(namespace, [ref])
    assert list(answers) == [ref]
    return answers[ref]


API: Answer = {
    "data": {
        "token": encoded(b"hunter2\n"),
        "empty": "",
        "binary": encoded(b"\xff"),
        "odd": "not base64!",
    }
}


@pytest.mark.parametrize(
    ("answer", "key", "expected"),
    [
        pytest.param(API, "token", Secret("hunter2\n"), id="verbatim-to-the-last-byte"),
        pytest.param(API, "empty", Secret(""), id="empty"),
        pytest.param(
            API,
            "nope",
            MissingKey("key 'nope' does not exist in secret 'api'"),
            id="no-key",
        ),
        pytest.param(
            {}, "token", MissingKey("key 'token' does not exist in secret 'api'"), id="no-data"
        ),
        pytest.param(
            API,
            "binary",
            UnusableSecret("key 'binary' in secret 'api' is not UTF-8"),
            id="not-a-text",
        ),
        pytest.param(
            API, "odd", UnusableSecret("key 'odd' in secret 'api' is not base64"), id="not-base64"
        ),
        pytest.param(
            ClusterRefused('secrets "api" not found', status=404),
            "token",
            MissingSecret('secrets "api" not found'),
            id="no-secret",
        ),
        pytest.param(
            ClusterRefused(NO_RIGHT, status=403), "token", MissingSecret(NO_RIGHT), id="no-right"
        ),
    ],
)
@in_virtual_time
async def test_read(answer: Answer, key: str, expected: Secret | MissingSecret) -> None:
    """The content, or why there is none."""
    assert await value(secrets_of(Vault(api=answer)), key) == expected


@pytest.mark.parametrize(
    ("namespace", "name", "expected"),
    [
        pytest.param(
            "bank",
            "api",
            MissingSecret(
                "secrets \"api\" not found: reading Secrets of namespace 'bank' from the cluster is"
                " not switched on (kubernetes.secrets)"
            ),
            id="a-namespace-that-is-not-switched-on",
        ),
        pytest.param(
            "shop",
            "../../bank/secrets/api",
            MissingSecret('secrets "../../bank/secrets/api" not found'),
            id="a-name-that-leads-out",
        ),
        pytest.param(
            "shop/../bank",
            "api",
            MissingSecret('secrets "api" not found'),
            id="a-namespace-that-leads-out",
        ),
        pytest.param("shop", "", MissingSecret('secrets "" not found'), id="no-name"),
    ],
)
@in_virtual_time
async def test_what_is_never_asked_for(namespace: str, name: str, expected: MissingSecret) -> None:
    """The API server hears nothing of it."""
    vault = Vault(api=API)
    assert await value(secrets_of(vault), name=name, namespace=namespace) == expected
    assert vault.asked == []


@in_virtual_time
async def test_every_namespace_can_be_switched_on() -> None:
    """But a namespace must still be one."""
    secrets = secrets_of(Vault(api=API), secrets=["*"])
    assert await value(secrets, namespace="bank") == Secret("hunter2\n")
    assert await value(secrets, namespace="*") == MissingSecret('secrets "api" not found')


@in_virtual_time
async def test_one_read_serves_all_for_a_while() -> None:
    """Several keys, several askers, and whoever asks within the time; then it is read anew."""
    vault = Vault(api=API, db=API)
    secrets = secrets_of(vault, secretsTtl="10s")
    refs = [SecretKeyRef(name=name, key=key) for name in ("api", "db") for key in ("token", "x")]
    await asyncio.gather(*(secrets.read("shop", refs) for _ in range(5)))
    assert vault.asked == ["0 shop/api", "0 shop/db"]
    await asyncio.sleep(8.9)
    await value(secrets)
    assert vault.asked == ["0 shop/api", "0 shop/db"], "9.9 s after it was asked for"
    await asyncio.sleep(0.2)
    vault.answers["api"] = {"data": {"token": encoded(b"rotated")}}
    assert await value(secrets) == Secret("rotated")
    assert vault.asked == ["0 shop/api", "0 shop/db", "10 shop/api"]


@in_virtual_time
async def test_without_a_time_every_read_is_new() -> None:
    """Only those who ask at the same time share it."""
    vault = Vault(api=API)
    secrets = secrets_of(vault, secretsTtl="0s")
    await asyncio.gather(value(secrets), value(secrets))
    await value(secrets)
    assert vault.asked == ["0 shop/api", "1 shop/api"]


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(ClusterUnavailable("the API server did not answer in time"), id="away"),
        pytest.param(ClusterRefused("Unauthorized", status=401), id="the-gateways-own-trouble"),
    ],
)
@in_virtual_time
async def test_a_cluster_that_does_not_say_is_no_missing_secret(error: Exception) -> None:
    """Nobody's run ends for that; the next one who asks is not told an old story."""
    vault = Vault(api=error)
    secrets = secrets_of(vault)
    told = await asyncio.gather(value(secrets), value(secrets), return_exceptions=True)
    assert [type(each) for each in told] == [ClusterUnavailable] * 2
    assert all(str(error) in str(each) for each in told)
    vault.answers["api"] = API
    assert await value(secrets) == Secret("hunter2\n")
    assert vault.asked == ["0 shop/api", "1 shop/api"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(
            lambda vault: vault.answers.update(api=API), Secret("hunter2\n"), id="it-is-there-now"
        ),
        pytest.param(
            lambda vault: vault.answers.update(api={}),
            MissingKey("key 'token' does not exist in secret 'api'"),
            id="without-the-key",
        ),
    ],
)
@in_virtual_time
async def test_what_was_missing_is_asked_for_again(
    change: Callable[[Vault], None], expected: Secret | MissingSecret
) -> None:
    """Whoever has just created it need not wait."""
    vault = Vault(api=ClusterRefused('secrets "api" not found', status=404))
    secrets = secrets_of(vault)
    await value(secrets)
    change(vault)
    assert await value(secrets) == expected


@in_virtual_time
async def test_who_gives_up_leaves_the_read_to_the_others() -> None:
    """And nobody minds if all have left before it fails."""
    vault = Vault(api=API, db=ClusterUnavailable("away"))
    secrets = secrets_of(vault)
    hasty, patient = asyncio.create_task(value(secrets)), asyncio.create_task(value(secrets))
    alone = asyncio.create_task(value(secrets, name="db"))
    await asyncio.sleep(0.5)
    hasty.cancel()
    alone.cancel()
    assert await patient == Secret("hunter2\n")
    await asyncio.sleep(1)
    assert vault.asked == ["0 shop/api", "0 shop/db"]


@in_virtual_time
async def test_only_so_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was read first is read again first."""
    monkeypatch.setattr(module, "MAX_KEPT", 2)
    vault = Vault(a=API, b=API, c=API)
    secrets = secrets_of(vault)
    for name in ("a", "b", "c", "b", "c", "a"):
        await value(secrets, name=name)
    assert [each.rpartition("/")[2] for each in vault.asked] == ["a", "b", "c", "a"]


@in_virtual_time
async def test_the_end_cuts_what_is_under_way() -> None:
    """Nothing is remembered, and no task is left."""
    secrets = secrets_of(Vault(api=API))
    reading = asyncio.create_task(value(secrets))
    await asyncio.sleep(0.5)
    await secrets.close()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert len(asyncio.all_tasks()) == 1


@in_virtual_time
async def test_values_do_not_show() -> None:
    """In whatever a debugger or a log prints of what is kept."""
    secrets = secrets_of(Vault(api=API))
    shown = repr(await value(secrets)) + repr(vars(secrets))
    assert "hunter2" not in shown
    assert encoded(b"hunter2\n") not in shown


@in_virtual_time
async def test_nothing_asked_nothing_read() -> None:
    """Templates without secrets cost no call."""
    assert await secrets_of(Vault()).read("shop", []) == {}
