"""Access as it changes, as it is open, and as it must not leak."""

import logging
from pathlib import Path

import pytest
from backends import Play, backend
from guarded import (
    ALICE,
    BOB,
    EGRESS,
    EVERY_ACTION,
    NOBODY,
    get,
    guarded,
    lasting,
    put_templates,
    rule,
    start,
    write_policy,
)
from run_calls import run_manifest
from running import service, web_metric

from gateway.access import kept_file

BOBS = ["token:bob"]
SHOP = "/v1/namespaces/shop/analysistemplates"


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    """Two namespaces with templates, and one of the cluster."""
    return put_templates(tmp_path / "templates")


async def test_a_changed_policy_counts_without_a_restart(
    tmp_path: Path, templates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A right that comes, one that goes, a token that goes; a broken file changes nothing."""
    monkeypatch.setattr(kept_file, "POLL_S", 0.02)
    folder = tmp_path / "access"
    admin = rule("admin", namespaces=["*"], callers=BOBS)
    async with guarded(tmp_path, rule("verdict"), admin, templates=templates) as gateway:
        path = f"{SHOP}/rate/verdict"
        assert (await get(gateway, path)).status == 200
        write_policy(folder, admin)
        await lasting(gateway, path, 403)
        write_policy(folder, rule("verdict"), admin)
        await lasting(gateway, path, 200)
        (folder / "policy.yaml").write_text("rules: 3")

        async def problems() -> list[str]:
            state = (await get(gateway, "/readyz", BOB)).body["access"]
            return [problem for each in state.values() for problem in each["problems"]]

        while not await problems():
            pass
        assert await problems() == ["line 1: rules: must be a list"]
        assert (await get(gateway, path)).status == 200
        (folder / "tokens.yaml").write_text("tokens: []")
        assert (await lasting(gateway, path, 401)).body["error"] == "credential_refused"


async def test_no_token_comes_out_anywhere(
    tmp_path: Path, templates: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither a good one nor a bad one: in no answer, log line, metric or state."""
    caplog.set_level(logging.DEBUG)
    rules = rule(*EVERY_ACTION, namespaces=["*"])
    async with (
        backend(Play('"green"')) as upstream,
        guarded(tmp_path, rules, templates=templates, egress=EGRESS) as gateway,
    ):
        content = run_manifest(web_metric(upstream.url))
        run = await start(gateway, content, "wait=5s")
        replies = [
            run,
            await get(gateway, f"/v1/runs/{run.body['metadata']['uid']}/events"),
            await get(gateway, "/v1/runs"),
            await get(gateway, f"{SHOP}/rate/verdict"),
            await get(gateway, f"{SHOP}/nothing/verdict"),
            await get(gateway, f"{SHOP}/rate/verdict", NOBODY),
            await gateway.get(f"{SHOP}/rate/verdict", Authorization=f"Token {NOBODY}"),
            await get(gateway, "/metrics"),
            await get(gateway, "/metrics", BOB),
            await get(gateway, "/readyz"),
        ]
        requests = [str(each) for each in upstream.requests]
    told = [each.text + str(each.headers) for each in replies]
    told += [str(vars(record)) for record in caplog.records] + requests
    assert caplog.records
    assert requests
    for text in told:
        for token in (ALICE, BOB, NOBODY):
            assert token not in text


async def test_an_open_gateway_says_so(tmp_path: Path) -> None:
    """Nobody needs a credential there, and one does no harm."""
    async with service(tmp_path) as gateway:
        replies = [await gateway.get("/v1/runs"), await get(gateway, "/v1/runs", NOBODY)]
        state = await gateway.get("/readyz")
    assert {each.status for each in replies} == {200}
    assert "access" not in state.body
