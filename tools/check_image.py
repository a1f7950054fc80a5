"""Do by hand what docker/Dockerfile says, and look at the outcome as a container would see it.

No container engine is needed, only root on Linux: everything happens in a mount namespace of its
own, where /opt and /var/lib are folders of this check. The first stage is carried out as it stands.
Of the second stage the files, the environment, the user and the commands are used; what it installs
from Debian must be on this machine. The service then runs as the image's user, on a read-only root,
without capabilities. At the end some tests run against what was installed, where the sources cannot
be imported.

Usage: python tools/check_image.py [--without-tests]
"""

import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dockerfile import Stage, environment, read_stages

ROOT: Final = Path(__file__).resolve().parents[1]
PYTHON: Final = Path("/opt/python")
PREFIX: Final = Path("/opt/analysis-gateway")
STATE: Final = Path("/var/lib/analysis-gateway")
INSIDE: Final = "CHECK_IMAGE_FOLDER"
READY_WITHIN_S: Final = 30
SHOWN_PACKAGES: Final = 12
TESTS: Final = (
    "tests/cli/test_words.py",
    "tests/service/test_verdict_calls.py",
    "tests/service/test_run_calls.py",
    "tests/web/test_pages.py",
)
TEMPLATE: Final = """
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {{name: color}}
spec:
  metrics:
    - name: color
      successCondition: result == "green"
      provider: {{web: {{url: "{url}"}}}}
"""


class CheckFailed(Exception):
    """The image would not do; the text says why."""


def carry_out(stage: Stage) -> None:
    """Do what the first stage says."""
    folder = Path(stage.last("WORKDIR"))
    folder.mkdir(parents=True)
    for text in stage.all("COPY"):
        copy(text, ROOT, folder)
    # As in the image, everybody may read the interpreter, wherever this machine has it.
    PYTHON.mkdir()
    mount("--bind", sys.base_prefix, str(PYTHON))
    environ = {**os.environ, "PATH": f"{PYTHON}/bin:{os.environ['PATH']}"}
    # Of its variables there is one that keeps layers small: it is of no use here.
    for text in stage.all("RUN"):
        subprocess.run(["/bin/sh", "-c", text], cwd=folder, env=environ, check=True)


