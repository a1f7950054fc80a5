"""What a Redis is told to do better before runs are trusted to it."""

import pytest
from redis.asyncio import Redis
from redis_server import StartRedis

from gateway.runs.redis_advice import redis_advice

AOF = "Redis has no append-only file: its restart loses runs; use appendonly yes"
FULL = (
    "Redis drops any key when its memory is full (maxmemory-policy allkeys-lru), runs among them;"
    " use noeviction or a volatile- policy"
)


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        pytest.param([], (AOF,), id="nothing-on-disk"),
        pytest.param(["--appendonly", "yes"], (), id="nothing-to-be-said"),
        pytest.param(
            ["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"],
            (FULL, AOF),
            id="a-cache-that-forgets",
        ),
        pytest.param(
            ["--appendonly", "yes", "--maxmemory", "100mb", "--maxmemory-policy", "volatile-ttl"],
            (),
            id="only-what-has-a-time-to-live-goes",
        ),
        pytest.param(
            ["--appendonly", "yes", "--maxmemory-policy", "allkeys-lru"],
            (),
            id="a-memory-without-limit-is-never-full",
        ),
    ],
)
async def test_advice(start_redis: StartRedis, options: list[str], advice: tuple[str, ...]) -> None:
    """By what the server says of itself."""
    server = start_redis(*options)
    async with Redis(unix_socket_path=str(server.socket)) as redis:
        assert await redis_advice(redis) == advice
