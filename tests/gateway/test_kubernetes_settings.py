"""Settings about Kubernetes: what goes together, and Argo's variables."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway import settings
from gateway.errors import Problem
from gateway.kubernetes_settings import Jobs, Kubernetes, includes
from gateway.settings import Settings, SettingsInvalid

NAMESPACE = {"ARGO_ROLLOUTS_ANALYSIS_JOB_NAMESPACE": "jobs"}
KUBECONFIG = {"ARGO_ROLLOUTS_ANALYSIS_JOB_KUBECONFIG": "/etc/jobs.yaml"}


def loaded(tmp_path: Path, text: str, environ: dict[str, str]) -> Settings:
    """Settings from a file with this text."""
    file = tmp_path / "settings.yaml"
    file.write_text(text)
    return settings.load(file, flags={}, environ=environ)


def problems(content: dict[str, Any], **others: Any) -> list[Problem]:
    """What is wrong with a section."""
    with pytest.raises(SettingsInvalid) as caught:
        settings.load(None, flags={"kubernetes": content, **others}, environ={})
    return list(caught.value.problems)


def test_unset_there_is_no_cluster_and_nobody_may_do_anything() -> None:
    """All defaults in one place."""
    chosen = settings.load(None, flags={}, environ={}).kubernetes
    assert chosen == Kubernetes(
        connect=None,
        context="",
        timeout_s="10s",
        templates=("*",),
        cluster_templates=True,
        resync_s="5m",
        secrets=(),
        secrets_ttl_s="10s",
        jobs=Jobs(
            namespaces=(),
            namespace="",
            connect=None,
            active_deadline_s="10m",
            ttl_after_finished_s="10m",
            allow=(),
        ),
    )
    assert not chosen.runs_jobs
    assert not chosen.may_read_secrets_of("shop")


@pytest.mark.parametrize(
    ("content", "others", "told"),
    [
        pytest.param(
            {"secrets": ["shop"]},
            {},
            Problem("", "kubernetes.secrets needs kubernetes.connect"),
            id="secrets-of-no-cluster",
        ),
        pytest.param(
            {"jobs": {"namespaces": ["shop"]}},
            {},
            Problem("", "kubernetes.jobs.namespaces needs kubernetes.connect or jobs.connect"),
            id="jobs-in-no-cluster",
        ),
        pytest.param(
            {"secrets": ["shop"], "jobs": {"connect": "in-cluster"}},
            {},
            Problem("", "kubernetes.secrets needs kubernetes.connect"),
            id="the-cluster-of-the-jobs-has-no-secrets-for-us",
        ),
        pytest.param(
            {"connect": "in-cluster", "secrets": ["shop"], "secretsTtl": "21s"},
            {},
            Problem(
                "",
                "kubernetes.secretsTtl and verdicts.planTtl must not be longer than 30s together:"
                " so long may a changed Secret go unnoticed",
            ),
            id="a-secret-that-is-used-for-too-long",
        ),
        pytest.param(
            {"connect": "in-cluster", "secrets": ["shop"], "secretsTtl": "5s"},
            {"verdicts": {"planTtl": "26s"}},
            Problem(
                "",
                "kubernetes.secretsTtl and verdicts.planTtl must not be longer than 30s together:"
                " so long may a changed Secret go unnoticed",
            ),
            id="a-plan-that-is-used-for-too-long",
        ),
        pytest.param(
            {"resync": "500ms"},
            {},
            Problem("kubernetes.resync", "Input should be greater than or equal to 1"),
            id="templates-listed-all-the-time",
        ),
        pytest.param(
            {"timeout": "-1s"},
            {},
            Problem("kubernetes.timeout", "must not be negative"),
            id="no-time-at-all",
        ),
        pytest.param(
            {"timeout": "99ms"},
            {},
            Problem("kubernetes.timeout", "Input should be greater than or equal to 0.1"),
            id="too-little-time-for-any-call",
        ),
        pytest.param(
            {"jobs": {"activeDeadline": "0s"}},
            {},
            Problem("kubernetes.jobs.activeDeadline", "Input should be greater than or equal to 1"),
            id="jobs-that-end-before-they-begin",
        ),
        pytest.param(
            {"jobs": {"activeDeadline": "600000h"}},
            {},
            Problem(
                "kubernetes.jobs.activeDeadline",
                "Input should be less than or equal to 2147483647",
            ),
            id="more-seconds-than-kubernetes-counts",
        ),
        pytest.param(
            {"jobs": {"ttlAfterFinished": "600000h"}},
            {},
            Problem(
                "kubernetes.jobs.ttlAfterFinished",
                "Input should be less than or equal to 2147483647",
            ),
            id="jobs-that-stay-for-longer-than-kubernetes-counts",
        ),
        pytest.param(
            {"jobs": {"activeDeadline": 600}},
            {},
            Problem(
                "kubernetes.jobs.activeDeadline",
                "must be a duration in Go's notation, such as 8s",
            ),
            id="a-number-is-no-duration",
        ),
        pytest.param(
            {"jobs": {"allow": ["hostNetwork", "everything"]}},
            {},
            Problem(
                "kubernetes.jobs.allow.1",
                "Input should be 'capabilities', 'hostIPC', 'hostNetwork', 'hostPID', 'hostPath',"
                " 'hostPorts', 'privileged', 'procMount' or 'windowsHostProcess'",
            ),
            id="a-risk-that-nobody-knows",
        ),
        pytest.param(
            {"jobs": {"namespcae": "jobs"}},
            {},
            Problem("kubernetes.jobs.namespcae", "is not a setting"),
            id="a-typo",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(
    content: dict[str, Any], others: dict[str, Any], told: Problem
) -> None:
    """Before anything is connected."""
    assert problems(content, **others) == [told]


@pytest.mark.parametrize(
    ("content", "path", "value"),
    [
        pytest.param(
            {"templates": ["a", "sho*"]}, "templates.1", "sho*", id="a-star-is-no-pattern"
        ),
        pytest.param({"secrets": ["*", "../a"]}, "secrets.1", "../a", id="a-path"),
        pytest.param({"jobs": {"namespaces": ["A"]}}, "jobs.namespaces.0", "A", id="capitals"),
        pytest.param({"jobs": {"namespace": "*"}}, "jobs.namespace", "*", id="all-are-not-one"),
        pytest.param({"jobs": {"namespace": "a" * 64}}, "jobs.namespace", "a" * 64, id="too-long"),
    ],
)
def test_what_names_no_namespace_is_refused(content: dict[str, Any], path: str, value: str) -> None:
    """It becomes a part of the API server's paths."""
    told = Problem(f"kubernetes.{path}", f"{value!r} is no name of a namespace")
    assert problems({"connect": "/kube", **content}) == [told]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param({"connect": "in-cluster", "jobs": {"namespaces": ["*"]}}, id="one-cluster"),
        pytest.param({"jobs": {"namespaces": ["*"], "connect": "/kube"}}, id="one-for-the-jobs"),
        pytest.param(
            {"connect": "/kube", "secrets": ["*"], "secretsTtl": "20s"}, id="as-long-as-may-be"
        ),
        pytest.param({"connect": "/kube", "secretsTtl": "1h"}, id="no-secret-is-read"),
        pytest.param({"timeout": "100ms"}, id="as-little-time-as-may-be"),
        pytest.param({"jobs": {"namespace": "a" * 63}}, id="as-long-a-name-as-may-be"),
        pytest.param({"jobs": {"namespace": ""}}, id="no-namespace-of-their-own"),
        pytest.param({"templates": ["shop", "*", "0"]}, id="some-and-all"),
        pytest.param(
            {"jobs": {"activeDeadline": "1s", "ttlAfterFinished": "0s"}}, id="as-short-as-may-be"
        ),
    ],
)
def test_what_goes_together_is_accepted(content: dict[str, Any]) -> None:
    """Up to the last second."""
    assert settings.load(None, flags={"kubernetes": content}, environ={})


