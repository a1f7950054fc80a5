"""What a measurement may use of the world, in a test."""

from collections.abc import AsyncIterator, Awaitable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from gateway.errors import ProviderError
from gateway.model import Reading
from gateway.provider import Context
from gateway.upstreams.http_client import HttpClient
from gateway.upstreams.tokens import TokenCache

NOW_UNIX_S: Final = 1_700_000_000.25


async def failure_text(reading: Awaitable[Reading]) -> Reading | str:
    """A measurement's reading, or its error's class and text."""
    try:
        return await reading
    except ProviderError as error:
        return f"{type(error).__name__}: {error}"


@contextmanager
def context_threads() -> Iterator[ThreadPoolExecutor]:
    """The threads of a context, joined at the end."""
    with ThreadPoolExecutor(max_workers=2) as threads:
        yield threads


@asynccontextmanager
async def world(
    *, now_unix_s: float = NOW_UNIX_S, max_body_bytes: int = 10 * 1024 * 1024
) -> AsyncIterator[Context]:
    """What measurements may use: a real client, a fixed clock, a fresh token cache."""
    with context_threads() as threads:
        async with HttpClient(max_body_bytes=max_body_bytes) as http:
            yield Context(http, lambda: now_unix_s, TokenCache(), threads)
