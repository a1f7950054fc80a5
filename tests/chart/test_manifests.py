"""What the chart renders: good manifests for all kinds of values, and refusals of bad ones."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from chart.matrix import EVERYTHING, MATRIX, REFUSED, Values, with_tokens
from chart.rendering import (
    FULLNAME,
    KUBECTL,
    NAMESPACE,
    Manifest,
    Rendered,
    given,
    needs_helm,
    refusal,
    rendered,
)
from chart.schemas import NEWEST, OLDEST, complaints
from plugins import with_example

from gateway.access.policy_file import parse_policy
from gateway.documents import Syntax, read_documents
from gateway.lint import Severity, lint
from gateway.settings import load
from gateway.template import parse

pytestmark = needs_helm
EXAMPLES = Path(__file__).resolve().parents[2] / "examples/argo-rollouts"
MAX_RELEASE_BYTES = 1_048_576
"""Of the Secret in which Helm keeps a release, which it packs."""


def chart(name: str) -> Rendered:
    """The chart with values of the matrix."""
    return rendered(with_tokens(MATRIX[name]))


def pods(release: Rendered) -> Iterator[Manifest]:
    """The specs of all pods."""
    for each in release.manifests:
        if each["kind"] in {"Deployment", "StatefulSet"}:
            yield each["spec"]["template"]["spec"]
        elif each["kind"] == "Pod":
            yield each["spec"]


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
def test_a_pod_has_no_rights_that_it_does_not_need(name: str) -> None:
    """It is nobody, and can change nothing but what it keeps."""
    for pod in pods(chart(name)):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["enableServiceLinks"] is False
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


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


@pytest.mark.parametrize("name", REFUSED)
def test_values_that_do_not_fit_are_refused(name: str) -> None:
    """With the place, or with a sentence that says what to do."""
    values, sentence = REFUSED[name]
    assert sentence in refusal(with_tokens(values))


def test_a_gateway_that_would_not_start_is_refused() -> None:
    """Nobody could prove who it is."""
    assert "set access.tokens.existingSecret, access.tokenReview" in refusal({})


@pytest.mark.parametrize("name", ["as little as possible", "everything", "Valkey"])
def test_helm_finds_nothing_to_complain_of(name: str) -> None:
    """``helm lint`` is content."""
    done = given(with_tokens(MATRIX[name]), command="lint")
    assert done.returncode == 0, done.stdout
    assert "[WARNING]" not in done.stdout


def test_a_release_fits_into_its_secret() -> None:
    """Dashboards are large, and Helm keeps all of them twice."""
    assert 2 * len(rendered(EVERYTHING).text) < MAX_RELEASE_BYTES


def test_new_settings_restart_the_pods() -> None:
    """They are read once; a policy and templates are read again."""

    def annotation(values: Values) -> str:
        template = rendered(with_tokens(values)).one("Deployment")["spec"]["template"]
        return str(template["metadata"]["annotations"]["checksum/config"])

    usual = annotation({})
    assert annotation({"config": {"logLevel": "debug"}}) != usual
    assert annotation({"access": {"policy": {"rules": [{"a": 1}]}}}) == usual


def test_large_numbers_stay_what_they_are() -> None:
    """Helm has them as floating-point numbers."""
    assert chart("settings").settings["audit"]["entries"] == 2_000_000
    assert "entries: 2000000" in chart("settings").text


@pytest.mark.parametrize(
    ("name", "image"),
    [
        pytest.param(
            "as little as possible", "analysis-gateway:0.3.0", id="the-version-of-the-chart"
        ),
        pytest.param("a tag", "analysis-gateway:1.2.3", id="a-tag"),
        pytest.param(
            "everything",
            f"registry.example/analysis-gateway@sha256:{'0' * 64}",
            id="a-digest",
        ),
    ],
)
def test_the_image_is_the_one_that_was_chosen(name: str, image: str) -> None:
    """By version, tag or digest."""
    assert chart(name).container["image"] == image


def test_the_url_of_redis_comes_from_its_secret() -> None:
    """And is nowhere in the manifests."""
    env = {each["name"]: each for each in chart("a Redis by Secret").container["env"]}
    reference = {"secretKeyRef": {"name": "redis", "key": "url"}}
    assert env["ANALYSIS_GATEWAY_REDIS"]["valueFrom"] == reference


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        pytest.param("a volume", "Recreate", id="two-cannot-use-one-state-folder"),
        pytest.param("a tag", "Recreate", id="two-with-a-redis-each-know-different-runs"),
        pytest.param("a Redis by Secret", "RollingUpdate", id="with-one-they-share"),
        pytest.param("settings in a Secret", "RollingUpdate", id="with-one-that-may-be-named"),
    ],
)
def test_gateways_are_replaced_one_by_one_if_they_share_a_redis(name: str, kind: str) -> None:
    """Else the old one ends before the new one starts."""
    assert chart(name).one("Deployment")["spec"]["strategy"]["type"] == kind


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


def test_every_pod_is_put_where_the_values_say() -> None:
    """Valkey and the test pod as well, which no mesh gets into."""
    release = chart("Valkey")
    values = MATRIX["Valkey"]
    for pod in pods(release):
        for key in ("imagePullSecrets", "nodeSelector", "tolerations", "priorityClassName"):
            assert pod[key] == values[key]
    aside = [
        release.one("StatefulSet", f"{FULLNAME}-valkey")["spec"]["template"],
        release.one("Pod", f"{FULLNAME}-test"),
    ]
    for each in aside:
        annotations = each["metadata"]["annotations"]
        assert annotations["sidecar.istio.io/inject"] == "false"
        assert annotations["linkerd.io/inject"] == "disabled"


def test_the_cluster_may_choose_users() -> None:
    """As OpenShift does: then no pod wants a certain one, and the test starts where any may be."""
    release = chart("OpenShift")
    for pod in pods(release):
        assert not {"runAsUser", "runAsGroup", "fsGroup"} & pod["securityContext"].keys()
    test = release.one("Pod", f"{FULLNAME}-test")["spec"]["containers"][0]
    assert test["workingDir"] == "/"
    usual = chart("as little as possible").pod["securityContext"]
    assert (usual["runAsUser"], usual["fsGroup"]) == (65532, 65532)


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


def test_probes_ask_where_health_is() -> None:
    """On the operations port, or on the main one with its TLS."""
    places = {
        name: chart(name).container["readinessProbe"]["httpGet"]
        for name in ("certificates of callers", "TLS without operations")
    }
    assert places["certificates of callers"]["port"] == "operations"
    assert places["certificates of callers"]["scheme"] == "HTTP"
    assert places["TLS without operations"]["port"] == "http"
    assert places["TLS without operations"]["scheme"] == "HTTPS"


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


def test_templates_for_argo_can_be_used() -> None:
    """They are well formed, and know where the gateway is."""
    for template in chart("templates for Argo Rollouts").of("AnalysisTemplate"):
        parse(template)
        (document,) = read_documents(
            yaml.safe_dump(template).encode(), name="t", syntax=Syntax.YAML
        )
        found = lint([document], provider_types=with_example(), environ={}, lookup=lambda _: None)
        assert [each for each in found if each.severity is Severity.ERROR] == []
        args = {each["name"]: each for each in template["spec"]["args"]}
        assert args["gateway"]["value"] == f"http://{FULLNAME}.{NAMESPACE}.svc:8080"
        assert "{{args.token}}" in yaml.safe_dump(template)


@pytest.mark.parametrize("name", ["gateway-verdict", "gateway-run"])
def test_templates_for_argo_are_those_of_the_examples(name: str) -> None:
    """With a credential: what was tried with Argo Rollouts is what is installed."""
    (template,) = (
        each
        for each in chart("templates for Argo Rollouts").of("AnalysisTemplate")
        if each["metadata"]["name"] == name
    )
    example = yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8"))
    own = {"gateway", "token", "namespace"}
    arguments = [each for each in template["spec"]["args"] if each["name"] not in own]
    assert arguments == [each for each in example["spec"]["args"] if each["name"] not in own]
    for metric in template["spec"]["metrics"]:
        headers = metric["provider"]["web"]["headers"]
        assert headers.pop(0) == {"key": "Authorization", "value": "Bearer {{args.token}}"}
        if not headers:
            del metric["provider"]["web"]["headers"]
    assert template["spec"]["metrics"] == example["spec"]["metrics"]


def test_templates_for_argo_may_be_of_a_second_gateway_with_any_certificate() -> None:
    """Argo knows the authorities of its image only."""
    templates = chart("TLS without operations").of("AnalysisTemplate")
    assert {each["metadata"]["name"] for each in templates} == {
        "second-gateway-run",
        "second-gateway-verdict",
    }
    for template in templates:
        parse(template)
        for metric in template["spec"]["metrics"]:
            assert metric["provider"]["web"]["insecure"] is True


def test_templates_for_argo_ask_for_those_of_their_own_namespace() -> None:
    """Unless the analysis says another."""
    templates = chart("everything").of("AnalysisTemplate")
    assert {each["metadata"]["namespace"] for each in templates} == {"shop", "checkout"}
    for template in templates:
        args = {each["name"]: each for each in template["spec"]["args"]}
        assert args["namespace"]["value"] == template["metadata"]["namespace"]


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


def test_the_chart_is_for_this_version() -> None:
    """Its image is that of the version beside which it lies."""
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    version = re.search(r'^version = "(.*)"$', project, re.MULTILINE)
    assert version is not None
    assert chart("as little as possible").container["image"] == f"analysis-gateway:{version[1]}"


def _alerts(release: Rendered) -> set[str]:
    groups = release.one("PrometheusRule")["spec"]["groups"]
    return {rule["alert"] for group in groups for rule in group["rules"]}
