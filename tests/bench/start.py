"""From exec to the first verdict with the private Redis, and the memory that it takes."""

import tempfile
import time
from pathlib import Path

from harness import VERDICT, gateway, name_of, reference, rss_mb, table

ROUNDS = 5


def start_once(upstream: str, state: Path) -> tuple[object, ...]:
    """Seconds to the first verdict, and megabytes by process."""
    began = time.monotonic()
    with gateway(upstream, state, ready=VERDICT) as served:
        took_s = time.monotonic() - began
        memory = ", ".join(f"{name_of(pid)} {rss_mb(pid):.0f}" for pid in served.family())
    return round(took_s, 2), memory


def main() -> None:
    """Start the gateway several times; the first start finds no state."""
    with (
        tempfile.TemporaryDirectory() as state,
        reference("prometheus", ready="/questions") as upstream,
    ):
        rows = [(number, *start_once(upstream.url, Path(state))) for number in range(ROUNDS)]
    table("Start to first verdict", ("start", "seconds", "resident MB"), rows)


if __name__ == "__main__":
    main()
