"""influxdb against a real InfluxDB: 1.8, which answers Flux where InfluxDB 2 does.

``go install github.com/influxdata/influxdb/cmd/influxd@v1.8.3`` makes one, in a minute or two.
Debian's is too old for Flux.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from backends import failure_text, world

from gateway.model import Reading, ResultType, Typed
from gateway.provider import FoundSecret, Surroundings
from gateway.secrets import Secret
from providers.influxdb import parse

POINTS = """\
m,host=a v=0.5,n=3i,b=true 1700000000123456789
m,host=b v=1234567 1700000001000000000
t s="he said \\"hi\\", and
left" 1700000000000000000
"""
START_S = 60
"""Its Flux takes a while to be ready."""
SINCE = 'from(bucket: "b") |> range(start: 2023-11-14T00:00:00Z)'


def environ(folder: Path, port: int) -> dict[str, str]:
    """The settings of a server that keeps to itself."""
    names = {
        "META_DIR": str(folder / "meta"),
        "DATA_DIR": str(folder / "data"),
        "DATA_WAL_DIR": str(folder / "wal"),
        "BIND_ADDRESS": "127.0.0.1:0",
        "HTTP_BIND_ADDRESS": f"127.0.0.1:{port}",
        "HTTP_FLUX_ENABLED": "true",
        "HTTP_LOG_ENABLED": "false",
        "MONITOR_STORE_ENABLED": "false",
        "REPORTING_DISABLED": "true",
    }
    return {**os.environ, **{f"INFLUXDB_{name}": value for name, value in names.items()}}


def told(url: str, data: str) -> None:
    """Tell the server something."""
    with urlopen(Request(url, data.encode()), timeout=5):
        pass


def wait_until_it_listens(url: str, process: subprocess.Popen[bytes]) -> None:
    """Until it answers, or has given up."""
    until_s = time.monotonic() + START_S
    while True:
        assert process.poll() is None, "influxd has ended"
        assert time.monotonic() < until_s, f"influxd does not answer within {START_S} s"
        try:
            told(f"{url}/query", urlencode({"q": "CREATE DATABASE b"}))
        except (URLError, ConnectionError):
            time.sleep(0.1)
        else:
            return


@pytest.fixture(name="influxdb_url", scope="module")
def _influxdb_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    binary = shutil.which("influxd")
    if binary is None:
        pytest.skip(
            "there is no influxd on PATH;"
            " go install github.com/influxdata/influxdb/cmd/influxd@v1.8.3 makes one"
        )
    folder = tmp_path_factory.mktemp("influxdb")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen([binary], env=environ(folder, port), stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_it_listens(url, process)
        told(f"{url}/write?db=b", POINTS)
        yield url
    finally:
        process.kill()
        process.wait()


async def measured(url: str, query: str) -> Reading | str:
    """The reading, or the error's class and text."""
    content = {"address": url, "authToken": "user:password", "org": "-"}
    found = FoundSecret("own/influxdb", {key: Secret(text) for key, text in content.items()})
    async with world() as context:
        return await failure_text(
            parse({"query": query}, Surroundings(secret=found)).measure(context)
        )


def reading(*values: object, text: str) -> Reading:
    """A list of typed values."""
    return Reading(values, ResultType.TYPED, text)


def field(name: str) -> str:
    """A query of one field."""
    return f'{SINCE} |> filter(fn: (r) => r._field == "{name}")'


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param(field("v"), reading(0.5, 1234567.0, text="[0.5 1.234567e+06]"), id="doubles"),
        pytest.param(field("n"), reading(Typed("int64", "3"), text="[3]"), id="an-integer"),
        pytest.param(field("b"), reading(True, text="[true]"), id="a-truth-value"),  # noqa: FBT003 - a value
        pytest.param(
            field("s"),
            reading('he said "hi", and\nleft', text='[he said "hi", and\nleft]'),
            id="a-text-over-two-lines",
        ),
        pytest.param(
            f"{field('n')} |> map(fn: (r) => ({{_value: uint(v: r._value)}}))",
            reading(Typed("uint64", "3"), text="[3]"),
            id="an-unsigned-integer",
        ),
        pytest.param(
            f"{field('n')} |> map(fn: (r) => ({{_value: r._time}}))",
            reading(
                Typed("time.Time", "2023-11-14T22:13:20.123456789Z"),
                text="[2023-11-14 22:13:20.123456789 +0000 UTC]",
            ),
            id="a-time",
        ),
        pytest.param(
            f"{field('v')} |> group() |> max()",
            reading(1234567.0, text="[1.234567e+06]"),
            id="an-aggregate",
        ),
        pytest.param(
            field("nothing"),
            "ProviderUnreadable: no results returned from flux query",
            id="no-such-field",
        ),
        pytest.param(
            'from(bucket: "nothing") |> range(start: -1h)',
            "ProviderRejected: 500 Internal Server Error: failed to initialize execute state:"
            " no database",
            id="no-such-bucket",
        ),
        pytest.param(
            'from(bucket: "b") |> rang(start: -1h)',
            "ProviderRejected: 500 Internal Server Error: type error 1:22-1:26: undefined"
            ' identifier "rang"',
            id="a-misspelt-function",
        ),
    ],
)
async def test_a_real_influxdb_is_understood(
    influxdb_url: str, query: str, expected: Reading | str
) -> None:
    """What it answers is read as Argo would read it."""
    assert await measured(influxdb_url, query) == expected


async def test_all_results_are_read(influxdb_url: str) -> None:
    """One after the other, in an order that InfluxDB does not promise."""
    query = f'{field("v")} |> yield(name: "a")\n{field("n")} |> yield(name: "b")'
    got = await measured(influxdb_url, query)
    assert isinstance(got, Reading)
    assert got.text in {"[0.5 1.234567e+06 3]", "[3 0.5 1.234567e+06]"}


async def test_an_error_behind_records_is_told(influxdb_url: str) -> None:
    """In a table of its own, unless it came first: Argo judges the records of the first query."""
    broken = f"{field('n')} |> map(fn: (r) => ({{r with _value: r._value / 0}}))"
    query = f'{field("v")} |> yield(name: "a")\n{broken} |> yield(name: "b")'
    got = await measured(influxdb_url, query)
    assert isinstance(got, str)
    assert got.startswith("ProviderRejected: ")
    assert "failed to evaluate map function: cannot divide by zero" in got
