"""Plugins for tests: the example, installed as anybody would, and small ones, good and bad."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, Final

import providers
from gateway.provider import ProviderType
from providers import JobRules, Plugins, load_plugins, provider_types
from providers._plugins.guarded import guarded

EXAMPLE: Final = Path(__file__).parents[1] / "examples" / "provider-plugin"
KPI: Final = "acme/kpi"
PREAMBLE: Final = """\
import asyncio, sys, time
from gateway.errors import *
from gateway.model import *
from gateway.provider import *
from gateway.secrets import Secret

def check(block):
    return []

class Made:
    def resolved_query(self):
        return ""

    async def measure(self, context):
        return Reading(1.0, ResultType.FLOAT, "1")

def parse(block, surroundings):
    return Made()

"""
"""A plugin that is fine, but for what follows."""
TYPE: Final = "\nTYPE = ProviderType(check=check, parse=parse)\n"


@cache
def installed() -> Path:
    """The folder that pip has installed the example into; nothing is downloaded."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    words = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation"]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *words, "--target", str(folder), str(EXAMPLE)],
        env={**os.environ, "PIP_NO_INDEX": "1"},
        check=True,
    )
    return folder


@cache
def example() -> Plugins:
    """The example, loaded from where it is installed."""
    sys.path.append(str(installed()))
    return load_plugins([KPI], measurement_timeout_s=60, import_timeout_s=10)


def kpi() -> ProviderType:
    """The example's type, as the gateway uses it."""
    return guarded(example().kinds[KPI], example().guard(KPI), example().threads(KPI))


def with_example() -> Any:
    """All types of a gateway that has the example."""
    return provider_types(JobRules(), example())


# Whatever asks for the type installs it first, and not before.
PROVIDERS: Final = {
    **{name: kind for name, kind in providers.PROVIDERS.items() if name != "plugin"},
    KPI: ProviderType(
        check=lambda block: kpi().check(block),
        parse=lambda block, surroundings: kpi().parse(block, surroundings),
    ),
}
"""All types that have a block of their own, with the example for all that are plugins."""


def distribution(folder: Path, plugin: str, source: str, *, module: str = "") -> None:
    """A distribution with one module and one entry point, as an installer leaves it behind."""
    module = module or "plugin_" + plugin.replace("/", "_").replace("-", "_")
    (folder / f"{module}.py").write_text(source)
    info = folder / f"{module}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1\n")
    entry = f"[analysis_gateway.providers]\n{plugin} = {module}:TYPE\n"
    (info / "entry_points.txt").write_text(entry)
