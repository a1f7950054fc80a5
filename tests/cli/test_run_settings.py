"""``analysis-gateway run`` with the settings that the service has."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from backends import Play, backend
from command_line import color, command, written
from running import template

GREEN = Play('"green"')
Given = Callable[[str, pytest.MonkeyPatch], tuple[str, ...]]


def by_flag(config: str, _monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """What the command line says."""
    return ("--config", config)


def by_environment(config: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """What the environment says."""
    monkeypatch.setenv("ANALYSIS_GATEWAY_CONFIG", config)
    return ()


def connection(url: str, **fields: Any) -> dict[str, Any]:
    """The settings of a connection whose token is in the gateway's own namespace."""
    own = {"name": "colors", "url": url, "namespaces": ["*"]}
    return {**own, "bearer": {"secret": "colors/token"}, **fields}


@pytest.mark.parametrize("given", [by_flag, by_environment])
async def test_a_connection_of_the_settings_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: Given
) -> None:
    """The author of FILE runs the process: it may use what is for the gateway's own templates."""
    token = tmp_path / "secrets" / "analysis" / "colors" / "token"
    token.parent.mkdir(parents=True)
    token.write_text("t0p-s3cret")
    async with backend(GREEN) as upstream:
        settings = {
            "namespace": "analysis",
            "secrets": str(tmp_path / "secrets"),
            "connections": [connection(upstream.url)],
        }
        config = written(tmp_path / "settings.yaml", settings)
        file = written(tmp_path / "t.yaml", template(color(upstream.url)))
        done = await command("run", file, *given(config, monkeypatch))
    assert (done.code, done.err) == (0, "")
    (request,) = upstream.requests
    assert request.headers["Authorization"] == "Bearer t0p-s3cret"
    assert "t0p-s3cret" not in done.out


@pytest.mark.parametrize(
    ("settings", "words", "told"),
    [
        pytest.param(
            {"egress": {"named": []}},
            (),
            "egress.named",
            id="a-url-that-no-rule-allows",
        ),
        pytest.param(
            {"connections": [connection("http://127.0.0.1", namespaces=["shop"])]},
            ("--namespace", "other"),
            "connection colors",
            id="a-connection-of-another-namespace",
        ),
        pytest.param(
            {"secrets": "/nowhere", "connections": [connection("http://127.0.0.1")]},
            (),
            "colors",
            id="a-secret-that-is-not-there",
        ),
    ],
)
async def test_what_the_settings_refuse_is_not_asked(
    tmp_path: Path, settings: dict[str, Any], words: tuple[str, ...], told: str
) -> None:
    """No evidence: the run is no success, and says which setting it is."""
    async with backend(GREEN) as upstream:
        for each in settings.get("connections", ()):
            each["url"] = upstream.url
        config = written(tmp_path / "settings.yaml", settings)
        file = written(tmp_path / "t.yaml", template(color(upstream.url, consecutiveErrorLimit=0)))
        done = await command("run", file, "--config", config, *words)
    assert done.code in {3, 4}
    assert upstream.requests == []
    assert told in done.out + done.err
    assert "Traceback" not in done.err


async def test_a_flag_wins_over_the_file(tmp_path: Path) -> None:
    """And what no flag says is the file's: its plugins may be used, though none is given."""
    block = {"plugin": {"acme/nobody-has-this": {}}}
    metric = {"name": "kpi", "provider": block, "consecutiveErrorLimit": 0}
    file = written(tmp_path / "t.yaml", template(metric))
    config = written(tmp_path / "settings.yaml", {"plugins": ["acme/nobody-has-this"]})
    kept = await command("run", file, "--config", config)
    other = await command("run", file, "--config", config, "--plugin", "acme/given")
    assert (kept.code, other.code) == (3, 4)
    assert "acme/nobody-has-this: no distribution that is installed has it" in kept.out
    assert "its setting plugins lists acme/given" in other.err


async def test_settings_that_cannot_be_used_are_wrong_usage(tmp_path: Path) -> None:
    """Before anything is measured, with the key."""
    file = written(tmp_path / "t.yaml", template(color("http://127.0.0.1:1")))
    config = written(tmp_path / "settings.yaml", {"egres": {}})
    done = await command("run", file, "--config", config)
    assert (done.code, done.out) == (4, "")
    assert "egres: is not a setting" in done.err