def copy(text: str, context: Path, folder: Path) -> None:
    """What COPY does."""
    *sources, target = text.split()
    for source in sources:
        place, goal = context / source, folder / target
        if place.is_dir():
            shutil.copytree(place, goal, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            goal = goal / place.name if target.endswith("/") else goal
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(place, goal)


def mount(*words: str) -> None:
    """Mount within this namespace."""
    subprocess.run(["mount", *words], check=True)


def as_read_only(user: str) -> None:
    """Nothing can be written but the state folder and /tmp, as in a container that is read-only."""
    mount("-o", "remount,bind,ro", "/opt")
    mount("-t", "tmpfs", "tmpfs", "/var/lib")
    STATE.mkdir(mode=0o700)
    uid, _, gid = user.partition(":")
    os.chown(STATE, int(uid), int(gid))
    mount("-t", "tmpfs", "tmpfs", "/tmp")
    mount("-o", "remount,bind,ro", "/")


def confined(user: str) -> list[str]:
    """The words before a command that make it run as the image's user, with no rights."""
    uid, _, gid = user.partition(":")
    words = ["setpriv", "--reuid", uid, "--regid", gid, "--clear-groups", "--no-new-privs"]
    return [*words, "--bounding-set=-all", "--inh-caps=-all"]


class Green(http.server.BaseHTTPRequestHandler):
    """What is judged."""

    def do_GET(self) -> None:
        """A colour."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'"green"')

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def backend() -> Iterator[str]:
    """The URL of what is judged."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Green) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port: int = place.getsockname()[1]
        return port


def ask(url: str) -> dict[str, object] | None:
    """The verdict at a URL; None if nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            verdict: dict[str, object] = json.load(answer)
            return verdict
    except OSError:
        return None


def serve(stage: Stage, templates: Path) -> None:
    """Start the service as the image does, until it has given a verdict and has stopped."""
    port, user, environ = free_port(), stage.last("USER"), environment(stage)
    # A Python that was built with a shared library looks for it where it was built, in vain.
    environ["LD_LIBRARY_PATH"] = f"{PYTHON}/lib"
    environ["HEALTH_URL"] = f"http://127.0.0.1:{port}/healthz"
    command = json.loads(stage.last("ENTRYPOINT")) + json.loads(stage.last("CMD"))
    command += ["--templates", str(templates), "--port", str(port)]
    path = "/v1/namespaces/default/analysistemplates/color/verdict"
    began_s = time.monotonic()
    with subprocess.Popen([*confined(user), *command], env=environ, cwd=STATE) as process:
        try:
            while (verdict := ask(f"http://127.0.0.1:{port}{path}")) is None:
                if process.poll() is not None or time.monotonic() - began_s > READY_WITHIN_S:
                    raise CheckFailed("the service gave no verdict")
                time.sleep(0.01)
            took_s = time.monotonic() - began_s
            if verdict["phase"] != "Successful":
                raise CheckFailed(f"the verdict is {verdict}")
            check_health(stage, environ)
        finally:
            process.send_signal(signal.SIGINT)
    if process.returncode != 0:
        raise CheckFailed(f"the service ended with {process.returncode}")
    say(f"from exec to the first verdict: {took_s:.2f} s, a private Redis included")


def check_health(stage: Stage, environ: Mapping[str, str]) -> None:
    """The HEALTHCHECK's command says yes, and says no where nobody listens."""
    command = json.loads(stage.last("HEALTHCHECK").partition("CMD ")[2])
    words = [*confined(stage.last("USER")), *command]
    wrong = {**environ, "HEALTH_URL": f"http://127.0.0.1:{free_port()}/healthz"}
    codes = [
        subprocess.run(words, env=each, check=False, capture_output=True).returncode
        for each in (environ, wrong)
    ]
    if codes != [0, 1]:
        raise CheckFailed(f"the health check ended with {codes}, not with 0 and 1")


def check_nothing_can_be_written(user: str) -> None:
    """Neither the programs nor the rest, and root has no way back."""
    for place in (PREFIX / "x", Path("/etc/x"), Path("/opt/x")):
        done = subprocess.run(
            [*confined(user), "touch", str(place)], check=False, capture_output=True
        )
        if done.returncode == 0:
            raise CheckFailed(f"{place} could be written")


def show_sizes() -> None:
    """What is in the folder, the largest first."""
    packages = next(PREFIX.glob("lib/python3*/site-packages"))
    sizes = {each.name: size(each) for each in packages.iterdir()}
    largest = sorted(sizes, key=lambda name: -sizes[name])[:SHOWN_PACKAGES]
    say(f"{PREFIX}: {size(PREFIX) / 1e6:.1f} MB; the largest packages in it:")
    for name in largest:
        say(f"  {sizes[name] / 1e6:6.1f} MB  {name}")


def size(place: Path) -> int:
    """Bytes of all files."""
    files = [place] if place.is_file() else place.rglob("*")
    return sum(each.lstat().st_size for each in files if not each.is_dir())


def run_tests(folder: Path, libraries: Sequence[str]) -> None:
    """Tests in a folder without the sources, with the locked packages; pytest comes last."""
    for name in ("tests", "examples", "docs"):
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "bench")
        )
    for name in ("pyproject.toml", "README.md", "CHANGELOG.md"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "run.py").write_text(
        "import sys\n"
        f"sys.path = [each for each in sys.path if each != {str(folder)!r}] + {list(libraries)!r}\n"
        "import gateway, pytest\n"
        f"assert gateway.__file__.startswith({str(PREFIX)!r}), gateway.__file__\n"
        "sys.exit(pytest.main(sys.argv[1:]))\n"
    )
    options = ["-q", "-W", "error", "-p", "no:cacheprovider"]
    command = [str(PREFIX / "bin/python"), str(folder / "run.py"), *options, *TESTS]
    if subprocess.run(command, cwd=folder, check=False).returncode != 0:
        raise CheckFailed("tests failed against what was installed")


def say(text: str) -> None:
    """A line of the report."""
    print(f"check-image: {text}", flush=True)


def check_inside(folder: Path, *, with_tests: bool) -> None:
    """All checks, in a mount namespace."""
    (folder / "opt").mkdir()
    mount("--bind", str(folder / "opt"), "/opt")
    build, final = read_stages((ROOT / "docker/Dockerfile").read_text())
    carry_out(build)
    for text in final.all("COPY"):
        if not text.startswith("--from="):
            copy(text, ROOT, Path("/"))
    shutil.rmtree(build.last("WORKDIR"))
    templates = Path("/opt/templates")
    templates.mkdir()
    show_sizes()
    if with_tests:
        tests = Path("/opt/tests")
        tests.mkdir()
        run_tests(tests, [each for each in sys.path if each.endswith("site-packages")])
        shutil.rmtree(tests)
    with backend() as url:
        (templates / "color.yaml").write_text(TEMPLATE.format(url=url))
        as_read_only(final.last("USER"))
        check_nothing_can_be_written(final.last("USER"))
        serve(final, templates)
    say("the image's user can write nothing outside of its state, and the service works")


def main() -> None:
    """Enter a mount namespace, and check there."""
    with_tests = "--without-tests" not in sys.argv[1:]
    if INSIDE in os.environ:
        try:
            check_inside(Path(os.environ[INSIDE]), with_tests=with_tests)
        except (CheckFailed, subprocess.CalledProcessError) as error:
            sys.exit(f"check-image: {error}")
        return
    if os.geteuid() != 0:
        sys.exit("check-image: mounts need root: run it with sudo, or in a container")
    with tempfile.TemporaryDirectory() as folder:
        command = ["unshare", "--mount", sys.executable, __file__, *sys.argv[1:]]
        environ = {**os.environ, INSIDE: folder}
        # Whoever else is on the machine may not read it: the image's user must.
        Path(folder).chmod(0o755)
        sys.exit(subprocess.run(command, env=environ, check=False).returncode)


if __name__ == "__main__":
    main()
