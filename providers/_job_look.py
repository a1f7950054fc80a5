"""How a Job stands: one look at it, and at its pods.

Source: argo-rollouts metricproviders/job/job.go:205-299 @ 9f8d111d8.
"""

import math
from collections.abc import Mapping
from typing import Final

from gateway.errors import ProviderError, ProviderRejected
from gateway.gotext import quote
from gateway.model import Phase
from gateway.provider import LOG_METADATA, Attempt, JobApi, Progress
from providers import _job_outcome as outcome

JOB_NAME: Final = "job-name"
JOB_NAMESPACE: Final = "job-namespace"
"""Both Argo's.

Source: argo-rollouts metricproviders/job/job.go:24-28 @ 9f8d111d8.
"""
POD_LABEL: Final = "job-name"
"""Which the Job controller gives to a Job's pods."""


async def look(jobs: JobApi, attempt: Attempt, now_unix_s: float) -> Progress:
    """How a Job stands that has been created. Raises ProviderError."""
    name, namespace = attempt.metadata[JOB_NAME], attempt.metadata[JOB_NAMESPACE]
    job = await jobs.read(namespace, name)
    if job is None:
        raise ProviderRejected(f"job.batch {quote(name)} not found")
    marks = {JOB_NAME: name, JOB_NAMESPACE: namespace}
    end = outcome.ending(job)
    if end is not None:
        found = await _report(jobs, namespace, name, end)
        return Progress(phase=end.phase, text=_told(end, found), metadata={**marks, **found})
    try:
        trouble = outcome.pull_trouble(await jobs.pods(namespace, labels=f"{POD_LABEL}={name}"))
    except ProviderRejected as error:
        # The Job decides all the same.
        return running(attempt, marks, now_unix_s, message=str(error))
    if trouble:
        return Progress(
            phase=Phase.INCONCLUSIVE,
            message=trouble,
            text="an image cannot be pulled",
            metadata=marks,
        )
    return running(attempt, marks, now_unix_s)


async def _report(
    jobs: JobApi, namespace: str, name: str, end: outcome.Ending
) -> Mapping[str, str]:
    """What the pod said, as metadata; a verdict that is there does not wait for it."""
    found = {"job-reason": end.reason} if end.reason else {}
    try:
        pods = await jobs.pods(namespace, labels=f"{POD_LABEL}={name}")
        exited = outcome.deciding_exit(pods, end.phase)
        if exited is None:
            return found
        found |= {"exit-code": str(exited.code), "reason": exited.reason}
        log = await _log(jobs, namespace, exited)
    except ProviderError as error:
        return {**found, "log-error": str(error)}
    if log is None:
        return {**found, "log-error": f"its last line has {outcome.MAX_LOG_BYTES} bytes or more"}
    found |= {LOG_METADATA: log.removesuffix("\n")}
    result = outcome.result_in(log)
    return {**found, "result": result} if result else found


async def _log(jobs: JobApi, namespace: str, exited: outcome.Exit) -> str | None:
    """The last lines of a container, whole ones only: of half a secret nobody could tell."""
    for lines in outcome.LOG_LINES:
        log = await jobs.log(
            namespace,
            exited.pod,
            container=exited.container,
            tail_lines=lines,
            limit_bytes=outcome.MAX_LOG_BYTES,
        )
        if outcome.is_whole(log):
            return log
    return None


def _told(end: outcome.Ending, found: Mapping[str, str]) -> str:
    """How a Job ended, in a few words."""
    exited = f"exit code {found['exit-code']}" if "exit-code" in found else ""
    if end.phase is Phase.SUCCESSFUL:
        why, word = exited or end.reason, "is complete"
    else:
        parts = (exited, found.get("reason", ""), end.reason)
        why, word = ", ".join(part for part in parts if part), "has failed"
    return f"the Job {word}: {why}" if why else f"the Job {word}"


def begun(namespace: str, name: str, now_unix_s: float) -> Progress:
    """A Job is there now, and is to be looked at soon."""
    return Progress(
        phase=Phase.RUNNING,
        metadata={JOB_NAME: name, JOB_NAMESPACE: namespace},
        resume_at_unix_s=now_unix_s,
    )


def running(
    attempt: Attempt, metadata: Mapping[str, str], now_unix_s: float, *, message: str = ""
) -> Progress:
    """Nothing is decided yet; the longer it takes, the less often it is looked at."""
    elapsed_s = max(0.0, now_unix_s - attempt.began_at_unix_s)
    return Progress(
        phase=Phase.RUNNING,
        message=message,
        metadata=metadata,
        resume_at_unix_s=now_unix_s + pause_s(elapsed_s),
    )


def pause_s(elapsed_s: float) -> float:
    """Until a Job is looked at again: the square root of twice the seconds it has taken.

    Source: argo-rollouts metricproviders/job/job.go:244-248 @ 9f8d111d8.
    """
    return math.sqrt(2 * elapsed_s)
