"""Settings: one file, flags over it, every problem at once."""

from pathlib import Path

import pytest

from gateway.config import settings
from gateway.config.settings import Settings, SettingsInvalid
from gateway.errors import Problem
from gateway.secrets import Secret

FORMAT = "must be in the format of <namespace>/<name>"


def loaded(tmp_path: Path, text: str, **flags: object) -> Settings:
    """Settings from a file with this text, in no pod."""
    file = tmp_path / "settings.yaml"
    file.write_text(text)
    return settings.load(file, flags=flags, environ={})


def problems(tmp_path: Path, text: str) -> tuple[Problem, ...]:
    """What is wrong with a file of settings; paths without the folder."""
    with pytest.raises(SettingsInvalid) as caught:
        loaded(tmp_path, text)
    return tuple(
        Problem(each.path.replace(f"{tmp_path}/", ""), each.message)
        for each in caught.value.problems
    )


def test_the_file_gives_and_flags_win() -> None:
    """Flags that were not given change nothing."""
    chosen = settings.load(None, flags={"port": 9000, "host": None}, environ={})
    assert (chosen.port, chosen.host) == (9000, "127.0.0.1")


def test_flags_win_over_the_file(tmp_path: Path) -> None:
    """Both are given: the flag counts."""
    chosen = loaded(tmp_path, "port: 1\nverdicts: {wait: 3s}\n", port=2)
    assert (chosen.port, chosen.verdicts.wait_s) == (2, 3.0)


def test_an_empty_file_is_all_defaults(tmp_path: Path) -> None:
    """Nothing in the file is nothing said."""
    assert loaded(tmp_path, "") == Settings(namespace=settings.own_namespace({}))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("prot: 1\n", [Problem("prot", "is not a setting")], id="a-typo"),
        pytest.param(
            "readings: {maxAge: 5}\nlimits: {requestBytes: 0}\n",
            [
                Problem("readings.maxAge", "must be a duration in Go's notation, such as 8s"),
                Problem("limits.requestBytes", "Input should be greater than 0"),
            ],
            id="all-problems-at-once",
        ),
        pytest.param(
            "shutdown: {grace: -1s}\n",
            [Problem("shutdown.grace", "must not be negative")],
            id="a-negative-duration",
        ),
        pytest.param(
            "verdicts: {wait: 1h}\n",
            [Problem("", "verdicts.wait must not be longer than verdicts.maxWait")],
            id="a-wait-beyond-the-longest",
        ),
        pytest.param(
            "plugins: [kpi, acme/kpi, a/b/c, '/x', 7]\n",
            [
                Problem(f"plugins.{index}", f"plugin {name!r} {FORMAT}")
                for index, name in ((0, "kpi"), (2, "a/b/c"), (3, "/x"))
            ]
            + [Problem("plugins.4", "Input should be a valid string")],
            id="names-that-no-plugin-has",
        ),
        pytest.param(
            "tls: {certificate: a.pem}\noperations: {host: 0.0.0.0}\n",
            [
                Problem("tls", "certificate and key need each other"),
                Problem("operations", "host needs port"),
            ],
            id="halves-of-a-port",
        ),
        pytest.param(
            "tls: {clientCa: ca.pem}\n",
            [Problem("tls", "clientCa needs certificate and key")],
            id="callers-certificates-without-tls",
        ),
        pytest.param(
            "limits: {requestHead: 0s, connections: 0}\n",
            [
                Problem("limits.requestHead", "Input should be greater than 0"),
                Problem("limits.connections", "Input should be greater than 0"),
            ],
            id="no-time-and-no-room",
        ),
        pytest.param(
            "- 1\n", [Problem("settings.yaml", "must be a mapping of settings")], id="not-a-mapping"
        ),
        pytest.param(
            "a: b: c\n",
            [Problem("settings.yaml:1", "mapping values are not allowed here")],
            id="not-yaml",
        ),
        pytest.param("a: \x00\n", [Problem("settings.yaml", "is not YAML text")], id="not-text"),
        pytest.param(
            "a: 2026-13-45\n",
            [Problem("settings.yaml", "is not YAML text")],
            id="a-day-that-is-none",
        ),
        pytest.param(
            "[" * 20_000, [Problem("settings.yaml", "is not YAML text")], id="nested-too-deeply"
        ),
    ],
)
def test_every_problem_is_named_by_its_key(tmp_path: Path, text: str, told: list[Problem]) -> None:
    """A bad file is refused whole, with all its problems."""
    assert problems(tmp_path, text) == tuple(told)


def test_a_missing_file_is_a_problem() -> None:
    """The path is named."""
    with pytest.raises(SettingsInvalid, match="/nowhere: cannot be read"):
        settings.load(Path("/nowhere"), flags={}, environ={})


def test_secrets_in_settings_do_not_show(tmp_path: Path) -> None:
    """A Redis password is not in the text of the settings, nor in that of a broken file."""
    chosen = loaded(tmp_path, "redis: redis://:hunter2@host:6379/0\n")
    assert chosen.redis == Secret("redis://:hunter2@host:6379/0")
    assert "hunter2" not in repr(chosen)
    assert "hunter2" not in str(problems(tmp_path, "redis: 'hunter2\n"))


@pytest.mark.parametrize(
    ("environ", "namespace"),
    [
        pytest.param({"POD_NAMESPACE": "shop"}, "shop", id="the-pod-knows"),
        pytest.param({"POD_NAMESPACE": ""}, "from-file", id="the-service-account-knows"),
    ],
)
def test_the_own_namespace_comes_from_the_pod(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], namespace: str
) -> None:
    """The environment is asked first, then the mounted file."""
    file = tmp_path / "namespace"
    file.write_text("from-file\n")
    monkeypatch.setattr(settings, "NAMESPACE_FILE", file)
    assert settings.own_namespace(environ) == namespace


def test_outside_a_pod_the_namespace_is_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows: default."""
    monkeypatch.setattr(settings, "NAMESPACE_FILE", Path("/nowhere"))
    assert settings.own_namespace({}) == "default"


@pytest.mark.parametrize(
    ("host", "policy", "accepts"),
    [
        pytest.param("127.0.0.1", "loopback", True, id="loopback-is-open"),
        pytest.param("0.0.0.0", "loopback", False, id="the-network-is-closed"),
        pytest.param("0.0.0.0", "allow", True, id="the-network-can-be-opened"),
        pytest.param("127.0.0.1", "deny", False, id="loopback-can-be-closed"),
    ],
)
def test_inline_templates_depend_on_who_can_ask(host: str, policy: str, accepts: bool) -> None:  # noqa: FBT001 - a table column
    """Unless said otherwise, only this machine may bring templates."""
    access = {"policy": "policy.yaml", "certificates": True}
    chosen = Settings.model_validate(
        {"host": host, "access": access, "verdicts": {"inlineTemplates": policy}}
    )
    assert chosen.accepts_inline_templates is accepts
