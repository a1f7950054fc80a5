"""Requests that nobody should send: each gets a problem document, and costs nobody else."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest
from raw_http import caller
from running import service

HOST = b"Host: localhost\r\n"


def get(*lines: bytes, path: bytes = b"/healthz") -> bytes:
    """A GET with these header lines."""
    return b"GET %s HTTP/1.1\r\n%s\r\n" % (path, b"".join(lines))


def post(*lines: bytes, body: bytes = b"", path: bytes = b"/v1/lint") -> bytes:
    """A POST with these header lines and this body."""
    return b"POST %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n%s" % (path, b"".join(lines), body)


JSON = b"Content-Type: application/json\r\n"
LARGE = b"Content-Length: 9999999999\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


@pytest.mark.parametrize(
    ("raw", "status", "words"),
    [
        # Heads
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "HTTPS", id="tls"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "PRI", id="http-2"),
        pytest.param(
            b"GET /healthz HTTP/2.0\r\nHost: localhost\r\n\r\n", 400, "HTTP/1.1", id="version-2"
        ),
        pytest.param(b"GET /\r\n\r\n", 400, "HTTP/1.1", id="version-0.9"),
        pytest.param(
            b"FOO /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "method", id="no-method"
        ),
        pytest.param(
            b"GET /healthz HTTP/1.1\nHost: localhost\n\n", 400, "status line", id="bare-lf"
        ),
        pytest.param(get(), 400, "Host", id="no-host"),
        pytest.param(get(HOST, b"Host: y\r\n"), 400, "Host", id="two-hosts"),
        pytest.param(get(HOST, b"X: a\r\n b\r\n"), 400, "whitespace", id="a-folded-header"),
        pytest.param(get(HOST, b"X : a\r\n"), 400, "header", id="a-blank-before-the-colon"),
        pytest.param(get(HOST, b"X: a\0b\r\n"), 400, "header", id="nul-in-a-header"),
        pytest.param(get(HOST, path=b"/\xff"), 400, "no URL", id="an-address-with-any-bytes"),
        pytest.param(get(HOST, path=b"http://[::1/"), 400, "no URL", id="an-address-that-is-none"),
        pytest.param(get(HOST, path=b"/" + b"a" * 9000), 431, "8190 bytes", id="a-long-address"),
        pytest.param(
            get(HOST, b"Authorization: %s\r\n" % (b"hush" * 3000)),
            431,
            "8190 bytes",
            id="a-long-header",
        ),
        pytest.param(
            get(HOST, *(b"X-%d: 1\r\n" % number for number in range(200))),
            400,
            "Too many headers",
            id="many-headers",
        ),
        pytest.param(get(HOST, b"Expect: a miracle\r\n"), 400, "Expect", id="another-expectation"),
        # Methods and paths
        pytest.param(b"TRACE /healthz HTTP/1.1\r\n" + HOST + b"\r\n", 405, "method", id="trace"),
        pytest.param(b"CONNECT x:443 HTTP/1.1\r\n" + HOST + b"\r\n", 404, "path", id="connect"),
        pytest.param(b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", 404, "path", id="no-path"),
        # Bodies that two servers could see in two ways
        pytest.param(
            post(b"Content-Length: 1\r\n", b"Content-Length: 2\r\n", body=b"ab"),
            400,
            "Content-Length",
            id="two-lengths",
        ),
        pytest.param(
            post(b"Content-Length: 3\r\n", CHUNKED, body=b"0\r\n\r\n"),
            400,
            "Content-Length",
            id="chunks-and-a-length",
        ),
        pytest.param(post(b"Content-Length: -1\r\n"), 400, "Content-Length", id="less-than-none"),
        pytest.param(post(b"Content-Length: +1\r\n", body=b"a"), 400, "Content-Length", id="plus"),
        pytest.param(
            post(b"Content-Length: %s\r\n" % (b"9" * 30)), 400, "overflow", id="a-lot-of-digits"
        ),
        pytest.param(post(CHUNKED, body=b"zz\r\n"), 400, "chunk size", id="a-chunk-without-size"),
        # Bodies that are not read
        pytest.param(post(JSON, LARGE), 413, "1048576 bytes", id="a-large-body"),
        pytest.param(post(JSON, LARGE, path=b"/nowhere"), 413, "bytes", id="at-no-path"),
        pytest.param(get(HOST, LARGE), 413, "bytes", id="of-a-get"),
        pytest.param(
            post(JSON, LARGE, b"Expect: 100-continue\r\n"), 413, "bytes", id="before-it-is-sent"
        ),
        pytest.param(
            post(JSON, CHUNKED, body=b"100001\r\n" + b"a" * 0x100001),
            413,
            "1048576 bytes",
            id="chunks-that-become-large",
        ),
        pytest.param(
            post(JSON, b"Content-Encoding: gzip\r\n", b"Content-Length: 1\r\n", body=b"a"),
            415,
            "compressed",
            id="compressed",
        ),
        pytest.param(
            post(JSON, b"Transfer-Encoding: gzip, chunked\r\n", body=b"0\r\n\r\n"),
            415,
            "compressed",
            id="compressed-on-the-way",
        ),
        pytest.param(
            post(
                b"Content-Type: multipart/form-data; boundary=b\r\n",
                b"Content-Length: 1\r\n",
                body=b"a",
            ),
            415,
            "multipart/form-data is not read",
            id="a-form-with-files",
        ),
    ],
)
async def test_it_is_a_problem(tmp_path: Path, raw: bytes, status: int, words: str) -> None:
    """With its own status and sentence; what was sent is not repeated; others are served."""
    async with service(tmp_path) as gateway:
        async with caller(gateway.url) as hostile:
            hostile.says(raw)
            answer = await hostile.hears()
        async with caller(gateway.url) as good:
            assert (await good.asks("/healthz")).status == 200
    assert (answer.status, answer.body["status"]) == (status, status)
    assert words in answer.body["reason"]
    assert answer.headers["content-type"] == "application/problem+json"
    assert "hush" not in answer.text
    assert_says_nothing_of_itself(answer.headers)


async def test_a_head_that_never_ends(tmp_path: Path) -> None:
    """However small its headers are, it is refused before it fills the memory."""
    async with service(tmp_path) as gateway, caller(gateway.url) as hostile:
        hostile.says(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
        for number in range(9):
            hostile.says(b"X-%d: %s\r\n" % (number, b"a" * 4000))
        answer = await hostile.hears()
        await hostile.is_dropped()
    assert (answer.status, answer.body["error"]) == (431, "http_error")
    assert "32768 bytes" in answer.body["reason"]


async def test_a_body_is_not_taken_for_a_head(tmp_path: Path) -> None:
    """A large one in many pieces, and one that nobody reads; what comes behind one is a head."""
    body = b'"' + b"a" * 100_000 + b'"'
    length = b"Content-Length: %d\r\n" % len(body)
    async with service(tmp_path) as gateway, caller(gateway.url) as hostile:
        for path, status in ((b"/v1/lint", 200), (b"/nowhere", 404)):
            hostile.says(post(JSON, length, body=body[:1], path=path))
            for start in range(1, len(body), 10_000):
                await asyncio.sleep(0.01)
                hostile.says(body[start : start + 10_000])
            assert (await hostile.hears()).status == status
        hostile.says(post(JSON, b"Content-Length: 2\r\n", body=b"{}GET /healthz HTTP/1.1\r\n"))
        assert (await hostile.hears()).status == 200
        for number in range(9):
            hostile.says(b"X-%d: %s\r\n" % (number, b"a" * 4000))
        assert (await hostile.hears()).status == 431
        await hostile.is_dropped()


def assert_says_nothing_of_itself(headers: Mapping[str, str]) -> None:
    """No banner, and nothing that a browser would take for a page."""
    assert "server" not in headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/openapi.yaml", "/v1/runs", "/nowhere"])
async def test_every_answer_is_without_a_banner(tmp_path: Path, path: str) -> None:
    """Good ones and others; a page cannot be made of any of them."""
    async with service(tmp_path) as gateway, caller(gateway.url) as good:
        assert_says_nothing_of_itself((await good.asks(path)).headers)
