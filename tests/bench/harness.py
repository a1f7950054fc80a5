"""Processes, load and readings that the benchmarks share."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ASK_AGAIN_S = 0.005
STARTED_WITHIN_S = 30
TEMPLATE = """\
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: bench}
spec:
  args: [{name: ingress, value: demo}]
  metrics:
    - name: success-rate
      successCondition: result[0] >= 0.95
      provider:
        prometheus:
          address: UPSTREAM
          query: up{ingress="{{args.ingress}}"}
"""
VERDICT = "/v1/namespaces/default/analysistemplates/bench/verdict"


@dataclass(frozen=True, slots=True)
class Server:
    """A process that answers HTTP."""

    pid: int
    url: str

    def family(self) -> list[int]:
        """The process and its descendants, such as the gateway's private Redis."""
        pids = [self.pid]
        for pid in pids:
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                pids.extend(int(child) for child in children.read_text().split())
        return pids

    def cpu_s(self) -> float:
        """The processor seconds that the process itself has used so far."""
        return cpu_s(self.pid)


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float


def cpu_s(pid: int) -> float:
    """User and system seconds of one process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid: int) -> float:
    """The resident memory of one process, in megabytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def name_of(pid: int) -> str:
    """What the kernel calls the process."""
    return Path(f"/proc/{pid}/comm").read_text().strip()


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def get(url: str) -> str:
    """The body of an answer with a status below 400."""
    with urllib.request.urlopen(url, timeout=10) as response:
        return str(response.read().decode())


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Return when the address gives a good answer; TimeoutError if the process never does."""
    give_up = time.monotonic() + STARTED_WITHIN_S
    while time.monotonic() < give_up and process.poll() is None:
        try:
            get(url)
        except (OSError, urllib.error.URLError):
            time.sleep(ASK_AGAIN_S)
        else:
            return
    raise TimeoutError(
        f"{url} gave no good answer within {STARTED_WITHIN_S} s, or its server ended"
    )


@contextmanager
def serving(command: Iterable[str], *, port: int, ready: str) -> Iterator[Server]:
    """Start a process, wait until it answers, and stop it at the end."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(tuple(command), stdout=log, stderr=log)
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for(url + ready, process)
            yield Server(process.pid, url)
        except TimeoutError as error:
            log.seek(0)
            error.add_note(log.read().decode()[-2000:])
            raise
        finally:
            process.send_signal(2)
            process.wait(STARTED_WITHIN_S)


def reference(name: str, *arguments: str, ready: str = "/") -> AbstractContextManager[Server]:
    """One of the reference servers of ``servers.py``."""
    port = free_port()
    command = (sys.executable, str(HERE / "servers.py"), name, str(port), *arguments)
    return serving(command, port=port, ready=ready)


def gateway(
    upstream: str, state: Path, *flags: str, ready: str = "/readyz"
) -> AbstractContextManager[Server]:
    """A gateway with one template, whose Prometheus is ``upstream``; its files go to ``state``."""
    templates = state / "templates"
    templates.mkdir(parents=True, exist_ok=True)
    (templates / "bench.yaml").write_text(TEMPLATE.replace("UPSTREAM", upstream))
    port = free_port()
    command = (
        *(str(Path(sys.executable).with_name("analysis-gateway")), "serve"),
        *("--port", str(port), "--templates", str(templates), "--state", str(state / "state")),
        *flags,
    )
    return serving(command, port=port, ready=ready)


def wrk(url: str, *, seconds: int, script: str = "") -> Load:
    """Load from one thread over 64 connections; an answer other than 2xx is a RuntimeError."""
    program = shutil.which("wrk")
    if program is None:
        raise RuntimeError("wrk is missing: make bench installs it")
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as lua:
        lua.write(script)
        lua.flush()
        command = (program, "-t1", "-c64", f"-d{seconds}s", "--latency", "-s", lua.name, url)
        process = subprocess.run(command, check=False, capture_output=True, text=True)
    report = process.stdout + process.stderr
    if process.returncode != 0 or "Non-2xx" in report or "Socket errors" in report:
        raise RuntimeError(f"{url} did not answer well under load:\n{report}")
    return Load(
        requests_per_s=float(re.findall(r"Requests/sec:\s+([\d.]+)", report)[0]),
        p50_ms=_milliseconds(report, "50%"),
        p99_ms=_milliseconds(report, "99%"),
    )


def _milliseconds(report: str, percentile: str) -> float:
    number, unit = re.findall(rf"{percentile}\s+([\d.]+)(us|ms|s)", report)[0]
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def table(title: str, head: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Print rows under a title, columns aligned."""
    cells = [list(head), *([str(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    print(f"\n{title}")
    for row in cells:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
