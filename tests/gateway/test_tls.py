"""What TLS is set up with, and why it cannot be."""

import ssl
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from tls_files import Files

from gateway.errors import Problem
from gateway.listening_settings import Tls
from gateway.settings import SettingsInvalid
from gateway.tls import ServerTls, context_of
from gateway.tls_context import LOOK_EVERY_S

CA = trustme.CA()
SERVER = CA.issue_cert("localhost")


def encrypted(cert: trustme.LeafCert) -> bytes:
    """The key of a certificate, under a password."""
    key = serialization.load_pem_private_key(cert.private_key_pem.bytes(), None)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"hush"),
    )


@pytest.fixture(name="files")
def _files(tmp_path: Path) -> Files:
    files = Files(tmp_path)
    files.serve(SERVER, CA)
    return files


def test_only_new_versions_are_spoken(files: Files) -> None:
    """TLS 1.2 and later; without a clientCa nobody is asked, and no other authority counts."""
    context = context_of(Tls.model_validate(files.settings()))
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert (context.verify_mode, context.cert_store_stats()["x509"]) == (ssl.CERT_NONE, 0)


@pytest.mark.parametrize(
    ("contents", "changed", "told"),
    [
        pytest.param(
            {},
            {"key": "/nowhere"},
            Problem("tls.key", "/nowhere cannot be read: No such"),
            id="no-key",
        ),
        pytest.param(
            {},
            {"certificate": "/dev"},
            Problem("tls.certificate", "/dev cannot be read: is not a regular"),
            id="a-folder",
        ),
        pytest.param(
            {"key": b"hush"},
            {},
            Problem("tls.certificate", "FILES are no certificate and its key in PEM"),
            id="no-pem",
        ),
        pytest.param(
            {"key": CA.issue_cert("localhost").private_key_pem},
            {},
            Problem(
                "tls.certificate", "FILES are no certificate and its key in PEM: key values mis"
            ),
            id="the-key-of-another",
        ),
        pytest.param(
            {"key": encrypted(SERVER)},
            {},
            Problem(
                "tls.certificate", "FILES are no certificate and its key in PEM: the key is enc"
            ),
            id="an-encrypted-key",
        ),
        pytest.param(
            {"ca": b"# none yet\n"},
            {},
            Problem("tls.clientCa", "CA has no certificates in PEM: "),
            id="no-authority",
        ),
    ],
)
def test_files_that_cannot_be_used(
    files: Files, contents: dict[str, bytes], changed: dict[str, str], told: Problem
) -> None:
    """One sentence, with the setting and the file, and nothing of what is in it."""
    certificate, key = SERVER.cert_chain_pems[0], SERVER.private_key_pem
    files.hold(**{"certificate": certificate, "key": key, "ca": CA.cert_pem, **contents})
    settings = Tls.model_validate({**files.settings(clientCa=files["ca"]), **changed})
    with pytest.raises(SettingsInvalid) as caught:
        ServerTls(settings)
    (problem,) = caught.value.problems
    pair = f"{files['certificate']} and {files['key']}"
    assert problem.path == told.path
    expected = told.message.replace("FILES", pair).replace("CA ", f"{files['ca']} ")
    assert problem.message.startswith(expected)
    assert "hush" not in problem.message


def test_files_are_looked_at_now_and_then(files: Files) -> None:
    """Not for every connection; a change that is a change of nothing is none."""
    now_s = [0.0]
    server = ServerTls(Tls.model_validate(files.settings()), now_s=lambda: now_s[0])
    first = server.context()
    files.serve(SERVER)
    assert server.context() is first
    now_s[0] = LOOK_EVERY_S
    second = server.context()
    assert second is not first
    now_s[0] = 2 * LOOK_EVERY_S
    assert server.context() is second
