"""Templates of a cluster, at a gateway that runs, while the API server has its troubles."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from backends import Play, backend
from kube.cluster import Cluster
from kube.gateways import (
    CLUSTER_TEMPLATES,
    TEMPLATES,
    gateway_on,
    rate,
    ready,
    soon,
    template,
    verdict,
    verdicts,
)
from kube.kinds import KINDS, Right
from kube.wire import Gone
from running import service

from gateway import source_parts

AGE = "analysis_gateway_cluster_templates_age_seconds"


def see_can_be_hurt(cluster: Cluster) -> None:
    """Skip where the API server is somebody else's."""
    if not cluster.can_be_hurt:
        pytest.skip("the API server is not ours")


async def test_a_template_is_used_as_it_is_in_the_cluster_now(
    kubernetes: Cluster, tmp_path: Path
) -> None:
    """Created while the gateway runs, changed, broken, mended, deleted."""
    namespace = await kubernetes.namespace()
    async with (
        backend(Play("0.9")) as upstream,
        gateway_on(kubernetes, tmp_path, namespace) as gateway,
    ):
        assert (await verdict(gateway, namespace, "t")).status == 404
        await kubernetes.create(TEMPLATES, namespace, template("t", rate(upstream.url, 0.8)))
        await verdicts(gateway, namespace, "t", "Successful")
        stricter = {"spec": {"metrics": [rate(upstream.url, 0.95)]}}
        await kubernetes.patch(TEMPLATES, namespace, "t", stricter)
        await verdicts(gateway, namespace, "t", "Failed")
        await kubernetes.patch(TEMPLATES, namespace, "t", {"spec": {"metrics": [{"name": 7}]}})
        refused = await verdicts(gateway, namespace, "t", 422)
        listed = (await gateway.get("/v1/templates")).body
        mended = {"spec": {"metrics": [rate(upstream.url, 0.8)]}}
        await kubernetes.patch(TEMPLATES, namespace, "t", mended)
        await verdicts(gateway, namespace, "t", "Successful")
        await kubernetes.delete(TEMPLATES, namespace, "t")
        gone = await verdicts(gateway, namespace, "t", 404)
    where = f"AnalysisTemplate {namespace}/t"
    wrong = [
        {
            "path": "spec.metrics[0].name",
            "message": "must be a text, not the number 7; put it into quotes",
        },
        {"path": "spec.metrics[0].provider", "message": "is required"},
    ]
    assert refused.body["problems"] == [
        {**problem, "path": f"{where}: {problem['path']}"} for problem in wrong
    ]
    assert listed == {"templates": [], "broken": [{"file": where, "problems": wrong}]}
    assert gone.body["error"] == "template_not_found"


async def test_templates_of_the_cluster_itself_are_found_from_everywhere(
    kubernetes: Cluster, tmp_path: Path
) -> None:
    """By name, and as the reference of another one."""
    namespace = await kubernetes.namespace()
    name = f"always-{namespace}"
    async with backend(Play("0.9")) as upstream:
        await kubernetes.create(CLUSTER_TEMPLATES, "", template(name, rate(upstream.url, 0.8)))
        refers = template("t", templates=[{"templateName": name, "clusterScope": True}])
        await kubernetes.create(TEMPLATES, namespace, refers)
        settings = {"clusterTemplates": True}
        async with gateway_on(kubernetes, tmp_path, namespace, kubernetes=settings) as gateway:
            referred = await verdict(gateway, namespace, "t")
            path = f"/v1/clusteranalysistemplates/{name}/verdict"
            named = await gateway.get(f"{path}?namespace={namespace}")
        await kubernetes.delete(CLUSTER_TEMPLATES, "", name)
    assert [each.body["phase"] for each in (referred, named)] == ["Successful"] * 2
    assert [each.partition("@")[0] for each in referred.body["templates"]] == ["t", name]


async def test_all_namespaces_or_those_that_are_switched_on(
    kubernetes: Cluster, tmp_path: Path
) -> None:
    """A namespace that nobody named is not looked at."""
    shop, bank, other = [await kubernetes.namespace() for _ in range(3)]
    async with backend(Play("0.9")) as upstream:
        for namespace in (shop, bank, other):
            await kubernetes.create(TEMPLATES, namespace, template("t", rate(upstream.url, 0.8)))
        statuses = []
        for number, templates in enumerate(([shop, bank], ["*"])):
            settings = {"templates": templates}
            async with gateway_on(
                kubernetes, tmp_path / str(number), shop, kubernetes=settings
            ) as gateway:
                replies = [await verdict(gateway, each, "t") for each in (shop, bank, other)]
                statuses.append([each.status for each in replies])
    assert statuses == [[200, 200, 404], [200, 200, 200]]


