"""Whose runs a caller sees, and whose it never hears of."""

from pathlib import Path

import pytest
from guarded import (
    ALICE,
    BOB,
    EVERY_ACTION,
    bearer,
    get,
    guarded,
    lasting,
    named,
    put_templates,
    refused,
    rule,
    start,
    write_policy,
)
from redis.asyncio import Redis
from redis_server import RedisServer
from run_calls import FAR, endless, run_manifest
from running import service, web_metric

from gateway.access import kept_file

BOBS = ["token:bob"]
OTHER_ID = "7e5f0c52-6a3f-4c85-9f0e-3c2f5d1f7b11"


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    """Two namespaces with templates, and one of the cluster."""
    return put_templates(tmp_path / "templates")


async def test_a_run_of_others_is_not_there(tmp_path: Path, templates: Path) -> None:
    """Whatever is asked about it, the answer is that to an id that never was."""
    rules = (rule(*EVERY_ACTION), rule("run", namespaces=["bank"], callers=BOBS))
    async with guarded(tmp_path, *rules, templates=templates) as gateway:
        run_id = (await start(gateway, named("rate"))).body["metadata"]["uid"]
        found = []
        for each in (run_id, OTHER_ID):
            replies = [
                await get(gateway, f"/v1/runs/{each}", BOB),
                await get(gateway, f"/v1/runs/{each}?wait=1s", BOB),
                await get(gateway, f"/v1/runs/{each}/verdict", BOB),
                await get(gateway, f"/v1/runs/{each}/events", BOB),
                await gateway.send("POST", f"/v1/runs/{each}/terminate", headers=bearer(BOB)),
                await gateway.send("DELETE", f"/v1/runs/{each}", headers=bearer(BOB)),
            ]
            found.append([(reply.status, reply.text.replace(each, "ID")) for reply in replies])
        own = await get(gateway, f"/v1/runs/{run_id}?wait=5s")
    assert found[0] == found[1]
    assert {status for status, _ in found[0]} == {404}
    assert own.status == 200


