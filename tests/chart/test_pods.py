"""The pods of a release: who they are, where they are, and when they are replaced."""

import re
from pathlib import Path

import pytest
from chart.matrix import MATRIX, Values, with_tokens
from chart.releases import chart, pods
from chart.rendering import FULLNAME, needs_helm, rendered

pytestmark = needs_helm


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


def test_new_settings_restart_the_pods() -> None:
    """They are read once; a policy and templates are read again."""

    def annotation(values: Values) -> str:
        template = rendered(with_tokens(values)).one("Deployment")["spec"]["template"]
        return str(template["metadata"]["annotations"]["checksum/config"])

    usual = annotation({})
    assert annotation({"config": {"logLevel": "debug"}}) != usual
    assert annotation({"access": {"policy": {"rules": [{"a": 1}]}}}) == usual


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


@pytest.mark.parametrize("name", ["Valkey", "a long name"])
def test_the_url_of_redis_leads_to_valkey(name: str) -> None:
    """However its name was cut."""
    release = chart(name)
    env = {each["name"]: each.get("value", "") for each in release.container["env"]}
    (stateful,) = release.of("StatefulSet")
    host = stateful["metadata"]["name"]
    assert env["ANALYSIS_GATEWAY_REDIS"] == f"redis://:$(VALKEY_PASSWORD)@{host}:6379/0"
    assert stateful["spec"]["serviceName"] == release.one("Service", host)["metadata"]["name"]


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


def test_the_chart_is_for_this_version() -> None:
    """Its image is that of the version beside which it lies."""
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    version = re.search(r'^version = "(.*)"$', project, re.MULTILINE)
    assert version is not None
    assert chart("as little as possible").container["image"] == f"analysis-gateway:{version[1]}"
