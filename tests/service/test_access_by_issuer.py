"""Callers with tokens of an issuer: a pipeline asks, and the policy knows it by its claims."""

import logging
from pathlib import Path
from typing import Any

import pytest
from guarded import ALICE, access, bearer, rule
from run_calls import FAR, run_manifest
from running import service, web_metric
from token_issuer import AUDIENCE, SigningKey, TokenIssuer, token_issuer

MAIN = {"repository": "acme/shop", "ref": "refs/heads/main"}


def settings(tmp_path: Path, issuer: TokenIssuer) -> Any:
    """Access for alice, an admin, and for runs of what is on main."""
    trusted = {"name": "github", "issuer": issuer.url, "audiences": [AUDIENCE]}
    rules = (
        rule("admin", namespaces=["*"]),
        rule("run", "inline", callers=[{"name": "jwt:github:*", "claims": MAIN}]),
    )
    return {**access(tmp_path / "access", *rules), "jwt": [trusted]}


async def test_a_pipeline_is_known_by_its_claims(tmp_path: Path) -> None:
    """It starts a run, which tells who made it; from another branch it may not."""
    async with (
        token_issuer() as issuer,
        service(tmp_path / "state", access=settings(tmp_path, issuer)) as gateway,
    ):
        manifest = run_manifest(web_metric(FAR))
        started = await gateway.post("/v1/runs", manifest, **bearer(issuer.token()))
        other = issuer.token(ref="refs/heads/x", sub="repo:acme/shop:ref:refs/heads/x")
        denied = await gateway.post("/v1/runs", manifest, **bearer(other))
        state = await gateway.get("/readyz", **bearer(ALICE))
    made_by = started.body["metadata"]["annotations"]["analysis-gateway/made-by"]
    assert made_by == "jwt:github:repo:acme/shop:ref:refs/heads/main"
    assert (denied.status, denied.body["error"]) == (403, "access_denied")
    assert "caller jwt:github:repo:acme/shop:ref:refs/heads/x may not" in denied.body["detail"]
    assert state.body["access"]["jwt"]["github"]["keys"] == 1


async def test_tokens_that_prove_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """401 with the reason, 503 while the issuer is away; none of them comes out anywhere."""
    caplog.set_level(logging.DEBUG)
    async with token_issuer() as issuer:
        tokens = [
            issuer.token(exp=1),
            issuer.token(aud="x"),
            issuer.token(iss="https://other"),
            issuer.token(key=SigningKey("key-1", of="somebody else")),
        ]
        async with service(tmp_path / "state", access=settings(tmp_path, issuer)) as gateway:
            replies = [await gateway.get("/v1/runs", **bearer(each)) for each in tokens]
            metrics = await gateway.get("/metrics", **bearer(ALICE))
        issuer.is_away = True
        async with service(tmp_path / "state", access=settings(tmp_path, issuer)) as gateway:
            away = await gateway.get("/v1/runs", **bearer(issuer.token()))
    assert [(each.status, each.body["detail"]) for each in replies] == [
        (401, "the token of issuer github is refused: it is over (exp)"),
        (401, "the token of issuer github is refused: it is meant for somebody else (aud)"),
        (401, "the token is not one that this gateway knows, or not any more"),
        (401, "the token of issuer github is refused: its signature is wrong"),
    ]
    assert (away.status, away.body["error"]) == (503, "credential_unchecked")
    assert away.headers["Retry-After"] == "1"
    told = [each.text for each in (*replies, away, metrics)]
    told += [str(vars(record)) for record in caplog.records]
    for text in told:
        for token in tokens:
            assert token.rpartition(".")[2] not in text
