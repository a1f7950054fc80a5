"""The tests of connections run on the event loop that the gateway is run with."""

from collections.abc import Callable, Mapping

import uvloop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], uvloop.Loop]]:
    """Only uvloop: the other tests are run on asyncio's own."""
    return {"uvloop": uvloop.new_event_loop}
