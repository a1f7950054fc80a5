"""Secrets from a folder, as Kubernetes mounts them."""

import os
from pathlib import Path

import pytest

from gateway.args import MissingKey, MissingSecret, UnusableSecret
from gateway.secret_files import SecretsFolder
from gateway.secrets import Secret
from gateway.template import SecretKeyRef


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Secret ``api`` of namespace ``shop``, mounted, and a file beside the secrets."""
    mount = tmp_path / "secrets/shop/api"
    version = mount / "..2026_01_01"
    version.mkdir(parents=True)
    (version / "token").write_text("hunter2\n")
    (version / "empty").write_text("")
    (version / "binary").write_bytes(b"\xff")
    (version / "large").write_bytes(b"x" * ((1 << 20) + 1))
    (version / "locked").write_text("x")
    (version / "h:8443").write_text("of a port")
    (mount / "..data").symlink_to("..2026_01_01")
    for key in ("token", "empty", "binary", "large", "locked", "h:8443"):
        (mount / key).symlink_to(f"..data/{key}")
    (mount / "folder").mkdir()
    os.mkfifo(mount / "pipe")
    (tmp_path / "secrets/shop/file").write_text("not a secret")
    (tmp_path / "outside").write_text("not yours")
    return tmp_path / "secrets"


async def answer(
    folder: Path | None, namespace: str, name: str, key: str
) -> Secret | MissingSecret:
    """What is read for one key."""
    ref = SecretKeyRef(name=name, key=key)
    answers = await SecretsFolder(folder).read(namespace, [ref])
    assert list(answers) == [ref]
    return answers[ref]


@pytest.mark.parametrize(
    ("namespace", "name", "key", "expected"),
    [
        pytest.param("shop", "api", "token", Secret("hunter2\n"), id="verbatim-to-the-last-byte"),
        pytest.param("shop", "api", "empty", Secret(""), id="empty"),
        pytest.param("shop", "api", "h:8443", Secret("of a port"), id="a-server-with-its-port"),
        pytest.param(
            "shop", "nope", "token", MissingSecret('secrets "nope" not found'), id="no-secret"
        ),
        pytest.param(
            "other",
            "api",
            "token",
            MissingSecret('secrets "api" not found'),
            id="another-namespace",
        ),
        pytest.param(
            "shop",
            "api",
            "nope",
            MissingKey("key 'nope' does not exist in secret 'api'"),
            id="no-key",
        ),
        pytest.param(
            "shop",
            "api",
            "folder",
            MissingKey("key 'folder' does not exist in secret 'api'"),
            id="a-folder-is-no-key",
        ),
        pytest.param(
            "shop",
            "api",
            "pipe",
            MissingKey("key 'pipe' does not exist in secret 'api'"),
            id="a-pipe-is-no-key",
        ),
        pytest.param(
            "shop",
            "file",
            "token",
            MissingSecret('secrets "file" not found'),
            id="a-file-is-no-secret",
        ),
        pytest.param(
            "shop",
            "api",
            "binary",
            UnusableSecret("key 'binary' in secret 'api' is not UTF-8"),
            id="not-a-text",
        ),
        pytest.param(
            "shop",
            "api",
            "large",
            UnusableSecret("key 'large' in secret 'api': is larger than 1048576 bytes"),
            id="too-large",
        ),
        pytest.param(
            "shop",
            "api",
            "../../../outside",
            MissingKey("key '../../../outside' does not exist in secret 'api'"),
            id="a-key-that-leads-out",
        ),
        pytest.param(
            "shop",
            "api",
            "x:/../../../outside",
            MissingKey("key 'x:/../../../outside' does not exist in secret 'api'"),
            id="a-port-that-leads-out",
        ),
        pytest.param(
            "shop",
            "api",
            "..data",
            MissingKey("key '..data' does not exist in secret 'api'"),
            id="the-parts-of-the-mount",
        ),
        pytest.param(
            "shop",
            "nope",
            "../x",
            MissingSecret('secrets "nope" not found'),
            id="a-bad-key-of-no-secret",
        ),
        pytest.param(
            "shop",
            "../..",
            "outside",
            MissingSecret('secrets "../.." not found'),
            id="a-name-that-leads-out",
        ),
        pytest.param(
            "..",
            "x",
            "outside",
            MissingSecret('secrets "x" not found'),
            id="a-namespace-that-leads-out",
        ),
        pytest.param(
            "shop",
            'a"b\n',
            "k",
            MissingSecret(r'secrets "a\"b\n" not found'),
            id="an-odd-name-is-quoted",
        ),
    ],
)
async def test_read(
    folder: Path, namespace: str, name: str, key: str, expected: Secret | MissingSecret
) -> None:
    """The content, or Argo's words for why there is none."""
    assert await answer(folder, namespace, name, key) == expected


async def test_a_key_that_may_not_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests may run as root, whom no file mode stops: the system's refusal is played."""

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    assert await answer(folder, "shop", "api", "locked") == UnusableSecret(
        "key 'locked' in secret 'api': Permission denied"
    )


async def test_without_a_folder_there_are_no_secrets() -> None:
    """The same answer as for any secret that is missing."""
    assert await answer(None, "shop", "api", "token") == MissingSecret('secrets "api" not found')


async def test_a_rotated_secret_counts_at_once(folder: Path) -> None:
    """Kubernetes swaps a link; the next reading follows it."""
    mount = folder / "shop/api"
    (mount / "..2026_02_02").mkdir()
    (mount / "..2026_02_02/token").write_text("new")
    assert await answer(folder, "shop", "api", "token") == Secret("hunter2\n")
    (mount / "..data_tmp").symlink_to("..2026_02_02")
    (mount / "..data_tmp").rename(mount / "..data")
    assert await answer(folder, "shop", "api", "token") == Secret("new")


async def test_nothing_asked_nothing_read() -> None:
    """Templates without secrets cost no thread."""
    assert await SecretsFolder(Path("/nonexistent")).read("shop", []) == {}
