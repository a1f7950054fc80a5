"""Redis URLs to clients."""

import subprocess
from pathlib import Path

import pytest
from redis_server import Counted, StartRedis, free_ports

from gateway.secrets import Secret
from gateway.storage.client import connect
from gateway.storage.store import PATIENCE, Store, StoreInvalid

_FORMS = (
    "the Redis URL cannot be understood; its form is one of redis://host:6379/0,"
    " rediss://host:6379/0, unix:///path/redis.sock,"
    " redis+sentinel://host1:26379,host2:26379/master-name/0 or redis+cluster://host:6379"
)
_UNKNOWN = (
    "the Redis URL has an unknown option; known are"
    " ssl_ca_certs, ssl_cert_reqs, ssl_certfile, ssl_check_hostname, ssl_keyfile"
)
_UNKNOWN_SENTINEL = (
    "the Redis URL has an unknown option; known are sentinel_password, sentinel_username,"
    " ssl_ca_certs, ssl_cert_reqs, ssl_certfile, ssl_check_hostname, ssl_keyfile"
)


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        pytest.param("", _FORMS, id="nothing"),
        pytest.param("hunter2", _FORMS, id="no-scheme"),
        pytest.param("redis:hunter2", _FORMS, id="no-slashes"),
        pytest.param("http://:hunter2@host", _FORMS, id="another-scheme"),
        pytest.param("unix+cluster:///hunter2", _FORMS, id="a-cluster-on-a-socket"),
        pytest.param("redis+raft://:hunter2@host", _FORMS, id="an-unknown-topology"),
        pytest.param("redis://:hunter2/x@host:6379", _FORMS, id="a-password-with-a-slash"),
        pytest.param("redis://host:hunter2", _FORMS, id="a-port-of-letters"),
        pytest.param("redis+cluster://u:hunter2/x@host", _FORMS, id="the-same-for-a-cluster"),
        pytest.param("redis+cluster://[::1:6379", _FORMS, id="half-an-IPv6-address"),
        pytest.param("redis+cluster://", _FORMS, id="a-cluster-without-hosts"),
        pytest.param("redis+sentinel://a,,b/main", _FORMS, id="an-empty-host"),
        pytest.param("redis+sentinel://a/main/hunter2", _FORMS, id="a-database-of-letters"),
        pytest.param("redis://host?x=hunter2", _UNKNOWN, id="an-unknown-option"),
        pytest.param("redis+sentinel://a/m?x=hunter2", _UNKNOWN_SENTINEL, id="one-for-sentinels"),
        pytest.param(
            "redis+sentinel://:hunter2@a,b",
            "the Redis URL names no master; write redis+sentinel://host1,host2/master-name/0",
            id="sentinels-without-a-master",
        ),
    ],
)
def test_a_url_that_cannot_be_used_is_explained_but_not_quoted(url: str, complaint: str) -> None:
    """The text names the known forms; a password in the URL is not in it."""
    with pytest.raises(StoreInvalid) as raised:
        connect(Secret(url), PATIENCE)
    assert str(raised.value) == complaint


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("redis://user:hunter2@host:6379/0", id="a-server"),
        pytest.param("redis+cluster://user:hunter2@host", id="a-cluster"),
        pytest.param(
            "redis+sentinel://user:hunter2@a,b/main?sentinel_password=hunter2", id="sentinels"
        ),
    ],
)
async def test_no_part_of_a_client_shows_its_password(url: str) -> None:
    """Clients are printed in tracebacks and debuggers."""
    client = connect(Secret(url), PATIENCE)
    commands = client.commands
    shown = f"{client!r} {commands!r} {getattr(commands, 'connection_pool', None)!r}"
    await client.close()
    assert "hunter2" not in shown


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for localhost that is its own authority; its key lies beside it."""
    path = tmp_path / "certificate.pem"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", path.with_suffix(".key"), "-out", path]
    subprocess.run(["openssl", "req", "-x509", *curve, *files, *name], check=True)
    return path


async def test_a_server_with_tls_and_password_is_reached(
    start_redis: StartRedis, certificate: Path
) -> None:
    """``rediss://`` checks the certificate against the authority that the URL names."""
    port = free_ports(1)[0]
    start_redis(
        *("--port", "0", "--tls-port", str(port), "--tls-auth-clients", "no"),
        *(
            "--tls-cert-file",
            str(certificate),
            "--tls-key-file",
            str(certificate.with_suffix(".key")),
        ),
        *("--requirepass", "s/e:c@ret"),
    )
    trusting = f"rediss://:s%2Fe%3Ac%40ret@localhost:{port}/1?ssl_ca_certs={certificate}"
    answers = {}
    for name_of, url in (
        ("trusting", trusting),
        ("untrusting", trusting.partition("?")[0]),
        ("wrong password", trusting.replace("s%2F", "x%2F")),
    ):
        store = Store(Secret(url), Counted())
        await store.start()
        answers[name_of] = store.details()["lastError"]
        await store.close()
    assert answers == {"trusting": None, "untrusting": "unreachable", "wrong password": "denied"}