@pytest.mark.parametrize(
    ("text", "environ", "namespace", "connect"),
    [
        pytest.param("", {**NAMESPACE, **KUBECONFIG}, "jobs", "/etc/jobs.yaml", id="no-file"),
        pytest.param("", NAMESPACE, "jobs", None, id="only-the-namespace"),
        pytest.param("", KUBECONFIG, "", "/etc/jobs.yaml", id="only-the-cluster"),
        pytest.param("", dict.fromkeys({**NAMESPACE, **KUBECONFIG}, ""), "", None, id="empty"),
        pytest.param(
            "kubernetes: {jobs: {namespace: here}}",
            {**NAMESPACE, **KUBECONFIG},
            "here",
            "/etc/jobs.yaml",
            id="the-file-wins",
        ),
        pytest.param(
            "kubernetes: {connect: in-cluster, jobs: {connect: in-cluster, allow: [hostPath]}}",
            {**NAMESPACE, **KUBECONFIG},
            "jobs",
            "in-cluster",
            id="what-the-file-does-not-say-is-asked-for",
        ),
    ],
)
def test_argos_variables_are_read(
    tmp_path: Path, text: str, environ: dict[str, str], namespace: str, connect: str | None
) -> None:
    """So that a deployment of Argo's can be taken over as it is."""
    chosen = loaded(tmp_path, text, environ)
    assert (chosen.kubernetes.jobs.namespace, chosen.kubernetes.jobs.connect) == (
        namespace,
        connect,
    )
    said = (yaml.safe_load(text) or {}).get("kubernetes", {})
    assert chosen.kubernetes.connect == said.get("connect")
    assert list(chosen.kubernetes.jobs.allow) == said.get("jobs", {}).get("allow", [])


