"""A real Prometheus for tests, with a configuration of theirs."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from redis_server import free_ports


@dataclass(frozen=True)
class Prometheus:
    """One that listens."""

    url: str

    def get(self, path: str, **params: str | list[str]) -> Any:
        """The data of an answer of the API."""
        query = urlencode(params, doseq=True)
        with urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=10) as answer:
            return json.load(answer)["data"]

    def has(self, query: str) -> bool:
        """Whether a query gives data now; False while nobody listens yet."""
        try:
            return bool(self.get("query", query=query)["result"])
        except OSError:
            return False


@contextmanager
def prometheus(folder: Path, config: str) -> Iterator[Prometheus]:
    """A Prometheus that may still be starting; the test is skipped where there is none."""
    binary = shutil.which("prometheus")
    if binary is None:
        pytest.skip("Debian's package prometheus is not installed")
    address = f"127.0.0.1:{free_ports(1)[0]}"
    (folder / "prometheus.yml").write_text(config)
    process = subprocess.Popen(
        [
            binary,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={address}",
            "--log.level=error",
        ]
    )
    try:
        yield Prometheus(f"http://{address}")
    finally:
        process.terminate()
        process.wait()


def wait_for(server: Prometheus, query: str, *, within_s: float = 30.0) -> None:
    """Return once a query gives data."""
    deadline_s = time.monotonic() + within_s
    while not server.has(query):
        assert time.monotonic() < deadline_s, f"prometheus has nothing for {query}"
        time.sleep(0.1)
