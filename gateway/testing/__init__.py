"""What the gateway's providers are tested with, for who writes one: see docs/writing-a-provider.md.

servers    a vendor that plays a script and records what it is asked
faults     vendors that misbehave, each in its own way
world      the context of a measurement, with a real HTTP client
"""

from gateway.testing.faults import BACKENDS
from gateway.testing.servers import Backend, Play, Recorded, backend, raw_server, saying
from gateway.testing.world import NOW_UNIX_S, context_threads, failure_text, world

__all__ = [
    "BACKENDS",
    "NOW_UNIX_S",
    "Backend",
    "Play",
    "Recorded",
    "backend",
    "context_threads",
    "failure_text",
    "raw_server",
    "saying",
    "world",
]
