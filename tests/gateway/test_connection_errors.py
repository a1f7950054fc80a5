"""What fails on the way, and the words that Go has for it."""

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from backends import failure_of, raw_server, saying

from gateway.provider import HttpRequest, NoAnswer, Tls
from gateway.upstreams.connection_errors import cause_of, is_passing
from gateway.upstreams.http_client import HttpClient

CERTIFICATE = Path(__file__).parents[1] / "data" / "self_signed_localhost.pem"
GREETED = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@pytest.fixture(name="client")
async def _client() -> AsyncIterator[HttpClient]:
    async with HttpClient(max_body_bytes=100_000) as client:
        yield client


@pytest.mark.parametrize(
    ("request_", "failure"),
    [
        pytest.param(
            HttpRequest("GET", "ftp://h/x"),
            'ProviderInvalid: Get "ftp://h/x": unsupported protocol scheme "ftp"',
            id="only-http-is-spoken",
        ),
        pytest.param(
            HttpRequest("POST", "metrics"),
            'ProviderInvalid: Post "metrics": unsupported protocol scheme ""',
            id="a-url-needs-a-scheme",
        ),
        pytest.param(
            HttpRequest("GET", "http:/x"),
            'ProviderInvalid: Get "http:/x": http: no Host in request URL',
            id="a-url-needs-a-host",
        ),
        pytest.param(
            HttpRequest("GET", "http://h:x/"),
            'ProviderInvalid: parse "http://h:x/": invalid port ":x" after host',
            id="a-bad-url-is-named",
        ),
        pytest.param(
            HttpRequest("G T", "http://h/"),
            'ProviderInvalid: G t "http://h/": net/http: invalid method "G T"',
            id="a-method-is-a-token",
        ),
        pytest.param(
            HttpRequest("GET", "http://h/", {"a b": "1"}),
            'ProviderInvalid: Get "http://h/": net/http: invalid header field name "a b"',
            id="a-header-name-is-a-token",
        ),
        pytest.param(
            HttpRequest("GET", "http://h/", {"X-Key": "k\r\nX-Other: 1"}),
            'ProviderInvalid: Get "http://h/": net/http: invalid header field value for "X-Key"',
            id="a-header-value-cannot-smuggle-another-header",
        ),
        pytest.param(
            HttpRequest("GET", "http://127.0.0.1:99999/"),
            'EgressRefused: Get "http://127.0.0.1:99999/": egress: 99999 is no port',
            id="a-port-has-sixteen-bits",
        ),
        pytest.param(
            HttpRequest("POST", "http://127.0.0.1:1/q"),
            'NoAnswer awaiting headers: Post "http://127.0.0.1:1/q":'
            " dial tcp 127.0.0.1:1: connect: connection refused",
            id="a-refused-connection-is-told-as-go-tells-it",
        ),
        pytest.param(
            HttpRequest("GET", "http://u:secret@127.0.0.1:1/"),
            'NoAnswer awaiting headers: Get "http://u:***@127.0.0.1:1/":'
            " dial tcp 127.0.0.1:1: connect: connection refused",
            id="a-password-in-the-url-is-masked",
        ),
        pytest.param(
            HttpRequest("GET", "http://no-such-host.invalid/"),
            'NoAnswer awaiting headers: Get "http://no-such-host.invalid/":'
            " dial tcp: lookup no-such-host.invalid: no such host",
            id="an-unknown-name-is-told-as-go-tells-it",
        ),
        pytest.param(
            HttpRequest("GET", f"http://{'a' * 70}.invalid/"),
            f'EgressRefused: Get "http://{"a" * 70}.invalid/":'
            " egress: the host is neither an address nor a name that DNS could know",
            id="a-name-that-dns-cannot-carry-is-an-error",
        ),
    ],
)
async def test_what_cannot_be_sent_is_told(
    client: HttpClient, request_: HttpRequest, failure: str
) -> None:
    """Requests that cannot be made or delivered end in a provider error with Go's words."""
    assert await failure_of(client, request_) == failure


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        pytest.param(b"", 'NoAnswer awaiting headers: Get "$URL": EOF', id="nothing-is-eof"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nConte",
            'NoAnswer awaiting headers: Get "$URL": EOF',
            id="half-a-header-is-eof",
        ),
        pytest.param(
            b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
            'ProviderUnreadable: Get "$URL": net/http: HTTP/1.x transport connection broken:'
            " Bad status line: Expected HTTP/, RTSP/ or ICE/: b'SSH-2.0-OpenSSH_9.2' ^",
            id="another-protocol-is-unreadable",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
            "NoAnswer reading body: unexpected EOF",
            id="a-cut-body-is-no-answer",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
            "NoAnswer reading body: unexpected EOF",
            id="a-cut-chunk-is-no-answer",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
            'ProviderUnreadable: Get "$URL": gzip: invalid header',
            id="gzip-that-is-none-is-unreadable",
        ),
        pytest.param(
            b"HTTP/1.1 302 Found\r\nLocation: http://h:x/\r\nContent-Length: 0\r\n\r\n",
            'ProviderUnreadable: Get "$URL": failed to parse Location header "http://h:x/":'
            ' parse "http://h:x/": invalid port ":x" after host',
            id="a-redirect-to-no-url-is-unreadable",
        ),
        pytest.param(
            b"HTTP/1.1 302 Found\r\nLocation: http://[/\r\nContent-Length: 0\r\n\r\n",
            'ProviderUnreadable: Get "$URL": failed to parse Location header "http://[/":'
            ' parse "http://[/": Invalid IPv6 URL',
            id="a-redirect-to-half-an-address-is-unreadable",
        ),
        pytest.param(
            b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n",
            'RedirectRefused: Get "$URL": egress: it redirects to file://, and egress follows'
            " redirects to the same origin only",
            id="a-redirect-to-a-file-is-not-followed",
        ),
    ],
)
async def test_a_broken_answer_is_told(client: HttpClient, answer: bytes, failure: str) -> None:
    """Answers that are no HTTP, or not whole, end in the error that says so."""
    async with raw_server(saying(answer)) as url:
        got = await failure_of(client, HttpRequest("GET", url))
    assert got.replace(url, "$URL") == failure


