"""A real Prometheus that scrapes a tiny exporter of the tests, and an AWS account."""

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from aws_account import aws_account

EXPOSITION = """\
# TYPE requests_total counter
requests_total{ingress="shop",status="200"} 90
requests_total{ingress="shop",status="500"} 10
requests_total{ingress="idle",status="200"} 0
# TYPE busy gauge
busy{pod="a",zone="x"} 1
busy{pod="b",zone="y"} 2
""" + "".join(f'many{{item="{letter}"}} 1\n' for letter in "abcdefgh")
SCRAPE = """\
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: exporter
    static_configs: [{{targets: ["{target}"]}}]
"""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _Exporter(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(EXPOSITION.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def _exporter() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Exporter) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _has_samples(url: str) -> bool:
    query = urlencode({"query": "count_over_time(busy[1m]) > 1"})
    try:
        with urlopen(f"{url}/api/v1/query?{query}", timeout=5) as answer:
            return bool(json.load(answer)["data"]["result"])
    except OSError:
        return False


@pytest.fixture(name="prometheus_url", scope="session")
def _prometheus_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    binary = shutil.which("prometheus")
    if binary is None:
        pytest.skip("Debian's package prometheus is not installed")
    folder = tmp_path_factory.mktemp("prometheus")
    address = f"127.0.0.1:{free_port()}"
    arguments = [
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--log.level=error",
    ]
    with _exporter() as target:
        (folder / "prometheus.yml").write_text(SCRAPE.format(target=target))
        process = subprocess.Popen([binary, *arguments])
        try:
            deadline_s = time.monotonic() + 30
            while not _has_samples(f"http://{address}"):
                assert time.monotonic() < deadline_s, "prometheus has not scraped in 30 s"
                time.sleep(0.1)
            yield f"http://{address}"
        finally:
            process.terminate()
            process.wait()


@pytest.fixture(name="aws")
def _aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Credentials in the environment."""
    with aws_account(tmp_path, monkeypatch):
        yield
