"""What comes with a request gets no Secret of the cluster: its author may be anybody."""

import logging
from pathlib import Path
from typing import Any

import pytest
from backends import Backend, Play, backend
from kube.cluster import Cluster
from kube.gateways import TEMPLATES, gateway_on, verdicts
from kube.secret_calls import SECRET, SHOWN, reading, sent, start, store, with_secret
from running import Reply, Service

from gateway.logs import JsonFormatter

NOT_BROUGHT = (
    f'{SHOWN}secrets "api" not found; a template that comes with a request gets no Secret of the'
    " cluster"
)
HEAD = {"apiVersion": "argoproj.io/v1alpha1"}
NAMED = "analysis-gateway/named"
LABEL = "analysis-gateway/template"
MADE_BY = "analysis-gateway/made-by"
CONNECTIONS = "analysis-gateway/connections"


def brought(upstream: Backend) -> tuple[dict[str, Any], dict[str, Any]]:
    """A template and a run that ask for the secret; the run claims to be the gateway's own."""
    asks = with_secret(upstream)
    inline = {**HEAD, "kind": "AnalysisTemplate", **asks}
    claims = {"name": "mine", "annotations": {NAMED: "true", LABEL: "t"}}
    return inline, {**HEAD, "kind": "AnalysisRun", **asks, "metadata": claims}


async def asked(gateway: Service, namespace: str, upstream: Backend) -> list[Reply]:
    """All the ways in which a request can bring what it asks."""
    inline, run = brought(upstream)
    spec = {"templates": [{"templateName": "t"}]}
    refers = {**inline, "metadata": {"name": "refers"}, "spec": spec}
    return [
        await gateway.post(f"/v1/{path}?namespace={namespace}", content)
        for path, content in (
            ("verdict", inline),
            ("verdict", refers),
            ("runs", inline),
            ("runs", refers),
            ("runs", run),
        )
    ]


async def test_a_request_gets_no_secret_of_the_cluster(
    kubernetes: Cluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A template that the gateway has does: its author decides where that goes."""
    caplog.set_level(logging.DEBUG)
    namespace = await kubernetes.namespace()
    async with backend(Play("0.9")) as upstream:
        await store(kubernetes, namespace, SECRET)
        await kubernetes.create(TEMPLATES, namespace, with_secret(upstream))
        async with gateway_on(kubernetes, tmp_path, namespace, **reading(namespace)) as gateway:
            refused = await asked(gateway, namespace, upstream)
            requests = len(upstream.requests)
            await verdicts(gateway, namespace, "t", "Successful")
            after_it_was_read = await asked(gateway, namespace, upstream)
            token = sent(upstream)
            location = await start(gateway, namespace)
            ended = await gateway.get(f"{location}?wait=20s")
    told = [(each.status, each.body["problems"]) for each in (*refused, *after_it_was_read)]
    assert told == [(422, [{"path": "args.token", "message": NOT_BROUGHT}])] * 10
    assert requests == 0
    assert token == SECRET
    assert ended.body["status"]["phase"] == "Successful"
    assert ended.body["metadata"]["annotations"][NAMED] == "true"
    lines = [JsonFormatter().format(record) for record in caplog.records]
    assert SECRET not in "\n".join([*lines, *(each.text for each in (*refused, ended))])


async def test_a_request_gets_the_secrets_of_the_folder(
    kubernetes: Cluster, tmp_path: Path
) -> None:
    """Which the deployer mounts for it; a run that was brought gets them to its end."""
    namespace = await kubernetes.namespace()
    mounted = tmp_path / "secrets" / namespace / "api"
    mounted.mkdir(parents=True)
    (mounted / "token").write_text("mounted")
    async with backend(Play("0.9")) as upstream:
        await store(kubernetes, namespace, SECRET)
        inline, run = brought(upstream)
        run["spec"]["metrics"][0] |= {"interval": "300ms", "count": 4}
        settings = {**reading(namespace), "secrets": tmp_path / "secrets"}
        async with gateway_on(kubernetes, tmp_path / "state", namespace, **settings) as gateway:
            reply = await gateway.post(f"/v1/verdict?namespace={namespace}", inline)
            ended = await gateway.post(f"/v1/runs?namespace={namespace}&wait=20s", run)
    assert (reply.body["phase"], ended.body["status"]["phase"]) == ("Successful", "Successful")
    assert {each.headers["X-Token"] for each in upstream.requests} == {"mounted"}
    assert ended.body["metadata"]["annotations"] == {
        LABEL: "inline",
        MADE_BY: "anonymous",
        CONNECTIONS: "[]",
    }


async def test_a_stored_run_that_was_brought_stays_so(kubernetes: Cluster, tmp_path: Path) -> None:
    """Even when the folder loses the secret while it runs, and the cluster has it."""
    namespace = await kubernetes.namespace()
    mounted = tmp_path / "secrets" / namespace / "api"
    mounted.mkdir(parents=True)
    (mounted / "token").write_text("mounted")
    async with backend(Play("0.9")) as upstream:
        await store(kubernetes, namespace, SECRET)
        _, run = brought(upstream)
        run["spec"]["metrics"][0] |= {"interval": "300ms"}
        settings = {**reading(namespace), "secrets": tmp_path / "secrets"}
        async with gateway_on(kubernetes, tmp_path / "state", namespace, **settings) as gateway:
            begun = await gateway.post(f"/v1/runs?namespace={namespace}", run)
            (mounted / "token").unlink()
            mounted.rmdir()
            ended = await gateway.get(f"{begun.headers['Location']}?wait=20s")
    assert ended.body["status"]["phase"] == "Error"
    assert ended.body["status"]["message"].endswith(
        "a template that comes with a request gets no Secret of the cluster"
    )
    assert {each.headers["X-Token"] for each in upstream.requests} <= {"mounted"}
