"""One Job on its way: what the Job controller and the kubelet do to it, step by step."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus

import aiohttp
from kube import statuses
from kube.admission import now
from kube.client import MERGE, ApiError, Client
from kube.kinds import KINDS, Object
from kube.logs import PodLogs
from kube.outcomes import CannotPull, DeadlineExceeded, Fails, Outcome, Runs, Succeeds

JOBS, PODS = KINDS["jobs"], KINDS["pods"]
_PAUSE_S = 0.02
_COMPLETED = ("CompletionsReached", "Reached expected number of succeeded pods")
_LATE = ("DeadlineExceeded", "Job was active longer than specified deadline")


class Patient:
    """A client that repeats until the API server answers, as controllers do."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def json(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        params: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Object | None:
        """The object of an answer, or nothing where there is no such object.

        Raises:
            ApiError: The server refuses, not only for now.

        """
        while True:
            try:
                return await self._client.json(
                    method, path, body, params=params, content_type=content_type
                )
            except ApiError as error:
                if error.status == HTTPStatus.NOT_FOUND:
                    return None
                if error.status < HTTPStatus.INTERNAL_SERVER_ERROR and error.status != 429:
                    raise
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(_PAUSE_S)

    async def delete_pod(self, namespace: str, name: str) -> None:
        """Delete a Pod at once, as a kubelet does when it has ended the containers."""
        options = {"gracePeriodSeconds": 0}
        await self.json("DELETE", PODS.path(namespace, name), options)


class Play:
    """A Job and its Pod."""

    def __init__(self, patient: Patient, logs: PodLogs, job: Object, node: str) -> None:
        self._patient = patient
        self._logs = logs
        self._pod = statuses.pod_of(job, node)
        self._namespace = job["metadata"]["namespace"]
        self._job_path = JOBS.path(self._namespace, job["metadata"]["name"], "status")
        self._has_pod = asyncio.Event()
        self._has_settled = asyncio.Event()

    async def begin(self, outcome: Outcome) -> None:
        """Create the Pod, and let come what shall come."""
        path = PODS.path(self._namespace)
        try:
            await self._patient.json("POST", path, self._pod)
        except ApiError as error:
            # The answer to the first attempt was lost.
            if error.status != HTTPStatus.CONFLICT:
                raise
        finally:
            self._has_pod.set()
        await self._set_job(statuses.active(now()))
        await self.unfold(outcome)
        self._has_settled.set()

    async def has_pod(self) -> None:
        """Wait until the Pod has been created."""
        await self._has_pod.wait()

    async def has_settled(self) -> None:
        """Wait until nothing more happens by itself."""
        await self._has_settled.wait()

    async def unfold(self, outcome: Outcome) -> None:
        """Do what an outcome says to a Job with a Pod."""
        match outcome:
            case CannotPull():
                await self._wait(outcome)
            case Runs():
                await self._run(outcome.log)
            case Succeeds():
                await self._run(outcome.log)
                await asyncio.sleep(outcome.after_s)
                await self._set_pod(statuses.ended(self._pod, 0, "Completed"))
                await self._finish("SuccessCriteriaMet", "Complete", *_COMPLETED)
            case Fails():
                await self._run(outcome.log)
                await asyncio.sleep(outcome.after_s)
                end = statuses.ended(self._pod, outcome.exit_code, outcome.container_reason)
                await self._set_pod(end)
                await self._finish("FailureTarget", "Failed", outcome.reason, outcome.message)
            case DeadlineExceeded():
                await self._run(outcome.log)
                await asyncio.sleep(outcome.after_s)
                await self._exceed()

    async def _run(self, log: str) -> None:
        for container in self._pod["spec"].get("initContainers", []):
            self._logs.write(self._namespace, self._pod_name, container["name"], "")
        for container in self._pod["spec"]["containers"]:
            self._logs.write(self._namespace, self._pod_name, container["name"], log)
        await self._set_pod(statuses.running(self._pod))
        await self._set_job({"ready": 1})

    async def _wait(self, outcome: CannotPull) -> None:
        status = statuses.waiting(self._pod, outcome)
        for item in (*status["initContainerStatuses"], *status["containerStatuses"]):
            if "waiting" in item["state"]:
                reason = item["state"]["waiting"]["reason"]
                self._logs.wait(self._namespace, self._pod_name, item["name"], reason)
        await self._set_pod(status)

    async def _exceed(self) -> None:
        decision = statuses.condition("FailureTarget", *_LATE)
        await self._set_job(statuses.decided(decision))
        await self._patient.delete_pod(self._namespace, self._pod_name)
        await self._set_job(statuses.finished(decision, statuses.condition("Failed", *_LATE)))

    async def _finish(self, decided: str, finished: str, reason: str, message: str) -> None:
        decision = statuses.condition(decided, reason, message)
        await self._set_job(statuses.decided(decision))
        end = statuses.condition(finished, reason, message)
        await self._set_job(statuses.finished(decision, end))

    async def _set_pod(self, status: Object) -> None:
        path = PODS.path(self._namespace, self._pod_name, "status")
        await self._patient.json("PATCH", path, {"status": status}, content_type=MERGE)

    async def _set_job(self, status: Object) -> None:
        await self._patient.json("PATCH", self._job_path, {"status": status}, content_type=MERGE)

    @property
    def _pod_name(self) -> str:
        name: str = self._pod["metadata"]["name"]
        return name
