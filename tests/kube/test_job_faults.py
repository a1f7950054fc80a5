"""Jobs outlive who asked for them: a replica dies, the API server is away, two hundred at once."""

import asyncio
import random
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from kube.cluster import Cluster
from kube.job_calls import (
    ended_run,
    job_gateway,
    job_metric,
    measurements,
    named,
    put_template,
    running_job,
)
from kube.outcomes import Runs, Succeeds
from kube.polling import until
from redis_server import StartRedis
from run_calls import started
from running import Service
from survival import Caller, Replica, replicas

pytestmark = pytest.mark.kubernetes
RUNS = 30
KILLS = 8
AT_ONCE = 200


def settings_file(cluster: Cluster, folder: Path, namespace: str) -> Path:
    """The settings of replicas that may run Jobs of one namespace."""
    kubernetes = {
        "connect": str(cluster.kubeconfig),
        "templates": [namespace],
        "clusterTemplates": False,
        "jobs": {"namespaces": [namespace]},
    }
    file = folder / "settings.yaml"
    file.write_text(yaml.safe_dump({"kubernetes": kubernetes}), encoding="utf-8")
    return file


async def kill_at_random(running: list[Replica]) -> None:
    """Kill and restart one replica after another."""
    for _ in range(KILLS):
        await asyncio.sleep(random.uniform(0.1, 0.8))  # no secret
        replica = random.choice(running)  # no secret
        replica.kill()
        await replica.start()


async def run_ended(caller: Caller, run: str) -> dict[str, Any]:
    """The document of a run when it has ended, whoever drives it."""

    async def seen() -> dict[str, Any] | None:
        document: dict[str, Any] = await caller.ask("GET", f"/v1/runs/{run}")
        return document if document["status"].get("completedAt") else None

    return await until(seen, within_s=90)


@pytest.mark.timeout(240)
async def test_a_killed_replica_s_jobs_are_found_again(
    kubernetes: Cluster, start_redis: StartRedis, tmp_path: Path
) -> None:
    """SIGKILL at random, also between a Job's creation and its record: one pod per run in all."""
    namespace = await kubernetes.namespace()
    kubernetes.kubelet.outcome = Succeeds(after_s=1.5, log="fine\n")
    await put_template(kubernetes, namespace, job_metric())
    redis = start_redis("--appendonly", "yes")
    config = ("--config", str(settings_file(kubernetes, tmp_path, namespace)))
    async with (
        replicas(2, redis.url.reveal(), tmp_path, *config) as running,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(10)) as session,
    ):
        caller = Caller(session, running)
        killer = asyncio.create_task(kill_at_random(running))
        ids = []
        for number in range(RUNS):
            headers = {"Idempotency-Key": f"run-{number}"}
            document = await caller.ask("POST", "/v1/runs", json=named(namespace), headers=headers)
            ids.append(document["metadata"]["uid"])
        await killer
        documents = [await run_ended(caller, run) for run in ids]
    assert sum(each.kills for each in running) >= KILLS
    assert {each["status"]["phase"] for each in documents} == {"Successful"}
    assert all(len(measurements(each)) == 1 for each in documents)
    assert await kubernetes.jobs_created(namespace) == RUNS
    assert await kubernetes.pods_created(namespace) == RUNS


async def test_a_new_gateway_goes_on_with_the_job_of_a_verdict(
    kubernetes: Cluster, tmp_path: Path
) -> None:
    """Nobody remembers the question of a process that died, but the cluster does."""
    namespace = await kubernetes.namespace()
    kubernetes.kubelet.outcome = Runs(log="fine\n")
    await put_template(kubernetes, namespace, job_metric())
    path = f"/v1/namespaces/{namespace}/analysistemplates/t/verdict"
    async with job_gateway(kubernetes, tmp_path, namespace) as gateway:
        assert (await gateway.get(f"{path}?wait=1s")).body["phase"] == "Running"
    (job,) = await kubernetes.list("jobs", namespace)
    async with job_gateway(kubernetes, tmp_path, namespace) as gateway:
        asked = asyncio.create_task(gateway.get(path))
        await kubernetes.kubelet.finish(namespace, job["metadata"]["name"], Succeeds(log="fine\n"))
        verdict = (await asked).body
    assert verdict["phase"] == "Successful"
    assert verdict["metrics"]["smoke"]["metadata"]["job-name"] == job["metadata"]["name"]
    assert await kubernetes.jobs_created(namespace) == 1


async def waiting(gateway: Service, run: str) -> str:
    """What a run says of an API server that is away."""

    async def told() -> str:
        document = (await gateway.get(f"/v1/runs/{run}")).body
        results = document["status"].get("metricResults", [])
        found = [each for result in results for each in result["measurements"]]
        return str(found[-1].get("message", "")) if found else ""

    return await until(told)


@pytest.mark.parametrize(
    ("fault", "end", "said"),
    [
        pytest.param("freeze", "thaw", "did not answer in time", id="frozen"),
        pytest.param("stop", "start", "cannot be reached", id="dead-and-back"),
    ],
)
async def test_an_api_server_that_is_away_is_waited_for(
    kubernetes: Cluster, tmp_path: Path, fault: str, end: str, said: str
) -> None:
    """A Job under way is found again; one that could not be created is created once."""
    if not kubernetes.can_be_hurt:
        pytest.skip("this API server is somebody else's")
    namespace = await kubernetes.namespace()
    kubernetes.kubelet.outcome = Runs()
    await put_template(kubernetes, namespace, job_metric())
    async with job_gateway(kubernetes, tmp_path, namespace, timeout="500ms") as gateway:
        under_way = await running_job(kubernetes, gateway, namespace)
        await getattr(kubernetes, fault)()
        new = (await started(gateway, named(namespace))).body["metadata"]["uid"]
        for run in (under_way, new):
            assert said in await waiting(gateway, run)
        await getattr(kubernetes, end)()
        for run in (under_way, new):
            job = f"{run}.smoke.1"
            await until(lambda job=job: has_job(kubernetes, namespace, job))
            await kubernetes.kubelet.finish(namespace, job, Succeeds(log="fine\n"))
            document = (await gateway.get(f"/v1/runs/{run}?wait=30s")).body
            assert document["status"]["phase"] == "Successful"
            assert measurements(document)[0]["metadata"]["log"] == "fine"
    assert await kubernetes.jobs_created(namespace) == 2
    assert await kubernetes.pods_created(namespace) == 2


async def has_job(cluster: Cluster, namespace: str, name: str) -> bool:
    """Whether a Job is there."""
    found = await cluster.list("jobs", namespace)
    return any(each["metadata"]["name"] == name for each in found)


@pytest.mark.timeout(240)
@pytest.mark.alone
async def test_two_hundred_jobs_at_once(kubernetes: Cluster, tmp_path: Path) -> None:
    """Each run gets its own, and all of them end."""
    namespace = await kubernetes.namespace()
    kubernetes.kubelet.outcome = Succeeds(after_s=1, log="fine\n")
    await put_template(kubernetes, namespace, job_metric())
    async with job_gateway(kubernetes, tmp_path, namespace, timeout="10s") as gateway:
        documents = await asyncio.gather(*(ended_run(gateway, namespace) for _ in range(AT_ONCE)))
    assert {each["status"]["phase"] for each in documents} == {"Successful"}
    assert {measurements(each)[0]["metadata"]["log"] for each in documents} == {"fine"}
    assert await kubernetes.jobs_created(namespace) == AT_ONCE
