"""Two versions of the gateway on one Redis, as in a rolling update: nothing is lost or misjudged.

The newer one is a copy of this tree in which what a newer version may change is changed.
"""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from redis_server import StartRedis
from running import until
from survival import ROOT, Caller, Replica, Upstream, analysis_run, upstream

from gateway.runs.schema import OLDEST_READER, SCHEMA

PHASES: Final = ("Successful", "Failed", "Inconclusive")
COUNT: Final = 4
INTERVAL_S: Final = 1.0
ORIGIN: Final = {"by": "newer"}
NEW_FIELD: Final = {
    "gateway/run_document.py": (
        "    content |= status.unknown\n",
        (
            '    if str(status.phase) == "Pending":\n'
            f'        content["origin"] = {ORIGIN}\n'
            "    content |= status.unknown\n"
        ),
    )
}
"""A run says once, at its beginning, what older ones know nothing of."""
NEW_PROVIDER: Final = {
    "providers/__init__.py": (
        '        "web": web.TYPE,\n',
        '        "web": web.TYPE, "oracle": web.TYPE,\n',
    )
}
NEW_WORDS: Final = (
    {
        "gateway/run_document.py": (
            'content["metricResults"] = ',
            'content["resultsOfMetrics"] = ',
        )
    },
    {
        "gateway/run_document.py": (
            '_objects(content, "metricResults")',
            '_objects(content, next(iter({"resultsOfMetrics"} & content.keys()), "metricResults"))',
        )
    },
    {
        "gateway/run_document.py": (
            '        "metricResults",\n',
            '        "metricResults",\n        "resultsOfMetrics",\n',
        )
    },
)
"""Read beside the old ones. Who does not know them sees a run that has measured nothing."""


def newer_tree(folder: Path, *changes: Mapping[str, tuple[str, str]], needed: int) -> Path:
    """A gateway of the next schema."""
    for package in ("gateway", "providers"):
        shutil.copytree(ROOT / package, folder / package, ignore=lambda *_: ["__pycache__"])
    schemas = {
        "gateway/runs/schema.py": (f"SCHEMA: Final = {SCHEMA}", f"SCHEMA: Final = {SCHEMA + 1}")
    }
    readers = {
        "gateway/runs/schema.py": (
            f"OLDEST_READER: Final = {OLDEST_READER}",
            f"OLDEST_READER: Final = {needed}",
        )
    }
    for change in (schemas, readers, *changes):
        for name, (before, after) in change.items():
            text = (folder / name).read_text()
            assert before in text
            (folder / name).write_text(text.replace(before, after))
    return folder


@asynccontextmanager
async def both(redis_url: str, folder: Path, newer: Path) -> AsyncIterator[tuple[Replica, Replica]]:
    """A replica of this version, and one of the newer."""
    running = (Replica(redis_url, folder), Replica(redis_url, folder, tree=newer))
    try:
        await asyncio.gather(*(each.start() for each in running))
        yield running
    finally:
        for each in running:
            each.kill()


@pytest.mark.timeout(300)
async def test_versions_that_understand_each_other_drive_each_others_runs(
    start_redis: StartRedis, tmp_path: Path
) -> None:
    """Killed in turn: every run ends as it must, with all that the newer one wrote into it."""
    redis = start_redis("--appendonly", "yes")
    tree = newer_tree(tmp_path / "newer", NEW_FIELD, NEW_PROVIDER, needed=SCHEMA)
    async with (
        upstream() as source,
        both(redis.url.reveal(), tmp_path, tree) as (older, newer),
        aiohttp.ClientSession() as session,
    ):
        known = await start(session, older, source, "older", 3)
        known += await start(session, newer, source, "newer", 3)
        unknown = await start(session, newer, source, "oracle", 3, provider="oracle")
        for victim in (newer, older):
            await asyncio.sleep(INTERVAL_S)
            victim.kill()
            await asyncio.sleep(INTERVAL_S)
            await victim.start()
        documents = await ended(session, [older, newer], known + unknown)
        told = older.log
    for name, document in documents.items():
        check(document, source)
        origin = document["status"].get("origin")
        assert origin == (None if name.startswith("older") else ORIGIN), name
    assert "a run is not driven here" in told
    assert "a newer gateway wrote it, and this one cannot plan it" in told


