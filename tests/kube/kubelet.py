"""A stand-in for the Job controller, the kubelet and the garbage collector of a cluster.

It speaks to the API server as they do, so that it is the same for a real one and for kmock.
"""

import asyncio
from collections.abc import Coroutine
from http import HTTPStatus
from typing import Any, Final

import aiohttp
from kube.client import MERGE, ApiError, Client
from kube.kinds import Kind, Object
from kube.logs import PodLogs
from kube.outcomes import Outcome, Succeeds
from kube.plays import JOBS, PODS, Patient, Play
from kube.polling import until

_PAUSE_S: Final = 0.02
_WITHIN_S: Final = 10.0
_FAULTS: Final = (aiohttp.ClientError, TimeoutError)


class Kubelet:
    """Gives Jobs their Pods and their ends, in the namespaces of one test."""

    def __init__(self, client: Client, logs: PodLogs, node: str) -> None:
        self.outcome: Outcome = Succeeds()
        """What becomes of Jobs for which no play is chosen."""
        self.plays: dict[str, Outcome] = {}
        """What becomes of a Job, by a part of its name or a whole value of its annotations."""
        self.namespaces: set[str] = set()
        self._client = client
        self._patient = Patient(client)
        self._logs = logs
        self._node = node
        self._seen: dict[str, dict[str, str]] = {JOBS.plural: {}, PODS.plural: {}}
        self._alive: dict[str, Object] = {}
        self._plays: dict[str, Play] = {}
        self._releasing: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._errors: list[Exception] = []

    async def open(self) -> None:
        """Begin to watch."""
        for kind in (JOBS, PODS):
            version = await self._list(kind)
            self._spawn(self._follow(kind, version), f"{kind.plural} watched")

    async def close(self) -> None:
        """End all it does.

        Raises:
            ExceptionGroup: Some of it went wrong.

        """
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._errors:
            raise ExceptionGroup("the stand-in for the kubelet failed", self._errors)

    async def finish(self, namespace: str, job: str, outcome: Outcome) -> None:
        """Let a running or waiting Job go on so, and wait until that is done."""
        found = await self._client.json("GET", JOBS.path(namespace, job))
        uid = found["metadata"]["uid"]

        async def begun() -> Play | None:
            return self._plays.get(uid)

        play = await until(begun, within_s=_WITHIN_S)
        await asyncio.wait_for(play.has_settled(), _WITHIN_S)
        await play.unfold(outcome)

    async def created(self, kind: Kind, namespace: str) -> int:
        """How many Jobs or Pods of a namespace there have ever been."""
        found = await self._client.json("GET", kind.path(namespace))
        listed = {item["metadata"]["uid"] for item in found["items"]}
        seen = self._seen[kind.plural].items()
        return len(listed | {uid for uid, where in seen if where == namespace})

    async def _follow(self, kind: Kind, version: str) -> None:
        while True:
            try:
                async for event in self._client.watch(kind.path(), resourceVersion=version):
                    if event["type"] == "ERROR":
                        version = await self._list(kind)
                        break
                    version = event["object"]["metadata"]["resourceVersion"]
                    self._notice(kind, event["type"], event["object"])
            except ApiError as error:
                if error.status == HTTPStatus.GONE:
                    version = await self._list(kind)
            except _FAULTS:
                pass
            await asyncio.sleep(_PAUSE_S)

    async def _list(self, kind: Kind) -> str:
        found = await self._patient.json("GET", kind.path())
        assert found is not None
        for item in found["items"]:
            self._notice(kind, "ADDED", item)
        if kind is JOBS:
            left = {item["metadata"]["uid"] for item in found["items"]}
            for uid in self._alive.keys() - left:
                self._notice(kind, "DELETED", self._alive[uid])
        version: str = found["metadata"]["resourceVersion"]
        return version

    def _notice(self, kind: Kind, change: str, found: Object) -> None:
        metadata = found["metadata"]
        if metadata.get("namespace") not in self.namespaces:
            return
        is_new = metadata["uid"] not in self._seen[kind.plural]
        self._seen[kind.plural][metadata["uid"]] = metadata["namespace"]
        if kind is PODS:
            if change != "DELETED" and "deletionTimestamp" in metadata:
                name = metadata["name"]
                self._spawn(self._patient.delete_pod(metadata["namespace"], name), f"{name} ended")
            return
        self._alive[metadata["uid"]] = found
        if is_new:
            self._begin(found)
        if change == "DELETED":
            del self._alive[metadata["uid"]]
            self._spawn(self._collect(found), f"{metadata['name']} collected")
        elif "deletionTimestamp" in metadata and metadata["uid"] not in self._releasing:
            self._releasing.add(metadata["uid"])
            self._spawn(self._release(found), f"{metadata['name']} released")

    def _begin(self, job: Object) -> None:
        metadata = job["metadata"]
        known = {*(metadata.get("annotations") or {}).values()}
        chosen = (
            outcome
            for key, outcome in self.plays.items()
            if key in metadata["name"] or key in known
        )
        play = Play(self._patient, self._logs, job, self._node)
        self._plays[metadata["uid"]] = play
        self._spawn(play.begin(next(chosen, self.outcome)), f"{metadata['name']} played")

    async def _release(self, job: Object) -> None:
        """Do what a deleted Job's finalizers stand for, and take them off."""
        metadata = job["metadata"]
        finalizers = metadata.get("finalizers", [])
        if "foregroundDeletion" in finalizers:
            await self._collect(job)
        if "orphan" in finalizers:
            for pod in await self._pods_of(job):
                path = PODS.path(metadata["namespace"], pod["metadata"]["name"])
                orphaned = {"metadata": {"ownerReferences": None}}
                await self._patient.json("PATCH", path, orphaned, content_type=MERGE)
        rest = [name for name in finalizers if name not in {"foregroundDeletion", "orphan"}]
        path = JOBS.path(metadata["namespace"], metadata["name"])
        changes = {"metadata": {"uid": metadata["uid"], "finalizers": rest}}
        await self._patient.json("PATCH", path, changes, content_type=MERGE)

    async def _collect(self, job: Object) -> None:
        """Delete the Pods of a Job that is or will be gone."""
        for pod in await self._pods_of(job):
            await self._patient.delete_pod(job["metadata"]["namespace"], pod["metadata"]["name"])

    async def _pods_of(self, job: Object) -> list[Object]:
        uid, namespace = job["metadata"]["uid"], job["metadata"]["namespace"]
        # A Pod whose creation is on its way would be overlooked.
        await self._plays[uid].has_pod()
        found = await self._patient.json("GET", PODS.path(namespace))
        assert found is not None
        return [
            pod
            for pod in found["items"]
            if any(owner["uid"] == uid for owner in pod["metadata"].get("ownerReferences", []))
        ]

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            self._errors.append(error)
