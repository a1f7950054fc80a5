"""What a pod may not ask for, as it would be let out of its container.

Unlike Argo, which runs whatever a template says. The list is the part of Kubernetes' Pod Security
Standard "baseline" that reaches the node.
"""

from collections.abc import Iterator, Mapping
from typing import Final

Allowed = frozenset[str]
"""The risks that the deployer takes."""
Finding = tuple[str, str]
"""A path below the pod's spec, and what is wrong there."""

HOST_NAMESPACES: Final = ("hostNetwork", "hostPID", "hostIPC")
_CONTAINER_LISTS: Final = ("initContainers", "containers", "ephemeralContainers")
_JOB_CONTROLLER: Final = "kubernetes.io/job-controller"
_NONE: Final = (0, "0")
_OFF: Final[tuple[object, ...]] = (None, False, 0, "", [], {})


def without_evidence(spec: Mapping[str, object]) -> list[Finding]:
    """All that is refused of a Job's spec, as its end would say nothing, or never come."""
    found: list[Finding] = []
    if spec.get("completions") in _NONE or spec.get("parallelism") in _NONE:
        field = "completions" if spec.get("completions") in _NONE else "parallelism"
        found.append((field, "must not be 0: without a pod there is nothing to judge by"))
    if spec.get("suspend") not in _OFF:
        found.append(("suspend", "is refused: a Job that is suspended has no deadline"))
    if spec.get("managedBy") not in (*_OFF, _JOB_CONTROLLER):
        found.append(("managedBy", "is refused: nobody knows when its conditions mean its end"))
    found += (
        (field, "is refused: pods of others would be taken for the Job's")
        for field in ("manualSelector", "selector")
        if spec.get(field) not in _OFF
    )
    return found


def risks(pod: object, allowed: Allowed) -> list[Finding]:
    """All that is refused of a pod's spec, whatever its other fields are worth."""
    return [
        (path, f"is refused, as it lets a pod out of its container (kubernetes.jobs.allow: {risk})")
        for risk, path in _found(_object(pod))
        if risk not in allowed
    ]


def _found(pod: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for field in HOST_NAMESPACES:
        if pod.get(field) not in _OFF:
            yield field, field
    for index, volume in enumerate(_list(pod.get("volumes"))):
        if _object(volume).get("hostPath") is not None:
            yield "hostPath", f"volumes[{index}].hostPath"
    yield from _of_context(_object(pod.get("securityContext")), "securityContext")
    for field in _CONTAINER_LISTS:
        for index, container in enumerate(_list(pod.get(field))):
            yield from _of_container(_object(container), f"{field}[{index}]")


def _of_container(container: Mapping[str, object], path: str) -> Iterator[tuple[str, str]]:
    yield from _of_context(_object(container.get("securityContext")), f"{path}.securityContext")
    for index, port in enumerate(_list(container.get("ports"))):
        if _object(port).get("hostPort") not in _OFF:
            yield "hostPorts", f"{path}.ports[{index}].hostPort"


def _of_context(context: Mapping[str, object], path: str) -> Iterator[tuple[str, str]]:
    if context.get("privileged") not in _OFF:
        yield "privileged", f"{path}.privileged"
    if _object(context.get("capabilities")).get("add") not in _OFF:
        yield "capabilities", f"{path}.capabilities.add"
    if context.get("procMount") not in (None, "Default"):
        yield "procMount", f"{path}.procMount"
    if _object(context.get("windowsOptions")).get("hostProcess") not in _OFF:
        yield "windowsHostProcess", f"{path}.windowsOptions.hostProcess"


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
