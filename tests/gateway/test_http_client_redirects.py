"""Redirects: where they lead, what goes along, and when they end."""

from collections.abc import AsyncIterator

import pytest
from backends import Backend, Play, backend, failure_of

from gateway.provider import HttpRequest
from gateway.upstreams.egress import EVERYTHING, EgressPolicy, Redirects
from gateway.upstreams.http_client import HttpClient


@pytest.fixture(name="client")
async def _client() -> AsyncIterator[HttpClient]:
    policy = EgressPolicy("egress", (EVERYTHING,), Redirects.ALL)
    async with HttpClient(policy, max_body_bytes=100_000) as client:
        yield client


@pytest.mark.parametrize(
    ("method", "status", "second"),
    [
        pytest.param("POST", 301, ("GET", "", None), id="a-301-turns-post-into-get"),
        pytest.param("PUT", 302, ("GET", "", None), id="a-302-turns-put-into-get"),
        pytest.param("POST", 303, ("GET", "", None), id="a-303-turns-post-into-get"),
        pytest.param("HEAD", 302, ("HEAD", "", None), id="head-stays-head"),
        pytest.param("POST", 307, ("POST", "b", "text/x"), id="a-307-repeats-the-request"),
        pytest.param("PUT", 308, ("PUT", "b", "text/x"), id="a-308-repeats-the-request"),
    ],
)
async def test_a_redirect_is_followed_as_go_follows_it(
    client: HttpClient, method: str, status: int, second: tuple[str, str, str | None]
) -> None:
    """Method, body and the body's headers after each kind of redirect; others stay."""
    body = None if method == "HEAD" else b"b"
    headers = {"X-Key": "k", "Content-Type": "text/x"}
    async with backend(Play("", status, {"Location": "/next?x=1"}), Play("end")) as server:
        await client.send(HttpRequest(method, f"{server.url}/a", headers, body), timeout_s=5)
    request = server.requests[1]
    assert request.target == "/next?x=1"
    assert request.headers["X-Key"] == "k"
    assert (request.method, request.body, request.headers.get("Content-Type")) == second


@pytest.mark.parametrize("status", [301, 307, 304, 300])
async def test_a_redirect_to_nowhere_is_an_answer(client: HttpClient, status: int) -> None:
    """A status of the 300s without a place to go to, or that is none, is handed over."""
    headers = {"Location": "/x"} if status in {300, 304} else {}
    async with backend(Play("", status, headers)) as server:
        answer = await client.send(HttpRequest("GET", server.url), timeout_s=5)
    assert (answer.status, len(server.requests)) == (status, 1)


async def test_a_redirect_to_a_file_is_not_followed(client: HttpClient) -> None:
    """Whatever the policy is, only HTTP is spoken."""
    async with backend(Play("", 302, {"Location": "file:///etc/passwd"})) as server:
        failure = await failure_of(client, HttpRequest("GET", server.url))
    assert failure == 'ProviderInvalid: Get "file:/etc/passwd": unsupported protocol scheme "file"'


async def test_redirects_end(client: HttpClient) -> None:
    """Ten requests are made, then the chain is given up."""
    async with backend(Play("", 302, {"Location": "/again"})) as server:
        failure = await failure_of(client, HttpRequest("GET", server.url))
    assert (failure, len(server.requests)) == (
        f'NoAnswer awaiting headers: Get "{server.url}/again": stopped after 10 redirects',
        10,
    )


SECRETS = {
    "Authorization": "Bearer t",
    "Cookie": "c=1",
    "X-Api-Key": "k",
    "Content-Type": "text/x",
}


async def _second_server_sees(
    client: HttpClient, first: Backend, second: Backend, back: Backend
) -> list[dict[str, str]]:
    first.plays = [Play("", 307, {"Location": f"{second.url}/b"}), Play("end")]
    second.plays = [Play("", 307, {"Location": f"{back.url}/c"})]
    await client.send(HttpRequest("POST", f"{first.url}/a", SECRETS, b"x"), timeout_s=5)
    ours = ("Host", "User-Agent", "Accept-Encoding", "Content-Length")
    return [
        {name: value for name, value in one.headers.items() if name not in ours}
        for one in (*second.requests, *first.requests)
    ]


async def test_a_stranger_gets_no_headers(client: HttpClient) -> None:
    """To another origin no header of the request goes, nor back from there."""
    async with backend() as first, backend() as second:
        seen = await _second_server_sees(client, first, second, first)
    bare = {"Content-Type": "text/x"}
    assert seen == [bare, SECRETS, bare]
