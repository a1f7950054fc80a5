"""The same tricks, and names that lie, where there really is somebody at every address."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from egress_tricks import EVERYWHERE, GOOD_ADDRESS, NAMES, Trick

PROGRAM = Path(__file__).with_name("egress_namespace.py")
ROOT = Path(__file__).parents[2]
AS_ROOT = ("unshare", "--net", "--mount")
AS_ANYBODY = ("unshare", "--user", "--map-root-user", "--net", "--mount")


def _namespaces() -> tuple[str, ...]:
    """The command that runs another one in a network of its own; skips where none can."""
    if shutil.which("ip") is None:
        pytest.skip("there is no ip (Debian: iproute2) to make a network with")
    for command in (AS_ROOT, AS_ANYBODY):
        if subprocess.run([*command, "true"], check=False, capture_output=True).returncode == 0:
            return command
    pytest.skip("this user may not make a network namespace (unshare --net)")


@pytest.fixture(scope="module", name="found")
def _found(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """What came of all tricks, tried on one gateway."""
    folder = tmp_path_factory.mktemp("network")
    process = subprocess.run(
        [*_namespaces(), sys.executable, str(PROGRAM), str(folder)],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
    )
    assert process.returncode == 0, process.stderr
    found: Mapping[str, Any] = json.loads(process.stdout)
    return found


@pytest.mark.parametrize(
    "trick", [pytest.param(each, id=each.id) for each in (*EVERYWHERE, *NAMES)]
)
def test_a_trick_is_refused_before_a_byte_is_sent(trick: Trick, found: Mapping[str, Any]) -> None:
    """The measurement says why, and nobody was connected to who must not be."""
    trial = found["trials"][trick.id]
    assert trial["phase"] == "Error"
    assert trick.says in trial["message"]
    heard = {address for address, *_ in trial["heard"]}
    assert heard == ({GOOD_ADDRESS} if trick.is_heard_by_good else set())


def test_what_is_allowed_is_asked(found: Mapping[str, Any]) -> None:
    """By its name, from the same gateway."""
    assert found["allowed"] == "Successful"


def test_a_name_that_no_rule_has_is_not_even_looked_up(found: Mapping[str, Any]) -> None:
    """Not even the name server learns of it."""
    refused = {"metadata.google.internal", "evilcorp.example", "corp.example"}
    assert refused.isdisjoint(found["looked_up"])
    assert "good.corp.example" in found["looked_up"]


def test_a_refusal_does_not_tell_where_a_name_leads(found: Mapping[str, Any]) -> None:
    """Who may not ask inside need not know its addresses."""
    told = " ".join(found["trials"][trick.id]["message"] for trick in NAMES)
    assert not [text for text in ("10.0.0.5", "127.0.0.1", "fd00::5", "100.64.0.1") if text in told]
