"""Callers with tokens of a cluster."""

import logging
from pathlib import Path
from typing import Any

import pytest
from guarded import ALICE, access, bearer, rule
from kube.cluster import Cluster
from kube.door import API_AUDIENCE
from kube.gateways import see_can_be_hurt
from kube.kinds import Right
from run_calls import FAR, run_manifest
from running import service, web_metric

REVIEW = Right("create", "authentication.k8s.io", "tokenreviews", "")


async def settings(
    cluster: Cluster, folder: Path, *rights: Right, audience: str = API_AUDIENCE
) -> dict[str, Any]:
    """A gateway with these rights at the cluster, for runs of service accounts."""
    accounts = [{"name": "serviceaccount:default/*", "group": "system:serviceaccounts:default"}]
    rules = (
        rule("run", "inline", callers=accounts),
        rule("admin", namespaces=["*"]),
    )
    return {
        "kubernetes": {
            "connect": str(await cluster.kubeconfig_of(rights)),
            "templates": [],
            "clusterTemplates": False,
            "timeout": "1s",
        },
        "access": {
            **access(folder, *rules),
            "tokenReview": {"audiences": ["analysis-gateway", audience], "ttl": "1h"},
        },
    }


async def test_a_service_account_is_a_caller(
    kubernetes: Cluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """With its groups; tokens of the gateway's own go on beside it, and nobody's are refused."""
    caplog.set_level(logging.DEBUG)
    chosen = await settings(kubernetes, tmp_path / "access", REVIEW)
    token = await kubernetes.issue(())
    async with service(tmp_path / "state", **chosen) as gateway:
        started = await gateway.post("/v1/runs", run_manifest(web_metric(FAR)), **bearer(token))
        replies = [
            await gateway.get("/v1/runs", **bearer(each)) for each in (token, ALICE, "nobodys")
        ]
    made_by = started.body["metadata"]["annotations"]["analysis-gateway/made-by"]
    assert made_by.startswith("serviceaccount:default/user-")
    assert [each.status for each in replies] == [200, 200, 401]
    assert replies[2].body["error"] == "credential_refused"
    told = [each.text for each in (started, *replies)]
    told += [str(vars(record)) for record in caplog.records]
    assert not any(token in text for text in told)


async def test_a_token_for_somebody_else_proves_nothing(
    kubernetes: Cluster, tmp_path: Path
) -> None:
    """Who got it could show it here."""
    chosen = await settings(kubernetes, tmp_path / "access", REVIEW, audience="other")
    token = await kubernetes.issue(())
    async with service(tmp_path / "state", **chosen) as gateway:
        reply = await gateway.get("/v1/runs", **bearer(token))
    assert (reply.status, reply.body["error"]) == (401, "credential_refused")


async def test_a_right_that_is_missing_is_named_to_the_deployer(
    kubernetes: Cluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The caller has done nothing wrong, and hears of no accounts."""
    chosen = await settings(kubernetes, tmp_path / "access")
    token = await kubernetes.issue(())
    async with service(tmp_path / "state", **chosen) as gateway:
        reply = await gateway.get("/v1/runs", **bearer(token))
    assert (reply.status, reply.body["error"]) == (503, "credential_unchecked")
    assert "no right to create tokenreviews.authentication.k8s.io" in str(
        [vars(record) for record in caplog.records]
    )
    assert "tokenreviews" not in reply.text


async def test_an_api_server_that_is_away_refuses_nobody(
    kubernetes: Cluster, tmp_path: Path
) -> None:
    """503 for who is not known yet, and all goes on for who is."""
    see_can_be_hurt(kubernetes)
    chosen = await settings(kubernetes, tmp_path / "access", REVIEW)
    known, unknown = [await kubernetes.issue(()) for _ in range(2)]
    async with service(tmp_path / "state", **chosen) as gateway:
        assert (await gateway.get("/v1/runs", **bearer(known))).status == 200
        await kubernetes.freeze()
        away = await gateway.get("/v1/runs", **bearer(unknown))
        again = [await gateway.get("/v1/runs", **bearer(each)) for each in (known, ALICE)]
        await kubernetes.thaw()
        back = await gateway.get("/v1/runs", **bearer(unknown))
    assert (away.status, away.headers["Retry-After"]) == (503, "1")
    assert away.body["error"] == "credential_unchecked"
    assert [each.status for each in (*again, back)] == [200, 200, 200]
