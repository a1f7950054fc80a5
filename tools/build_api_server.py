"""Build a kube-apiserver for the tests marked ``kubernetes``, and put etcd beside it.

Usage: python tools/build_api_server.py FOLDER [VERSION]; then KUBEBUILDER_ASSETS=FOLDER make test.
Needs Go and an etcd on PATH (Debian: etcd-server); takes some minutes, and 3 GB while it builds.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

DEFAULT_VERSION = "1.34.4"
MODULE = "k8s.io/kubernetes"
SERVER = f"{MODULE}/cmd/kube-apiserver"
# Kubernetes replaces these by folders of its own, which its module lacks; they are modules, too.
STAGED = re.compile(r"^\s*(k8s\.io/[\w.-]+) => \./staging", re.MULTILINE)


def main(folder: Path, version: str) -> None:
    """Build in a module of its own that only names what is wanted."""
    etcd = shutil.which("etcd")
    if etcd is None:
        sys.exit("there is no etcd on PATH; on Debian: apt-get install etcd-server")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        described = _go(place, "mod", "download", "-json", f"{MODULE}@v{version}")
        original = Path(json.loads(described)["GoMod"]).read_text(encoding="utf-8")
        _write_module(Path(place), original, version)
        _go(place, "mod", "tidy", "-e")
        flags = f"-X k8s.io/component-base/version.gitVersion=v{version}"
        _go(place, "build", "-ldflags", flags, "-o", str(folder.resolve()), SERVER)
    link = folder / "etcd"
    link.unlink(missing_ok=True)
    link.symlink_to(etcd)
    print(f"KUBEBUILDER_ASSETS={folder.resolve()}")  # noqa: T201 - for who typed the command


def _write_module(place: Path, original: str, version: str) -> None:
    minor = version.partition(".")[2]
    go_lines = re.findall(r"^(?:go|godebug) .*$", original, re.MULTILINE)
    replaced = [f"\t{name} => {name} v0.{minor}" for name in sorted(set(STAGED.findall(original)))]
    lines = ["module api-server", *go_lines, f"require {MODULE} v{version}"]
    lines += ["replace (", *replaced, ")", ""]
    (place / "go.mod").write_text("\n".join(lines), encoding="utf-8")
    (place / "wanted.go").write_text(
        f'//go:build wanted\n\npackage wanted\n\nimport _ "{SERVER}"\n', encoding="utf-8"
    )


def _go(place: str, *words: str) -> str:
    environ = {**os.environ, "GOFLAGS": "-mod=mod -buildvcs=false"}
    command = ["go", *words]
    done = subprocess.run(  # noqa: S603 - Go from PATH, as for every build
        command, cwd=place, env=environ, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else DEFAULT_VERSION)  # noqa: PLR2004
