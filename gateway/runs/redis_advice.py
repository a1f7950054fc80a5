"""What a Redis would do to runs that its owner may not want."""

from collections.abc import Iterator, Mapping
from typing import Final

from redis.asyncio import Redis

from gateway.runs.patient_calls import PatientCalls

_DROPS_ANYTHING: Final = "allkeys-"


async def redis_advice(redis: Redis) -> tuple[str, ...]:
    """What should be changed before runs are trusted to this Redis, a sentence each.

    Raises:
        StoreUnavailable: it does not say how it is set up.

    """
    info: Mapping[str, object] = await PatientCalls(redis).call(redis.info)
    return tuple(_advice(info))


def _advice(info: Mapping[str, object]) -> Iterator[str]:
    policy = str(info.get("maxmemory_policy", ""))
    if info.get("maxmemory") and policy.startswith(_DROPS_ANYTHING):
        yield (
            f"Redis drops any key when its memory is full (maxmemory-policy {policy}), runs among"
            " them; use noeviction or a volatile- policy"
        )
    if not info.get("aof_enabled"):
        yield "Redis has no append-only file: its restart loses runs; use appendonly yes"
