"""Jobs that decide, through the whole service: what becomes of them, and what is told of it."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from kube.cluster import Cluster
from kube.gateways import gateway_on
from kube.job_calls import (
    ended_run,
    job_gateway,
    job_metric,
    measurements,
    put_template,
    running_job,
)
from kube.kinds import Right
from kube.outcomes import CannotPull, DeadlineExceeded, Fails, Outcome, Runs, Succeeds
from kube.polling import until

pytestmark = pytest.mark.kubernetes
LOG = "".join(f"line {number}\n" for number in range(30)) + '{"latency": 0.25, "ok": true}\n'
TAIL = "\n".join(f"line {number}" for number in range(11, 30)) + '\n{"latency": 0.25, "ok": true}'


async def is_empty(cluster: Cluster, namespace: str) -> bool:
    """Whether no Job and no pod is left."""
    return not await cluster.list("jobs", namespace) and not await cluster.list("pods", namespace)


@pytest.mark.parametrize(
    ("outcome", "phase", "told"),
    [
        pytest.param(
            Succeeds(log=LOG),
            "Successful",
            {
                "metadata": {
                    "outcome": "the Job is complete: exit code 0",
                    "exit-code": "0",
                    "reason": "Completed",
                    "job-reason": "CompletionsReached",
                    "log": TAIL,
                    "result": '{"latency":0.25,"ok":true}',
                }
            },
            id="exit-code-0-is-successful-and-the-last-line-a-result",
        ),
        pytest.param(
            Fails(exit_code=3, log="no database\n", container_reason="Error"),
            "Failed",
            {
                "metadata": {
                    "outcome": "the Job has failed: exit code 3, Error, BackoffLimitExceeded",
                    "exit-code": "3",
                    "reason": "Error",
                    "job-reason": "BackoffLimitExceeded",
                    "log": "no database",
                }
            },
            id="another-exit-code-is-failed",
        ),
        pytest.param(
            DeadlineExceeded(),
            "Failed",
            {
                "metadata": {
                    "outcome": "the Job has failed: DeadlineExceeded",
                    "job-reason": "DeadlineExceeded",
                }
            },
            id="a-job-that-takes-too-long-is-failed",
        ),
    ],
)
async def test_the_end_of_a_job_decides_a_run(
    kubernetes: Cluster, tmp_path: Path, outcome: Outcome, phase: str, told: dict[str, Any]
) -> None:
    """The measurement says how it ended; the Job is marked as its metric's."""
    namespace = await kubernetes.namespace()
    kubernetes.kubelet.outcome = outcome
    await put_template(kubernetes, namespace, job_metric())
    async with job_gateway(kubernetes, tmp_path, namespace) as gateway:
        document = await ended_run(gateway, namespace)
    assert document["status"]["phase"] == phase
    name = f"{document['metadata']['uid']}.smoke.1"
    (measurement,) = measurements(document)
    assert measurement == {
        "phase": phase,
        "metadata": {"job-name": name, "job-namespace": namespace, **told["metadata"]},
    }
    job = await kubernetes.get("jobs", namespace, name)
    marks = job["metadata"]["annotations"]
    assert marks["analysisrun.argoproj.io/name"] == document["metadata"]["name"]
    assert marks["analysisrun.argoproj.io/metric-name"] == "smoke"
    assert (job["spec"]["activeDeadlineSeconds"], job["spec"]["ttlSecondsAfterFinished"]) == (
        600,
        600,
    )


@pytest.mark.parametrize(
    ("container", "pod"),
    [
        pytest.param("main", {}, id="of-the-container"),
        pytest.param(
            "first",
            {"initContainers": [{"name": "first", "image": "nowhere/x"}]},
            id="of-an-init-container",
        ),
    ],
)
async def test_an_image_that_cannot_be_pulled_is_inconclusive(
    kubernetes: Cluster, tmp_path: Path, container: str, pod: dict[str, Any]
) -> None:
    """So that a human looks; the Job is left as it is."""
    namespace = await kubernetes.namespace()
    kubernetes.kubelet.outcome = CannotPull(in_init=bool(pod))
    await put_template(kubernetes, namespace, job_metric(pod=pod))
    async with job_gateway(kubernetes, tmp_path, namespace) as gateway:
        document = await ended_run(gateway, namespace)
    (measurement,) = measurements(document)
    (found,) = await kubernetes.list("pods", namespace)
    assert document["status"]["phase"] == "Inconclusive"
    assert measurement["message"] == (
        f"Pod {found['metadata']['name']}, container {container} has terminal error"
        " (ImagePullBackOff): Back-off pulling image\n"
    )


async def test_a_terminated_run_takes_its_job_along(kubernetes: Cluster, tmp_path: Path) -> None:
    """Pod and Job are gone, and the metric is Inconclusive, as in Argo."""
    namespace = await kubernetes.namespace()
    kubernetes.kubelet.outcome = Runs()
    await put_template(kubernetes, namespace, job_metric())
    async with job_gateway(kubernetes, tmp_path, namespace) as gateway:
        run = await running_job(kubernetes, gateway, namespace)
        before = (await gateway.get(f"/v1/runs/{run}")).body
        assert measurements(before)[0]["phase"] == "Running"
        await gateway.send("POST", f"/v1/runs/{run}/terminate")
        document = (await gateway.get(f"/v1/runs/{run}?wait=20s")).body
    (measurement,) = measurements(document)
    assert (document["status"]["phase"], measurement["phase"], measurement["message"]) == (
        "Inconclusive",
        "Inconclusive",
        "Metric Terminated",
    )
    await until(partial(is_empty, kubernetes, namespace), within_s=10)


