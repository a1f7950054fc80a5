"""The Jobs of a cluster in memory, what was asked of them, and short words for Jobs and pods."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from gateway.errors import ProviderUnreachable
from gateway.model import Phase
from gateway.provider import AlreadyThere, Attempt, Context, LastingProvider, Progress, Surroundings
from providers import JobRules
from providers.job import provider_type

Document = dict[str, Any]

AWAY = ProviderUnreachable("the API server did not answer in time")
CREATED_AT = 1_000.0
POD_SPEC: Document = {"restartPolicy": "Never", "containers": [{"name": "t", "image": "curl"}]}
BLOCK: Document = {"spec": {"template": {"spec": POD_SPEC}}}
ATTEMPT = Attempt(
    owner="u-1",
    analysis="r",
    namespace="shop",
    metric="smoke",
    number=1,
    began_at_unix_s=CREATED_AT,
)
MARKS = {"job-name": "u-1.smoke.1", "job-namespace": "shop"}


@dataclass
class Clock:
    """Wall time, to be set."""

    now_unix_s: float = CREATED_AT

    def __call__(self) -> float:
        """What it shows."""
        return self.now_unix_s


@dataclass
class FakeJobs:
    """Implements ``gateway.provider.JobApi``; what was asked of it is in ``calls``."""

    clock: Callable[[], float] = field(default_factory=Clock)
    jobs: dict[str, Document] = field(default_factory=dict)
    """By ``namespace/name``."""
    pods_there: list[Document] = field(default_factory=list)
    logs: dict[str, str] = field(default_factory=dict)
    """By ``pod/container``."""
    faults: dict[str, Exception] = field(default_factory=dict)
    """What a call raises, by its name, for as long as it stands here."""
    calls: list[str] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    """The names of all Jobs that there ever were, in the order of their creation."""
    loses_answers: bool = False
    """Whether Jobs are created, and nobody hears of it."""
    answers_once: asyncio.Event | None = None
    """What creations wait for after they have happened."""
    ends_at_once: str = ""
    """How Jobs end as soon as they are created: ``Complete`` or ``Failed``."""

    async def create(self, namespace: str, manifest: Mapping[str, object]) -> None:
        """Have a Job, which may be there already."""
        job: Document = deepcopy(dict(manifest))
        name = job["metadata"]["name"]
        self._called("create", f"{namespace}/{name}")
        if f"{namespace}/{name}" in self.jobs:
            raise AlreadyThere(f'jobs.batch "{name}" already exists')
        job["metadata"]["creationTimestamp"] = time_text(self.clock())
        if self.ends_at_once:
            job["status"] = {"conditions": [condition(self.ends_at_once, at=self.clock())]}
        self.jobs[f"{namespace}/{name}"] = job
        self.created.append(name)
        if self.answers_once is not None:
            await self.answers_once.wait()
        if self.loses_answers:
            raise AWAY

    async def read(self, namespace: str, name: str) -> Document | None:
        """A Job if it is there."""
        self._called("read", f"{namespace}/{name}")
        return self.jobs.get(f"{namespace}/{name}")

    async def list(self, namespace: str, *, labels: str) -> Sequence[Document]:
        """The Jobs with one label."""
        self._called("list", f"{namespace}?{labels}")
        return [
            job
            for path, job in self.jobs.items()
            if path.startswith(f"{namespace}/") and _has(job, labels)
        ]

    async def stop(self, namespace: str, name: str) -> None:
        """Delete a Job, its pods first."""
        self._called("stop", f"{namespace}/{name}")
        self.jobs.pop(f"{namespace}/{name}", None)

    async def drop(self, namespace: str, name: str) -> None:
        """Delete a Job, its pods after it."""
        self._called("drop", f"{namespace}/{name}")
        self.jobs.pop(f"{namespace}/{name}", None)

    async def pods(self, namespace: str, *, labels: str) -> Sequence[Document]:
        """The pods with one label."""
        self._called("pods", f"{namespace}?{labels}")
        return [pod for pod in self.pods_there if _has(pod, labels)]

    async def log(
        self, namespace: str, pod: str, *, container: str, tail_lines: int, limit_bytes: int
    ) -> str:
        """The end of a log, of which the bytes beyond the limit are cut off, as a kubelet does."""
        self._called("log", f"{namespace}/{pod}/{container}?{tail_lines}")
        # Only a line feed ends a line.
        lines = re.findall(r"[^\n]*\n|[^\n]+", self.logs.get(f"{pod}/{container}", ""))
        return "".join(lines[-tail_lines:]).encode()[:limit_bytes].decode(errors="replace")

    def context(self) -> Context:
        """A world with this cluster in it."""
        return world_with(self, self.clock)

    def called(self, verb: str) -> int:
        """How often a call was made."""
        return sum(call.startswith(f"{verb} ") for call in self.calls)

    def end(self, name: str, *conditions: Document, namespace: str = "shop") -> None:
        """Let a Job end."""
        self.jobs[f"{namespace}/{name}"]["status"] = {"conditions": list(conditions)}

    def _called(self, verb: str, what: str) -> None:
        self.calls.append(f"{verb} {what}")
        if verb in self.faults:
            raise self.faults[verb]


def world_with(jobs: FakeJobs | None, clock: Callable[[], float]) -> Context:
    """What measurements may use: a clock, and a cluster if there is one."""
    return Context(http=None, now_unix_s=clock, tokens=None, threads=None, jobs=jobs)  # type: ignore[arg-type]


def provider(block: Document | None = None, **rules: Any) -> LastingProvider:
    """A provider under the rules of a deployment."""
    made = provider_type(JobRules(**rules)).parse(BLOCK if block is None else block, Surroundings())
    assert isinstance(made, LastingProvider)
    return made


def block(pod: Document | None = None, **spec: Any) -> Document:
    """A block with more in its spec, or another pod."""
    return {"spec": {**spec, "template": {"spec": POD_SPEC if pod is None else pod}}}


def job(
    name: str = "u-1.smoke.1",
    *conditions: Document,
    owner: str = "u-1",
    metric: str = "smoke",
    created_at: float = CREATED_AT,
    **metadata: Any,
) -> Document:
    """A Job as the API server has it."""
    return {
        "metadata": {
            "name": name,
            "labels": {"analysisrun.argoproj.io/uid": owner},
            "annotations": {"analysisrun.argoproj.io/metric-name": metric},
            "creationTimestamp": time_text(created_at),
            **metadata,
        },
        "status": {"conditions": list(conditions)},
    }


async def looked(jobs: FakeJobs, *conditions: Document) -> Progress:
    """What is made of a Job two seconds after its beginning."""
    jobs.clock = Clock(CREATED_AT + 2)
    jobs.jobs = {"shop/u-1.smoke.1": job("u-1.smoke.1", *conditions)}
    return await provider().advance(jobs.context(), replace(ATTEMPT, metadata=MARKS))


def ended(phase: Phase, text: str, **metadata: str) -> Progress:
    """A Job that ended; metadata with ``_`` for ``-``."""
    named = {name.replace("_", "-"): value for name, value in metadata.items()}
    return Progress(phase=phase, text=text, metadata={**MARKS, **named})


def condition(
    type_: str, reason: str = "", *, status: str = "True", at: float = CREATED_AT
) -> Document:
    """A condition of a Job."""
    told = {"reason": reason} if reason else {}
    return {"type": type_, "status": status, "lastTransitionTime": time_text(at), **told}


def pod(
    name: str,
    *containers: Document,
    init: Sequence[Document] = (),
    of: str = "u-1.smoke.1",
    created_at: float = CREATED_AT,
    order: Sequence[str] = (),
) -> Document:
    """A pod of a Job; ``order`` is that of the containers in its spec, if it is another one."""
    names = order or [each["name"] for each in containers]
    return {
        "metadata": {
            "name": name,
            "labels": {"job-name": of},
            "creationTimestamp": time_text(created_at),
        },
        "spec": {"containers": [{"name": each} for each in names]},
        "status": {"initContainerStatuses": list(init), "containerStatuses": list(containers)},
    }


def waiting(name: str, reason: str, message: str = "") -> Document:
    """A container that does not run yet."""
    return {"name": name, "state": {"waiting": {"reason": reason, "message": message}}}


def exited(name: str, code: int, reason: str = "", *, at: float = CREATED_AT) -> Document:
    """A container that has ended."""
    reason = reason or ("Error" if code else "Completed")
    ended = {"exitCode": code, "reason": reason, "finishedAt": time_text(at)}
    return {"name": name, "state": {"terminated": ended}}


def time_text(unix_s: float) -> str:
    """A time as Kubernetes writes it, whole seconds."""
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _has(item: Document, label: str) -> bool:
    name, _, value = label.partition("=")
    return bool(item["metadata"].get("labels", {}).get(name) == value)
