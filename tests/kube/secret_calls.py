"""Secrets in a cluster, templates that send them, and gateways that may read them."""

from base64 import b64encode
from typing import Any, Final

from backends import Backend
from kube.cluster import Cluster
from kube.gateways import rate, template
from kube.kinds import Object
from running import Service

SECRET: Final = "correct-horse-battery"
AT_ONCE: Final = {"verdicts": {"planTtl": "0s"}}
SHOWN: Final = "Unable to resolve metric arguments: "
RUN: Final = '{"templates": [{"templateName": "t"}]}'


def with_secret(upstream: Backend, **fields: object) -> Object:
    """A template whose metric sends a secret, and whose answer it may be."""
    ref = {"name": "api", "key": "token"}
    metric = rate(upstream.url, 0.8, **fields)
    headers = [{"key": "X-Token", "value": "{{args.token}}"}]
    metric["provider"]["web"] |= {"headers": headers}
    return template("t", metric, args=[{"name": "token", "valueFrom": {"secretKeyRef": ref}}])


async def store(cluster: Cluster, namespace: str, value: str) -> None:
    """Create the secret."""
    content = {"metadata": {"name": "api"}, "stringData": {"token": value}}
    await cluster.create("secrets", namespace, content)


async def rotate(cluster: Cluster, namespace: str, value: str) -> None:
    """Change the secret."""
    data = {"token": b64encode(value.encode()).decode()}
    await cluster.patch("secrets", namespace, "api", {"data": data})


def reading(namespace: str, **settings: object) -> dict[str, Any]:
    """Settings that switch secrets of a namespace on, and remember none for long."""
    return {"kubernetes": {"secrets": [namespace], "secretsTtl": "0s", **settings}, **AT_ONCE}


def sent(upstream: Backend) -> str:
    """The secret of the last measurement."""
    return upstream.requests[-1].headers["X-Token"]


async def start(gateway: Service, namespace: str) -> str:
    """Start a run; where it is."""
    json = {"Content-Type": "application/json"}
    started = await gateway.post(f"/v1/runs?namespace={namespace}", RUN, **json)
    assert started.status == 202, started.text
    return started.headers["Location"]