async def test_names_that_begin_alike_are_two_jobs(kubernetes: Cluster, tmp_path: Path) -> None:
    """Where Argo cuts both to one name, and lets one Job answer for two metrics."""
    namespace = await kubernetes.namespace()
    ways = [
        "service-endpoint-is-reachable-from-inside",
        "service-endpoint-is-reachable-from-abroad",
    ]
    kubernetes.kubelet.plays = {ways[0]: Succeeds(), ways[1]: Fails(exit_code=2)}
    await put_template(kubernetes, namespace, *map(job_metric, ways))
    async with job_gateway(kubernetes, tmp_path, namespace) as gateway:
        document = await ended_run(gateway, namespace)
    codes = [measurements(document, way)[0]["metadata"]["exit-code"] for way in ways]
    names = {measurements(document, way)[0]["metadata"]["job-name"] for way in ways}
    assert (codes, document["status"]["phase"]) == (["0", "2"], "Failed")
    assert len(names) == 2
    assert max(map(len, names)) <= 63


async def test_a_verdict_waits_for_a_job_and_leaves_few_behind(
    kubernetes: Cluster, tmp_path: Path
) -> None:
    """Who asks again meanwhile hears of the same Job; the next question starts another one."""
    namespace = await kubernetes.namespace()
    kubernetes.kubelet.outcome = Succeeds(after_s=1, log="fine\n")
    await put_template(kubernetes, namespace, job_metric())
    path = f"/v1/namespaces/{namespace}/analysistemplates/t/verdict"
    async with job_gateway(kubernetes, tmp_path, namespace) as gateway:
        early = (await gateway.get(f"{path}?wait=0s")).body
        both = await asyncio.gather(gateway.get(path), gateway.get(path))
        assert (early["phase"], await kubernetes.jobs_created(namespace)) == ("Running", 1)
        for reply in both:
            metric = reply.body["metrics"]["smoke"]
            assert reply.body["phase"] == "Successful"
            assert reply.body["reason"] == ("smoke: the Job is complete: exit code 0")
            assert (metric["value"], metric["metadata"]["log"]) == (None, "fine")
        kubernetes.kubelet.outcome = Fails(exit_code=1)
        again = (await gateway.get(f"{path}?maxAge=0s&gate=true")).status
        assert (again, await kubernetes.jobs_created(namespace)) == (417, 2)


async def test_a_missing_right_is_named(kubernetes: Cluster, tmp_path: Path) -> None:
    """By verb, resource and namespace, in the measurement's message."""
    namespace = await kubernetes.namespace()
    await put_template(kubernetes, namespace, job_metric(consecutiveErrorLimit=0))
    rights = [
        Right(verb, "argoproj.io", "analysistemplates", namespace) for verb in ("list", "watch")
    ]
    settings = {"connect": str(await kubernetes.kubeconfig_of(rights))}
    async with job_gateway(kubernetes, tmp_path, namespace, **settings) as gateway:
        document = await ended_run(gateway, namespace)
    (measurement,) = measurements(document)
    assert measurement["phase"] == "Error"
    assert measurement["message"].startswith(
        f"the gateway has no right to create jobs.batch in namespace '{namespace}':"
        ' jobs.batch is forbidden: User "'
    )


async def test_secrets_stay_inside(kubernetes: Cluster, tmp_path: Path) -> None:
    """A pod that prints what it was given does not make it public."""
    namespace = await kubernetes.namespace()
    secret = "hush-hush-hush-1234"
    folder = tmp_path / "secrets" / namespace / "login"
    folder.mkdir(parents=True)
    (folder / "password").write_text(secret)
    kubernetes.kubelet.outcome = Fails(log=f'I was told {secret}\n{{"got": "{secret}"}}\n')
    pod = {
        "containers": [
            {
                "name": "main",
                "image": "alpine:3",
                "env": [{"name": "PASSWORD", "value": "{{args.password}}"}],
            }
        ]
    }
    await put_template(
        kubernetes,
        namespace,
        job_metric(pod=pod),
        args=[
            {
                "name": "password",
                "valueFrom": {"secretKeyRef": {"name": "login", "key": "password"}},
            }
        ],
    )
    jobs = {"jobs": {"namespaces": [namespace]}}
    async with gateway_on(
        kubernetes, tmp_path / "state", namespace, kubernetes=jobs, secrets=tmp_path / "secrets"
    ) as gateway:
        document = await ended_run(gateway, namespace)
        path = f"/v1/namespaces/{namespace}/analysistemplates/t/verdict"
        verdict = await gateway.get(path)
    (measurement,) = measurements(document)
    assert measurement["metadata"]["log"] == 'I was told *****\n{"got": "*****"}'
    assert measurement["metadata"]["result"] == '{"got":"*****"}'
    assert secret not in str(document)
    assert secret not in verdict.text
    (job, *_) = await kubernetes.list("jobs", namespace)
    (environ,) = job["spec"]["template"]["spec"]["containers"][0]["env"]
    assert environ["value"] == secret
