"""What came of a Job: its conditions, its pods, and the last lines of its log.

Source: argo-rollouts metricproviders/job/job.go:205-299 @ 9f8d111d8. Unlike Argo, a condition whose
status is not True is none, and what the pod said is told.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.gotext import json_text
from gateway.model import Phase

Object = Mapping[str, object]
CANNOT_PULL: Final = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName"})
LOG_LINES: Final = (20, 5, 1)
"""How many of the last lines are told: the first number of lines that is short enough."""
MAX_LOG_BYTES: Final = 16_384
"""A log is read from its beginning on: what has as many bytes may have been cut off at its end."""
MAX_RESULT_CHARS: Final = 4_096
_PHASES: Final = {"Complete": Phase.SUCCESSFUL, "Failed": Phase.FAILED}


@dataclass(frozen=True, slots=True)
class Ending:
    """How a Job ended."""

    phase: Phase
    reason: str
    """Kubernetes' word for why, such as ``BackoffLimitExceeded``; may be empty."""


@dataclass(frozen=True, slots=True)
class Exit:
    """How the container that decided ended."""

    pod: str
    container: str
    code: int
    reason: str
    """``Completed``, ``Error``, ``OOMKilled`` ..."""
    finished_at_unix_s: float


def ending(job: Object) -> Ending | None:
    """How a Job ended, None if it has not; of two conditions the later one counts."""
    found = None
    for condition in _objects(_object(job.get("status")).get("conditions")):
        phase = _PHASES.get(_text(condition, "type"))
        if phase is not None and condition.get("status") == "True":
            found = Ending(phase, _text(condition, "reason"))
    return found


def unix_s(text: str) -> float | None:
    """A time as Kubernetes writes it; None if it is none."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None


def pull_trouble(pods: Sequence[Object]) -> str:
    """Argo's words for an image that cannot be had, which never mends itself; else empty."""
    for pod in pods:
        for container in _containers(pod):
            waiting = _object(_object(container.get("state")).get("waiting"))
            reason = _text(waiting, "reason")
            if reason in CANNOT_PULL:
                return (
                    f"Pod {name(pod)}, container {_text(container, 'name')} has terminal error"
                    f" ({reason}): {_text(waiting, 'message')}\n"
                )
    return ""


def deciding_exit(pods: Sequence[Object], phase: Phase) -> Exit | None:
    """How the container ended that decided, in the newest pod that has one.

    Of a failure, the one that failed first: others were stopped because of it. Of a success, the
    first one that the pod's spec names: those that stand behind it accompany it.
    """
    for pod in sorted(pods, key=created_at_unix_s, reverse=True):
        decisive = [each for each in _exits(pod) if (each.code != 0) is (phase is Phase.FAILED)]
        if decisive and phase is Phase.FAILED:
            return min(decisive, key=lambda each: each.finished_at_unix_s)
        if decisive:
            return min(decisive, key=lambda each: _place(pod, each.container))
    return None


def is_whole(log: str) -> bool:
    """Whether a log was read to its end."""
    return len(log.encode()) < MAX_LOG_BYTES


def result_in(log: str) -> str:
    """The JSON object on a log's last line, empty if there is none, or one that is too long."""
    # A text in JSON may hold all that ``splitlines`` takes for the end of a line.
    lines = [line for line in log.split("\n") if line.strip()]
    try:
        value = json.loads(lines[-1]) if lines else None
        text = json_text(value) if isinstance(value, dict) else ""
    except (ValueError, RecursionError):
        return ""
    return text if len(text) <= MAX_RESULT_CHARS else ""


def name(item: Object) -> str:
    """An object's name."""
    return _text(_metadata(item), "name")


def labels_of(item: Object) -> Object:
    """An object's labels."""
    return _object(_metadata(item).get("labels"))


def annotations_of(item: Object) -> Object:
    """An object's annotations."""
    return _object(_metadata(item).get("annotations"))


def created_at_unix_s(item: Object) -> float:
    """When an object was created; 0 if it does not say."""
    return unix_s(_text(_metadata(item), "creationTimestamp")) or 0.0


def is_going(item: Object) -> bool:
    """Whether an object is being deleted."""
    return "deletionTimestamp" in _metadata(item)


def _exits(pod: Object) -> Iterator[Exit]:
    for container in _containers(pod):
        terminated = _object(_object(container.get("state")).get("terminated"))
        code = terminated.get("exitCode")
        if isinstance(code, int):
            yield Exit(
                pod=name(pod),
                container=_text(container, "name"),
                code=code,
                reason=_text(terminated, "reason"),
                finished_at_unix_s=unix_s(_text(terminated, "finishedAt")) or 0.0,
            )


def _place(pod: Object, container: str) -> int:
    """Where a container stands in its pod's spec; those that prepare stand behind."""
    names = [_text(each, "name") for each in _objects(_object(pod.get("spec")).get("containers"))]
    return names.index(container) if container in names else len(names)


def _containers(pod: Object) -> Iterator[Object]:
    status = _object(pod.get("status"))
    yield from _objects(status.get("initContainerStatuses"))
    yield from _objects(status.get("containerStatuses"))


def _metadata(item: Object) -> Object:
    return _object(item.get("metadata"))


def _object(value: object) -> Object:
    return value if isinstance(value, Mapping) else {}


def _objects(value: object) -> Iterator[Object]:
    items = value if isinstance(value, list) else []
    return (each for each in items if isinstance(each, Mapping))


def _text(item: Object, field: str) -> str:
    value = item.get(field)
    return value if isinstance(value, str) else ""
