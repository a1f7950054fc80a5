"""The contract, tried by schemathesis: no input breaks it, none gives a 500."""

import asyncio
import threading
from collections.abc import Iterator
from importlib.resources import files

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from running import service
from schemathesis.specs.openapi import checks

schema = schemathesis.openapi.from_path(str(files("gateway.api").joinpath("openapi.yaml")))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A gateway in a thread of its own, since schemathesis does not wait asynchronously."""
    started = threading.Event()
    address: list[str] = []
    stop = asyncio.Event()
    loop = asyncio.new_event_loop()

    async def run() -> None:
        async with service(tmp_path_factory.mktemp("state"), verdicts={"wait": "1s"}) as gateway:
            address.append(gateway.url)
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    assert started.wait(10)
    yield address[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()


@schema.parametrize()
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_call_keeps_its_contract(case: schemathesis.Case, url: str) -> None:
    """Status, content type and body of every answer are as the contract says."""
    # What the schema allows may still be no duration or no template: those refusals are checked
    # by other tests, here it counts that every answer is one that the contract knows.
    case.call_and_validate(
        base_url=url,
        excluded_checks=[checks.positive_data_acceptance, checks.negative_data_rejection],
    )
