"""Verdicts that each need one query, against a bare aiohttp server with an aiohttp client in it."""

import tempfile
from pathlib import Path
from statistics import median

from harness import VERDICT, Server, cpu_s, gateway, get, name_of, reference, table, wrk

ROUNDS = 3
SECONDS = 5
# More questions than connections: two requests never share an answer that is on its way.
SCRIPT = """\
local asked = 0
request = function()
  asked = asked + 1
  return wrk.format("GET", "PATH?maxAge=0s&args.ingress=ROUND-" .. asked % QUESTIONS)
end
"""
KNOWN = ("256, each again and again", 256)
NEW = ("each another", 10**9)
Reading = dict[str, float]


def ms_per_query(server: Server, upstream: Server, path: str, *, questions: int) -> Reading:
    """Processor milliseconds for each upstream query, by process name, and verdicts a second."""
    script = SCRIPT.replace("PATH", path).replace("QUESTIONS", str(questions))
    asked = int(get(upstream.url + "/questions"))
    script = script.replace("ROUND", str(asked))
    before = {pid: cpu_s(pid) for pid in server.family()}
    load = wrk(server.url, seconds=SECONDS, script=script)
    asked = int(get(upstream.url + "/questions")) - asked
    used = {name_of(pid): (cpu_s(pid) - start_s) * 1000 for pid, start_s in before.items()}
    return {name: ms / asked for name, ms in used.items()} | {"answers/s": load.requests_per_s}


def main() -> None:
    """Load all in turn and compare the medians."""
    readings: dict[tuple[str, str], list[Reading]] = {}
    with (
        tempfile.TemporaryDirectory() as state,
        reference("prometheus", ready="/questions") as upstream,
        reference("relay", upstream.url, ready="/?args.ingress=first") as relay,
        gateway(upstream.url, Path(state)) as served,
    ):
        for _ in range(ROUNDS):
            for name, server, path in (("bare pair", relay, "/"), ("gateway", served, VERDICT)):
                for kind, questions in (KNOWN, NEW):
                    reading = ms_per_query(server, upstream, path, questions=questions)
                    readings.setdefault((name, kind), []).append(reading)
    table(
        "Verdict, one upstream query each, nothing cached (medians; processor ms per query)",
        ("server", "questions", "process", "reading"),
        [
            (name, kind, key, round(median(reading[key] for reading in of_server), 3))
            for (name, kind), of_server in readings.items()
            for key in of_server[0]
        ],
    )


if __name__ == "__main__":
    main()
