"""Who asked what, and what came of it: in the log, in the stream, and for admins."""

import json
import logging
import time
from pathlib import Path
from typing import Any

import pytest
from backends import backend
from guarded import (
    ALICE,
    BOB,
    EGRESS,
    EVERY_ACTION,
    NOBODY,
    bearer,
    get,
    guarded,
    lasting,
    named,
    put,
    refused,
    rule,
    start,
)
from redis_server import RedisServer
from run_calls import CONDITION, GREEN, endless
from running import Service, service, template, until, web_metric

from gateway import audit_trail
from gateway.logs import JsonFormatter, TextFormatter

SECRET = "hunter2-of-the-vault"
BOBS = ["token:bob"]
ARGS = [
    {"name": "token", "valueFrom": {"secretKeyRef": {"name": "vault", "key": "token"}}},
    {"name": "color", "value": "green"},
]
OF_RATE = "/v1/namespaces/shop/analysistemplates/rate/verdict"


def told(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """The audit as a machine reads it in the log."""
    lines = [
        JsonFormatter().format(each) for each in caplog.records if each.name == "gateway.audit"
    ]
    own = {"time", "level", "event"}
    return [
        {key: part for key, part in json.loads(line).items() if key not in own} for line in lines
    ]


def essence(entries: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """Call, caller, namespace and phase."""
    keys = ("call", "caller", "namespace", "phase")
    return [tuple(entry.get(key, "") for key in keys) for entry in entries]


async def kept(gateway: Service, redis: RedisServer, count: int) -> list[dict[str, Any]]:
    """What admins read, as soon as so many entries are there."""
    await until(lambda: int(redis.cli("xlen", audit_trail.STREAM)) >= count)
    reply = await get(gateway, "/v1/audit")
    assert reply.status == 200, reply.text
    return list(reply.body["items"])


async def test_every_verdict_run_and_refusal_is_told(
    tmp_path: Path, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """By the log at once, by the stream soon; no credential and no secret is in either."""
    caplog.set_level(logging.DEBUG)
    key = tmp_path / "secrets" / "shop" / "vault" / "token"
    key.parent.mkdir(parents=True)
    key.write_text(SECRET)
    rules = (rule(*EVERY_ACTION, namespaces=["*"], connections=["*"]),)
    async with backend(GREEN) as upstream:
        metric = web_metric(f"{upstream.url}/?t={{{{args.token}}}}", CONDITION)
        put(tmp_path / "templates", "shop", "rate", metric, args=ARGS)
        async with guarded(
            tmp_path,
            *rules,
            templates=tmp_path / "templates",
            secrets=tmp_path / "secrets",
            redis=redis_server.url.reveal(),
            egress=EGRESS,
        ) as gateway:
            await get(gateway, f"{OF_RATE}?args.color={SECRET}-blue")
            await get(gateway, f"{OF_RATE}?args.color={SECRET}-blue")
            inline = template(web_metric(upstream.url, 'result == "red"'))
            await gateway.post("/v1/verdict?namespace=shop", inline, **bearer(ALICE))
            first = (await start(gateway, named("rate"), "wait=5s")).body["metadata"]["uid"]
            second = (await start(gateway, endless(upstream.url), "namespace=shop")).body
            path = f"/v1/runs/{second['metadata']['uid']}"
            admin = bearer(ALICE)
            await gateway.send("POST", f"{path}/terminate", headers=admin)
            await get(gateway, f"{path}?wait=5s")
            await gateway.send("DELETE", path, headers=admin)
            denied = await get(gateway, OF_RATE, BOB)
            unknown = await get(gateway, f"{OF_RATE}?token={NOBODY}", NOBODY)
            found = await kept(gateway, redis_server, 9)
            keys = redis_server.cli("--scan")
            stream = redis_server.cli("xrange", audit_trail.STREAM, "-", "+")
    entries = told(caplog)
    assert (denied.status, unknown.status) == (403, 401)
    assert sorted(essence(entries)) == sorted(
        [
            ("verdict", "token:alice", "shop", "Successful"),
            ("verdict", "token:alice", "shop", "Successful"),
            ("verdict", "token:alice", "shop", "Failed"),
            ("run.started", "token:alice", "shop", ""),
            ("run.ended", "token:alice", "shop", "Successful"),
            ("run.started", "token:alice", "shop", ""),
            ("run.terminated", "token:alice", "shop", entries[6]["phase"]),
            ("run.ended", "token:alice", "shop", "Successful"),
            ("run.deleted", "token:alice", "shop", "Successful"),
            ("refused", "token:bob", "", ""),
            ("refused", "", "", ""),
        ]
    )
    # The second run was stopped, which is no pass, whatever its phase.
    assert [each.get("ok") for each in entries if each["call"] == "run.ended"] == [True, False]
    verdict, repeated = entries[:2]
    assert verdict["templates"][0].startswith("rate@sha256:")
    assert verdict["arguments"] == {"token": "*****", "color": "*****-blue"}
    assert (verdict["repeated"], repeated["repeated"]) == (False, True)
    assert entries[3]["run"] == first
    assert entries[3]["arguments"] == {"token": "*****", "color": "green"}
    assert entries[-2]["reason"] == denied.body["detail"]
    assert entries[-1]["path"] == OF_RATE
    # Who is not known cannot fill the stream.
    assert found == list(reversed(entries[:-1]))
    outputs = [
        TextFormatter().format(each) for each in caplog.records if each.name != "aiohttp.access"
    ]
    for output in (*outputs, json.dumps(entries), keys, stream, json.dumps(found)):
        for secret in (SECRET, "hunter2", ALICE, BOB, NOBODY):
            assert secret not in output


async def test_admins_see_their_namespaces(tmp_path: Path, redis_server: RedisServer) -> None:
    """Of others nothing is told; what is of no namespace is for admins of all."""
    rules = (
        rule(*EVERY_ACTION, namespaces=["*"], connections=["*"]),
        rule("admin", callers=BOBS, namespaces=["bank"]),
    )
    chosen = {"redis": redis_server.url.reveal(), "egress": EGRESS}
    async with backend(GREEN) as upstream, guarded(tmp_path, *rules, **chosen) as gateway:
        content = template(web_metric(upstream.url, CONDITION))
        for namespace in ("shop", "bank", "shop"):
            path = f"/v1/verdict?namespace={namespace}"
            await gateway.post(path, content, **bearer(ALICE))
        await get(gateway, "/metrics", BOB)
        everything = await kept(gateway, redis_server, 4)
        own = await get(gateway, "/v1/audit", BOB)
        other = await get(gateway, "/v1/audit?namespace=shop", BOB)
        filtered = [
            (await get(gateway, f"/v1/audit?{query}")).body["items"]
            for query in (
                "namespace=shop",
                "caller=token:bob",
                "phase=Failed",
                "since=2000-01-01T00:00:00Z",
                "since=2100-01-01T00:00:00Z",
            )
        ]
        first = (await get(gateway, "/v1/audit?limit=3")).body
        more = first["metadata"]["continue"]
        second = (await get(gateway, f"/v1/audit?limit=3&continue={more}")).body
        wrong = await get(gateway, "/v1/audit?continue=x")
    assert [each.get("namespace") for each in everything] == [None, "shop", "bank", "shop"]
    assert [each["namespace"] for each in own.body["items"]] == ["bank"]
    assert refused(other)[:2] == (403, "access_denied")
    assert [len(each) for each in filtered] == [2, 1, 0, 4, 0]
    assert (first["items"] + second["items"], second["metadata"]) == (everything, {})
    assert wrong.status == 400


async def test_only_admins_read_it(tmp_path: Path) -> None:
    """All other rights together are not enough."""
    rules = (rule(*(each for each in EVERY_ACTION if each != "admin"), namespaces=["*"]),)
    async with guarded(tmp_path, *rules) as gateway:
        reply = await get(gateway, "/v1/audit")
    assert refused(reply)[:2] == (403, "access_denied")


async def test_redis_that_does_not_answer_costs_no_line(
    tmp_path: Path,
    redis_server: RedisServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Verdicts come as fast, the log has them all, and the stream has them when Redis is back."""
    caplog.set_level(logging.INFO)
    chosen = {"redis": redis_server.url.reveal(), "egress": EGRESS}
    rules = (rule(*EVERY_ACTION, namespaces=["*"], connections=["*"]),)
    async with backend(GREEN) as upstream, guarded(tmp_path, *rules, **chosen) as gateway:
        content = template(web_metric(upstream.url, CONDITION))
        alice = bearer(ALICE)
        await gateway.post("/v1/verdict", content, **alice)
        redis_server.freeze()
        try:
            took_s = []
            for _ in range(20):
                began_s = time.perf_counter()
                reply = await gateway.post("/v1/verdict?maxAge=0", content, **alice)
                took_s.append(time.perf_counter() - began_s)
                assert reply.body["phase"] == "Successful"
            away = await get(gateway, "/v1/audit")
        finally:
            redis_server.thaw()
        assert (away.status, away.headers["Retry-After"]) == (503, "1")
        await lasting(gateway, "/v1/audit", 200)
        await kept(gateway, redis_server, 21)
    assert essence(told(caplog)) == [("verdict", "token:alice", "default", "Successful")] * 21
    # The first one may wait out what a call to Redis may take.
    assert sorted(took_s)[-2] < 0.15


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param(100, range(100, 400), id="capped, whole blocks at a time"),
        pytest.param(0, range(1), id="none"),
    ],
)
async def test_the_stream_is_capped(
    tmp_path: Path, redis_server: RedisServer, entries: int, expected: range
) -> None:
    """It keeps about as many as it is told to."""
    chosen = {"redis": redis_server.url.reveal(), "audit": {"entries": entries}}
    async with backend(GREEN) as upstream, service(tmp_path / "s", **chosen) as gateway:
        content = template(web_metric(upstream.url, CONDITION))
        for _ in range(450):
            await gateway.post("/v1/verdict?maxAge=0", content)
        if entries:
            added = "entries-added"
            await until(
                lambda: f"{added}\n450" in redis_server.cli("xinfo", "stream", audit_trail.STREAM)
            )
        found = await gateway.get("/v1/audit?limit=1")
        kept_count = int(redis_server.cli("xlen", audit_trail.STREAM))
    assert kept_count in expected
    assert found.status == (200 if entries else 404)
    if entries:
        assert found.body["items"][0]["caller"] == "anonymous"
