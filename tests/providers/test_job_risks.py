"""job: what would let a pod out of its container is refused, wherever it stands."""

from typing import Any, get_args

import pytest
from job_api import POD_SPEC, Document, block

from gateway.config.kubernetes import Risk
from gateway.errors import ProviderInvalid
from gateway.provider import Surroundings
from providers import JobRules
from providers._job_risks import risks
from providers.job import provider_type


def container(**fields: Any) -> Document:
    """A pod with one container more."""
    return {"containers": [{"name": "first"}, {"name": "t", **fields}]}


def context(**fields: Any) -> Document:
    """A pod whose second container has a security context."""
    return container(securityContext=fields)


STORIES = [
    pytest.param({"hostNetwork": True}, "hostNetwork", "hostNetwork", id="the-nodes-network"),
    pytest.param({"hostPID": True}, "hostPID", "hostPID", id="the-nodes-processes"),
    pytest.param({"hostIPC": True}, "hostIPC", "hostIPC", id="the-nodes-shared-memory"),
    pytest.param(
        {"volumes": [{"emptyDir": {}}, {"hostPath": {"path": "/"}}]},
        "hostPath",
        "volumes[1].hostPath",
        id="the-nodes-files",
    ),
    pytest.param({"volumes": [{"hostPath": {}}]}, "hostPath", "volumes[0].hostPath", id="no-path"),
    pytest.param(
        {"volumes": [{"hostPath": "/"}]}, "hostPath", "volumes[0].hostPath", id="a-text-as-a-path"
    ),
    pytest.param(
        context(privileged=True),
        "privileged",
        "containers[1].securityContext.privileged",
        id="a-privileged-container",
    ),
    pytest.param(
        {"initContainers": [{"securityContext": {"privileged": True}}]},
        "privileged",
        "initContainers[0].securityContext.privileged",
        id="a-privileged-init-container",
    ),
    pytest.param(
        {"ephemeralContainers": [{"securityContext": {"privileged": True}}]},
        "privileged",
        "ephemeralContainers[0].securityContext.privileged",
        id="a-privileged-container-that-comes-later",
    ),
    pytest.param(
        {"securityContext": {"privileged": True}},
        "privileged",
        "securityContext.privileged",
        id="a-privileged-pod",
    ),
    pytest.param(
        context(capabilities={"add": ["SYS_ADMIN"], "drop": ["ALL"]}),
        "capabilities",
        "containers[1].securityContext.capabilities.add",
        id="more-capabilities",
    ),
    pytest.param(
        context(procMount="Unmasked"),
        "procMount",
        "containers[1].securityContext.procMount",
        id="an-unmasked-proc",
    ),
    pytest.param(
        context(windowsOptions={"hostProcess": True}),
        "windowsHostProcess",
        "containers[1].securityContext.windowsOptions.hostProcess",
        id="a-process-of-the-windows-node",
    ),
    pytest.param(
        {"securityContext": {"windowsOptions": {"hostProcess": True}}},
        "windowsHostProcess",
        "securityContext.windowsOptions.hostProcess",
        id="a-pod-of-the-windows-node",
    ),
    pytest.param(
        container(ports=[{"containerPort": 80}, {"containerPort": 80, "hostPort": 80}]),
        "hostPorts",
        "containers[1].ports[1].hostPort",
        id="a-port-of-the-node",
    ),
    pytest.param({"hostNetwork": "false"}, "hostNetwork", "hostNetwork", id="a-text-that-says-no"),
    pytest.param({"hostPID": "{{args.x}}"}, "hostPID", "hostPID", id="a-placeholder"),
    pytest.param({"hostIPC": 1}, "hostIPC", "hostIPC", id="a-number"),
    pytest.param({"hostIPC": ["no"]}, "hostIPC", "hostIPC", id="a-list"),
    pytest.param(
        context(privileged="no"),
        "privileged",
        "containers[1].securityContext.privileged",
        id="a-text-that-is-no-flag",
    ),
    pytest.param(
        context(capabilities={"add": "ALL"}),
        "capabilities",
        "containers[1].securityContext.capabilities.add",
        id="a-text-that-is-no-list",
    ),
    pytest.param(
        context(procMount=["Default"]),
        "procMount",
        "containers[1].securityContext.procMount",
        id="a-list-that-is-no-text",
    ),
    pytest.param(
        container(ports=[{"hostPort": "{{args.port}}"}]),
        "hostPorts",
        "containers[1].ports[0].hostPort",
        id="a-port-to-be-filled-in",
    ),
]


