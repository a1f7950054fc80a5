"""Which of two errors a call to an API server ends in."""

import httpx2
import pytest
from lightkube.core.exceptions import ConfigError

from gateway.config.settings import SettingsInvalid
from gateway.errors import ClusterRefused, ClusterUnavailable, GatewayError, Problem
from gateway.kube.faults import told
from gateway.kube.resources import JOBS

ADDRESS = "https://api/apis/batch/v1/jobs"


def answered(status: int, content: bytes) -> httpx2.HTTPStatusError:
    """An answer that is a refusal."""
    request = httpx2.Request("GET", ADDRESS)
    response = httpx2.Response(status, content=content, request=request)
    return httpx2.HTTPStatusError("", request=request, response=response)


def outcome(namespace: str, error: Exception) -> GatewayError:
    """What comes of a call that fails so."""
    with (
        pytest.raises((ClusterRefused, ClusterUnavailable)) as caught,
        told("get", JOBS, namespace),
    ):
        raise error
    return caught.value


@pytest.mark.parametrize("namespace", ["../../../version?", "Shop", "shop/", "a" * 64, "shop\n"])
def test_what_is_no_namespace_is_refused_before_anything_is_called(namespace: str) -> None:
    """It is about to become a part of a path."""
    is_called = False
    with pytest.raises(ClusterRefused) as caught, told("get", JOBS, namespace):
        is_called = True
    assert not is_called
    assert (caught.value.status, str(caught.value)) == (
        400,
        f"{namespace!r} is no name of a namespace",
    )


@pytest.mark.parametrize("namespace", ["shop", "", "*"])
def test_what_is_a_namespace_or_all_or_none_is_called(namespace: str) -> None:
    """Whatever has no namespace has an empty one."""
    is_called = False
    with told("get", JOBS, namespace):
        is_called = True
    assert is_called


@pytest.mark.parametrize(
    ("namespace", "where"),
    [
        pytest.param("shop", "in namespace 'shop'", id="a-namespace"),
        pytest.param("*", "in all namespaces", id="all-of-them"),
        pytest.param("", "in the cluster", id="the-cluster-itself"),
    ],
)
def test_a_missing_right_is_named(namespace: str, where: str) -> None:
    """By verb, kind and place, with the API server's own words behind it."""
    error = outcome(namespace, answered(403, b'{"message": "forbidden: User"}'))
    assert isinstance(error, ClusterRefused)
    assert (error.status, str(error)) == (
        403,
        f"the gateway has no right to get jobs.batch {where}: forbidden: User",
    )


@pytest.mark.parametrize(
    ("status", "content", "expected"),
    [
        pytest.param(401, b'{"message": "Unauthorized"}', "401 Unauthorized", id="a-token"),
        pytest.param(409, b'{"message": "exists"}', "409 exists", id="a-conflict"),
        pytest.param(
            404, b"<html>", "404 the API server answered with status 404", id="no-words-at-all"
        ),
        pytest.param(
            400, b"[]", "400 the API server answered with status 400", id="words-of-another-kind"
        ),
        pytest.param(
            429, b'{"message": "later"}', "the API server cannot answer now: later", id="too-much"
        ),
        pytest.param(
            503,
            b"",
            "the API server cannot answer now: the API server answered with status 503",
            id="it-starts",
        ),
    ],
)
def test_an_answer_is_a_refusal_or_may_pass(status: int, content: bytes, expected: str) -> None:
    """By its status."""
    error = outcome("shop", answered(status, content))
    refusal = f"{error.status} " if isinstance(error, ClusterRefused) else ""
    assert f"{refusal}{error}" == expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(
            SettingsInvalid((Problem("kubernetes.connect", "is gone"),)),
            "kubernetes.connect: is gone",
            id="a-kubeconfig-that-is-gone",
        ),
        pytest.param(
            ConfigError("the plugin said hunter2"),
            "the credentials for the API server cannot be had",
            id="what-a-plugin-says-may-be-secret",
        ),
        pytest.param(TimeoutError(), "the API server did not answer in time", id="no-answer"),
        pytest.param(
            httpx2.ReadTimeout(""), "the API server did not answer in time", id="no-rest-of-one"
        ),
        pytest.param(
            ConnectionResetError(),
            "the API server cannot be reached: ConnectionResetError",
            id="one-without-words",
        ),
        pytest.param(
            httpx2.ConnectError("refused"),
            "the API server cannot be reached: refused",
            id="nobody-is-there",
        ),
        pytest.param(
            KeyError("items"),
            "what answered does not speak as an API server does",
            id="something-else-answers",
        ),
    ],
)
def test_what_brings_no_answer_may_be_asked_for_again(error: Exception, expected: str) -> None:
    """Whatever the reason."""
    told_of = outcome("shop", error)
    assert (type(told_of), str(told_of)) == (ClusterUnavailable, expected)
