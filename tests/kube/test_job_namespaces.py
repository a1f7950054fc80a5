"""Whose Jobs may run, where they do, and that nothing but a namespace is taken for one."""

from pathlib import Path
from urllib.parse import quote

import pytest
from kube.cluster import Cluster
from kube.gateways import CLUSTER_TEMPLATES, TEMPLATES
from kube.gateways import template as in_cluster
from kube.job_calls import (
    ended_run,
    job_gateway,
    job_metric,
    measurements,
    named,
    put_template,
)
from kube.kinds import Object, Right
from run_calls import run_manifest
from running import template

pytestmark = pytest.mark.kubernetes


async def test_a_namespace_that_may_not_is_refused_before_anything_is_created(
    kubernetes: Cluster, tmp_path: Path
) -> None:
    """With the place of each Job; and so is a Job that comes with a request."""
    allowed, other = await kubernetes.namespace(), await kubernetes.namespace()
    await put_template(kubernetes, other, job_metric())
    settings = {"templates": [allowed, other]}
    async with job_gateway(kubernetes, tmp_path, allowed, **settings) as gateway:
        named_one = await gateway.post("/v1/runs", named(other))
        inline = await gateway.post(f"/v1/verdict?namespace={allowed}", template(job_metric()))
        run = run_manifest(job_metric())
        run["metadata"]["namespace"] = allowed
        manifest = await gateway.post("/v1/runs", run)
    problem = {"path": "spec.metrics[0].provider.job"}
    switched_off = (
        f"Jobs are not switched on for namespace '{other}' (kubernetes.jobs.namespaces; for the"
        " command run: --kubeconfig)"
    )
    brought = (
        "a request may not bring a Job: name a template that the gateway has, which"
        " GET /v1/templates lists"
    )
    for reply, message in ((named_one, switched_off), (inline, brought), (manifest, brought)):
        assert reply.status == 403, reply.text
        assert reply.body["problems"] == [{**problem, "message": message}]
    for namespace in (allowed, other):
        assert await kubernetes.jobs_created(namespace) == 0


async def all_jobs(cluster: Cluster) -> list[str]:
    """The names of all Jobs, wherever they are."""
    found: Object = await cluster.client.json("GET", "/apis/batch/v1/jobs")
    return sorted(each["metadata"]["uid"] for each in found["items"])


@pytest.mark.parametrize("hostile", ["../../../../version?", "*", "Shop", "shop.bank", "shop\n"])
async def test_what_is_no_namespace_reaches_no_path(
    kubernetes: Cluster, tmp_path: Path, hostile: str
) -> None:
    """A template of the cluster itself is found from everywhere, and runs a Job there."""
    namespace = await kubernetes.namespace()
    name = f"job-{namespace}"
    await kubernetes.create(CLUSTER_TEMPLATES, "", in_cluster(name, job_metric()))
    settings = {"clusterTemplates": True, "jobs": {"namespaces": ["*"]}}
    ref = {"templateName": name, "clusterScope": True}
    before = await all_jobs(kubernetes)
    async with job_gateway(kubernetes, tmp_path, namespace, **settings) as gateway:
        encoded = quote(hostile, safe="")
        replies = [
            await gateway.get(f"/v1/clusteranalysistemplates/{name}/verdict?namespace={encoded}"),
            await gateway.post(
                f"/v1/runs?namespace={encoded}",
                f'{{"templates": [{{"templateName": "{name}", "clusterScope": true}}]}}',
                **{"Content-Type": "application/json"},
            ),
            await gateway.post("/v1/runs", {"namespace": hostile, "templates": [ref]}),
        ]
    await kubernetes.delete(CLUSTER_TEMPLATES, "", name)
    problem = {"path": "namespace", "message": f"{hostile!r} is no name of a namespace"}
    told = [(each.status, each.body["error"], each.body["problems"]) for each in replies]
    assert told == [(422, "template_invalid", [problem])] * 3
    assert await all_jobs(kubernetes) == before


async def test_jobs_may_have_a_cluster_of_their_own(kubernetes: Cluster, tmp_path: Path) -> None:
    """A kubeconfig of another user, who may do nothing but run Jobs, in another namespace."""
    namespace, home = await kubernetes.namespace(), await kubernetes.namespace()
    await put_template(kubernetes, namespace, job_metric())
    reads = [Right(verb, "argoproj.io", TEMPLATES, namespace) for verb in ("list", "watch")]
    runs = [
        *(Right(verb, "batch", "jobs", home) for verb in ("create", "get")),
        Right("list", "", "pods", home),
        Right("get", "", "pods/log", home),
    ]
    jobs = {
        "namespaces": [namespace],
        "namespace": home,
        "connect": str(await kubernetes.kubeconfig_of(runs)),
    }
    connect = str(await kubernetes.kubeconfig_of(reads))
    async with job_gateway(kubernetes, tmp_path, namespace, connect=connect, jobs=jobs) as gateway:
        document = await ended_run(gateway, namespace)
    assert document["status"]["phase"] == "Successful"
    assert measurements(document)[0]["metadata"]["job-namespace"] == home
    assert await kubernetes.jobs_created(namespace) == 0
    assert await kubernetes.jobs_created(home) == 1
