"""What ``make dist`` builds: the source archive, and the wheel, which is built from that alone."""

import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("gateway", "providers")
FOLDERS = (*PACKAGES, "tests", "examples", "docs", "tools", "docker", "charts")
SINGLE = {".ci/run", ".dockerignore", "CHANGELOG.md", "LICENSE", "Makefile", "README.md"}


@dataclass(frozen=True)
class Built:
    """The names of the files in both."""

    wheel: set[str]
    archive: set[str]


@pytest.fixture(name="built", scope="module")
def _built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    (archive,) = folder.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as packed, tarfile.open(archive) as tar:
        names = packed.namelist()
        files = [PurePosixPath(each.name).parts[1:] for each in tar if each.isfile()]
    return Built(set(names), {"/".join(parts) for parts in files})


def kept(folders: Iterable[str]) -> set[str]:
    """The files that git keeps in some folders."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *folders]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip("these sources are not in git")
    return {name for name in done.stdout.splitlines() if (ROOT / name).exists()}


def test_the_wheel_has_the_packages_and_nothing_else(built: Built) -> None:
    """Pages, the OpenAPI document and licences with them."""
    packaged = {name for name in built.wheel if ".dist-info/" not in name}
    assert packaged == kept(PACKAGES)
    about = {PurePosixPath(name).name for name in built.wheel - packaged}
    assert about == {"METADATA", "WHEEL", "entry_points.txt", "RECORD", "LICENSE", "uPlot.LICENSE"}


def test_from_the_source_archive_all_can_be_made_again(built: Built) -> None:
    """Image, chart, tests and documents."""
    assert built.archive >= kept(FOLDERS) | SINGLE
