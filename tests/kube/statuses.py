"""The documents that the Job controller and the kubelet write, as pure functions."""

import secrets

from kube.admission import now
from kube.kinds import Object
from kube.outcomes import CannotPull


def pod_of(job: Object, node: str) -> Object:
    """The Pod that the Job controller creates for a Job."""
    metadata, template = job["metadata"], job["spec"]["template"]
    owner = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **template.get("metadata", {}),
            "name": f"{metadata['name'][:57]}-{secrets.token_hex(3)[:5]}",
            "namespace": metadata["namespace"],
            "ownerReferences": [owner],
        },
        "spec": {**template["spec"], "nodeName": node},
    }


def node_of(name: str, port: int) -> Object:
    """A Node whose kubelet listens here."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name},
        "status": {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        },
    }


def running(pod: Object) -> Object:
    """All containers run, after all init containers."""
    started = {"running": {"startedAt": now()}}
    return {
        "phase": "Running",
        "startTime": now(),
        "initContainerStatuses": _initialized(pod),
        "containerStatuses": [
            _container(item, started, is_ready=True) for item in pod["spec"]["containers"]
        ],
    }


def waiting(pod: Object, outcome: CannotPull) -> Object:
    """One container waits for its image, and those after it for their turn."""
    stuck = {"waiting": {"reason": outcome.reason, "message": outcome.message}}
    later = {"waiting": {"reason": "PodInitializing"}}
    init, main = pod["spec"].get("initContainers", []), pod["spec"]["containers"]
    if outcome.in_init:
        assert init, "the template has no init containers"
        return {
            "phase": "Pending",
            "startTime": now(),
            "initContainerStatuses": [_container(init[0], stuck)]
            + [_container(item, later) for item in init[1:]],
            "containerStatuses": [_container(item, later) for item in main],
        }
    started = {"running": {"startedAt": now()}}
    return {
        "phase": "Pending",
        "startTime": now(),
        "initContainerStatuses": _initialized(pod),
        "containerStatuses": [_container(main[0], stuck)]
        + [_container(item, started) for item in main[1:]],
    }


def ended(pod: Object, exit_code: int, reason: str) -> Object:
    """The first container has exited so, the others with 0."""
    first, *others = pod["spec"]["containers"]
    return {
        "phase": "Failed" if exit_code else "Succeeded",
        "initContainerStatuses": _initialized(pod),
        "containerStatuses": [_container(first, _terminated(exit_code, reason))]
        + [_container(item, _terminated(0, "Completed")) for item in others],
    }


def active(started_at: str) -> Object:
    """The Job has one Pod that has not ended."""
    return {"startTime": started_at, "active": 1, "ready": 0, "uncountedTerminatedPods": {}}


def decided(condition: Object) -> Object:
    """The Job's end is certain, and its Pods have not yet all ended."""
    return {"conditions": [condition]}


def finished(decision: Object, condition: Object) -> Object:
    """The Job has ended."""
    is_complete = condition["type"] == "Complete"
    count = {"succeeded": 1, "completionTime": now()} if is_complete else {"failed": 1}
    return {"active": None, "ready": 0, **count, "conditions": [decision, condition]}


def condition(type_: str, reason: str, message: str) -> Object:
    """Something that has become true of a Job."""
    times = {"lastProbeTime": now(), "lastTransitionTime": now()}
    return {"type": type_, "status": "True", **times, "reason": reason, "message": message}


def _initialized(pod: Object) -> list[Object]:
    done = _terminated(0, "Completed")
    return [_container(item, done) for item in pod["spec"].get("initContainers", [])]


def _terminated(exit_code: int, reason: str) -> Object:
    times = {"startedAt": now(), "finishedAt": now()}
    identity = {"containerID": f"containerd://{secrets.token_hex(8)}"}
    return {"terminated": {"exitCode": exit_code, "reason": reason, **times, **identity}}


def _container(container: Object, state: Object, *, is_ready: bool = False) -> Object:
    return {
        "name": container["name"],
        "image": container.get("image", ""),
        "imageID": "",
        "ready": is_ready,
        "restartCount": 0,
        "state": state,
    }
