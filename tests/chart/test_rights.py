"""The rights that the chart grants are those that the gateway uses: enough, and none more.

What it uses is what an API server of the tests sees it do while it does all that it can.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from chart.matrix import Values
from chart.rendering import NAMESPACE, Rendered, needs_helm, rendered
from guarded import bearer, rule, write_policy
from kube.cluster import Cluster, cluster_on
from kube.door import API_AUDIENCE
from kube.emulated import Emulated
from kube.gateways import gateway_on
from kube.job_calls import ended_run, job_metric, put_template, running_job
from kube.kinds import Right
from kube.outcomes import Runs, Succeeds

pytestmark = needs_helm
EVERYWHERE = ""


@pytest.fixture(name="emulated")
async def _emulated() -> Emulated:
    return Emulated()


@pytest.fixture(name="cluster")
async def _cluster(emulated: Emulated, tmp_path: Path) -> AsyncIterator[Cluster]:
    async with cluster_on(emulated, tmp_path) as cluster:
        yield cluster


def granted(release: Rendered) -> set[Right]:
    """What the roles of a release allow; those of the cluster everywhere."""
    return set(_rights(release))


def _rights(release: Rendered) -> Iterator[Right]:
    for role in (*release.of("Role"), *release.of("ClusterRole")):
        where = role["metadata"].get("namespace", EVERYWHERE)
        for each in role["rules"]:
            for resource in each["resources"]:
                for verb in each["verbs"]:
                    yield Right(verb, each["apiGroups"][0], resource, where)


async def gateways_token(cluster: Cluster, rights: set[Right]) -> str:
    """The token of somebody with the rights of a release."""
    everywhere = [
        Right(each.verb, each.group, each.resource, each.namespace or "*") for each in rights
    ]
    return await cluster.issue(everywhere)


def used(emulated: Emulated, token: str) -> set[Right]:
    """What the owner of a token has done."""
    name = emulated.wire.door.users[token].name
    return {right for user, right in emulated.wire.door.used if user == name}


def settings(release: Rendered, cluster: Cluster, token: str, folder: Path) -> dict[str, Any]:
    """The settings of a release, with paths of this machine."""
    access = cluster._access.with_token(token)
    kubeconfig = access.write(folder / "gateway.yaml", access.user())
    everybody = [{"group": "system:serviceaccounts"}]
    policy = write_policy(
        folder, rule("verdict", "run", "jobs", "admin", callers=everybody, namespaces=["*"])
    )
    return {
        "access": {**release.settings["access"], "policy": str(policy)},
        "kubernetes": {**release.settings["kubernetes"], "connect": str(kubeconfig)},
    }


def reviewing(**kubernetes: Any) -> Values:
    """Values of a release that knows the service accounts of its cluster."""
    return {
        "kubernetes": {"enabled": True, **kubernetes},
        "access": {"tokenReview": {"audiences": [API_AUDIENCE]}},
    }


async def test_everything_takes_exactly_the_rights_of_the_chart(
    emulated: Emulated, cluster: Cluster, tmp_path: Path
) -> None:
    """Templates of both kinds, a Secret, Jobs that are run, collected and stopped, a caller."""
    namespace = await cluster.namespace()
    release = rendered(
        reviewing(
            templates=[namespace],
            clusterTemplates=True,
            secrets={"namespaces": [namespace]},
            jobs={"namespaces": [namespace]},
        )
    )
    token = await gateways_token(cluster, granted(release))
    await cluster.create("secrets", namespace, _secret("login"))
    pod = {"containers": [{"name": "main", "image": "i", "args": ["{{args.password}}"]}]}
    retention = [{"metricName": "smoke", "limit": 1}]
    await put_template(
        cluster,
        namespace,
        job_metric(pod=pod, count=3, interval="0s"),
        args=[_argument("login")],
        measurementRetention=retention,
    )
    cluster.kubelet.outcome = Succeeds(log="fine\n")
    chosen = settings(release, cluster, token, tmp_path)
    async with gateway_on(cluster, tmp_path / "state", namespace, **chosen) as gateway:
        gateway.session.headers.update(bearer(await cluster.issue(())))
        assert (await gateway.get("/readyz")).status == 200
        document = await ended_run(gateway, namespace)
        assert document["status"]["phase"] == "Successful"
        cluster.kubelet.outcome = Runs()
        run = await running_job(cluster, gateway, namespace)
        await gateway.send("POST", f"/v1/runs/{run}/terminate")
        await gateway.get(f"/v1/runs/{run}?wait=20s")
    assert used(emulated, token) == granted(release)


@pytest.mark.parametrize(
    "kubernetes",
    [
        pytest.param({}, id="the-namespace-of-the-release"),
        pytest.param({"templates": ["shop", "checkout"]}, id="some-namespaces"),
        pytest.param({"allNamespaces": True}, id="all-namespaces"),
        pytest.param({"readTemplates": False}, id="none"),
        pytest.param({"clusterTemplates": True}, id="templates-of-the-cluster"),
    ],
)
async def test_templates_take_exactly_the_rights_of_the_chart(
    emulated: Emulated, cluster: Cluster, tmp_path: Path, kubernetes: dict[str, Any]
) -> None:
    """In each namespace, or in the cluster."""
    release = rendered(reviewing(**kubernetes))
    token = await gateways_token(cluster, granted(release))
    chosen = settings(release, cluster, token, tmp_path)
    async with gateway_on(cluster, tmp_path / "state", NAMESPACE, **chosen) as gateway:
        gateway.session.headers.update(bearer(await cluster.issue(())))
        assert (await gateway.get("/v1/templates")).status == 200
        assert (await gateway.get("/readyz")).status == 200
    assert used(emulated, token) == granted(release)


def test_rights_are_bound_to_the_account_of_the_pod() -> None:
    """Every role, where it is."""
    release = rendered(reviewing(allNamespaces=True, jobs={"namespaces": ["shop"]}))
    account = release.pod["serviceAccountName"]
    bindings = [*release.of("RoleBinding"), *release.of("ClusterRoleBinding")]
    assert len(bindings) == len([*release.of("Role"), *release.of("ClusterRole")]) == 2
    for binding in bindings:
        subject = {"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}
        assert binding["subjects"] == [subject]
        assert binding["roleRef"]["name"] == binding["metadata"]["name"]
    assert release.pod["automountServiceAccountToken"] is True


def test_secrets_can_be_named() -> None:
    """Then no other one can be read."""
    release = rendered(reviewing(secrets={"namespaces": ["shop"], "names": ["datadog"]}))
    (secrets,) = (
        each
        for role in release.of("Role")
        for each in role["rules"]
        if each["resources"] == ["secrets"]
    )
    assert secrets["resourceNames"] == ["datadog"]


def test_jobs_of_all_in_one_namespace_take_rights_there_alone() -> None:
    """And none where their analyses are."""
    release = rendered(reviewing(jobs={"namespaces": ["shop"], "namespace": "jobs"}))
    assert {each.namespace for each in granted(release) if each.resource == "jobs"} == {"jobs"}
    assert "shop" not in {each.namespace for each in granted(release)}


def test_jobs_in_another_cluster_take_no_rights_in_this_one() -> None:
    """Where they run, somebody else grants them."""
    config = {"kubernetes": {"jobs": {"connect": "/etc/jobs/kubeconfig"}}}
    release = rendered({**reviewing(jobs={"namespaces": ["shop"]}), "config": config})
    assert "jobs" not in {each.resource for each in granted(release)}
    assert release.settings["kubernetes"]["jobs"]["namespaces"] == ["shop"]


def test_two_gateways_have_rights_of_their_own_in_one_namespace() -> None:
    """Releases of one name in two namespaces, both with templates of the shop and dashboards."""
    values = {
        **reviewing(templates=["shop", NAMESPACE]),
        "dashboards": {"enabled": True, "namespace": "monitoring"},
    }
    releases = [rendered(values), rendered(values, namespace="elsewhere")]
    places = [
        (each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"])
        for release in releases
        for kind in ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")
        for each in release.of(kind)
    ]
    files = [
        file
        for release in releases
        for each in release.of("ConfigMap")
        if each["metadata"].get("namespace") == "monitoring"
        for file in (each["metadata"]["name"], *each["data"])
    ]
    assert len(places) == len(set(places)) == 2 * (2 * 2 + 2)
    assert len(files) == len(set(files)) > 0


def test_without_a_cluster_there_are_no_rights() -> None:
    """And no token to use any with."""
    release = rendered({"access": {"tokens": {"existingSecret": "tokens"}}})
    assert not granted(release)
    assert release.pod["automountServiceAccountToken"] is False


def test_the_page_of_rights_says_the_same() -> None:
    """``docs/kubernetes.md`` has a row for each."""
    page = (Path(__file__).parents[2] / "docs/kubernetes.md").read_text(encoding="utf-8")
    release = rendered(
        reviewing(clusterTemplates=True, secrets={"namespaces": ["a"]}, jobs={"namespaces": ["a"]})
    )
    for right in granted(release):
        row = next(line for line in page.splitlines() if f"| `{right.resource}` |" in line)
        assert f"`{right.verb}`" in row


def _secret(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "stringData": {"password": "hush-hush"}}


def _argument(name: str) -> dict[str, Any]:
    reference = {"secretKeyRef": {"name": name, "key": "password"}}
    return {"name": "password", "valueFrom": reference}
