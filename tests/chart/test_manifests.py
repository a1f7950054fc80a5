"""What the chart renders: good manifests for all kinds of values."""

import subprocess
from pathlib import Path

import pytest
import yaml
from chart.matrix import EVERYTHING, MATRIX, Values, with_tokens
from chart.releases import chart, pods
from chart.rendering import (
    FULLNAME,
    KUBECTL,
    NAMESPACE,
    Rendered,
    given,
    needs_helm,
    rendered,
)
from chart.schemas import NEWEST, OLDEST, complaints

from gateway.access.policy_file import parse_policy
from gateway.settings import load

pytestmark = needs_helm
MAX_RELEASE_BYTES = 1_048_576
"""Of the Secret in which Helm keeps a release, which it packs."""


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("name", MATRIX)
def test_a_manifest_is_one_of_kubernetes(name: str, version: str) -> None:
    """Every field is known, and has the right type."""
    found = {
        f"{each['kind']} {each['metadata']['name']}": complaints(each, version)
        for each in chart(name).manifests
    }
    assert {key: value for key, value in found.items() if value} == {}


@pytest.mark.parametrize("name", MATRIX)
def test_names_and_labels_can_be_had(name: str) -> None:
    """They are short enough, nothing is there twice, and everything says whose it is."""
    keys = list[tuple[str, ...]]()
    for each in chart(name).manifests:
        metadata = each["metadata"]
        keys.append((each["kind"], metadata.get("namespace", ""), metadata["name"]))
        assert len(metadata["name"]) <= 63
        assert metadata["labels"]["app.kubernetes.io/instance"] == "gw"
        if each["kind"] == "StatefulSet":
            assert len(metadata["name"]) + len("-0123456789") <= 63
        assert all(len(value) <= 63 for value in metadata["labels"].values())
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("name", MATRIX)
def test_settings_can_be_used(name: str, tmp_path: Path) -> None:
    """The gateway starts with them, and with their policy."""
    release = chart(name)
    maps = {each["metadata"]["name"]: each["data"] for each in release.of("ConfigMap")}
    for data in maps.values():
        if "config.yaml" in data:
            file = tmp_path / "config.yaml"
            file.write_text(data["config.yaml"])
            settings = load(file, flags={}, environ={"POD_NAMESPACE": NAMESPACE})
            assert settings.access.is_configured
            patience_s = settings.shutdown.delay_s + settings.shutdown.grace_s
            assert release.pod["terminationGracePeriodSeconds"] >= patience_s + 5
        if "policy.yaml" in data:
            parse_policy(yaml.safe_load(data["policy.yaml"]))


def test_settings_stand_beside_those_of_the_chart(tmp_path: Path) -> None:
    """What the chart says of the same section stays."""
    release = chart("settings beside those of the chart")
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(release.settings))
    settings = load(file, flags={}, environ={"POD_NAMESPACE": NAMESPACE})
    assert (settings.host, settings.operations.host, settings.operations.port) == ("::", "::", 9090)
    review = settings.access.token_review
    assert (review.audiences, review.ttl_s) == (("analysis-gateway",), 30)
    cluster = settings.kubernetes
    assert (cluster.connect, cluster.timeout_s, cluster.resync_s) == ("in-cluster", 5, 600)
    assert (cluster.templates, cluster.cluster_templates) == ((NAMESPACE,), False)
    assert (cluster.jobs.namespaces, cluster.jobs.active_deadline_s) == (("shop",), 300)
    assert chart("as little as possible").settings["host"] == "0.0.0.0"


def test_callers_have_the_budgets_of_the_values() -> None:
    """Each of its own, and some in the policy."""
    release = chart("budgets of callers")
    assert release.settings["access"]["budget"] == {"perSecond": 50, "queue": 0}
    policy = yaml.safe_load(release.one("ConfigMap", f"{FULLNAME}-policy")["data"]["policy.yaml"])
    (budget,) = parse_policy(policy).budgets
    assert budget.per_second == 5
    assert "budget" not in chart("as little as possible").settings["access"]


@pytest.mark.parametrize("name", MATRIX)
def test_what_is_referred_to_is_there(name: str) -> None:
    """Volumes of mounts, pods of selectors, ports of Services and monitors."""
    release = chart(name)
    labels = [
        each["spec"]["template"]["metadata"]["labels"]
        for each in (*release.of("Deployment"), *release.of("StatefulSet"))
    ]
    for pod in pods(release):
        volumes = {each["name"] for each in pod.get("volumes", ())} | {"data"}
        for container in pod["containers"]:
            assert {each["name"] for each in container.get("volumeMounts", ())} <= volumes
    for service in release.of("Service"):
        assert any(service["spec"]["selector"].items() <= each.items() for each in labels)
    services = [each["metadata"]["labels"] for each in release.of("Service")]
    for monitor in release.of("ServiceMonitor"):
        wanted = monitor["spec"]["selector"]["matchLabels"].items()
        assert any(wanted <= each.items() for each in services)
    made = {each["metadata"]["name"] for each in release.of("ConfigMap")}
    for volume in release.pod["volumes"]:
        named = volume.get("configMap", {}).get("name", "")
        assert not named.startswith(FULLNAME) or named in made