async def test_the_folder_goes_first(kubernetes: Cluster, tmp_path: Path) -> None:
    """Whoever mounts a template of that name means it."""
    namespace = await kubernetes.namespace()
    folder = tmp_path / "templates"
    folder.mkdir()
    async with backend(Play("0.9")) as upstream:
        for name in ("both", "cluster"):
            failing = template(name, rate(upstream.url, 1))
            await kubernetes.create(TEMPLATES, namespace, failing)
        mounted = template("both", rate(upstream.url, 0.5))
        mounted |= {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate"}
        mounted["metadata"]["namespace"] = namespace
        (folder / "both.yaml").write_text(yaml.safe_dump(mounted))
        async with gateway_on(
            kubernetes, tmp_path / "state", namespace, templates=folder
        ) as gateway:
            phases = [
                (await verdict(gateway, namespace, name)).body["phase"]
                for name in ("both", "cluster")
            ]
            listed = (await gateway.get("/v1/templates")).body["templates"]
    assert phases == ["Successful", "Failed"]
    assert [each["name"] for each in listed] == ["both", "cluster"]


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


async def test_more_namespaces_than_a_pool_of_connections_has(
    kubernetes: Cluster, tmp_path: Path
) -> None:
    """Each is watched over a connection of its own, and calls find one, too."""
    namespace = await kubernetes.namespace()
    others = [f"nobody-{number}" for number in range(110)]
    settings = {"templates": [*others, namespace]}
    async with (
        backend(Play("0.9")) as upstream,
        gateway_on(kubernetes, tmp_path, namespace, kubernetes=settings) as gateway,
    ):
        await ready(gateway)
        await kubernetes.create(TEMPLATES, namespace, template("t", rate(upstream.url, 0.8)))
        await verdicts(gateway, namespace, "t", "Successful")


@pytest.mark.parametrize("oddity", ["deep", "separators"])
async def test_one_odd_template_stops_none_of_the_others(
    kubernetes: Cluster, tmp_path: Path, oddity: str
) -> None:
    """Whoever may create templates anywhere must not blind the gateway everywhere."""
    shop, bank = await kubernetes.namespace(), await kubernetes.namespace()
    # A real API server takes thousands of levels, and kmock as many as Python.
    levels = 400 if kubernetes.kind == "kmock" else 5_000
    block, why = {
        "deep": ("[" * levels + "]" * levels, "values are nested deeper than"),
        "separators": ('"\u0085 \u2028"', "unknown field"),
    }[oddity]
    metric = '{"name": "m", "provider": {"web": {"url": "http://x", "odd": ' + block + "}}}"
    head = '{"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate"'
    odd = head + ', "metadata": {"name": "odd"}, "spec": {"metrics": [' + metric + "]}}"
    path, json = KINDS[TEMPLATES].path(bank), {"Content-Type": "application/json"}
    async with backend(Play("0.9")) as upstream:
        await kubernetes.client.text("POST", path, data=odd, headers=json)
        settings = {"templates": [shop, bank]}
        async with gateway_on(kubernetes, tmp_path, shop, kubernetes=settings) as gateway:
            await ready(gateway)
            await kubernetes.delete(TEMPLATES, bank, "odd")
            await verdicts(gateway, bank, "odd", 404)
            await kubernetes.client.text("POST", path, data=odd, headers=json)
            refused = await verdicts(gateway, bank, "odd", 422)
            await kubernetes.create(TEMPLATES, shop, template("t", rate(upstream.url, 0.8)))
            await verdicts(gateway, shop, "t", "Successful")
            details = await ready(gateway)
        # Later tests look at all namespaces, and are not prepared for it.
        await kubernetes.delete(TEMPLATES, bank, "odd")
    assert why in refused.body["detail"]
    assert [scope["problem"] for scope in details["scopes"]] == ["", ""]


async def test_a_run_measures_a_template_of_the_cluster(
    kubernetes: Cluster, tmp_path: Path
) -> None:
    """To its end, even when the template is deleted meanwhile: the run has its own copy."""
    namespace = await kubernetes.namespace()
    async with (
        backend(Play("0.9")) as upstream,
        gateway_on(kubernetes, tmp_path, namespace) as gateway,
    ):
        metric = rate(upstream.url, 0.8, interval="200ms", count=5)
        await kubernetes.create(TEMPLATES, namespace, template("t", metric))
        await verdicts(gateway, namespace, "t", "Successful")
        started = await gateway.post(
            f"/v1/runs?namespace={namespace}", '{"templates": [{"templateName": "t"}]}',
            **{"Content-Type": "application/json"},
        )  # fmt: skip
        await kubernetes.delete(TEMPLATES, namespace, "t")
        ended = await gateway.get(f"{started.headers['Location']}?wait=20s")
    assert ended.body["status"]["phase"] == "Successful"
    assert ended.body["status"]["metricResults"][0]["count"] == 5


async def test_a_cluster_without_templates_is_waited_for_by_nobody(
    kubernetes: Cluster, tmp_path: Path
) -> None:
    """It may be there for its secrets alone."""
    see_can_be_hurt(kubernetes)
    namespace = await kubernetes.namespace()
    await kubernetes.stop()
    settings = {"templates": []}
    async with gateway_on(kubernetes, tmp_path, namespace, kubernetes=settings) as gateway:
        reply = await gateway.get("/readyz")
        unknown = await verdict(gateway, namespace, "t")
    assert (reply.status, "kubernetes" in reply.body) == (200, False)
    assert unknown.status == 404


async def test_without_a_cluster_nothing_is_told_of_one(tmp_path: Path) -> None:
    """Neither by readiness nor in the metrics."""
    async with service(tmp_path) as gateway:
        details = (await gateway.get("/readyz")).body
        metrics = (await gateway.get("/metrics")).text
    assert "kubernetes" not in details
    assert AGE not in metrics
