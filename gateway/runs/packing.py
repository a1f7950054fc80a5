"""Events as Redis has them: deflated, each by itself, against the words that all of them share.

A run keeps hundreds of events and there are tens of thousands of runs: as plain JSON they would
take more memory than all else together, five times as much as like this.
"""

import zlib
from collections.abc import Mapping
from typing import Final

import orjson

_WINDOW_BITS: Final = 12
_MEMORY_LEVEL: Final = 4
# What comes most often stands last. Events that were written with other words cannot be read: a
# new text here needs a new name for the streams.
_WORDS: Final = (
    b'"runSummary":{"count":1,"successful":1,"failed":1,"inconclusive":1,"error":1},"dryRunSummary"'
    b':{},"metadata":{"warnings":""},"dryRun":false,"resumeAt":"phase":"Pending","message":"",'
    b'"Inconclusive","Error","Failed"{"metric":"success-rate","phase":"Running","measurement":{'
    b'"phase":"Successful","startedAt":"2026-01-01T00:00:00.000Z","finishedAt":"2026-01-01T00:00:'
    b'00.000Z","value":"[0."},"count":1,"successful":1,"failed":0,"inconclusive":0,"error":0,'
    b'"consecutiveError":0,"consecutiveSuccess":1}'
)


def pack(data: Mapping[str, object]) -> bytes:
    """JSON-ready data to bytes."""
    deflate = zlib.compressobj(
        1, zlib.DEFLATED, _WINDOW_BITS, _MEMORY_LEVEL, zlib.Z_DEFAULT_STRATEGY, _WORDS
    )
    return deflate.compress(orjson.dumps(data)) + deflate.flush()


def unpack(packed: bytes) -> Mapping[str, object]:
    """The reverse. Raises ValueError for what ``pack`` did not make."""
    try:
        inflate = zlib.decompressobj(_WINDOW_BITS, _WORDS)
        data = orjson.loads(inflate.decompress(packed))
    except zlib.error as error:
        raise ValueError(f"an event is not packed as this gateway does it: {error}") from None
    if not isinstance(data, dict):
        raise ValueError("an event is no object")  # noqa: TRY004 - of Redis, not of the caller
    return data
