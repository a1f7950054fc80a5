"""The servers and the world of ``gateway.testing``, and what only the gateway's own tests want."""

import pytest

from gateway.errors import ProviderError
from gateway.provider import HttpRequest, NoAnswer
from gateway.testing import (
    NOW_UNIX_S,
    Backend,
    Play,
    Recorded,
    backend,
    context_threads,
    failure_text,
    raw_server,
    saying,
    world,
)
from gateway.upstreams.http_client import HttpClient

__all__ = [
    "NOW_UNIX_S",
    "Backend",
    "Play",
    "Recorded",
    "backend",
    "context_threads",
    "failure_of",
    "failure_text",
    "raw_server",
    "saying",
    "world",
]


async def failure_of(client: HttpClient, request: HttpRequest, timeout_s: float = 5) -> str:
    """What a failing request ends with: the error's class, stage and text."""
    with pytest.raises(ProviderError) as caught:
        await client.send(request, timeout_s=timeout_s)
    error = caught.value
    stage = f" {error.stage.value}" if isinstance(error, NoAnswer) else ""
    return f"{type(error).__name__}{stage}: {error}"
