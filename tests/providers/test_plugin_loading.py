"""Entry points to types: which are imported, for how long, and why there is none."""

import sys
import threading
import time
from pathlib import Path

import pytest
from plugins import PREAMBLE, TYPE, distribution

from gateway.errors import ProviderInvalid
from gateway.provider import ProviderType
from providers import Plugins, load_plugins

GOOD = PREAMBLE + TYPE


@pytest.fixture(name="folder")
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def loaded(*names: str, within_s: float = 10) -> Plugins:
    """What comes of these names."""
    return load_plugins(names, measurement_timeout_s=60, import_timeout_s=within_s)


def reason(*names: str, within_s: float = 10) -> str:
    """Why there is none of the first name."""
    kind = loaded(*names, within_s=within_s).kinds[names[0]]
    assert isinstance(kind, ProviderInvalid)
    return str(kind)


def test_only_what_is_listed_is_imported(folder: Path) -> None:
    """And once, however often it is listed."""
    distribution(
        folder, "load/one", f"{GOOD}\nTYPE.check.__globals__['sys'].setprofile", module="a1"
    )
    distribution(folder, "load/other", "raise SystemExit", module="a2")
    plugins = loaded("load/one", "load/one")
    assert list(plugins.kinds) == ["load/one"]
    assert isinstance(plugins.kinds["load/one"], ProviderType)
    assert "a1" in sys.modules
    assert "a2" not in sys.modules
    assert plugins.details() == {"load/one": "loaded"}


def test_nothing_is_imported_where_nothing_is_listed() -> None:
    """Nor is anybody watched."""
    plugins = loaded()
    threads = threading.active_count()
    with plugins.at_work():
        assert threading.active_count() == threads
    assert plugins.kinds == {}


def test_one_that_nobody_has(folder: Path) -> None:
    """Its name must be the same, case included."""
    distribution(folder, "load/kpi", GOOD, module="b1")
    assert reason("load/KPI") == (
        "plugin load/KPI: no distribution that is installed has it in analysis_gateway.providers"
    )


def test_one_that_two_have(folder: Path) -> None:
    """Nobody knows which one is meant, so neither is imported."""
    distribution(folder, "load/twice", GOOD, module="c1")
    distribution(folder, "load/twice", GOOD, module="c2")
    assert reason("load/twice") == "plugin load/twice: more than one distribution has it: c1, c2"
    assert not {"c1", "c2"} & sys.modules.keys()


def test_a_broken_entry_point(folder: Path) -> None:
    """What cannot be read as a module and a name in it."""
    distribution(folder, "load/broken", GOOD, module="d1")
    (folder / "d1-1.dist-info" / "entry_points.txt").write_text(
        "[analysis_gateway.providers]\nload/broken = d1:\n"
    )
    assert reason("load/broken").startswith("plugin load/broken: ")


def test_an_import_that_hangs_is_left_behind(folder: Path) -> None:
    """The others are there, and nobody waits for longer than all may take together."""
    hanging = "import time\ntime.sleep(3)\n" + GOOD
    distribution(folder, "load/hangs", hanging, module="e1")
    distribution(folder, "load/hangs-too", hanging, module="e2")
    distribution(folder, "load/quick", GOOD, module="e3")
    began_s = time.monotonic()
    plugins = loaded("load/hangs", "load/hangs-too", "load/quick", within_s=0.5)
    assert time.monotonic() - began_s < 1.5
    assert plugins.details() == {
        "load/hangs": "plugin load/hangs: its import has not ended within 0.5s",
        "load/hangs-too": "plugin load/hangs-too: its import has not ended within 0.5s",
        "load/quick": "loaded",
    }


def test_the_log_tells_each_of_them(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """At the start, where a deployer looks."""
    caplog.set_level("INFO")
    distribution(folder, "load/fine", GOOD, module="f1")
    loaded("load/fine", "load/gone")
    told = [(each.levelname, each.getMessage(), vars(each)["plugin"]) for each in caplog.records]
    assert told == [
        ("INFO", "plugin loaded", "load/fine"),
        ("ERROR", "a plugin cannot be used", "load/gone"),
    ]
    assert vars(caplog.records[1])["reason"] == reason("load/gone")
