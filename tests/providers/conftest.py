"""A real Prometheus that scrapes a tiny exporter of the tests, and an AWS account."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from aws_account import aws_account
from prometheus_server import prometheus, wait_for

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


@pytest.fixture(name="prometheus_url", scope="session")
def _prometheus_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("prometheus")
    with (
        _exporter() as target,
        prometheus(folder, SCRAPE.format(target=target)) as server,
    ):
        wait_for(server, "count_over_time(busy[1m]) > 1")
        yield server.url


@pytest.fixture(name="aws")
def _aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Credentials in the environment."""
    with aws_account(tmp_path, monkeypatch):
        yield