@pytest.fixture(name="tls_url")
async def _tls_url() -> AsyncIterator[str]:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(CERTIFICATE)
    server = await asyncio.start_server(saying(GREETED), "127.0.0.1", 0, ssl=tls)
    yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


async def test_an_unknown_certificate_is_refused(client: HttpClient, tls_url: str) -> None:
    """Certificates are checked unless a template says otherwise."""
    assert await failure_of(client, HttpRequest("GET", tls_url)) == (
        f'NoAnswer awaiting headers: Get "{tls_url}":'
        " tls: failed to verify certificate: x509: certificate signed by unknown authority"
    )


async def test_an_unknown_certificate_is_taken_on_request(client: HttpClient, tls_url: str) -> None:
    """``insecure: true`` talks to anybody."""
    answer = await client.send(HttpRequest("GET", tls_url, tls=Tls.UNVERIFIED), timeout_s=5)
    assert answer.body == b"hi"


async def test_plain_http_behind_https_is_told(client: HttpClient) -> None:
    """A server that speaks no TLS is named as such."""

    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with raw_server(plain) as plain_url:
        url = plain_url.replace("http", "https")
        failure = await failure_of(client, HttpRequest("GET", url))
    assert failure == (
        f'NoAnswer awaiting headers: Get "{url}": http: server gave HTTP response to HTTPS client'
    )


def key(host: str = "h.example") -> aiohttp.client_reqrep.ConnectionKey:
    """To whom a failing connection led."""
    return aiohttp.client_reqrep.ConnectionKey(host, 443, is_ssl=True, ssl=True, **NO_PROXY)


NO_PROXY: dict[str, None] = {"proxy": None, "proxy_auth": None, "proxy_headers_hash": None}


def refused(code: int, message: str = "") -> aiohttp.ClientConnectorCertificateError:
    """A certificate that OpenSSL refuses with a code."""
    reason = ssl.SSLCertVerificationError(1, "certificate verify failed")
    reason.verify_code = code
    reason.verify_message = message
    return aiohttp.ClientConnectorCertificateError(key(), reason)


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        pytest.param(
            refused(10),
            "tls: failed to verify certificate: x509: certificate has expired or is not yet valid",
            id="an-expired-certificate",
        ),
        pytest.param(
            refused(62),
            'tls: failed to verify certificate: x509: certificate is not valid for "h.example"',
            id="a-certificate-for-another-name",
        ),
        pytest.param(
            refused(7, "certificate signature failure"),
            "tls: failed to verify certificate: x509: certificate signature failure",
            id="any-other-flaw-in-openssl-words",
        ),
        pytest.param(
            aiohttp.ClientConnectorSSLError(key(), ssl.SSLError(1, "handshake FAILED")),
            "remote error: tls: handshake failed",
            id="a-failed-handshake",
        ),
        pytest.param(
            aiohttp.ClientConnectorDNSError(key(), socket.gaierror(socket.EAI_AGAIN, "again")),
            "dial tcp: lookup h.example: server misbehaving",
            id="a-name-server-that-does-not-answer",
        ),
        pytest.param(
            ConnectionResetError(104, os.strerror(104)),
            "read: connection reset by peer",
            id="a-reset-connection",
        ),
        pytest.param(OSError(), "read: connection closed", id="an-error-without-words"),
        pytest.param(ValueError(), "ValueError", id="an-exception-without-words"),
        pytest.param(ValueError("x" * 300), "x" * 200 + "...", id="long-words-are-cut"),
    ],
)
def test_causes_are_told_in_gos_words(error: Exception, cause: str) -> None:
    """What cannot be provoked with a local server is told as well."""
    assert cause_of(error) == cause


@pytest.mark.parametrize(
    ("error", "may_pass"),
    [
        pytest.param(aiohttp.ServerDisconnectedError(), True, id="no-answer"),
        pytest.param(aiohttp.ClientOSError(104, "reset"), True, id="a-reset"),
        pytest.param(aiohttp.ConnectionTimeoutError(), True, id="no-connection-in-time"),
        pytest.param(aiohttp.ClientPayloadError(), True, id="half-an-answer"),
        pytest.param(aiohttp.ClientSSLError(None, OSError()), False, id="no-tls"),  # type: ignore[arg-type]
        pytest.param(RuntimeError("Session is closed"), False, id="a-shutdown"),
    ],
)
def test_what_may_be_over_a_moment_later(
    error: Exception,
    may_pass: bool,  # noqa: FBT001 - from a table
) -> None:
    """What a connection was never made for, or broke in."""
    assert is_passing(error) is may_pass


async def test_a_connection_has_a_time_limit_of_its_own() -> None:
    """Where the system drops what it has no room for; a request has more time than that."""
    with socket.socket() as server, contextlib.ExitStack() as stack:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(4):
            one = stack.enter_context(socket.socket())
            one.settimeout(0)
            one.connect_ex(server.getsockname())
        await asyncio.sleep(0.05)
        request = HttpRequest("GET", f"http://127.0.0.1:{server.getsockname()[1]}/")
        async with HttpClient(connect_s=0.2) as client:
            with pytest.raises(NoAnswer) as caught:
                await client.send(request, timeout_s=5.0)
    assert caught.value.cause == "dial tcp: i/o timeout"
    assert caught.value.is_passing
