"""job: the Job that is created: its name, its marks and its limits."""

import re
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from job_api import ATTEMPT, BLOCK, POD_SPEC, Document, FakeJobs, block, provider

from gateway.errors import ProviderInvalid
from gateway.names import is_object_name
from gateway.provider import Attempt, Surroundings
from providers import JobRules
from providers._job_manifest import job_manifest, job_name
from providers.job import provider_type

UID = "0b1e5a3c-7a0e-4a3e-9d0a-2f6c0e4b8d11"
KEY = "9f86d081884c7d659a2feaa0c55ad015"
MARK = {"analysisrun.argoproj.io/uid": "u-1"}
ANNOTATIONS = {
    "analysisrun.argoproj.io/name": "r",
    "analysisrun.argoproj.io/namespace": "shop",
    "analysisrun.argoproj.io/metric-name": "smoke",
}


@pytest.mark.parametrize(
    ("owner", "metric", "number", "name"),
    [
        pytest.param("u-1", "smoke", 1, "u-1.smoke.1", id="as-argo-names-it-J01"),
        pytest.param("u-1", "smoke", 5, "u-1.smoke.5", id="the-fifth-measurement-J02"),
        pytest.param(UID, "a" * 24, 1, f"{UID}.{'a' * 24}.1", id="as-long-as-may-be"),
        pytest.param(
            UID,
            "service-endpoint-reachable",
            1,
            f"{UID}.service-endpoint-67e088.1",
            id="too-long-J03",
        ),
        pytest.param(UID, "a" * 24, 10, f"{UID}.{'a' * 16}-09f61f.10", id="too-long-now"),
        pytest.param("u-1", "Smoke Test!", 1, "u-1.smoke-test-900c1d.1", id="no-dns-name"),
        pytest.param("u-1", "smoke.test", 1, "u-1.smoke-test-7e9e0c.1", id="a-dot"),
        pytest.param("u-1", "-smoke-", 1, "u-1.smoke-cafa65.1", id="a-dash-at-an-end"),
        pytest.param("u-1", "überprüft", 1, "u-1.berpr-ft-c2bc7b.1", id="other-letters"),
        pytest.param("u-1", "煙", 1, "u-1.b32a35.1", id="none-of-its-letters"),
        pytest.param("u-1", "", 1, "u-1.e3b0c4.1", id="no-name-at-all"),
    ],
)
def test_a_name_tells_whose_job_it_is(owner: str, metric: str, number: int, name: str) -> None:
    """Argo's, unless Kubernetes would refuse it, or two metrics had the same."""
    assert job_name(replace(ATTEMPT, owner=owner, metric=metric, number=number)) == name


metrics = st.text(max_size=80) | st.from_regex(r"[a-z0-9][a-z0-9.-]{0,70}", fullmatch=True)
attempts = st.tuples(st.just(UID), st.integers(1, 99_999)) | st.tuples(
    st.just(KEY), st.integers(1, 99_999_999_999)
)


@given(attempts, metrics, metrics, metrics)
def test_two_metrics_never_have_one_name(
    begun: tuple[str, int], prefix: str, one: str, other: str
) -> None:
    """However alike they are; and each is a name that a Job, and a label of its pods, may have."""
    assume(one != other)
    owner, number = begun
    attempts_of_both = [
        replace(ATTEMPT, owner=owner, metric=f"{prefix}{end}", number=number)
        for end in (one, other)
    ]
    names = {job_name(each) for each in attempts_of_both}
    assert len(names) == 2
    assert all(len(name) <= 63 and is_object_name(name) for name in names)
    assert all(re.fullmatch(rf"{owner}\.[a-z0-9-]+\.{number}", name) for name in names)


async def created(block: Document, attempt: Attempt = ATTEMPT, **rules: object) -> Document:
    """The Job that a block leads to, without what the API server adds."""
    jobs = FakeJobs()
    await provider(block, **rules).advance(jobs.context(), attempt)
    (job,) = jobs.jobs.values()
    del job["metadata"]["creationTimestamp"]
    return job


async def test_a_job_is_the_templates_with_marks_and_limits() -> None:
    """The whole document."""
    assert await created(BLOCK, active_deadline_s=300, ttl_after_finished_s=90) == {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": "u-1.smoke.1",
            "namespace": "shop",
            "labels": MARK,
            "annotations": ANNOTATIONS,
        },
        "spec": {
            "activeDeadlineSeconds": 300,
            "ttlSecondsAfterFinished": 90,
            "template": {"metadata": {"labels": MARK}, "spec": POD_SPEC},
        },
    }