def refused(risk: str) -> str:
    """What is told of a risk."""
    return f"is refused, as it lets a pod out of its container (kubernetes.jobs.allow: {risk})"


@pytest.mark.parametrize(("pod", "risk", "path"), STORIES)
def test_a_risk_is_refused_with_its_place(pod: Document, risk: str, path: str) -> None:
    """Whatever else it holds; and what is of a wrong kind is not passed over."""
    problem = (f"spec.template.spec.{path}", refused(risk))
    assert provider_type(JobRules()).check(block({**POD_SPEC, **pod})) == [problem]
    with pytest.raises(ProviderInvalid) as caught:
        provider_type(JobRules()).parse(block({**POD_SPEC, **pod}), Surroundings())
    assert str(caught.value) == f"{problem[0]}: {problem[1]}"


@pytest.mark.parametrize(("pod", "risk", "path"), STORIES)
def test_a_risk_that_the_deployer_takes_passes(pod: Document, risk: str, path: str) -> None:
    """That one, and no other."""
    others = frozenset(get_args(Risk)) - {risk}
    assert risks(pod, frozenset({risk})) == []
    assert risks(pod, others) == [(path, refused(risk))]


def test_every_risk_has_a_setting_and_every_setting_a_risk() -> None:
    """What cannot be allowed, or cannot be found, is a mistake of ours."""
    found = {story.values[1] for story in STORIES}
    assert found == set(get_args(Risk))


@pytest.mark.parametrize(
    "pod",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"hostNetwork": False, "hostPID": None, "hostIPC": 0}, id="switched-off"),
        pytest.param(
            {
                "securityContext": None,
                "volumes": None,
                "initContainers": [],
                "containers": [
                    {
                        "securityContext": {
                            "privileged": False,
                            "procMount": "Default",
                            "capabilities": {"add": [], "drop": ["ALL"]},
                            "windowsOptions": {"hostProcess": False},
                        },
                        "ports": [{"containerPort": 80, "hostPort": 0}],
                    }
                ],
            },
            id="said-to-be-off-at-every-place",
        ),
        pytest.param(
            {"volumes": [{"hostPath": None}, {"secret": {"secretName": "s"}}]}, id="other-volumes"
        ),
        pytest.param(
            {
                "securityContext": "none",
                "volumes": {"a": 1},
                "containers": ["a", {"securityContext": [], "ports": "80"}, {"ports": [80]}],
            },
            id="what-kubernetes-refuses-by-itself",
        ),
    ],
)
def test_a_pod_without_risks_passes(pod: Document) -> None:
    """Nothing that stays in its container is refused."""
    assert risks(pod, frozenset()) == []


def test_all_risks_of_a_pod_are_told() -> None:
    """Not only the first one."""
    pod = {"hostNetwork": True, **context(privileged=True, capabilities={"add": ["A"]})}
    assert [path for path, _ in provider_type(JobRules()).check(block(pod))] == [
        "spec.template.spec.hostNetwork",
        "spec.template.spec.containers[1].securityContext.privileged",
        "spec.template.spec.containers[1].securityContext.capabilities.add",
    ]


def test_a_value_that_becomes_a_key_is_refused_when_it_has() -> None:
    """A check sees the placeholder; what is run is what came of it."""
    kind = provider_type(JobRules())
    assert kind.check(block({**POD_SPEC, "{{args.field}}": True})) == []
    with pytest.raises(ProviderInvalid, match=r"^spec\.template\.spec\.hostPID: is refused"):
        kind.parse(block({**POD_SPEC, "hostPID": True}), Surroundings())
