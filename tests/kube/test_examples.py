"""The examples for Kubernetes: what they say can be used as it stands."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kube.cluster import Cluster
from kube.gateways import TEMPLATES, gateway_on
from kube.job_calls import ended_run, job_metric, measurements, named, put_template, running_job
from kube.kinds import Right
from kube.outcomes import Runs, Succeeds
from run_calls import started

from gateway.config.settings import load

pytestmark = pytest.mark.kubernetes
EXAMPLES = Path(__file__).resolve().parents[2] / "examples/kubernetes"


def manifests(name: str) -> list[Any]:
    """The documents of an example."""
    return list(yaml.safe_load_all((EXAMPLES / name).read_text(encoding="utf-8")))


def rights(namespace: str) -> Iterator[Right]:
    """What the example grants, with another namespace in the place of its own."""
    for each in manifests("rbac.yaml"):
        where = {"Role": namespace, "ClusterRole": "*"}.get(each["kind"])
        for rule in each["rules"] if where else ():
            for group in rule["apiGroups"]:
                for resource in rule["resources"]:
                    for verb in rule["verbs"]:
                        yield Right(verb, group, resource, where)


async def test_the_rights_are_enough(kubernetes: Cluster, tmp_path: Path) -> None:
    """For templates of both kinds, a secret, and Jobs that are run, collected and terminated."""
    namespace = await kubernetes.namespace()
    secret = {"metadata": {"name": "login"}, "stringData": {"password": "hush-hush"}}
    await kubernetes.create("secrets", namespace, secret)
    argument = {
        "name": "password",
        "valueFrom": {"secretKeyRef": {"name": "login", "key": "password"}},
    }
    pod = {"containers": [{"name": "main", "image": "i", "args": ["{{args.password}}"]}]}
    retention = [{"metricName": "smoke", "limit": 1}]
    metric = job_metric(pod=pod, count=3, interval="0s")
    await put_template(
        kubernetes, namespace, metric, args=[argument], measurementRetention=retention
    )
    kubernetes.kubelet.outcome = Succeeds(log="fine\n")
    config = str(await kubernetes.kubeconfig_of(list(rights(namespace))))
    settings = load(EXAMPLES / "settings.yaml", flags={}, environ={}).kubernetes
    assert settings.templates == settings.secrets == settings.jobs.namespaces == ("shop",)
    chosen = {
        "connect": config,
        "clusterTemplates": settings.cluster_templates,
        "secrets": [namespace],
        "jobs": {"namespaces": [namespace]},
    }
    async with gateway_on(kubernetes, tmp_path, namespace, kubernetes=chosen) as gateway:
        assert (await gateway.get("/readyz")).status == 200
        document = await ended_run(gateway, namespace)
        (measurement,) = measurements(document)
        assert (document["status"]["phase"], measurement["metadata"]["log"]) == (
            "Successful",
            "fine",
        )
        # The third one is there, and the one that was there when it was collected.
        assert len(await kubernetes.list("jobs", namespace)) <= 2
        kubernetes.kubelet.outcome = Runs()
        run = await running_job(kubernetes, gateway, namespace)
        await gateway.send("POST", f"/v1/runs/{run}/terminate")
        stopped = (await gateway.get(f"/v1/runs/{run}?wait=20s")).body
    assert measurements(stopped)[0]["message"] == "Metric Terminated"
    assert await kubernetes.jobs_created(namespace) == 4


async def test_the_job_is_the_one_we_tell_of(kubernetes: Cluster, tmp_path: Path) -> None:
    """It is Successful where its pod is."""
    namespace = await kubernetes.namespace()
    (template,) = manifests("job.yaml")
    (metric,) = template["spec"]["metrics"]
    job = metric["provider"]["job"]["spec"]
    (container,) = job["template"]["spec"]["containers"]
    assert {key: metric[key] for key in ("count", "interval", "failureLimit")} == {
        "count": 1,
        "interval": "5s",
        "failureLimit": 1,
    }
    assert (job["backoffLimit"], container["image"], container["command"]) == (
        0,
        "alpine",
        ["sh", "-c", "exit 0"],
    )
    template["metadata"]["name"] = "t"
    await kubernetes.create(TEMPLATES, namespace, template)
    chosen = {"jobs": {"namespaces": [namespace]}}
    async with gateway_on(kubernetes, tmp_path, namespace, kubernetes=chosen) as gateway:
        reply = await started(gateway, named(namespace), "wait=60s&gate=true")
    assert reply.status == 200
    assert measurements(reply.body, "job")[0]["metadata"]["exit-code"] == "0"
