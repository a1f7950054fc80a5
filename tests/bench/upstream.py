"""Verdicts that each need one query, against a bare aiohttp server with an aiohttp client in it."""

import tempfile
from pathlib import Path
from statistics import median

from harness import VERDICT, Server, cpu_s, gateway, get, name_of, reference, table, wrk

ROUNDS = 3
SECONDS = 5
# No two requests ask the same question, so that nothing is cached, shared or coalesced.
EACH_ANOTHER_QUESTION = """\
local asked = 0
request = function()
  asked = asked + 1
  return wrk.format("GET", "PATH?args.ingress=ROUND-" .. asked)
end
"""


def ms_per_query(
    server: Server, upstream: Server, path: str, round_number: int
) -> dict[str, float]:
    """Processor milliseconds for each upstream query, by process name; "queries/s" as well."""
    script = EACH_ANOTHER_QUESTION.replace("PATH", path).replace("ROUND", str(round_number))
    queries = int(get(upstream.url + "/questions"))
    before = {pid: cpu_s(pid) for pid in server.family()}
    load = wrk(server.url, seconds=SECONDS, script=script)
    queries = int(get(upstream.url + "/questions")) - queries
    used = {name_of(pid): (cpu_s(pid) - start_s) * 1000 for pid, start_s in before.items()}
    return {name: ms / queries for name, ms in used.items()} | {"queries/s": load.requests_per_s}


def main() -> None:
    """Load both in turn and compare the medians."""
    readings: dict[str, list[dict[str, float]]] = {"bare pair": [], "gateway": []}
    with (
        tempfile.TemporaryDirectory() as state,
        reference("prometheus", ready="/questions") as upstream,
        reference("relay", upstream.url, ready="/?args.ingress=first") as relay,
        gateway(upstream.url, Path(state)) as served,
    ):
        for number in range(ROUNDS):
            readings["bare pair"].append(ms_per_query(relay, upstream, "/", number))
            readings["gateway"].append(ms_per_query(served, upstream, VERDICT, number))
    table(
        "Verdict, one upstream query each, nothing cached (medians; processor ms per query)",
        ("server", "process", "reading"),
        [
            (name, key, round(median(reading[key] for reading in of_server), 3))
            for name, of_server in readings.items()
            for key in of_server[0]
        ],
    )


if __name__ == "__main__":
    main()
