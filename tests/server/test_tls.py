"""The port over TLS, with certificates of callers and without, while files are replaced."""

import asyncio
import datetime as dt
import json
import logging
import socket
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from hall import Hall, hall
from raw_http import Caller, caller
from running import until
from tls_files import SPIFFE_ID, Files, trusting, workload
from yarl import URL

from gateway import tls_context

HOST = "127.0.0.1"
CA = trustme.CA()
OTHER_CA = trustme.CA()
SERVER = CA.issue_cert(HOST)
REFUSED = (ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


@pytest.fixture(name="files")
def _files(tmp_path: Path) -> Files:
    files = Files(tmp_path / "tls")
    files.serve(SERVER, CA)
    return files


@asynccontextmanager
async def connected(served: Hall, context: ssl.SSLContext) -> AsyncIterator[Caller]:
    """A caller over TLS."""
    reader, writer = await asyncio.open_connection(HOST, URL(served.url).port, ssl=context)
    try:
        yield Caller(reader, writer)
    finally:
        writer.transport.abort()


async def names(served: Hall, context: ssl.SSLContext) -> list[str]:
    """Who the server says that the caller is; ssl.SSLError if it is not let in."""
    async with connected(served, context) as one:
        return list(json.loads((await one.asks("/names")).text))


async def serial(served: Hall) -> int:
    """The number of the certificate that the server shows now."""
    async with connected(served, trusting(CA)) as one:
        shown = one.writer.get_extra_info("ssl_object").getpeercert()
        assert (await one.asks("/quick")).status == 200
        return int(shown["serialNumber"], 16)


def number(cert: trustme.LeafCert) -> int:
    """The number of a certificate."""
    return x509.load_pem_x509_certificate(cert.cert_chain_pems[0].bytes()).serial_number


async def test_the_port_speaks_tls_and_nothing_else(files: Files) -> None:
    """Over it HTTP/1.1; who speaks plain HTTP is dropped and counted."""
    async with hall(tls=files.settings()) as served:
        assert served.url.startswith("https://")
        context = trusting(CA)
        context.set_alpn_protocols(["h2", "http/1.1"])
        async with connected(served, context) as good:
            assert (await good.asks("/quick")).status == 200
            assert good.writer.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"
        async with caller(served.url) as plain:
            plain.says(b"GET /quick HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"HTTP" not in await plain.is_dropped()
        assert served.cuts() == {"tls": 1}


async def test_old_versions_are_refused(files: Files, caplog: pytest.LogCaptureFixture) -> None:
    """TLS 1.1 is not spoken, however much the caller wants it; the log tells why it went."""
    caplog.set_level(logging.INFO)
    old = trusting(CA)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    new = trusting(CA)
    new.maximum_version = ssl.TLSVersion.TLSv1_2
    async with hall(tls=files.settings()) as served:
        with pytest.raises(REFUSED):
            await names(served, old)
        await until(lambda: served.cuts() == {"tls": 1})
        assert "UNSUPPORTED_PROTOCOL" in caplog.records[0].__dict__["reason"]
        assert await names(served, new) == []


async def test_who_never_agrees_on_tls_is_dropped(files: Files) -> None:
    """In the time that a head has."""
    limits = {"requestHead": "200ms"}
    async with hall(tls=files.settings(), limits=limits) as served:
        async with caller(served.url) as silent, connected(served, trusting(CA)) as slow:
            slow.says(b"GET /quick")
            assert await silent.is_dropped() == b""
            await slow.is_dropped()
        await until(lambda: served.connections() == 0)
        assert served.cuts() == {"tls": 1, "head": 1}


async def test_who_never_agrees_on_tls_makes_room(files: Files) -> None:
    """It is counted among those who are connected."""
    limits = {"connections": 2, "requestHead": "60s"}
    async with hall(tls=files.settings(), limits=limits) as served:
        async with caller(served.url) as first, caller(served.url) as second:
            await until(lambda: served.connections() == 2)
            async with connected(served, trusting(CA)) as good:
                assert (await good.asks("/quick")).status == 200
            await first.is_dropped()
            second.writer.close()
        await until(lambda: served.connections() == 0)
        assert served.cuts()["crowded"] == 1


@pytest.mark.parametrize(
    ("shows", "named"),
    [
        pytest.param(None, None, id="none"),
        pytest.param(CA.issue_cert("a.ci", "b.ci", common_name="x"), ["a.ci"], id="dns"),
        pytest.param(CA.issue_cert("me@ci", common_name="carol"), ["carol"], id="common-name"),
        pytest.param(workload(CA), [SPIFFE_ID], id="spiffe"),
        pytest.param(OTHER_CA.issue_cert("a.ci"), None, id="of-another-authority"),
        pytest.param(CA.issue_cert("a.ci", not_after=LONG_AGO), None, id="that-has-expired"),
    ],
)
async def test_callers_must_show_a_good_certificate(
    files: Files, shows: trustme.LeafCert | None, named: list[str] | None
) -> None:
    """Who does is known by its names; who does not gets no answer."""
    async with hall(tls=files.settings(clientCa=files["ca"])) as served:
        context = trusting(CA, shows=shows)
        if named is None:
            with pytest.raises(REFUSED):
                await names(served, context)
            await until(lambda: served.connections() == 0)
            assert served.cuts() == {"tls": 1}
        else:
            assert await names(served, context) == named


async def test_a_certificate_can_be_left_to_callers(files: Files) -> None:
    """Who shows none has no name; one that is shown must be good."""
    settings = files.settings(clientCa=files["ca"], clientCertificates="optional")
    async with hall(tls=settings) as served:
        assert await names(served, trusting(CA)) == []
        assert await names(served, trusting(CA, shows=CA.issue_cert("a.ci"))) == ["a.ci"]
        with pytest.raises(REFUSED):
            await names(served, trusting(CA, shows=OTHER_CA.issue_cert("a.ci")))


async def test_without_an_authority_nobody_is_asked(files: Files) -> None:
    """A certificate that nobody verifies names nobody."""
    async with hall(tls=files.settings()) as served:
        assert await names(served, trusting(CA, shows=CA.issue_cert("a.ci"))) == []


async def test_a_new_certificate_is_shown_at_once(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To new connections; those that are open go on."""
    monkeypatch.setattr(tls_context, "LOOK_EVERY_S", 0)
    renewed = CA.issue_cert(HOST)
    async with hall(tls=files.settings()) as served, connected(served, trusting(CA)) as old:
        assert (await old.asks("/quick")).status == 200
        assert await serial(served) == number(SERVER)
        files.serve(renewed)
        assert await serial(served) == number(renewed)
        assert (await old.asks("/quick")).status == 200


def visit(
    served: Hall, context: ssl.SSLContext, session: ssl.SSLSession | None = None
) -> tuple[ssl.SSLSession, bool]:
    """Connect once; the session to resume, and whether one was."""
    address = (HOST, URL(served.url).port)
    with (
        socket.create_connection(address) as line,
        context.wrap_socket(line, server_hostname=HOST, session=session) as over,
    ):
        over.sendall(b"GET /names HTTP/1.1\r\nHost: x\r\n\r\n")
        assert over.recv(12) == b"HTTP/1.1 200"
        assert over.session is not None
        return over.session, bool(over.session_reused)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_who_was_trusted_once_is_not_for_ever(
    files: Files, monkeypatch: pytest.MonkeyPatch, version: ssl.TLSVersion
) -> None:
    """Authorities of callers are replaced, too, and what they vouched for is not resumed."""
    monkeypatch.setattr(tls_context, "LOOK_EVERY_S", 0)
    old = trusting(CA, shows=CA.issue_cert("old.ci"))
    old.minimum_version = old.maximum_version = version
    new = trusting(CA, shows=OTHER_CA.issue_cert("new.ci"))
    async with hall(tls=files.settings(clientCa=files["ca"])) as served:
        session, _ = await asyncio.to_thread(visit, served, old)
        session, is_resumed = await asyncio.to_thread(visit, served, old, session)
        assert is_resumed
        files.serve(SERVER, OTHER_CA)
        with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
            await asyncio.to_thread(visit, served, old, session)
        assert await names(served, new) == ["new.ci"]


async def test_files_that_cannot_be_used_change_nothing(
    files: Files, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The log tells why, once; the next good ones are taken."""
    monkeypatch.setattr(tls_context, "LOOK_EVERY_S", 0)
    caplog.set_level(logging.INFO)
    renewed = CA.issue_cert(HOST)
    async with hall(tls=files.settings()) as served:
        files.hold(certificate=renewed.cert_chain_pems[0], key=SERVER.private_key_pem)
        for _ in range(3):
            assert await serial(served) == number(SERVER)
        assert [each.message for each in caplog.records] == ["cannot use the changed files of TLS"]
        assert "key values mismatch" in caplog.records[0].__dict__["reason"]
        files.serve(renewed)
        assert await serial(served) == number(renewed)