async def test_a_run_that_cannot_be_read_is_for_admins_of_everything(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    """Nobody knows whose it is; they alone can delete it."""
    rules = (rule(*EVERY_ACTION, namespaces=["*"]), rule(*EVERY_ACTION, callers=BOBS))
    url = redis_server.url.reveal()
    async with guarded(tmp_path, *rules, redis=url) as gateway:
        run_id = (await start(gateway, run_manifest(web_metric(FAR)), "wait=5s")).body["metadata"][
            "uid"
        ]
        async with Redis.from_url(url) as redis:
            await redis.hset(f"analysis-gateway:{{runs}}:run:{run_id}", "manifest", "{")
        found = [await get(gateway, f"/v1/runs/{run_id}", each) for each in (ALICE, BOB)]
        gone = [
            await gateway.send("DELETE", f"/v1/runs/{run_id}", headers=bearer(each))
            for each in (BOB, ALICE)
        ]
    assert [(each.status, each.body["error"]) for each in found] == [
        (503, "run_unreadable"),
        (404, "run_not_found"),
    ]
    assert [each.status for each in gone] == [404, 204]


@pytest.mark.parametrize(
    ("bobs_namespace", "damage", "bobs"),
    [
        pytest.param("shop", {}, (503, "run_unreadable"), id="its-owner"),
        pytest.param("bank", {}, (404, "run_not_found"), id="somebody-else"),
        pytest.param("shop", {"manifest": "{"}, (404, "run_not_found"), id="nobody-knows-whose"),
    ],
)
async def test_a_run_for_newer_replicas_is_not_denied_to_whom_it_belongs(
    tmp_path: Path,
    redis_server: RedisServer,
    bobs_namespace: str,
    damage: dict[str, str],
    bobs: tuple[int, str],
) -> None:
    """Who waits for it during an update must ask again, not give up."""
    rules = (
        rule(*EVERY_ACTION, namespaces=["*"]),
        rule(*EVERY_ACTION, callers=BOBS, namespaces=[bobs_namespace]),
    )
    url = redis_server.url.reveal()
    async with guarded(tmp_path, *rules, redis=url) as gateway:
        content = run_manifest(web_metric(FAR, interval="1h"))
        path = f"/v1/runs/{(await start(gateway, content)).body['metadata']['uid']}"
        changed = {"schema": "1000 1000", **damage}
        async with Redis.from_url(url) as redis:
            key = f"analysis-gateway:{{runs}}:run:{path.rpartition('/')[2]}"
            await redis.hset(key, mapping=changed)
        replies = [
            await gateway.send(method, path, headers=bearer(each))
            for method in ("GET", "DELETE")
            for each in (ALICE, BOB)
        ]
    answers = [(each.status, each.body["error"]) for each in replies]
    assert answers == [(503, "run_unreadable"), bobs] * 2
    assert "Retry-After" in replies[0].headers


async def test_runs_are_listed_for_whom_they_are(tmp_path: Path, templates: Path) -> None:
    """By namespace and by template; what was brought, for who may bring; all of it, for admins."""
    rules = (
        rule(*EVERY_ACTION, namespaces=["*"]),
        rule("run", callers=BOBS, templates=["rate"]),
    )
    wanted = [
        ("rate", named("rate")),
        ("errors", named("errors")),
        (
            "both",
            {**named("rate"), "templates": [{"templateName": each} for each in ("rate", "errors")]},
        ),
        ("bank", named("rate", "bank")),
        ("brought", endless(FAR)),
        ("manifest", run_manifest(web_metric(FAR))),
    ]
    async with guarded(tmp_path, *rules, templates=templates, namespace="shop") as gateway:
        for label, content in wanted:
            query = f"labels.is={label}&namespace={'bank' if label == 'bank' else 'shop'}"
            started = await start(gateway, content, query)
            assert started.status == 202, started.text

        async def listed(token: str, query: str = "") -> list[str]:
            reply = await get(gateway, f"/v1/runs?{query}", token)
            assert reply.status == 200, reply.text
            return sorted(each["metadata"]["labels"]["is"] for each in reply.body["items"])

        assert await listed(ALICE) == ["bank", "both", "brought", "errors", "manifest", "rate"]
        assert await listed(BOB) == ["rate"]
        assert await listed(BOB, "namespace=shop&limit=1") == ["rate"]
        elsewhere = await get(gateway, "/v1/runs?namespace=bank", BOB)
        assert refused(elsewhere)[::2] == (
            403,
            (
                "caller token:bob may not run analyses in namespace 'bank': no rule of the policy"
                " allows it"
            ),
        )


async def test_a_run_tells_who_made_it(tmp_path: Path) -> None:
    """By name; what a manifest claims of its maker is dropped."""
    manifest = run_manifest(web_metric(FAR))
    manifest["metadata"]["annotations"] = {"analysis-gateway/made-by": "token:bob", "note": "mine"}
    async with guarded(tmp_path, rule(*EVERY_ACTION)) as gateway:
        run = (await start(gateway, manifest)).body
    async with service(tmp_path / "open") as gateway:
        opened = (await gateway.post("/v1/runs", manifest)).body
    for each, maker in ((run, "token:alice"), (opened, "anonymous")):
        assert each["metadata"]["annotations"]["analysis-gateway/made-by"] == maker
        assert each["metadata"]["annotations"]["note"] == "mine"


async def test_keys_of_repeats_are_every_callers_own(tmp_path: Path) -> None:
    """Who guesses another one's key gets a run of its own, and learns nothing."""
    rules = (rule(*EVERY_ACTION, callers=["token:*"]),)
    key = {"Idempotency-Key": "build-1"}
    async with guarded(tmp_path, *rules) as gateway:
        mine, again = [await start(gateway, run_manifest(web_metric(FAR)), **key) for _ in "12"]
        theirs = await start(gateway, run_manifest(web_metric(FAR)), token=BOB, **key)
        other = await start(gateway, run_manifest(web_metric(f"{FAR}/2")), token=BOB, **key)
    assert again.body["metadata"]["uid"] == mine.body["metadata"]["uid"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert theirs.body["metadata"]["uid"] != mine.body["metadata"]["uid"]
    assert "Idempotency-Replayed" not in theirs.headers
    assert mine.body["metadata"]["uid"] not in other.text


async def test_a_repeat_gives_no_right_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has lost the right to its run does not find it by its key."""
    monkeypatch.setattr(kept_file, "POLL_S", 0.02)
    key = {"Idempotency-Key": "build-1"}
    manifest = run_manifest(web_metric(FAR))
    async with guarded(tmp_path, rule(*EVERY_ACTION)) as gateway:
        run_id = (await start(gateway, manifest, **key)).body["metadata"]["uid"]
        write_policy(tmp_path / "access", rule("run"))
        await lasting(gateway, f"/v1/runs/{run_id}", 404)
        reply = await start(gateway, manifest, **key)
    assert (reply.status, reply.body["error"]) == (404, "run_not_found")
