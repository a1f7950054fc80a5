"""The way out of the process, against real servers that behave and that do not."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from backends import Play, backend, failure_of, raw_server

from gateway.provider import HttpRequest
from gateway.upstreams.http_client import HttpClient

CERTIFICATE = Path(__file__).parents[1] / "data" / "self_signed_localhost.pem"
GREETED = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@pytest.fixture(name="client")
async def _client() -> AsyncIterator[HttpClient]:
    async with HttpClient(max_body_bytes=100_000) as client:
        yield client


async def test_a_whole_answer_comes_back(client: HttpClient) -> None:
    """Status, reason, headers and body are handed over; headers read without regard to case."""
    async with backend(Play("warm", 418, {"X-Pot": "1"})) as server:
        answer = await client.send(
            HttpRequest("POST", f"{server.url}/a%20b?q=x+y&z=%28", {"X-T": "1"}, b"body"),
            timeout_s=5,
        )
    assert (answer.status, answer.reason, answer.headers["x-pot"], answer.body) == (
        418,
        "I'm a Teapot",
        "1",
        b"warm",
    )
    request = server.requests[0]
    assert (request.method, request.target, request.body, request.headers["X-T"]) == (
        "POST",
        "/a%20b?q=x+y&z=%28",
        "body",
        "1",
    )


async def test_reason_and_headers_are_texts(client: HttpClient) -> None:
    """Whatever octets a server sends: messages hold them, and JSON must hold messages."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 500 Bad \xff\r\nX-Pot: t\xc3\xa9\xff\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with raw_server(talk) as url:
        answer = await client.send(HttpRequest("GET", url), timeout_s=5)
    assert (answer.reason, answer.headers["x-pot"]) == ("Bad \ufffd", "t\xe9\ufffd")


async def test_only_known_headers_are_added(client: HttpClient) -> None:
    """As Go's client, ours adds no Accept; it names itself and takes gzip."""
    async with backend() as server:
        await client.send(HttpRequest("GET", server.url), timeout_s=5)
    headers = {name: value for name, value in server.requests[0].headers.items() if name != "Host"}
    assert sorted(headers) == ["Accept-Encoding", "User-Agent"]
    assert headers["User-Agent"].startswith("analysis-gateway/")


async def test_a_user_agent_of_ones_own_is_sent(client: HttpClient) -> None:
    """A template may name itself."""
    async with backend() as server:
        await client.send(HttpRequest("GET", server.url, {"User-Agent": "mine"}), timeout_s=5)
    assert server.requests[0].headers["User-Agent"] == "mine"


async def test_credentials_in_the_url_become_basic_auth(client: HttpClient) -> None:
    """They are decoded first, and never sent as part of the URL."""
    async with backend() as server:
        url = server.url.replace("http://", "http://us%40er:p%3Aw@")
        await client.send(HttpRequest("GET", url), timeout_s=5)
    assert server.requests[0].headers["Authorization"] == "Basic dXNAZXI6cDp3"


async def test_credentials_in_the_url_give_way_to_a_header(client: HttpClient) -> None:
    """An Authorization header of the request's own wins."""
    async with backend() as server:
        url = server.url.replace("http://", "http://u:p@")
        await client.send(HttpRequest("GET", url, {"authorization": "Custom x"}), timeout_s=5)
    assert server.requests[0].headers["Authorization"] == "Custom x"


async def test_gzip_is_undone(client: HttpClient) -> None:
    """A compressed answer comes back plain."""
    async with backend(Play(gzip.compress(b"plain"), 200, {"Content-Encoding": "gzip"})) as server:
        answer = await client.send(HttpRequest("GET", server.url), timeout_s=5)
    assert answer.body == b"plain"


async def test_gzip_is_left_to_whom_asked_for_it(client: HttpClient) -> None:
    """With an Accept-Encoding of its own, a request gets the body as it was encoded."""
    packed = gzip.compress(b"plain")
    async with backend(Play(packed, 200, {"Content-Encoding": "gzip"})) as server:
        answer = await client.send(
            HttpRequest("GET", server.url, {"Accept-Encoding": "gzip"}), timeout_s=5
        )
    assert answer.body == packed


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        pytest.param(b"x" * 100_001, {}, id="a-plain-body-over-the-limit"),
        pytest.param(
            zlib.compress(b"x" * 50_000_000),
            {"Content-Encoding": "deflate"},
            id="a-small-body-that-unpacks-to-fifty-megabytes",
        ),
    ],
)
async def test_a_large_answer_is_refused(
    client: HttpClient, body: bytes, headers: Mapping[str, str]
) -> None:
    """The limit counts what is unpacked, and names itself."""
    async with backend(Play(body, 200, headers)) as server:
        failure = await failure_of(client, HttpRequest("GET", server.url))
    assert failure == (
        f'ProviderUnreadable: Get "{server.url}": the answer is larger than 100000 bytes,'
        " the limit of this gateway"
    )


async def test_an_answer_of_just_the_limit_is_taken(client: HttpClient) -> None:
    """The limit itself is allowed."""
    async with backend(Play(b"x" * 100_000)) as server:
        answer = await client.send(HttpRequest("GET", server.url), timeout_s=5)
    assert len(answer.body) == 100_000


