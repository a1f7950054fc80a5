"""A gateway that knows its callers: tokens and a policy in files, and who shows which token."""

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from run_calls import FAR
from running import Reply, Service, service, template, web_metric

ALICE = "token-of-alice-4c7f1e"
BOB = "token-of-bob-9d02aa"
NOBODY = "token-of-nobody-77aa01"
EGRESS = {"inline": [{"name": "tests", "hosts": ["127.0.0.1"], "ports": ["1-65535"]}]}
"""Settings with which templates that callers bring may ask the servers of tests."""
EVERY_ACTION = ["verdict", "run", "inline", "explain", "jobs", "admin", "metrics"]


def bearer(token: str) -> dict[str, str]:
    """The header that shows a token."""
    return {"Authorization": f"Bearer {token}"}


def digest(token: str) -> str:
    """What a tokens file has of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def rule(*actions: str, callers: Sequence[object] = ("token:alice",), **fields: object) -> Any:
    """A rule of the policy, for alice and the namespace shop unless it says otherwise."""
    return {
        "callers": list(callers),
        "actions": list(actions),
        "namespaces": ["shop"],
        **fields,
    }


def write_policy(folder: Path, *rules: Any) -> Path:
    """The file of a policy."""
    path = folder / "policy.yaml"
    path.write_text(yaml.safe_dump({"rules": list(rules)}))
    return path


def write_tokens(folder: Path, **tokens: str) -> Path:
    """The file of tokens, by the names of their owners."""
    path = folder / "tokens.yaml"
    entries = [{"name": name, "sha256": digest(token)} for name, token in tokens.items()]
    path.write_text(yaml.safe_dump({"tokens": entries}))
    return path


def access(folder: Path, *rules: Any) -> dict[str, object]:
    """Settings with which alice and bob are known."""
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "policy": str(write_policy(folder, *rules)),
        "tokens": str(write_tokens(folder, alice=ALICE, bob=BOB)),
    }


def put(folder: Path, namespace: str, name: str, *metrics: Any, **spec: Any) -> None:
    """A template of the gateway's; of the cluster if its namespace is empty."""
    manifest: Any = template(*metrics, **spec)
    manifest["metadata"] = {"name": name, **({"namespace": namespace} if namespace else {})}
    manifest["kind"] = "AnalysisTemplate" if namespace else "ClusterAnalysisTemplate"
    folder.mkdir(exist_ok=True)
    (folder / f"{namespace}-{name}.yaml").write_text(yaml.safe_dump(manifest))


def put_templates(folder: Path) -> Path:
    """Two namespaces with templates, one of the cluster, and a broken file."""
    for namespace, name in (("shop", "rate"), ("shop", "errors"), ("bank", "rate"), ("", "rate")):
        put(folder, namespace, name, web_metric(FAR, name=name))
    (folder / "broken.yaml").write_text("a: [")
    return folder


def guarded(tmp_path: Path, *rules: Any, **settings: Any) -> Any:
    """A gateway with this policy."""
    return service(tmp_path / "state", access=access(tmp_path / "access", *rules), **settings)


async def get(gateway: Service, path: str, token: str = ALICE) -> Reply:
    """GET something as somebody."""
    return await gateway.get(path, **bearer(token))


async def start(
    gateway: Service, content: object, query: str = "", token: str = ALICE, **headers: str
) -> Reply:
    """Start a run as somebody."""
    return await gateway.post(f"/v1/runs?{query}", content, **bearer(token), **headers)


def named(name: str, namespace: str = "shop") -> dict[str, object]:
    """A body that names a template."""
    return {"templates": [{"templateName": name}], "namespace": namespace}


def refused(reply: Reply) -> tuple[int, str, str]:
    """What a refusal says."""
    return reply.status, reply.body["error"], reply.body["detail"]


async def lasting(gateway: Service, path: str, status: int, token: str = ALICE) -> Reply:
    """The first answer with this status."""
    async with asyncio.timeout(10):
        while True:
            reply = await get(gateway, path, token)
            if reply.status == status:
                return reply
            await asyncio.sleep(0.01)
