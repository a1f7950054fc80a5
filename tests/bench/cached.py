"""Verdicts from a reading in the local cache, against a handler that only says hello.

Once open to everybody, and once for callers with a token and a policy. The audit is on in both.
"""

import hashlib
import json
import tempfile
from pathlib import Path
from statistics import median

from harness import VERDICT, Load, gateway, get, reference, table, wrk

TOKEN = "7Yq0mN3cWb8sKf2xTz5vRj9hLd4gPa6e"
WITH_TOKEN = f'wrk.headers["Authorization"] = "Bearer {TOKEN}"'
ROUNDS = 3
SECONDS = 5


def main() -> None:
    """Load both in turn, so that a noisy neighbour disturbs both."""
    hello_loads: list[Load] = []
    verdict_loads: list[Load] = []
    guarded_loads: list[Load] = []
    with (
        tempfile.TemporaryDirectory() as state,
        reference("prometheus", ready="/questions") as upstream,
        reference("hello") as hello,
        gateway(upstream.url, Path(state)) as served,
        tempfile.TemporaryDirectory() as other,
        gateway(upstream.url, Path(other), "--config", with_access(Path(other))) as guarded,
    ):
        verdict_url = f"{served.url}{VERDICT}?maxAge=5m"
        get(verdict_url)
        for _ in range(ROUNDS):
            hello_loads.append(wrk(hello.url + "/", seconds=SECONDS))
            verdict_loads.append(wrk(verdict_url, seconds=SECONDS))
            guarded_url = f"{guarded.url}{VERDICT}?maxAge=5m"
            guarded_loads.append(wrk(guarded_url, seconds=SECONDS, script=WITH_TOKEN))
        questions = get(upstream.url + "/questions")
    rows = [
        (name, *(round(median(getattr(load, key) for load in loads), 2) for key in KEYS))
        for name, loads in (
            ("hello", hello_loads),
            ("verdict", verdict_loads),
            ("with access", guarded_loads),
        )
    ]
    table("Verdict, reading in the local cache (medians)", ("handler", *KEYS), rows)
    shares = [f"{name}/hello: {rate / rows[0][1]:.0%}" for name, rate, *_ in rows[1:]]
    print(f"  {', '.join(shares)}; upstream queries: {questions}")


def with_access(folder: Path) -> str:
    """The settings of a gateway that asks who asks."""
    entry = {"name": "bench", "sha256": hashlib.sha256(TOKEN.encode()).hexdigest()}
    rule = {"callers": ["token:bench"], "actions": ["verdict"], "namespaces": ["*"]}
    # JSON is YAML, too.
    (folder / "tokens.yaml").write_text(json.dumps({"tokens": [entry]}))
    (folder / "policy.yaml").write_text(json.dumps({"rules": [rule]}))
    access: dict[str, object] = {
        name: str(folder / f"{name}.yaml") for name in ("tokens", "policy")
    }
    # What is measured is what it costs to ask, not how much one caller may.
    access["budget"] = {"perSecond": 1_000_000, "burst": 1_000_000}
    settings = folder / "settings.yaml"
    settings.write_text(json.dumps({"access": access}))
    return str(settings)


KEYS = ("requests_per_s", "p50_ms", "p99_ms")

if __name__ == "__main__":
    main()
