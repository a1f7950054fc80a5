"""A real Graphite: the render API of graphite-web over whisper files that it writes first.

Run by a Python that has graphite-web, see ``tests/providers/test_graphite_for_real.py``. Takes a
folder, and the values of each series by their age in minutes as JSON; prints the port.
"""

import json
import os
import sys
import time
from pathlib import Path
from types import ModuleType
from wsgiref.simple_server import make_server

import whisper


def write(folder: Path, name: str, values: dict[str, float]) -> None:
    """One series with a point for each minute of the last hour, most of them gaps."""
    path = folder.joinpath(*name.split(".")).with_suffix(".wsp")
    path.parent.mkdir(parents=True, exist_ok=True)
    whisper.create(str(path), [(60, 60)])
    now_s = int(time.time())
    points = [(now_s - 60 * int(age), value) for age, value in values.items()]
    whisper.update_many(str(path), points)


def settings(folder: Path) -> ModuleType:
    """What graphite-web takes as its ``local_settings``."""
    module = ModuleType("settings_of_the_tests")
    here = str(folder)
    for name in ("GRAPHITE_ROOT", "STORAGE_DIR", "CONF_DIR", "LOG_DIR", "STATIC_ROOT"):
        setattr(module, name, here)
    module.WHISPER_DIR = str(folder / "whisper")
    module.STANDARD_DIRS = [module.WHISPER_DIR]
    module.SECRET_KEY = "of no account"
    module.ALLOWED_HOSTS = ["127.0.0.1"]
    module.TIME_ZONE = "UTC"
    return module


if __name__ == "__main__":
    root = Path(sys.argv[1])
    for series, values_by_age in json.loads(sys.argv[2]).items():
        write(root / "whisper", series, values_by_age)
    sys.modules["settings_of_the_tests"] = settings(root)
    os.environ["DJANGO_SETTINGS_MODULE"] = "graphite.settings"
    os.environ["GRAPHITE_SETTINGS_MODULE"] = "settings_of_the_tests"
    from graphite.wsgi import application

    with make_server("127.0.0.1", 0, application) as server:
        print(server.server_port, flush=True)  # noqa: T201 - how the test learns it
        server.serve_forever()
