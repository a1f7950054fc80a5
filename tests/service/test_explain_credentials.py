"""``explain=true`` tells no credential that was made while one asked."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aws_account import aws_account
from backends import raw_server
from running import service, template, web_metric

ACCESS = "granted-access/token+1=="
REFRESH = "granted-refresh-token"
IDENTITY = "granted.identity.token"
SESSION = "session/of+amazons=="
GRANTED = {"access_token": ACCESS, "refresh_token": REFRESH, "id_token": IDENTITY}


@asynccontextmanager
async def mirror() -> AsyncIterator[str]:
    """A server that grants tokens at ``/token``, and elsewhere answers all that it was sent."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        is_grant = head.startswith(b"POST /token ")
        body = json.dumps(GRANTED if is_grant else {"echo": head.decode()}).encode()
        status = b"200 OK" if is_grant else b"400 Bad Request"
        writer.write(
            b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nX-Request-Id: %s\r\n"
            b"Content-Length: %d\r\nConnection: close\r\n\r\n%s"
            % (status, SESSION.encode(), len(body), body)
        )
        await writer.drain()

    async with raw_server(talk) as url:
        yield url


def credentials(url: str) -> dict[str, Any]:
    """Of a client of that server."""
    client = {"tokenUrl": f"{url}/token", "clientId": "c", "clientSecret": "hush-client-secret"}
    return {"oauth2": client}


def web(url: str) -> dict[str, Any]:
    """A metric that asks with an access token."""
    metric = web_metric(url, "result.a == 1")
    metric["provider"]["web"]["authentication"] = credentials(url)
    return metric


def prometheus(url: str, **authentication: object) -> dict[str, Any]:
    """The same, or with a signature."""
    found = authentication or credentials(url)
    block = {"address": f"{url}/aps-workspaces/w", "query": "up", "authentication": found}
    return {"name": "m", "successCondition": "true", "provider": {"prometheus": block}}


def signed(url: str) -> dict[str, Any]:
    """A query to Amazon's Prometheus."""
    return prometheus(url, sigv4={"region": "eu-west-1"})


def cloudwatch(_url: str) -> dict[str, Any]:
    """A query to Amazon's own metrics."""
    block = {"metricDataQueries": [{"id": "a", "expression": "1 + 1"}]}
    return {"name": "m", "successCondition": "true", "provider": {"cloudWatch": block}}


@pytest.mark.parametrize(
    ("metric", "credential", "grants"),
    [
        pytest.param(web, ACCESS, ["*****"], id="an-access-token-of-web"),
        pytest.param(prometheus, ACCESS, ["*****"], id="an-access-token-of-prometheus"),
        pytest.param(signed, SESSION, [], id="a-session-of-amazons-prometheus"),
        pytest.param(cloudwatch, SESSION, [], id="a-session-of-cloudwatch"),
    ],
)
async def test_what_was_made_meanwhile_is_masked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metric: Any, credential: str, grants: list[str]
) -> None:
    """In the answer that grants it, and in all that echoes it; also when it is shared."""
    async with mirror() as url, service(tmp_path / "s") as gateway:
        with aws_account(tmp_path, monkeypatch):
            monkeypatch.setenv("AWS_SESSION_TOKEN", SESSION)
            monkeypatch.setenv("AWS_REGION", "eu-west-1")
            monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", url)
            replies = [
                await gateway.post("/v1/verdict?explain=true&maxAge=0", template(metric(url)))
                for _ in range(2)
            ]
    exchanges = [each for reply in replies for each in reply.body["metrics"]["m"]["exchanges"]]
    bodies: dict[bool, list[str]] = {True: [], False: []}
    for each in exchanges:
        bodies[each["request"]["url"].endswith("/token")].append(each["response"]["body"])
    assert bodies[True] == grants
    assert all("HTTP/1.1" in echo and "*****" in echo for echo in bodies[False])
    told = "".join(reply.text for reply in replies)
    assert [each for each in (credential, ACCESS, REFRESH, IDENTITY) if each in told] == []


async def test_so_is_what_the_process_proves_itself_with(tmp_path: Path) -> None:
    """Of an address in the environment no template knows the password."""
    async with mirror() as url:
        address = url.replace("//", "//user:hush%2Fhush@") + "/p"
        block = {"query": "up"}
        metric = {"name": "m", "successCondition": "true", "provider": {"prometheus": block}}
        environ = {"ARGO_ROLLOUTS_PROMETHEUS_ADDRESS": address}
        async with service(tmp_path, environ=environ) as gateway:
            reply = await gateway.post("/v1/verdict?explain=true", template(metric))
    echo = reply.body["metrics"]["m"]["exchanges"][-1]["response"]["body"]
    assert "Authorization: Basic *****" in echo
    assert "hush" not in reply.text
