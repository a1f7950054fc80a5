"""Events as Redis has them: deflated, each by itself, against the words that all of them share.

A run keeps hundreds of events and there are tens of thousands of runs: as plain JSON they would
take more memory than all else together, five times as much as like this.
"""

import zlib
from typing import Final

import orjson

from gateway.run_events import Event

_WINDOW_BITS: Final = 12
_MEMORY_LEVEL: Final = 4
# What comes most often stands last. Events that were written with other words cannot be read: a
# new text here needs a new name for the keys of events.
_WORDS: Final = (
    b'["end",{"phase":"Failed","message":"","runSummary":{"count":1,"successful":1,"failed":1,'
    b'"inconclusive":1,"error":1},"dryRunSummary":{}}]["phase",{"phase":"Pending","message":""}]'
    b'["metric",{"metric":"","phase":"Inconclusive","message":"","dryRun":false}]'
    b'"metadata":{"warnings":""},"resumeAt":"Error"'
    b'["measurement",{"metric":"success-rate","phase":"Running","measurement":{'
    b'"phase":"Successful","startedAt":"2026-01-01T00:00:00.000Z","finishedAt":"2026-01-01T00:00:'
    b'00.000Z","value":"[0."},"count":1,"successful":1,"failed":0,"inconclusive":0,"error":0,'
    b'"consecutiveError":0,"consecutiveSuccess":1}]'
)


def pack(event: Event) -> bytes:
    """An event to bytes."""
    deflate = zlib.compressobj(
        1, zlib.DEFLATED, _WINDOW_BITS, _MEMORY_LEVEL, zlib.Z_DEFAULT_STRATEGY, _WORDS
    )
    return deflate.compress(orjson.dumps((event.type, event.data))) + deflate.flush()


def unpack(packed: bytes) -> Event:
    """The reverse. Raises ValueError for what ``pack`` did not make."""
    inflate = zlib.decompressobj(_WINDOW_BITS, _WORDS)
    try:
        kind, data = orjson.loads(inflate.decompress(packed))
    except zlib.error as error:
        raise ValueError(f"an event is not packed as this gateway does it: {error}") from None
    return Event(kind, data)
