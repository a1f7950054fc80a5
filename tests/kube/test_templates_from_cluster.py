"""Templates of a cluster, at a gateway that runs."""

from pathlib import Path

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
    see_can_be_hurt,
    template,
    verdict,
    verdicts,
)
from kube.kinds import KINDS
from running import service

AGE = "analysis_gateway_cluster_templates_age_seconds"


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
