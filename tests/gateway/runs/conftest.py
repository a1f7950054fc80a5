"""What tests of durable runs share."""

from collections.abc import AsyncIterator

import pytest
from kept_runs import store_on
from redis_server import RedisServer

from gateway.runs.store import RunStore


@pytest.fixture
async def store(redis_server: RedisServer) -> AsyncIterator[RunStore]:
    """A store on a Redis of its own."""
    async with store_on(redis_server) as kept:
        yield kept