@pytest.mark.parametrize("name", MATRIX)
def test_no_secret_is_written_down(name: str) -> None:
    """The chart makes no Secret: all that is secret is in one that was there."""
    assert chart(name).of("Secret") == []


@pytest.mark.parametrize("name", ["as little as possible", "everything", "Valkey"])
def test_helm_finds_nothing_to_complain_of(name: str) -> None:
    """``helm lint`` is content."""
    done = given(with_tokens(MATRIX[name]), command="lint")
    assert done.returncode == 0, done.stdout
    assert "[WARNING]" not in done.stdout


def test_a_release_fits_into_its_secret() -> None:
    """Dashboards are large, and Helm keeps all of them twice."""
    assert 2 * len(rendered(EVERYTHING).text) < MAX_RELEASE_BYTES


def test_large_numbers_stay_what_they_are() -> None:
    """Helm has them as floating-point numbers."""
    assert chart("settings").settings["audit"]["entries"] == 2_000_000
    assert "entries: 2000000" in chart("settings").text


@pytest.mark.parametrize(
    ("release", "namespace", "fullname"),
    [
        pytest.param("123", "shop", "gw-123-analysis-gateway", id="a-number"),
        pytest.param("1e6", "123", "gw-1e6-analysis-gateway", id="numbers"),
        pytest.param("a.b", "shop", "a-b-analysis-gateway", id="a-dot"),
        pytest.param("a" * 51 + "-b", "shop", "a" * 51, id="as-long-as-can-be"),
        pytest.param("my-analysis-gateway", "shop", "my-analysis-gateway", id="the-whole"),
    ],
)
def test_a_release_may_have_any_name(release: str, namespace: str, fullname: str) -> None:
    """Its Service has one that DNS takes, and nothing becomes a number."""
    made = rendered(
        with_tokens({"kubernetes": {"enabled": True}}), name=release, namespace=namespace
    )
    assert made.one("Service", fullname)["spec"]["selector"]["app.kubernetes.io/instance"] == (
        release
    )
    found = {each["metadata"]["name"]: complaints(each, NEWEST) for each in made.manifests}
    assert {name: value for name, value in found.items() if value} == {}


def test_labels_of_the_deployer_go_before_those_of_the_chart() -> None:
    """The narrower before the wider, and each once."""
    release = chart("everything")
    labels = release.one("ServiceMonitor")["metadata"]["labels"]
    assert labels["app.kubernetes.io/part-of"] == "platform"
    assert labels["release"] == "kube-prometheus-stack"
    pod = release.one("Deployment")["spec"]["template"]["metadata"]
    assert pod["labels"]["team"] == "shop"
    assert len(pod["annotations"]["checksum/config"]) == 64


@pytest.mark.parametrize(
    ("config", "host"),
    [
        pytest.param({}, "0.0.0.0", id="usually"),
        pytest.param({"host": None}, "0.0.0.0", id="null"),
        pytest.param({"host": "::"}, "::", id="the-newer-kind"),
        pytest.param({"host": ""}, "", id="both"),
    ],
)
def test_a_gateway_listens_where_it_is_reached(config: Values, host: str) -> None:
    """On addresses of one kind or of both."""
    assert rendered(with_tokens({"config": config})).settings["host"] == host


def test_operations_are_never_on_a_load_balancer() -> None:
    """They ask for no credentials."""
    kinds = {
        each["metadata"]["name"]: (each["spec"]["type"], [p["name"] for p in each["spec"]["ports"]])
        for each in chart("a load balancer").of("Service")
    }
    assert kinds == {
        FULLNAME: ("LoadBalancer", ["http"]),
        f"{FULLNAME}-operations": ("ClusterIP", ["operations"]),
    }


def test_the_labels_of_analyses_win_over_those_of_pods() -> None:
    """Else their namespace would be called exported_namespace, and the dashboards empty."""
    monitor = chart("everything").one("ServiceMonitor")["spec"]["endpoints"][0]
    assert monitor["honorLabels"] is True
    pod_monitor = chart("another operations port").one("PodMonitor")
    assert pod_monitor["spec"]["podMetricsEndpoints"][0]["honorLabels"] is True


def test_alerts_can_be_left_out() -> None:
    """By name."""
    every = _alerts(chart("alerts"))
    assert _alerts(chart("everything")) == every - {"AnalysisGatewayIdle"}
    assert "AnalysisGatewayIdle" in every


def test_a_folder_of_manifests_can_be_built_upon(tmp_path: Path) -> None:
    """Kustomize takes what Helm has rendered."""
    if KUBECTL is None:
        pytest.skip("there is no kubectl")
    (tmp_path / "all.yaml").write_text(chart("everything").text)
    (tmp_path / "kustomization.yaml").write_text("resources: [all.yaml]\nnamePrefix: x-\n")
    command = [KUBECTL, "kustomize", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(Rendered(done.stdout).manifests) == len(chart("everything").manifests)


def _alerts(release: Rendered) -> set[str]:
    groups = release.one("PrometheusRule")["spec"]["groups"]
    return {rule["alert"] for group in groups for rule in group["rules"]}