async def test_what_a_template_says_of_its_job_is_kept() -> None:
    """But for the marks, by which it is found again; the pods have the label, too."""
    uid, name = "analysisrun.argoproj.io/uid", "analysisrun.argoproj.io/name"
    job = await created(
        {
            "metadata": {
                "labels": {"team": "a", uid: "u-9"},
                "annotations": {"note": "b", name: "other"},
                "name": "mine",
                "generateName": "mine-",
                "namespace": "theirs",
                "creationTimestamp": None,
            },
            "spec": {
                "backoffLimit": 0,
                "template": {
                    "metadata": {
                        "labels": {"app": "c", uid: "u-9"},
                        "annotations": {"sidecar": "no"},
                    },
                    "spec": POD_SPEC,
                },
            },
        }
    )
    assert job["metadata"] == {
        "name": "u-1.smoke.1",
        "namespace": "shop",
        "labels": {"team": "a", **MARK},
        "annotations": {"note": "b", **ANNOTATIONS},
    }
    assert job["spec"]["backoffLimit"] == 0
    assert job["spec"]["template"]["metadata"] == {
        "labels": {"app": "c", **MARK},
        "annotations": {"sidecar": "no"},
    }


@pytest.mark.parametrize(
    ("spec", "deadline_s", "ttl_s"),
    [
        pytest.param({}, 600, 600, id="the-template-says-nothing"),
        pytest.param(
            {"activeDeadlineSeconds": None, "ttlSecondsAfterFinished": None}, 600, 600, id="null"
        ),
        pytest.param({"activeDeadlineSeconds": 30}, 30, 600, id="a-deadline"),
        pytest.param({"ttlSecondsAfterFinished": 30}, 600, 30, id="a-time-to-live"),
        pytest.param(
            {"activeDeadlineSeconds": 0, "ttlSecondsAfterFinished": 0}, 0, 0, id="zero-is-said"
        ),
    ],
)
async def test_every_job_has_an_end(spec: Document, deadline_s: int, ttl_s: int) -> None:
    """The deployer's limits where the template has none."""
    job = await created(block(backoffLimit=None, **spec))
    assert job["spec"] == {
        "activeDeadlineSeconds": deadline_s,
        "ttlSecondsAfterFinished": ttl_s,
        "template": {"metadata": {"labels": MARK}, "spec": POD_SPEC},
    }


async def test_a_job_of_a_question_names_no_run() -> None:
    """There is none."""
    job = await created(BLOCK, replace(ATTEMPT, analysis=""))
    assert job["metadata"]["annotations"] == {
        "analysisrun.argoproj.io/namespace": "shop",
        "analysisrun.argoproj.io/metric-name": "smoke",
    }


@pytest.mark.parametrize("metadata", [None, {"labels": None}, {"labels": "a"}])
async def test_labels_of_a_pod_that_are_none_make_room_for_ours(metadata: object) -> None:
    """As tools write them."""
    template = {"metadata": metadata, "spec": POD_SPEC}
    job = await created({"spec": {"template": template}})
    assert job["spec"]["template"] == {"metadata": {"labels": MARK}, "spec": POD_SPEC}


def test_a_template_that_is_none_stays_for_kubernetes_to_refuse() -> None:
    """A manifest is made of any block."""
    job = job_manifest(
        ATTEMPT,
        namespace="shop",
        labels={},
        annotations={},
        spec={"template": "pod"},
        rules=JobRules(),
    )
    spec = job["spec"]
    assert isinstance(spec, dict)
    assert spec["template"] == "pod"


async def test_a_block_is_not_changed_by_its_job() -> None:
    """The next measurement is made of the same."""
    labels: Document = {"app": "c"}
    given_block: Document = {
        "metadata": {"labels": {"team": "a"}},
        "spec": {"template": {"metadata": {"labels": labels}, "spec": POD_SPEC}},
    }
    first = await created(given_block)
    assert await created(given_block) == first
    assert labels == {"app": "c"}


NO_POD = ("spec.template.spec", "is required: the spec of the Job's pod")


@pytest.mark.parametrize(
    ("bad", "problems"),
    [
        pytest.param({}, [("spec", "is required")], id="no-spec"),
        pytest.param({"spec": {}}, [NO_POD], id="no-template"),
        pytest.param({"spec": {"template": {}}}, [NO_POD], id="no-pod"),
        pytest.param({"spec": {"template": {"spec": "{{args.pod}}"}}}, [NO_POD], id="a-text"),
        pytest.param({"spec": {"template": [POD_SPEC]}}, [NO_POD], id="a-list"),
        pytest.param(
            {**BLOCK, "metadata": {"labels": {"a": 1}, "owner": "me"}, "timeout": 5},
            [
                ("metadata.labels.a", "must be a text, not the number 1; put it into quotes"),
                ("metadata.owner", "unknown field"),
                ("timeout", "unknown field"),
            ],
            id="fields-of-a-wrong-kind-and-fields-that-nobody-knows",
        ),
    ],
)
def test_all_that_is_wrong_with_a_shape_is_told(
    bad: Document, problems: list[tuple[str, str]]
) -> None:
    """Before anything runs, and by whoever parses it without a check."""
    kind = provider_type(JobRules())
    assert sorted(kind.check(bad)) == problems
    with pytest.raises(ProviderInvalid):
        kind.parse(bad, Surroundings())


def test_what_a_template_may_say_is_right() -> None:
    """Placeholders included: what is in a pod is Kubernetes' business."""
    assert provider_type(JobRules()).check(block({"containers": [{"image": "{{args.i}}"}]})) == []
