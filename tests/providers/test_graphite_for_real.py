"""graphite against a real Graphite: graphite-web 1.1.10 over whisper files."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from backends import failure_text, world

from gateway.model import Reading, ResultType
from gateway.provider import Surroundings
from providers.graphite import parse

PYTHON = Path(sys.prefix) / "graphite" / "bin" / "python"
"""Of a virtual environment of its own: graphite-web wants an old Django."""
SERVER = Path(__file__).parents[1] / "graphite_server.py"
VALUES_BY_AGE_MIN = {
    "shop.cart.errs": {"3": 4, "2": 6.5},
    "shop.desk.errs": {"3": 1, "2": 0},
    "shop.big": {"2": 1e300},
    "shop.old": {"20": 7},
}


@pytest.fixture(name="graphite_url", scope="module")
def _graphite_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if not PYTHON.exists():
        pytest.skip(f"graphite-web is not installed: there is no {PYTHON}")
    folder = tmp_path_factory.mktemp("graphite")
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [str(PYTHON), str(SERVER), str(folder), json.dumps(VALUES_BY_AGE_MIN)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert port, (folder / "server.log").read_text()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate()


async def measured(url: str, query: str) -> Reading | str:
    """The reading, or the error's class and text."""
    async with world() as context:
        return await failure_text(
            parse({"address": url, "query": query}, Surroundings()).measure(context)
        )


def reading(*numbers: float, text: str) -> Reading:
    """A list of numbers."""
    return Reading(numbers, ResultType.FLOATS, text, is_empty=not numbers, outlives_error=True)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param(
            "target=shop.cart.errs&from=-10min",
            reading(4, 6.5, text="[4.000000,6.500000]"),
            id="gaps-before-and-behind",
        ),
        pytest.param(
            "\n  target=sumSeries(\n    shop.*.errs\n  )\n  &from=-10min&format=png\n",
            reading(5, 6.5, text="[5.000000,6.500000]"),
            id="a-function-over-lines-and-another-format",
        ),
        pytest.param(
            "target=alias(shop.desk.errs,'the+desk')&target=shop.cart.errs&from=-10min",
            reading(1, 0, text="[1.000000,0.000000]"),
            id="the-first-of-two-targets",
        ),
        pytest.param("target=shop.old&from=-10min", reading(text="[]"), id="only-gaps"),
        pytest.param(
            "target=shop.cart.nothing&from=-10min",
            "ProviderUnreadable: no values found",
            id="no-such-series",
        ),
        pytest.param("from=-10min", "ProviderUnreadable: no values found", id="no-target"),
        pytest.param(
            "target=sumSeries(&from=-10min",
            "ProviderUnreadable: no values found",
            id="a-target-that-cannot-be-read",
        ),
        pytest.param(
            "target=scale(shop.big,1e100)&from=-10min",
            "ProviderUnreadable: json: cannot unmarshal number 1e9999 into Go value"
            " of type float64",
            id="infinity",
        ),
        pytest.param(
            "target=nosuch(shop.cart.errs)&from=-10min",
            "ProviderRejected: error response: Invalid parameters (Received request for unknown"
            ' function: nosuch); targets: "nosuch(shop.cart.errs)"',
            id="no-such-function",
        ),
    ],
)
async def test_a_real_graphite_is_understood(
    graphite_url: str, query: str, expected: Reading | str
) -> None:
    """What it answers is read as Argo would read it."""
    assert await measured(graphite_url, query) == expected


async def test_a_page_with_a_traceback_is_cut(graphite_url: str) -> None:
    """graphite-web answers a wrong call of a function with a page of its own source code."""
    got = await measured(graphite_url, "target=summarize(shop.cart.errs)&from=-10min")
    assert isinstance(got, str)
    assert got.startswith('ProviderRejected: error response: <body style="')
    assert len(got) < 4_200
