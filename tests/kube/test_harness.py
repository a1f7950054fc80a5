"""The Kubernetes cluster of tests keeps its promises, whichever kind it is."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing
from functools import partial
from pathlib import Path

import aiohttp
import lightkube
import pytest
from kube.access import Access
from kube.client import Client
from kube.cluster import Cluster
from kube.jobs import conditions, job, pod_of, refusal, settled
from kube.kinds import KINDS, Object, Right
from kube.outcomes import Runs, Succeeds
from kube.polling import until
from kube.wire import Gone
from lightkube import AsyncClient, KubeConfig
from lightkube.resources import batch_v1 as models
from lightkube.resources.core_v1 import Pod
from lightkube.types import CascadeType

LOG = "one\ntwo\nthree\n"
LONG = "a" * 64
TOO_LONG = f'metadata.labels: Invalid value: "{LONG}": must be no more than 63 characters'
NO_CONTAINERS = "spec.template.spec.containers: Required value"
NO_POLICY = 'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'


@pytest.fixture
async def clients() -> AsyncIterator[AsyncExitStack]:
    """Where clients are put to be closed at the end."""
    async with AsyncExitStack() as stack:
        yield stack


async def has_no_jobs(cluster: Cluster, namespace: str) -> bool:
    """Whether the last Job is gone."""
    return not await cluster.list("jobs", namespace)


async def test_refusals_are_those_of_kubernetes(kubernetes: Cluster) -> None:
    """Texts and reasons, word for word."""
    namespace = await kubernetes.namespace()
    kubernetes.kubelet.outcome = Runs()
    await kubernetes.create("jobs", namespace, job("measure"))
    nameless = {"metadata": {"name": "other"}, "spec": {"template": {}}}
    assert [
        await refusal(kubernetes.create("jobs", namespace, job("measure"))),
        await refusal(kubernetes.create("jobs", namespace, nameless)),
        await refusal(kubernetes.create("jobs", namespace, job(LONG))),
        await refusal(kubernetes.create("jobs", "nowhere", job("measure"))),
        await refusal(kubernetes.get("jobs", namespace, "x")),
        await refusal(kubernetes.get("secrets", namespace, "x")),
        await refusal(kubernetes.get("analysistemplates", namespace, "x")),
    ] == [
        '409 AlreadyExists: jobs.batch "measure" already exists',
        f'422 Invalid: Job.batch "other" is invalid: [{NO_CONTAINERS}, {NO_POLICY}]',
        f'422 Invalid: Job.batch "{LONG}" is invalid: [{TOO_LONG}, spec.template.{TOO_LONG[9:]}]',
        '404 NotFound: namespaces "nowhere" not found',
        '404 NotFound: jobs.batch "x" not found',
        '404 NotFound: secrets "x" not found',
        '404 NotFound: analysistemplates.argoproj.io "x" not found',
    ]


async def test_users_may_do_what_their_rights_say(kubernetes: Cluster) -> None:
    """Rights are those of verbs, resources and namespaces; strangers have none."""
    shop, other = await kubernetes.namespace(), await kubernetes.namespace()
    rights = [Right("get", "", "secrets", shop), Right("list", "batch", "jobs", "*")]
    config = await kubernetes.kubeconfig_of(rights)
    await kubernetes.create("secrets", shop, {"metadata": {"name": "s"}, "stringData": {"a": "b"}})
    async with client_of(config) as user:
        secret = await user.json("GET", KINDS["secrets"].path(shop, "s"))
        assert secret["data"] == {"a": "Yg=="}
        await user.json("GET", KINDS["jobs"].path())
        jobs, secrets_ = KINDS["jobs"].path(shop), KINDS["secrets"].path(other, "s")
        created = await refusal(user.json("POST", jobs, job("measure")))
        read = await refusal(user.json("GET", secrets_))
    name = created.split('"')[1]
    assert name.startswith("system:serviceaccount:default:user-")
    assert created == (
        f'403 Forbidden: jobs.batch is forbidden: User "{name}" cannot create resource "jobs"'
        f' in API group "batch" in the namespace "{shop}"'
    )
    assert read == (
        f'403 Forbidden: secrets "s" is forbidden: User "{name}" cannot get resource "secrets"'
        f' in API group "" in the namespace "{other}"'
    )
    stranger = Client(Access.read(config).with_token("unknown"))
    assert await refusal(stranger.json("GET", jobs)) == "401 Unauthorized: Unauthorized"
    await stranger.aclose()


async def test_token_can_be_rotated(kubernetes: Cluster) -> None:
    """A kubeconfig may name a file whose token is replaced."""
    namespace = await kubernetes.namespace()
    config, token_file = await kubernetes.kubeconfig_with_token_file()
    path = KINDS["jobs"].path(namespace)
    async with client_of(config) as user:
        assert (await user.json("GET", path))["items"] == []
        if kubernetes.can_rotate:
            await kubernetes.revoke(token_file.read_text())
            assert await refusal(user.json("GET", path)) == "401 Unauthorized: Unauthorized"
    token_file.write_text(await kubernetes.issue())
    async with client_of(config) as user:
        assert (await user.json("GET", path))["items"] == []


async def test_library_of_the_gateway_understands_it(
    kubernetes: Cluster, clients: AsyncExitStack
) -> None:
    """A kubeconfig and the answers are good for lightkube."""
    namespace = await kubernetes.namespace()
    kubernetes.kubelet.outcome = Succeeds(log=LOG, after_s=0)
    config = KubeConfig.from_file(kubernetes.kubeconfig).get()
    client = AsyncClient(config=config, namespace=namespace)
    clients.push_async_callback(client.close)
    made = await client.create(models.Job.from_dict(job("measure")))
    with pytest.raises(lightkube.ApiError) as caught:
        await client.create(models.Job.from_dict(job("measure")))
    assert caught.value.status.message == 'jobs.batch "measure" already exists'
    labels = {"job-name": "measure"}
    version = made.metadata.resourceVersion
    async for _, found in client.watch(models.Job, labels=labels, resource_version=version):
        if any(item.type == "Complete" for item in found.status.conditions or ()):
            break
    [pod] = [item async for item in client.list(Pod, labels=labels)]
    lines = [line async for line in client.log(pod.metadata.name, tail_lines=1)]
    assert lines == ["three\n"]
    await client.delete(models.Job, "measure", cascade=CascadeType.FOREGROUND)
    await until(partial(has_no_jobs, kubernetes, namespace))


async def test_templates_are_kept_as_they_come(kubernetes: Cluster) -> None:
    """Objects are created, listed by labels, changed and deleted."""
    namespace = await kubernetes.namespace()
    spec = {"metrics": [{"name": "m", "provider": {"job": {"spec": {"any": [1, {"x": None}]}}}}]}
    template = {"metadata": {"name": "t", "labels": {"app": "shop", "tier": "web"}}, "spec": spec}
    kind = "analysistemplates"
    made = await kubernetes.create(kind, namespace, template)
    patched = await kubernetes.patch(kind, namespace, "t", {"spec": {"args": [{"name": "a"}]}})
    assert int(patched["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])
    assert patched["spec"] == {**spec, "args": [{"name": "a"}]}
    assert await refusal(kubernetes.replace(kind, namespace, made)) == (
        '409 Conflict: Operation cannot be fulfilled on analysistemplates.argoproj.io "t": the'
        " object has been modified; please apply your changes to the latest version and try again"
    )
    assert (await kubernetes.replace(kind, namespace, {**patched, "spec": {}}))["spec"] == {}
    names = [
        [item["metadata"]["name"] for item in await kubernetes.list(kind, namespace, labels)]
        for labels in ("app=shop,tier==web", "app=shop,tier!=web", "app,!other", "app=blog")
    ]
    assert names == [["t"], [], ["t"], []]
    await kubernetes.delete(kind, namespace, "t")
    assert await kubernetes.list(kind, namespace) == []


async def test_watch_goes_on_from_a_version(kubernetes: Cluster) -> None:
    """A watch tells what has happened since, in order, and ends in time."""
    namespace = await kubernetes.namespace()
    path = KINDS["secrets"].path(namespace)
    await kubernetes.create("secrets", namespace, {"metadata": {"name": "before"}})
    version = (await kubernetes.client.json("GET", path))["metadata"]["resourceVersion"]
    await kubernetes.create("secrets", namespace, {"metadata": {"name": "s"}})
    await kubernetes.patch("secrets", namespace, "s", {"stringData": None, "data": {"a": "Yg=="}})
    await kubernetes.delete("secrets", namespace, "s")
    # Kubernetes knows whole seconds only.
    timeout_s = "0.1" if kubernetes.kind == "kmock" else "1"
    params = {"resourceVersion": version, "timeoutSeconds": timeout_s}
    events = [event async for event in kubernetes.client.watch(path, **params)]
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in events]
    assert [event["type"] for event in events] == ["ADDED", "MODIFIED", "DELETED"]
    assert versions == sorted(set(versions))
    async with aclosing(kubernetes.client.watch(path)) as fresh:
        assert (await anext(fresh))["object"]["metadata"]["name"] == "before"


async def test_frozen_server_answers_when_it_is_thawed(kubernetes: Cluster) -> None:
    """Requests and watches wait, and nothing is lost."""
    see_can_be_hurt(kubernetes)
    namespace = await kubernetes.namespace()
    async with aclosing(watch_of(kubernetes, namespace)) as events:
        first = asyncio.ensure_future(anext(events))
        await kubernetes.list("secrets", namespace)
        await kubernetes.freeze()
        made = asyncio.create_task(
            kubernetes.create("secrets", namespace, {"metadata": {"name": "s"}})
        )
        done, _ = await asyncio.wait({made, first}, timeout=0.1)
        assert not done
        await kubernetes.thaw()
        await made
        assert (await first)["object"]["metadata"]["name"] == "s"


async def test_killed_server_comes_back_with_its_data(kubernetes: Cluster) -> None:
    """Connections break and are refused until it is back; Jobs go on then."""
    see_can_be_hurt(kubernetes)
    namespace = await kubernetes.namespace()
    kubernetes.kubelet.outcome = Succeeds(after_s=0.05)
    await kubernetes.create("jobs", namespace, job("measure"))
    await pod_of(kubernetes, namespace, "measure")
    await kubernetes.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await kubernetes.list("jobs", namespace)
    await kubernetes.start()
    assert conditions(await settled(kubernetes, namespace, "measure"))[-1][0] == "Complete"
    await kubernetes.create("jobs", namespace, job("again"))
    await settled(kubernetes, namespace, "again")
    assert await kubernetes.jobs_created(namespace) == 2
    assert await kubernetes.pods_created(namespace) == 2


async def test_expired_version_is_gone_in_the_stream(kubernetes: Cluster) -> None:
    """A watch from before begins well and says then that it cannot go on."""
    see_can_be_hurt(kubernetes)
    namespace = await kubernetes.namespace()
    path = KINDS["secrets"].path(namespace)
    version = (await kubernetes.client.json("GET", path))["metadata"]["resourceVersion"]
    await kubernetes.expire_history()
    [event] = [event async for event in kubernetes.client.watch(path, resourceVersion=version)]
    status = event["object"]
    assert (event["type"], status["code"], status["reason"]) == ("ERROR", 410, "Expired")
    assert status["message"].startswith(f"too old resource version: {version} (")


async def test_expired_version_is_gone_at_once(kubernetes: Cluster) -> None:
    """A watch from before is refused."""
    if kubernetes.kind != "kmock":
        pytest.skip("a real API server chooses by itself how it says so")
    namespace = await kubernetes.namespace()
    path = KINDS["secrets"].path(namespace)
    version = (await kubernetes.client.json("GET", path))["metadata"]["resourceVersion"]
    await kubernetes.expire_history(Gone.AS_STATUS)
    watch = kubernetes.client.watch(path, resourceVersion=version)
    assert (await refusal(anext(watch))).startswith("410 Expired: too old resource version: ")


def see_can_be_hurt(cluster: Cluster) -> None:
    """Skip where the API server is somebody else's."""
    if not cluster.can_be_hurt:
        pytest.skip("the API server is not ours")


def client_of(config: Path) -> "aclosing[Client]":
    """The user of a kubeconfig."""
    client = Client(Access.read(config))
    return aclosing(client)


def watch_of(cluster: Cluster, namespace: str) -> AsyncGenerator[Object, None]:
    """What happens to secrets."""
    return cluster.client.watch(KINDS["secrets"].path(namespace))
