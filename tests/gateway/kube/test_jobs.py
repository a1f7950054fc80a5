"""Jobs of a cluster: what is asked of its API, and which errors its answers are."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.errors import (
    ClusterRefused,
    ClusterUnavailable,
    GatewayError,
    ProviderError,
    ProviderRejected,
    ProviderUnreachable,
)
from gateway.kube.client import Listed
from gateway.kube.jobs import ClusterJobs
from gateway.kube.resources import Kind, Object, shown
from gateway.provider import AlreadyThere, JobApi

MANIFEST = {"metadata": {"name": "j"}}
NO_RIGHT = "the gateway has no right to get jobs.batch in namespace 'shop': jobs.batch is forbidden"
AWAY = ClusterUnavailable("the API server did not answer in time")


@dataclass
class Api:
    """Implements what ``ClusterJobs`` uses of ``KubeClient``; answers one thing."""

    fault: GatewayError | None = None
    calls: list[tuple[object, ...]] = field(default_factory=list)

    async def create(self, kind: Kind, manifest: Mapping[str, object], namespace: str) -> Object:
        """The object as it was sent."""
        self._called("create", shown(kind), manifest, namespace)
        return dict(manifest)

    async def read(self, kind: Kind, name: str, namespace: str) -> Object:
        """One object."""
        self._called("read", shown(kind), name, namespace)
        return MANIFEST

    async def list(self, kind: Kind, namespace: str, *, labels: str) -> Listed:
        """One object and its version."""
        self._called("list", shown(kind), namespace, labels)
        return Listed("1", [MANIFEST])

    async def delete(self, kind: Kind, name: str, namespace: str, propagation: str) -> None:
        """Nothing."""
        self._called("delete", shown(kind), name, namespace, propagation)

    async def log(self, pod: str, namespace: str, **asked: object) -> str:
        """A line."""
        self._called("log", pod, namespace, asked)
        return "fine\n"

    def _called(self, *words: object) -> None:
        self.calls.append(words)
        if self.fault is not None:
            raise self.fault


Verb = Callable[[JobApi], Awaitable[Any]]
ASKED = {"container": "t", "tail_lines": 20, "limit_bytes": 99}
VERBS: dict[str, Verb] = {
    "create": lambda jobs: jobs.create("shop", MANIFEST),
    "read": lambda jobs: jobs.read("shop", "j"),
    "list": lambda jobs: jobs.list("shop", labels="a=b"),
    "stop": lambda jobs: jobs.stop("shop", "j"),
    "drop": lambda jobs: jobs.drop("shop", "j"),
    "pods": lambda jobs: jobs.pods("shop", labels="job-name=j"),
    "log": lambda jobs: jobs.log("shop", "p", container="t", tail_lines=20, limit_bytes=99),
}


def jobs_of(api: Api) -> JobApi:
    """The Jobs behind an API."""
    return ClusterJobs(api)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("verb", "call", "answer"),
    [
        pytest.param("create", ("create", "jobs.batch", MANIFEST, "shop"), None, id="create"),
        pytest.param("read", ("read", "jobs.batch", "j", "shop"), MANIFEST, id="read"),
        pytest.param("list", ("list", "jobs.batch", "shop", "a=b"), [MANIFEST], id="list"),
        pytest.param(
            "stop", ("delete", "jobs.batch", "j", "shop", "Foreground"), None, id="pods-go-first"
        ),
        pytest.param(
            "drop", ("delete", "jobs.batch", "j", "shop", "Background"), None, id="pods-go-later"
        ),
        pytest.param("pods", ("list", "pods", "shop", "job-name=j"), [MANIFEST], id="pods"),
        pytest.param("log", ("log", "p", "shop", ASKED), "fine\n", id="log"),
    ],
)
async def test_each_verb_is_one_call(verb: str, call: tuple[object, ...], answer: object) -> None:
    """With what it was given, and nothing of its own."""
    api = Api()
    assert await VERBS[verb](jobs_of(api)) == answer
    assert api.calls == [call]


def refused(status: int, text: str = "no") -> ClusterRefused:
    """What the API server would not do."""
    return ClusterRefused(text, status=status)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        pytest.param(AWAY, ProviderUnreachable(str(AWAY)), id="no-answer-is-waited-for"),
        pytest.param(
            refused(401, "Unauthorized"),
            ProviderUnreachable("Unauthorized"),
            id="a-token-that-is-no-longer-good-says-nothing-of-a-job",
        ),
        pytest.param(refused(403, NO_RIGHT), ProviderRejected(NO_RIGHT), id="a-missing-right"),
        pytest.param(refused(422, "spec"), ProviderRejected("spec"), id="what-is-invalid"),
        pytest.param(
            refused(409, 'jobs.batch "j" already exists'),
            AlreadyThere('jobs.batch "j" already exists'),
            id="one-that-is-there",
        ),
    ],
)
async def test_what_the_api_server_says_is_a_providers_error(
    verb: str, fault: GatewayError, expected: ProviderError
) -> None:
    """In its own words, whatever was asked; the cause is kept."""
    with pytest.raises(ProviderError) as caught:
        await VERBS[verb](jobs_of(Api(fault)))
    assert (type(caught.value), str(caught.value)) == (type(expected), str(expected))
    assert caught.value.__cause__ is fault


@pytest.mark.parametrize(
    ("verb", "expected"),
    [
        pytest.param("create", "not found", id="a-namespace-that-is-not-there"),
        pytest.param("read", None, id="no-job-is-an-answer"),
        pytest.param("list", "not found", id="a-cluster-without-jobs"),
        pytest.param("stop", None, id="what-is-gone-need-not-be-stopped"),
        pytest.param("drop", None, id="nor-removed"),
        pytest.param("pods", "not found", id="a-cluster-without-pods"),
        pytest.param("log", "not found", id="a-pod-that-is-gone"),
    ],
)
async def test_what_is_not_there(verb: str, expected: str | None) -> None:
    """It is fine where it answers the question, else a refusal."""
    answer: str | None
    try:
        answer = await VERBS[verb](jobs_of(Api(refused(404, "not found"))))
    except ProviderRejected as error:
        answer = str(error)
    assert answer == expected
