"""The modules that decide are named twice, for two promises about the same ones."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_core_that_does_no_io_is_the_core_whose_branches_are_all_tested() -> None:
    """The contract in ``pyproject.toml`` names what ``CORE_MODULES`` in the Makefile does."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    listed = re.findall(r"^CORE_MODULES := (.*)$", makefile, re.MULTILINE)[0].split()
    (package,) = re.findall(r"^CORE := gateway/(\w+)/\*", makefile, re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = (
        each
        for each in project["tool"]["importlinter"]["contracts"]
        if each["name"] == "The core does no I/O"
    )
    tested = sorted(f"gateway.{name.replace('/', '.')}" for name in (*listed, package))
    assert sorted(contract["source_modules"]) == tested
