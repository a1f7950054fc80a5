"""What a connection adds is read from Secrets and files, or its user is told why not."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.config.connections import Connection
from gateway.errors import ClusterUnavailable, ProviderError, ProviderUnreachable
from gateway.secret_files import SecretsFolder
from gateway.secrets import Secret
from gateway.upstreams.connection_secrets import Granting
from gateway.upstreams.grants import Grant


async def granted(tmp_path: Path, **fields: object) -> Grant:
    """A connection with some fields, for a template of shop."""
    folder = tmp_path / "secrets/own/n"
    folder.mkdir(parents=True)
    for key, content in {"good": "hunter2\n", "empty": "\n", "two": "a\nb"}.items():
        (folder / key).write_text(content)
    (tmp_path / "token").write_text("hunter3\n")
    (tmp_path / "binary").write_bytes(b"\xff")
    settings = Connection.model_validate(
        {"name": "u", "url": "http://h", "namespaces": ["*"], **fields}
    )
    granting = Granting([settings], SecretsFolder(tmp_path / "secrets"), "own")
    return (await granting.grants("shop", is_brought=False)).granted["u"]


BASIC = "dTpodW50ZXIy"


@pytest.mark.parametrize(
    ("fields", "headers", "secrets"),
    [
        pytest.param({}, {}, [], id="nothing"),
        pytest.param(
            {"basicAuth": {"username": "u", "secret": "n/good"}},
            {"Authorization": f"Basic {BASIC}"},
            ["hunter2", BASIC],
            id="a-password",
        ),
        pytest.param(
            {"bearer": {"file": "token"}},
            {"Authorization": "Bearer hunter3"},
            ["hunter3"],
            id="a-file",
        ),
        pytest.param(
            {"headers": [{"name": "A", "value": "b"}, {"name": "K", "secret": "n/good"}]},
            {"A": "b", "K": "hunter2"},
            ["hunter2"],
            id="headers",
        ),
    ],
)
async def test_headers_and_what_must_be_masked(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fields: Mapping[str, object],
    headers: Mapping[str, str],
    secrets: list[str],
) -> None:
    """A line feed at the end is no part of a value."""
    monkeypatch.chdir(tmp_path)
    grant = await granted(tmp_path, **fields)
    assert grant.headers == headers
    assert list(grant.secrets) == [Secret(each) for each in secrets]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        pytest.param({"bearer": {"secret": "m/k"}}, 'secrets "m" not found', id="no-secret"),
        pytest.param({"bearer": {"secret": "n/k"}}, "key 'k' does not exist", id="no-key"),
        pytest.param({"bearer": {"secret": "n/empty"}}, "its secret is empty", id="empty"),
        pytest.param({"bearer": {"secret": "n/two"}}, "invalid header field value", id="two-lines"),
        pytest.param({"bearer": {"file": "none"}}, "none cannot be read: No such", id="no-file"),
        pytest.param({"bearer": {"file": "binary"}}, "is not UTF-8", id="no-text"),
    ],
)
async def test_a_value_that_cannot_be_had(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fields: Mapping[str, object],
    problem: str,
) -> None:
    """It is an error of the connection, which is named."""
    monkeypatch.chdir(tmp_path)
    grant = await granted(tmp_path, **fields)
    assert isinstance(grant.headers, ProviderError)
    assert str(grant.headers).startswith("connection u: ")
    assert problem in str(grant.headers)


class Away:
    """A cluster that does not answer."""

    async def read(self, *_: object) -> Mapping[object, object]:
        """Fail."""
        raise ClusterUnavailable("the API server does not answer")


async def test_a_cluster_that_is_away_stops_nobody_else() -> None:
    """Only who uses the connection hears of it."""
    settings = Connection.model_validate(
        {"name": "u", "url": "http://h", "namespaces": ["*"], "bearer": {"secret": "n/k"}}
    )
    grants = await Granting([settings], Away(), "own").grants("shop", is_brought=False)  # type: ignore[arg-type]
    assert isinstance(grants.granted["u"].headers, ProviderUnreachable)