async def test_a_silent_server_meets_the_deadline(client: HttpClient) -> None:
    """Waiting for headers ends in time, with Go's words."""

    async def silent(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async with raw_server(silent) as url:
        failure = await failure_of(client, HttpRequest("POST", url), timeout_s=0.1)
    assert failure == f'NoAnswer awaiting headers: Post "{url}": context deadline exceeded'


async def test_a_dripping_server_meets_the_deadline(client: HttpClient) -> None:
    """A byte now and then does not lengthen the time."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    started_s = asyncio.get_running_loop().time()
    async with raw_server(drip) as url:
        failure = await failure_of(client, HttpRequest("GET", url), timeout_s=0.2)
    assert failure == "NoAnswer reading body: context deadline exceeded"
    assert asyncio.get_running_loop().time() - started_s < 2


@pytest.mark.parametrize("timeout_s", [0.0, -1.0])
async def test_no_time_means_no_request(client: HttpClient, timeout_s: float) -> None:
    """A limit of zero has passed before anything is sent."""
    async with backend() as server:
        failure = await failure_of(client, HttpRequest("GET", server.url), timeout_s)
    assert (failure, server.requests) == (
        f'NoAnswer awaiting headers: Get "{server.url}": context deadline exceeded',
        [],
    )


async def test_the_longest_timeout_is_no_overflow(client: HttpClient) -> None:
    """A limit of all seconds that an int64 holds works as any other."""
    async with backend(Play("ok")) as server:
        answer = await client.send(HttpRequest("GET", server.url), timeout_s=float(2**63))
    assert answer.body == b"ok"


async def test_cookies_are_not_kept(client: HttpClient) -> None:
    """What one template's provider sets does not reach another's."""
    async with backend(Play("", 200, {"Set-Cookie": "a=b"})) as server:
        await client.send(HttpRequest("GET", server.url), timeout_s=5)
        await client.send(HttpRequest("GET", server.url), timeout_s=5)
    assert "Cookie" not in server.requests[1].headers


async def test_proxies_of_the_environment_are_ignored(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy would hide whom we talk to."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with backend(Play("direct")) as server:
        answer = await client.send(HttpRequest("GET", server.url), timeout_s=5)
    assert answer.body == b"direct"


class ClosesKept:
    """A server that answers the first request of a connection and hangs up on the second."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer once per connection."""
        self.seen.append(0)
        index = len(self.seen) - 1
        while True:
            await reader.readuntil(b"\r\n\r\n")
            self.seen[index] += 1
            if self.seen[index] > 1:
                return
            writer.write(GREETED)
            await writer.drain()


@pytest.mark.parametrize(
    ("request_", "requests_by_connection"),
    [
        pytest.param(HttpRequest("GET", ""), [2, 1], id="get-is-repeated"),
        pytest.param(
            HttpRequest("POST", "", is_repeatable=True), [2, 1], id="a-query-by-post-is-repeated"
        ),
    ],
)
async def test_a_closed_connection_costs_no_measurement(
    client: HttpClient, request_: HttpRequest, requests_by_connection: list[int]
) -> None:
    """A kept connection that the server has closed is replaced once, for what only reads."""
    server = ClosesKept()
    async with raw_server(server.talk) as url:
        request = HttpRequest(request_.method, url, is_repeatable=request_.is_repeatable)
        for _ in range(2):
            assert (await client.send(request, timeout_s=5)).body == b"hi"
    assert server.seen == requests_by_connection


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_what_may_have_acted_is_not_repeated(client: HttpClient, method: str) -> None:
    """A request that may change something is sent once, whatever happens to it."""
    server = ClosesKept()
    async with raw_server(server.talk) as url:
        await client.send(HttpRequest(method, url), timeout_s=5)
        failure = await failure_of(client, HttpRequest(method, url))
    assert failure == f'NoAnswer awaiting headers: {method.capitalize()} "{url}": EOF'
    assert server.seen == [2]


async def test_connections_to_one_host_are_bounded() -> None:
    """More requests than connections wait for their turn."""
    connections = 0

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while True:
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(0.01)
            writer.write(GREETED)
            await writer.drain()

    async with raw_server(slow) as url, HttpClient(connections_per_host=2) as client:
        request = HttpRequest("GET", url)
        await asyncio.gather(*(client.send(request, timeout_s=5) for _ in range(8)))
    assert connections == 2


async def test_a_closed_client_says_so() -> None:
    """A request after the end is an error like any other."""
    client = HttpClient()
    await client.close()
    failure = await failure_of(client, HttpRequest("GET", "http://127.0.0.1:1/"))
    assert failure == 'NoAnswer awaiting headers: Get "http://127.0.0.1:1/": Session is closed'


async def test_a_cancelled_request_is_cancelled(client: HttpClient) -> None:
    """Cancelling is the caller's right and no failure."""
    arrived = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        arrived.set()
        await reader.read()

    async with raw_server(silent) as url:
        task = asyncio.create_task(client.send(HttpRequest("GET", url), timeout_s=60))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def test_requests_keep_their_secrets() -> None:
    """A request that ends up in a log or a traceback shows neither URL, headers nor body."""
    request = HttpRequest("GET", "http://u:secret@h/?key=secret", {"X": "secret"}, b"secret")
    assert "secret" not in repr(request)