@pytest.mark.timeout(300)
async def test_a_version_leaves_alone_what_needs_a_newer_one(
    start_redis: StartRedis, tmp_path: Path
) -> None:
    """Runs wait while no newer replica is there; callers are told, and nothing is judged."""
    redis = start_redis("--appendonly", "yes")
    tree = newer_tree(tmp_path / "newer", *NEW_WORDS, needed=SCHEMA + 1)
    async with (
        upstream() as source,
        both(redis.url.reveal(), tmp_path, tree) as (older, newer),
        aiohttp.ClientSession() as session,
    ):
        ids = await start(session, newer, source, "newer", 3)
        ids += await start(session, older, source, "older", 3)
        await asyncio.sleep(2 * INTERVAL_S)
        newer.kill()
        path = f"{older.url}/v1/runs/{ids[0]}"
        replies = [await answer(session, method, path) for method in ("GET", "DELETE")]
        # What a replica that was killed had in hand is taken up by others within 15 s.
        await until(lambda: "a run is not driven here" in older.log, within_s=60)
        await newer.start()
        documents = await ended(session, [newer], ids)
    assert [(status, body["error"]) for status, body in replies] == [(503, "run_unreadable")] * 2
    assert f"a newer gateway wrote it, with schema {SCHEMA + 1}" in replies[0][1]["reason"]
    for document in documents.values():
        check(document, source)


async def start(
    session: aiohttp.ClientSession,
    replica: Replica,
    source: Upstream,
    kind: str,
    number: int,
    *,
    provider: str = "web",
) -> list[str]:
    """Ids of new runs of one replica, named after their kind."""
    ids = []
    for index in range(number):
        phase = PHASES[index % len(PHASES)]
        run = analysis_run(source.url, phase, f"{kind}-{index}", interval_s=INTERVAL_S, count=COUNT)
        (metric,) = run["spec"]["metrics"]
        metric["provider"] = {provider: metric["provider"]["web"]}
        created = await Caller(session, [replica]).ask("POST", "/v1/runs", json=run)
        ids.append(created["metadata"]["uid"])
    return ids


async def answer(
    session: aiohttp.ClientSession, method: str, url: str
) -> tuple[int, dict[str, Any]]:
    """Status and body of one answer."""
    async with session.request(method, url) as response:
        return response.status, await response.json(content_type=None)


async def ended(
    session: aiohttp.ClientSession, running: list[Replica], ids: list[str]
) -> dict[str, dict[str, Any]]:
    """The documents of runs when all have ended, by name, from whichever replica reads them."""
    caller = Caller(session, running)

    async def end(run_id: str) -> dict[str, Any]:
        document: dict[str, Any] = {"status": {"phase": "Pending"}}
        while document["status"]["phase"] in {"Running", "Pending"}:
            document = await caller.ask("GET", f"/v1/runs/{run_id}?wait=2s")
        return document

    async with asyncio.timeout(180):
        documents = await asyncio.gather(*(end(run_id) for run_id in ids))
    return {each["metadata"]["name"]: each for each in documents}


def check(document: dict[str, Any], source: Upstream) -> None:
    """The phase is the one that it must be, and no measurement is there twice or missing."""
    status, name = document["status"], document["metadata"]["name"]
    assert status["phase"] == document["metadata"]["labels"]["kind"], document
    results = status.get("metricResults") or status["resultsOfMetrics"]
    numbers = [json.loads(each["value"])["n"] for each in results[0]["measurements"]]
    assert numbers == sorted(set(numbers)), document
    assert len(numbers) == results[0]["count"] == (COUNT if status["phase"] == "Successful" else 3)
    assert source.asked[name] >= len(numbers)
