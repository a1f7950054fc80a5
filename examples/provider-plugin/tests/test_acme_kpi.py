"""acme/kpi keeps the contract that the gateway's own providers keep, and reads what it should."""

import asyncio

import pytest
from acme_kpi import TYPE, KpiProvider, parse

from gateway.model import Reading, ResultType
from gateway.provider import FoundSecret, Surroundings
from gateway.secrets import Secret
from gateway.testing import BACKENDS, Play, backend, failure_text, world


def kpi(url: str) -> KpiProvider:
    """A figure of a service, with the shortest time limit."""
    return parse({"address": url, "kpi": "orders", "timeoutSeconds": 1}, Surroundings())


@pytest.mark.parametrize("fault", BACKENDS)
async def test_a_fault_is_an_error_in_time(fault: str) -> None:
    """Whatever the service does, no value comes of it, and no other exception."""
    async with BACKENDS[fault]() as url, world() as context, asyncio.timeout(3):
        assert isinstance(await failure_text(kpi(url).measure(context)), str)


async def test_a_measurement_can_be_cancelled() -> None:
    """Cancelling is not swallowed."""
    async with BACKENDS["hangs"]() as url, world() as context:
        task = asyncio.create_task(kpi(url).measure(context))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def test_a_block_is_checked() -> None:
    """Texts may hold arguments; a misspelt field is told with what was meant."""
    assert TYPE.check({"kpi": "{{args.kpi}}"}) == []
    assert TYPE.check({"kpi": "a", "adress": ""}) == [
        ("adress", "unknown field; did you mean address?")
    ]


@pytest.mark.parametrize(
    ("figure", "outcome"),
    [
        pytest.param("412", Reading(412.0, ResultType.FLOAT, "412"), id="a-number"),
        pytest.param("", Reading(None, ResultType.FLOAT, "", is_empty=True), id="no-data"),
        pytest.param(
            "many", "ProviderUnreadable: the figure is no number: 'many'", id="not-a-number"
        ),
    ],
)
async def test_a_figure_is_read(figure: str, outcome: Reading | str) -> None:
    """What the service says is the result; nothing is never 0."""
    async with backend(Play(f"name,value\norders,{figure}\n")) as service, world() as context:
        assert await failure_text(kpi(service.url).measure(context)) == outcome


async def test_the_token_goes_to_its_own_address() -> None:
    """Both come from the Secret, and no repr shows either."""
    async with backend(Play("orders,412\n")) as service, world() as context:
        keys = {"address": Secret(service.url), "token": Secret("hush")}
        found = Surroundings(secret=FoundSecret("analysis/acme-kpi", keys))
        provider = parse({"kpi": "orders"}, found)
        await provider.measure(context)
    (request,) = service.requests
    assert (request.target, request.headers["Authorization"]) == ("/kpis.csv", "Bearer hush")
    assert "hush" not in repr(provider)
