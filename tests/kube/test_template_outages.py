"""Templates of a cluster, while the API server has its troubles, or the gateway no right."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from backends import Play, backend
from kube.cluster import Cluster
from kube.gateways import (
    TEMPLATES,
    gateway_on,
    rate,
    ready,
    see_can_be_hurt,
    soon,
    template,
    verdict,
    verdicts,
)
from kube.kinds import Right
from kube.wire import Gone

from gateway import source_parts

AGE = "analysis_gateway_cluster_templates_age_seconds"


async def test_while_the_api_server_is_frozen_what_is_known_serves(
    kubernetes: Cluster, tmp_path: Path
) -> None:
    """Readiness and metrics tell how old it is; when it goes on, what has changed arrives."""
    see_can_be_hurt(kubernetes)
    namespace = await kubernetes.namespace()
    async with backend(Play("0.9")) as upstream:
        await kubernetes.create(TEMPLATES, namespace, template("t", rate(upstream.url, 0.8)))
        async with gateway_on(kubernetes, tmp_path, namespace) as gateway:
            before = await ready(gateway)
            await kubernetes.freeze()

            async def grown() -> Any:
                details = await ready(gateway)
                return details if details["ageSeconds"] >= before["ageSeconds"] + 1 else None

            grown_old = await soon(grown)
            phase = (await verdict(gateway, namespace, "t")).body["phase"]
            metrics = (await gateway.get("/metrics")).text
            await kubernetes.thaw()
            stricter = {"spec": {"metrics": [rate(upstream.url, 0.95)]}}
            await kubernetes.patch(TEMPLATES, namespace, "t", stricter)
            await verdicts(gateway, namespace, "t", "Failed")
            after = await ready(gateway)
    assert phase == "Successful"
    (age,) = [line for line in metrics.splitlines() if line.startswith(f"{AGE} ")]
    assert float(age.partition(" ")[2]) >= grown_old["ageSeconds"] - 0.1
    assert after["ageSeconds"] < grown_old["ageSeconds"]
    assert after["synced"]


async def test_while_the_api_server_is_down_what_is_known_serves(
    kubernetes: Cluster, tmp_path: Path
) -> None:
    """The gateway stays ready and says why nothing is heard; then what was missed is found."""
    see_can_be_hurt(kubernetes)
    namespace = await kubernetes.namespace()
    async with backend(Play("0.9")) as upstream:
        await kubernetes.create(TEMPLATES, namespace, template("t", rate(upstream.url, 0.8)))
        async with gateway_on(kubernetes, tmp_path, namespace) as gateway:
            await kubernetes.stop()

            async def problem() -> Any:
                (scope,) = (await ready(gateway))["scopes"]
                return scope["problem"]

            why = await soon(problem)
            phase = (await verdict(gateway, namespace, "t")).body["phase"]
            await kubernetes.start()
            stricter = {"spec": {"metrics": [rate(upstream.url, 0.95)]}}
            await kubernetes.patch(TEMPLATES, namespace, "t", stricter)
            await verdicts(gateway, namespace, "t", "Failed")
            (healed,) = (await ready(gateway))["scopes"]
    assert phase == "Successful"
    assert why.startswith("the API server cannot be reached:")
    assert healed["problem"] == ""


@pytest.mark.parametrize("gone", Gone)
async def test_a_history_that_is_gone_costs_nothing_but_a_list(
    kubernetes: Cluster, tmp_path: Path, gone: Gone, caplog: pytest.LogCaptureFixture
) -> None:
    """Whichever way the API server says so, changes go on arriving."""
    see_can_be_hurt(kubernetes)
    namespace = await kubernetes.namespace()
    async with (
        backend(Play("0.9")) as upstream,
        gateway_on(kubernetes, tmp_path, namespace) as gateway,
    ):
        await kubernetes.expire_history(gone)
        await kubernetes.create(TEMPLATES, namespace, template("t", rate(upstream.url, 0.8)))
        await verdicts(gateway, namespace, "t", "Successful")
        await kubernetes.delete(TEMPLATES, namespace, "t")
        await verdicts(gateway, namespace, "t", 404)
    assert not [each for each in caplog.messages if "unexpected" in each]


async def test_a_gateway_that_has_heard_nothing_says_so(
    kubernetes: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not ready, and whatever only the cluster could have is a 503; the folder serves."""
    see_can_be_hurt(kubernetes)
    monkeypatch.setattr(source_parts, "FIRST_LISTING_S", 0.1)
    namespace = await kubernetes.namespace()
    folder = tmp_path / "templates"
    folder.mkdir()
    async with backend(Play("0.9")) as upstream:
        mounted = template("mounted", rate(upstream.url, 0.5))
        mounted |= {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate"}
        mounted["metadata"]["namespace"] = namespace
        (folder / "mounted.yaml").write_text(yaml.safe_dump(mounted))
        await kubernetes.create(TEMPLATES, namespace, template("t", rate(upstream.url, 0.8)))
        await kubernetes.stop()
        async with gateway_on(
            kubernetes, tmp_path / "state", namespace, templates=folder
        ) as gateway:
            details = await ready(gateway, 503)
            unknown = await verdict(gateway, namespace, "t", "gate=true")
            run = await gateway.post(
                f"/v1/runs?namespace={namespace}", '{"templates": [{"templateName": "t"}]}',
                **{"Content-Type": "application/json"},
            )  # fmt: skip
            known = await verdict(gateway, namespace, "mounted")
            refers = template("x", templates=[{"templateName": "t"}])
            refers |= {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate"}
            checked = await gateway.post("/v1/lint", refers)
            await kubernetes.start()
            await verdicts(gateway, namespace, "t", "Successful")
            await ready(gateway)
    assert details["synced"] is False
    for refused in (unknown, run):
        assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
        assert (refused.body["error"], refused.body["ok"]) == ("cluster_unavailable", False)
        assert refused.body["detail"].startswith(
            "AnalysisTemplate 't': whether the cluster has it is not known: the API server"
        )
    assert known.body["phase"] == "Successful"
    assert (checked.status, checked.body["ok"]) == (200, True)


async def test_a_right_that_is_missing_is_named(
    kubernetes: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By verb, resource and namespace, where operators look, and to who asks."""
    monkeypatch.setattr(source_parts, "FIRST_LISTING_S", 0.2)
    shop, bank = await kubernetes.namespace(), await kubernetes.namespace()
    group = "argoproj.io"
    rights = [Right(verb, group, TEMPLATES, bank) for verb in ("list", "watch")]
    config = await kubernetes.kubeconfig_of([*rights, Right("list", group, TEMPLATES, shop)])
    settings = {"connect": str(config), "templates": [shop, bank], "clusterTemplates": True}
    async with gateway_on(kubernetes, tmp_path, shop, kubernetes=settings) as gateway:

        async def problems() -> Any:
            details = await ready(gateway, 503)
            found = [scope["problem"].partition(": ")[0] for scope in details["scopes"]]
            return found if found[0] and found[2] else None

        told = await soon(problems)
        refused = await gateway.get(f"/v1/clusteranalysistemplates/t/verdict?namespace={shop}")
    no_right = "the gateway has no right to"
    assert told == [
        f"{no_right} watch analysistemplates.argoproj.io in namespace '{shop}'",
        "",
        f"{no_right} list clusteranalysistemplates.argoproj.io in the cluster",
    ]
    assert refused.status == 503
    assert told[2] in refused.body["detail"]


async def test_a_token_that_is_replaced_is_read_again(kubernetes: Cluster, tmp_path: Path) -> None:
    """Kubernetes does so every hour, and forgets the old one."""
    if not kubernetes.can_rotate:
        pytest.skip("tokens cannot be revoked")
    namespace = await kubernetes.namespace()
    config, token_file = await kubernetes.kubeconfig_with_token_file()
    settings = {"connect": str(config)}
    async with (
        backend(Play("0.9")) as upstream,
        gateway_on(kubernetes, tmp_path, namespace, kubernetes=settings) as gateway,
    ):
        old = token_file.read_text()
        token_file.write_text(await kubernetes.issue())
        await kubernetes.revoke(old)
        await kubernetes.expire_history()
        await kubernetes.create(TEMPLATES, namespace, template("t", rate(upstream.url, 0.8)))
        await verdicts(gateway, namespace, "t", "Successful")


async def test_credentials_that_are_gone_are_the_gateways_own_trouble(
    kubernetes: Cluster, tmp_path: Path
) -> None:
    """What is known serves, and the setting is named."""
    if not kubernetes.can_rotate:
        pytest.skip("tokens cannot be revoked")
    namespace = await kubernetes.namespace()
    config, token_file = await kubernetes.kubeconfig_with_token_file()
    settings = {"connect": str(config)}
    async with gateway_on(kubernetes, tmp_path, namespace, kubernetes=settings) as gateway:
        config.unlink()
        await kubernetes.revoke(token_file.read_text())
        await kubernetes.expire_history()

        async def problem() -> Any:
            (scope,) = (await ready(gateway))["scopes"]
            return scope["problem"]

        why = await soon(problem)
    assert why.startswith(f"kubernetes.connect: {config} cannot be used to reach a cluster:")
