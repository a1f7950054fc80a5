"""Verdicts from a reading in the local cache, against a handler that only says hello."""

import tempfile
from pathlib import Path
from statistics import median

from harness import VERDICT, Load, gateway, get, reference, table, wrk

ROUNDS = 3
SECONDS = 5


def main() -> None:
    """Load both in turn, so that a noisy neighbour disturbs both."""
    hello_loads: list[Load] = []
    verdict_loads: list[Load] = []
    with (
        tempfile.TemporaryDirectory() as state,
        reference("prometheus", ready="/questions") as upstream,
        reference("hello") as hello,
        gateway(upstream.url, Path(state)) as served,
    ):
        verdict_url = f"{served.url}{VERDICT}?maxAge=5m"
        get(verdict_url)
        for _ in range(ROUNDS):
            hello_loads.append(wrk(hello.url + "/", seconds=SECONDS))
            verdict_loads.append(wrk(verdict_url, seconds=SECONDS))
        questions = get(upstream.url + "/questions")
    rows = [
        (name, *(round(median(getattr(load, key) for load in loads), 2) for key in KEYS))
        for name, loads in (("hello", hello_loads), ("verdict", verdict_loads))
    ]
    table("Verdict, reading in the local cache (medians)", ("handler", *KEYS), rows)
    print(f"  verdict/hello: {rows[1][1] / rows[0][1]:.0%}; upstream queries: {questions}")


KEYS = ("requests_per_s", "p50_ms", "p99_ms")

if __name__ == "__main__":
    main()