@pytest.mark.parametrize(
    ("text", "path"),
    [
        pytest.param("kubernetes: in-cluster", "kubernetes", id="a-text-for-the-section"),
        pytest.param("kubernetes:", "kubernetes", id="nothing-for-the-section"),
        pytest.param("kubernetes: {jobs: all}", "kubernetes.jobs", id="a-text-for-the-jobs"),
        pytest.param("kubernetes: {jobs: }", "kubernetes.jobs", id="nothing-for-the-jobs"),
    ],
)
def test_a_variable_does_not_hide_a_section_that_is_none(
    tmp_path: Path, text: str, path: str
) -> None:
    """The file's problem is told, with and without the variables."""
    for environ in ({}, NAMESPACE):
        with pytest.raises(SettingsInvalid) as caught:
            loaded(tmp_path, text, environ)
        assert [each.path for each in caught.value.problems] == [path]


@pytest.mark.parametrize(
    ("text", "whole_s"),
    [
        pytest.param("90s", 90, id="whole-seconds"),
        pytest.param("1500ms", 2, id="the-next-whole-second"),
    ],
)
def test_kubernetes_gets_whole_seconds(text: str, whole_s: int) -> None:
    """Never less than was said."""
    jobs = Jobs.model_validate({"activeDeadline": text, "ttlAfterFinished": text})
    assert jobs.active_deadline_whole_s == jobs.ttl_after_finished_whole_s == whole_s


@pytest.mark.parametrize(
    ("namespaces", "may"),
    [
        pytest.param([], False, id="none"),
        pytest.param(["bank"], False, id="another-one"),
        pytest.param(["bank", "shop"], True, id="this-one"),
        pytest.param(["bank", "*"], True, id="all"),
    ],
)
def test_a_list_of_namespaces_means_what_it_says(namespaces: list[str], *, may: bool) -> None:
    """For Secrets as for Jobs."""
    content = {"connect": "/kube", "secrets": namespaces, "jobs": {"namespaces": namespaces}}
    chosen = Kubernetes.model_validate(content)
    assert includes(chosen.jobs.namespaces, "shop") is may
    assert chosen.may_read_secrets_of("shop") is may
    assert chosen.runs_jobs is bool(namespaces)
