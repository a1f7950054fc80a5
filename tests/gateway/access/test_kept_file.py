"""Files of the deployer's, as they change under the gateway."""

import logging
import os
from pathlib import Path

import pytest
from guarded import rule, write_policy

from gateway.access.kept_file import KeptFile
from gateway.access.policy import Policy
from gateway.access.policy_file import parse_policy
from gateway.config.settings import SettingsInvalid


def kept(path: Path) -> KeptFile[Policy]:
    """The policy of a file."""
    return KeptFile(path, parse_policy, setting="access.policy")


def actions(file: KeptFile[Policy]) -> list[str]:
    """The actions of all rules."""
    return [action for each in file.content.rules for action in each.actions]


async def test_a_change_is_in_force_after_the_next_look(tmp_path: Path) -> None:
    """Also if the file keeps its name by being replaced, as Kubernetes does it."""
    file = kept(write_policy(tmp_path, rule("run")))
    await file.open()
    assert actions(file) == ["run"]
    (tmp_path / "new").mkdir()
    new = write_policy(tmp_path / "new", rule("verdict"))
    new.rename(tmp_path / "policy.yaml")
    await file.load()
    assert actions(file) == ["verdict"]


async def test_what_did_not_change_is_not_read_again(tmp_path: Path) -> None:
    """What is remembered about the policy is forgotten with it."""
    file = kept(write_policy(tmp_path, rule("run")))
    await file.open()
    before = file.content
    await file.load()
    assert file.content is before


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            "rules:\n- callers: [a]\n  actions: [fly]\n  namespaces: [b]\n",
            "line 3: rules[0].actions[0]: Input should be 'verdict',",
            id="wrong",
        ),
        pytest.param("rules: [", "policy.yaml: line 1, column 9: ", id="no-yaml"),
        pytest.param("", "holds 0 YAML documents; it must be one", id="empty"),
        pytest.param("rules: []\n---\nrules: []\n", "holds 2 YAML documents", id="two"),
        pytest.param("#" * (2 << 20), "cannot be read: is larger than", id="huge"),
        pytest.param(None, "cannot be read: No such file or directory", id="gone"),
    ],
)
async def test_what_is_broken_leaves_the_last_good_version_in_force(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str | None, problem: str
) -> None:
    """It is told once in the log, and for as long as it lasts in the details."""
    path = write_policy(tmp_path, rule("run"))
    file = kept(path)
    await file.open()
    if text is None:
        path.unlink()
    else:
        path.write_text(text)
    with caplog.at_level(logging.INFO):
        await file.load()
        await file.load()
    assert actions(file) == ["run"]
    (told,) = file.details()["problems"]  # type: ignore[misc] # JSON
    assert told.startswith(problem)
    assert [record.getMessage() for record in caplog.records] == [
        "a file is broken, what it said before stays in force"
    ]
    write_policy(tmp_path, rule("verdict"))
    with caplog.at_level(logging.INFO):
        await file.load()
    assert (actions(file), file.details()["problems"]) == (["verdict"], [])
    assert caplog.records[-1].getMessage() == "a file is good again"


async def test_a_start_needs_a_good_file(tmp_path: Path) -> None:
    """There is no older version to go on with."""
    path = write_policy(tmp_path, rule("fly"), rule("run", namespaces=[]))
    with pytest.raises(SettingsInvalid) as caught:
        await kept(path).open()
    assert [each.path for each in caught.value.problems] == [f"access.policy: {path}"] * 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
async def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    """It says so."""
    path = write_policy(tmp_path)
    path.chmod(0)
    with pytest.raises(SettingsInvalid, match="cannot be read: Permission denied"):
        await kept(path).open()


def test_what_was_never_read_has_no_content(tmp_path: Path) -> None:
    """Who forgets to open it hears of it."""
    with pytest.raises(RuntimeError, match="has not been read"):
        _ = kept(tmp_path / "policy.yaml").content
