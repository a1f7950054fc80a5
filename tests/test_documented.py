"""Pages that are made from the code say what the code says."""

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_setting_is_documented_by_its_own_text() -> None:
    """``docs/configuration.md`` is what ``tools/describe_settings.py`` prints."""
    tool = runpy.run_path(str(ROOT / "tools" / "describe_settings.py"))
    assert (ROOT / "docs" / "configuration.md").read_text() == tool["page"]()
