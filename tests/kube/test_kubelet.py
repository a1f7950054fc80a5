"""The stand-in for Job controller, kubelet and garbage collector does what these would do."""

import pytest
from kube.cluster import Cluster
from kube.jobs import conditions, job, pod_of, refusal, settled
from kube.kinds import Object
from kube.outcomes import CannotPull, DeadlineExceeded, Fails, Outcome, Runs, Succeeds
from kube.polling import until

INIT = {"name": "prepare", "image": "prepare"}
LOG = "one\ntwo\nthree\n"


async def test_job_gets_a_pod_that_succeeds_and_leaves_a_log(kubernetes: Cluster) -> None:
    """The usual story from beginning to end."""
    namespace = await kubernetes.namespace()
    kubernetes.kubelet.plays["measure"] = Succeeds(log=LOG)
    made = await kubernetes.create("jobs", namespace, job("measure"))
    done = await settled(kubernetes, namespace, "measure")
    assert conditions(done) == [
        ("SuccessCriteriaMet", "CompletionsReached"),
        ("Complete", "CompletionsReached"),
    ]
    assert (done["status"]["succeeded"], done["status"].get("active", 0)) == (1, 0)
    assert done["status"]["startTime"] <= done["status"]["completionTime"]
    pod = await pod_of(kubernetes, namespace, "measure")
    uid = made["metadata"]["uid"]
    assert pod["metadata"]["labels"] == {
        "app": "shop",
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": "measure",
        "controller-uid": uid,
        "job-name": "measure",
    }
    assert [owner["uid"] for owner in pod["metadata"]["ownerReferences"]] == [uid]
    assert pod["status"]["phase"] == "Succeeded"
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 0
    name = pod["metadata"]["name"]
    assert await kubernetes.log(namespace, name) == LOG
    assert await kubernetes.log(namespace, name, tailLines="2") == "two\nthree\n"
    assert await kubernetes.log(namespace, name, tailLines="2", limitBytes="3") == "two"
    assert await kubernetes.jobs_created(namespace) == 1
    assert await kubernetes.pods_created(namespace) == 1


@pytest.mark.parametrize(
    ("outcome", "reason", "state"),
    [
        pytest.param(
            Fails(exit_code=3),
            "BackoffLimitExceeded",
            {"terminated": {"exitCode": 3, "reason": "Error"}},
            id="a-failing-container-fails-the-job",
        ),
        pytest.param(
            Fails(exit_code=137, container_reason="OOMKilled", reason="PodFailurePolicy"),
            "PodFailurePolicy",
            {"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
            id="reasons-are-as-chosen",
        ),
    ],
)
async def test_failure_is_told(
    kubernetes: Cluster, outcome: Outcome, reason: str, state: Object
) -> None:
    """Job and Pod say how it failed, and the log is there."""
    namespace = await kubernetes.namespace()
    kubernetes.kubelet.outcome = outcome
    await kubernetes.create("jobs", namespace, job("measure"))
    done = await settled(kubernetes, namespace, "measure")
    assert conditions(done) == [("FailureTarget", reason), ("Failed", reason)]
    assert done["status"]["failed"] == 1
    pod = await pod_of(kubernetes, namespace, "measure")
    assert pod["status"]["phase"] == "Failed"
    found = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    assert {"terminated": {key: found[key] for key in state["terminated"]}} == state
    assert await kubernetes.log(namespace, pod["metadata"]["name"]) == ""


async def test_exceeded_deadline_takes_the_pod_along(kubernetes: Cluster) -> None:
    """Kubernetes deletes the Pods of a Job that took too long."""
    namespace = await kubernetes.namespace()
    kubernetes.kubelet.outcome = DeadlineExceeded(after_s=0)
    await kubernetes.create("jobs", namespace, job("measure"))
    done = await settled(kubernetes, namespace, "measure")
    assert conditions(done)[-1] == ("Failed", "DeadlineExceeded")
    assert await kubernetes.list("pods", namespace) == []
    assert await kubernetes.pods_created(namespace) == 1


@pytest.mark.parametrize(
    ("outcome", "part", "complaint"),
    [
        pytest.param(
            CannotPull(message="Back-off"),
            "containerStatuses",
            'container "measure" in pod "{}" is waiting to start: trying and failing to pull image',
            id="the-image-of-the-container",
        ),
        pytest.param(
            CannotPull(reason="ErrImagePull", message="Back-off", in_init=True),
            "initContainerStatuses",
            'container "measure" in pod "{}" is waiting to start: PodInitializing',
            id="the-image-of-an-init-container",
        ),
    ],
)
async def test_image_that_cannot_be_pulled_keeps_the_pod_waiting(
    kubernetes: Cluster, outcome: CannotPull, part: str, complaint: str
) -> None:
    """The container waits, and there is no log of it, until the test lets it go on."""
    namespace = await kubernetes.namespace()
    kubernetes.kubelet.outcome = outcome
    await kubernetes.create("jobs", namespace, job("measure", initContainers=[INIT]))
    pod = await pod_of(kubernetes, namespace, "measure")
    name = pod["metadata"]["name"]
    waiting = {"reason": outcome.reason, "message": "Back-off"}
    assert pod["status"][part][0]["state"] == {"waiting": waiting}
    refused = await refusal(kubernetes.log(namespace, name, container="measure"))
    assert refused == f"400 BadRequest: {complaint.format(name)}"
    await kubernetes.kubelet.finish(namespace, "measure", Fails(after_s=0))
    assert conditions(await settled(kubernetes, namespace, "measure"))[-1][0] == "Failed"


async def test_running_job_ends_when_the_test_says_so(kubernetes: Cluster) -> None:
    """A Job may run as long as the test wants."""
    namespace = await kubernetes.namespace()
    kubernetes.kubelet.outcome = Runs(log="so far\n")
    await kubernetes.create("jobs", namespace, job("measure"))
    pod = await pod_of(kubernetes, namespace, "measure")
    assert pod["status"]["phase"] == "Running"
    assert await kubernetes.log(namespace, pod["metadata"]["name"]) == "so far\n"
    await kubernetes.kubelet.finish(namespace, "measure", Succeeds(after_s=0, log=LOG))
    assert conditions(await settled(kubernetes, namespace, "measure"))[-1][0] == "Complete"
    assert await kubernetes.log(namespace, pod["metadata"]["name"]) == LOG


@pytest.mark.parametrize(
    ("policy", "pods_left"),
    [
        pytest.param("Foreground", 0, id="pods-first"),
        pytest.param("Background", 0, id="pods-after-it"),
        pytest.param("Orphan", 1, id="pods-stay"),
    ],
)
async def test_deleting_a_job(kubernetes: Cluster, policy: str, pods_left: int) -> None:
    """The garbage collector does what the deletion asks for."""
    namespace = await kubernetes.namespace()
    kubernetes.kubelet.outcome = Runs()
    await kubernetes.create("jobs", namespace, job("measure"))
    await pod_of(kubernetes, namespace, "measure")
    await kubernetes.delete("jobs", namespace, "measure", policy)

    async def is_done() -> bool:
        pods = await kubernetes.list("pods", namespace)
        return not await kubernetes.list("jobs", namespace) and len(pods) == pods_left

    await until(is_done)
    assert await kubernetes.jobs_created(namespace) == 1
