"""Secrets of a cluster, at a gateway that runs: used, rotated, refused, and never shown."""

import asyncio
import logging
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
import yaml
from backends import Play, backend
from command_line import command
from kube.cluster import Cluster
from kube.gateways import TEMPLATES, gateway_on, see_can_be_hurt, soon, verdict, verdicts
from kube.kinds import Right
from kube.secret_calls import SECRET, SHOWN, reading, rotate, sent, start, store, with_secret
from running import Reply, Service

from gateway.logs import JsonFormatter

ROTATED = "tr0ub4dor-and-three"


async def test_a_secret_is_sent_and_never_shown(
    kubernetes: Cluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """By no answer, no metric and no line of the log, not even while everything is logged."""
    caplog.set_level(logging.DEBUG)
    namespace = await kubernetes.namespace()
    replies: list[Reply] = []
    async with backend(Play(f'"{SECRET}"')) as upstream:
        await store(kubernetes, namespace, SECRET)
        metric = {"successCondition": 'result == "{{args.token}}"'}
        await kubernetes.create(TEMPLATES, namespace, with_secret(upstream, **metric))
        async with gateway_on(kubernetes, tmp_path, namespace, **reading(namespace)) as gateway:
            replies.append(await verdict(gateway, namespace, "t"))
            token = sent(upstream)
            location = await start(gateway, namespace)
            replies.append(await gateway.get(f"{location}?wait=10s"))
            await rotate(kubernetes, namespace, f"{SECRET}\n no header")
            replies.append(await verdict(gateway, namespace, "t"))
            replies += [
                await gateway.get(path) for path in ("/metrics", "/readyz", "/v1/templates")
            ]
    lines = [JsonFormatter().format(record) for record in caplog.records]
    everything = "\n".join([*(each.text for each in replies), *lines])
    assert token == SECRET
    assert SECRET not in everything
    assert b64encode(SECRET.encode()).decode() not in everything
    assert kubernetes.kubeconfig.read_text().partition("token: ")[2].split()[0] not in everything


async def test_a_secret_that_is_rotated_is_used_in_time(
    kubernetes: Cluster, tmp_path: Path
) -> None:
    """At the latest when the plan and the secret in it have had their time."""
    namespace = await kubernetes.namespace()
    settings = {
        "kubernetes": {"secrets": [namespace], "secretsTtl": "300ms"},
        "verdicts": {"planTtl": "300ms"},
    }
    async with backend(Play("0.9")) as upstream:
        await store(kubernetes, namespace, SECRET)
        await kubernetes.create(TEMPLATES, namespace, with_secret(upstream))
        async with gateway_on(kubernetes, tmp_path, namespace, **settings) as gateway:
            await verdict(gateway, namespace, "t")
            await rotate(kubernetes, namespace, ROTATED)
            await verdict(gateway, namespace, "t")
            soon_after = sent(upstream)
            await asyncio.sleep(0.6)
            await verdict(gateway, namespace, "t")
            later = sent(upstream)
    assert (soon_after, later) == (SECRET, ROTATED)


async def test_what_is_missing_is_named(kubernetes: Cluster, tmp_path: Path) -> None:
    """In Argo's words, where there are any; what was missing is found once it is there."""
    shop, bank = await kubernetes.namespace(), await kubernetes.namespace()
    messages = []
    async with backend(Play("0.9")) as upstream:
        for namespace in (shop, bank):
            await kubernetes.create(TEMPLATES, namespace, with_secret(upstream))
        await store(kubernetes, bank, SECRET)
        settings = reading(shop, templates=[shop, bank])
        async with gateway_on(kubernetes, tmp_path, shop, **settings) as gateway:
            replies = [await verdict(gateway, shop, "t")]
            other = {"metadata": {"name": "api"}, "stringData": {"other": "x"}}
            await kubernetes.create("secrets", shop, other)
            replies.append(await verdict(gateway, shop, "t"))
            replies.append(await verdict(gateway, bank, "t"))
            await rotate(kubernetes, shop, SECRET)
            found = await verdict(gateway, shop, "t")
    assert [each.status for each in replies] == [422] * 3
    messages = [problem["message"] for each in replies for problem in each.body["problems"]]
    assert messages == [
        f'{SHOWN}secrets "api" not found',
        f"{SHOWN}key 'token' does not exist in secret 'api'",
        (
            f"{SHOWN}secrets \"api\" not found: reading Secrets of namespace '{bank}' from the"
            " cluster is not switched on (kubernetes.secrets)"
        ),
    ]
    assert found.body["phase"] == "Successful"


async def test_a_right_that_is_missing_is_named(kubernetes: Cluster, tmp_path: Path) -> None:
    """Switched on, but not granted."""
    namespace = await kubernetes.namespace()
    group = "argoproj.io"
    rights = [Right(verb, group, TEMPLATES, namespace) for verb in ("list", "watch")]
    config = await kubernetes.kubeconfig_of(rights)
    async with backend(Play("0.9")) as upstream:
        await kubernetes.create(TEMPLATES, namespace, with_secret(upstream))
        settings = reading(namespace, connect=str(config))
        async with gateway_on(kubernetes, tmp_path, namespace, **settings) as gateway:
            refused = await verdict(gateway, namespace, "t")
    (problem,) = refused.body["problems"]
    assert refused.status == 422
    assert problem["path"] == "args.token"
    assert problem["message"].startswith(
        f"{SHOWN}the gateway has no right to get secrets in namespace '{namespace}': "
    )


async def test_the_folder_goes_first(kubernetes: Cluster, tmp_path: Path) -> None:
    """What it has is used; what it lacks is the cluster's."""
    shop, bank = await kubernetes.namespace(), await kubernetes.namespace()
    mounted = tmp_path / "secrets" / shop / "api"
    mounted.mkdir(parents=True)
    (mounted / "token").write_text("mounted")
    used = []
    async with backend(Play("0.9")) as upstream:
        for namespace in (shop, bank):
            await store(kubernetes, namespace, SECRET)
            await kubernetes.create(TEMPLATES, namespace, with_secret(upstream))
        settings = reading(bank, templates=[shop, bank])
        async with gateway_on(
            kubernetes, tmp_path / "state", shop, secrets=tmp_path / "secrets", **settings
        ) as gateway:
            for namespace in (shop, bank):
                await verdict(gateway, namespace, "t")
                used.append(sent(upstream))
    assert used == ["mounted", SECRET]


async def test_while_the_api_server_is_down_a_verdict_can_be_asked_for_again(
    kubernetes: Cluster, tmp_path: Path
) -> None:
    """A 503, for the secret is not missing; the same question is answered when it is back."""
    see_can_be_hurt(kubernetes)
    namespace = await kubernetes.namespace()
    async with backend(Play("0.9")) as upstream:
        await store(kubernetes, namespace, SECRET)
        await kubernetes.create(TEMPLATES, namespace, with_secret(upstream))
        async with gateway_on(kubernetes, tmp_path, namespace, **reading(namespace)) as gateway:
            await verdicts(gateway, namespace, "t", "Successful")
            await kubernetes.stop()
            refused = await verdict(gateway, namespace, "t", "gate=true")
            await kubernetes.start()
            await verdicts(gateway, namespace, "t", "Successful")
    assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
    assert refused.body["error"] == "cluster_unavailable"
    assert refused.body["detail"].startswith("the API server cannot be reached:")


async def status_of(gateway: Service, location: str) -> Any:
    """How a run stands."""
    return (await gateway.get(location)).body["status"]


async def measured(gateway: Service, location: str) -> int:
    """How often a run has measured."""
    results = (await status_of(gateway, location)).get("metricResults", [])
    return sum(each.get("count", 0) for each in results)


async def test_a_run_waits_for_a_secret_that_cannot_be_read_now(
    kubernetes: Cluster, tmp_path: Path
) -> None:
    """It stands still while the API server is down, and goes on to its end."""
    see_can_be_hurt(kubernetes)
    namespace = await kubernetes.namespace()
    async with backend(Play("0.9")) as upstream:
        await store(kubernetes, namespace, SECRET)
        metric = {"interval": "300ms", "count": 8}
        await kubernetes.create(TEMPLATES, namespace, with_secret(upstream, **metric))
        async with gateway_on(kubernetes, tmp_path, namespace, **reading(namespace)) as gateway:
            await verdicts(gateway, namespace, "t", "Successful")
            location = await start(gateway, namespace)

            async def begun() -> bool:
                return await measured(gateway, location) > 0

            await soon(begun)
            await kubernetes.stop()
            await asyncio.sleep(1)
            standing = await measured(gateway, location)
            await asyncio.sleep(2)
            still, status = (
                await measured(gateway, location),
                await status_of(gateway, location),
            )
            await kubernetes.start()
            ended = await gateway.get(f"{location}?wait=20s")
    assert (status["phase"], standing) == ("Running", still)
    assert still < 8
    assert ended.body["status"]["phase"] == "Successful"
    assert ended.body["status"]["metricResults"][0]["count"] == 8


async def test_a_run_does_not_wait_for_ever(kubernetes: Cluster, tmp_path: Path) -> None:
    """What ends every run ends one that waits for the cluster."""
    see_can_be_hurt(kubernetes)
    namespace = await kubernetes.namespace()
    async with backend(Play("0.9")) as upstream:
        await store(kubernetes, namespace, SECRET)
        metric = {"interval": "300ms", "count": 5}
        await kubernetes.create(TEMPLATES, namespace, with_secret(upstream, **metric))
        settings = {**reading(namespace), "runs": {"maxDuration": "3s"}}
        async with gateway_on(kubernetes, tmp_path, namespace, **settings) as gateway:
            await verdicts(gateway, namespace, "t", "Successful")
            location = await start(gateway, namespace)
            await kubernetes.stop()
            ended = await gateway.get(f"{location}?wait=20s")
    assert ended.body["status"]["phase"] == "Inconclusive"
    assert "3s" in ended.body["status"]["message"]


async def test_the_command_reads_secrets_as_well(kubernetes: Cluster, tmp_path: Path) -> None:
    """With a kubeconfig; without the cluster it measures nothing, and says why."""
    see_can_be_hurt(kubernetes)
    namespace = await kubernetes.namespace()
    file = tmp_path / "t.yaml"
    head = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate"}
    async with backend(Play("0.9")) as upstream:
        await store(kubernetes, namespace, SECRET)
        file.write_text(yaml.safe_dump({**head, **with_secret(upstream)}))
        words = ("run", str(file), "--namespace", namespace, "--kubeconfig")
        done = await command(*words, str(kubernetes.kubeconfig))
        token, asked = sent(upstream), len(upstream.requests)
        await kubernetes.stop()
        failed = await command(*words, str(kubernetes.kubeconfig))
        unusable = await command(*words, "/nowhere")
    assert (done.code, token) == (0, SECRET)
    assert SECRET not in done.out + done.err
    assert (failed.code, unusable.code, len(upstream.requests)) == (3, 4, asked)
    cannot = "the cluster is needed and cannot be used now: the API server cannot be reached: "
    assert failed.err.startswith(cannot)
    assert "the settings cannot be used: kubernetes.connect: /nowhere cannot" in unusable.err
