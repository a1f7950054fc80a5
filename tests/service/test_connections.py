"""A vendor that demands a credential which no template has, and the whole service over HTTP."""

import asyncio
import json
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from backends import Backend, Play, backend
from running import Reply, Service, service, template, web_metric
from tls_files import Files

KEY = "hunter2-key"
GREEN = 'result == "green"'
VERDICT = "/v1/verdict?maxAge=0"


def planted(folder: Path, value: str = KEY) -> Path:
    """The secrets folder of a gateway whose own namespace is ``own``."""
    file = folder / "own/upstream/key"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{value}\n")
    return folder


def held(folder: Path, namespace: str, metric: Mapping[str, Any]) -> Path:
    """The templates folder, with one more template ``t``."""
    document = template(metric)
    document["metadata"] = {"name": "t", "namespace": namespace}
    folder.mkdir(exist_ok=True)
    (folder / f"{namespace}.yaml").write_text(yaml.safe_dump(document))
    return folder


def connection(url: str, **others: object) -> dict[str, object]:
    """One that templates of shop may use."""
    return {
        "name": "vendor",
        "url": url,
        "bearer": {"secret": "upstream/key"},
        "namespaces": ["shop"],
        **others,
    }


async def asked(gateway: Service, namespace: str = "shop", query: str = "") -> dict[str, Any]:
    """What the template ``t`` of a namespace comes to."""
    path = f"/v1/namespaces/{namespace}/analysistemplates/t/verdict?maxAge=0{query}"
    return measured(await gateway.get(path))


async def brought(gateway: Service, metric: Mapping[str, Any]) -> dict[str, Any]:
    """What the same comes to if a request brings it."""
    return measured(await gateway.post(f"{VERDICT}&namespace=shop", template(metric)))


def measured(reply: Reply) -> dict[str, Any]:
    """The only measurement of a verdict."""
    assert reply.status == 200, reply.text
    found: dict[str, Any] = reply.body["metrics"]["m"]
    return found


def settings(tmp_path: Path, *connections: Mapping[str, object], **others: Any) -> dict[str, Any]:
    """Of a gateway with connections, templates and secrets."""
    return {
        "namespace": "own",
        "templates": tmp_path / "templates",
        "secrets": planted(tmp_path / "secrets"),
        "verdicts": {"planTtl": "0s"},
        "connections": connections,
        **others,
    }


def credentials(upstream: Backend) -> list[str | None]:
    """What the vendor was shown."""
    return [request.headers.get("Authorization") for request in upstream.requests]


async def _demanding(request: web.Request) -> web.Response:
    is_known = request.headers.get("Authorization") == f"Bearer {KEY}"
    return web.Response(text='"green"', status=200 if is_known else 401)


@pytest.mark.parametrize(
    ("connections", "outcome"),
    [
        pytest.param(1, "Successful: ", id="with-it"),
        pytest.param(0, "Error: received non 2xx response code: 401", id="without-it"),
    ],
)
async def test_a_vendor_that_demands_the_credential(
    tmp_path: Path, connections: int, outcome: str
) -> None:
    """The same template passes with the connection, and does not without."""
    app = web.Application()
    app.router.add_get("/", _demanding)
    async with TestServer(app) as vendor:
        url = str(vendor.make_url("/"))
        held(tmp_path / "templates", "shop", web_metric(url, GREEN))
        chosen = [connection(url)][:connections]
        async with service(tmp_path / "state", **settings(tmp_path, *chosen)) as gateway:
            found = await asked(gateway)
    assert f"{found['phase']}: {found['message']}" == outcome


@pytest.mark.parametrize(
    ("namespace", "connections", "outcome", "shown"),
    [
        pytest.param("shop", 1, "Successful: ", [f"Bearer {KEY}"], id="with-the-connection"),
        pytest.param("shop", 0, "Successful: ", [None], id="without-it"),
        pytest.param(
            "other",
            1,
            "Error: connection vendor: its namespaces do not have 'other'"
            " (connections[].namespaces)",
            [],
            id="who-may-not-sends-nothing",
        ),
    ],
)
async def test_an_unchanged_template_uses_it(
    tmp_path: Path, namespace: str, connections: int, outcome: str, shown: list[str | None]
) -> None:
    """By its address alone, if its namespace may; egress rules need not have the address."""
    async with backend(Play('"green"')) as upstream:
        held(tmp_path / "templates", namespace, web_metric(upstream.url, GREEN))
        chosen = [connection(upstream.url)][:connections]
        egress: dict[str, object] = {"named": []} if connections else {}
        async with service(
            tmp_path / "state", **settings(tmp_path, *chosen, egress=egress)
        ) as gateway:
            found = await asked(gateway, namespace)
    assert f"{found['phase']}: {found['message']}" == outcome
    assert credentials(upstream) == shown


@pytest.mark.parametrize(
    ("templates", "outcome", "shown"),
    [
        pytest.param(
            "named",
            "Error: connection vendor: a template that came with a request may not use it"
            " (connections[].templates)",
            [],
            id="refused-rather-than-sent-without",
        ),
        pytest.param("all", "Successful: ", [f"Bearer {KEY}"], id="allowed"),
    ],
)
async def test_a_brought_template(
    tmp_path: Path, templates: str, outcome: str, shown: list[str | None]
) -> None:
    """Needs the operator's word; then it needs no egress rule."""
    async with backend(Play('"green"')) as upstream:
        chosen = settings(
            tmp_path, connection(upstream.url, templates=templates), egress={"inline": []}
        )
        (tmp_path / "templates").mkdir()
        async with service(tmp_path / "state", **chosen) as gateway:
            found = await brought(gateway, web_metric(upstream.url, GREEN))
    assert f"{found['phase']}: {found['message']}" == outcome
    assert credentials(upstream) == shown


async def test_what_steps_out_gets_nothing(tmp_path: Path) -> None:
    """Beneath the base the credential is shown, beside it and above it is not."""
    async with backend(Play('"green"')) as upstream:
        (tmp_path / "templates").mkdir()
        chosen = settings(tmp_path, connection(f"{upstream.url}/prom", templates="all"))
        async with service(tmp_path / "state", **chosen) as gateway:
            for path in ("/prom/x", "/promX", "/prom/../x", "/prom/%2e%2e/x", "/PROM/x"):
                await brought(gateway, web_metric(f"{upstream.url}{path}", GREEN))
    assert credentials(upstream) == [f"Bearer {KEY}", None, None, None, None]


async def test_a_redirect_that_leaves_the_url_is_not_followed(tmp_path: Path) -> None:
    """One within it is."""
    inside = Play("", 302, {"Location": "/prom/inside"})
    outside = Play("", 302, {"Location": "/outside"})
    async with backend(inside, Play('"green"'), outside) as upstream:
        held(tmp_path / "templates", "shop", web_metric(f"{upstream.url}/prom/x", GREEN))
        chosen = settings(tmp_path, connection(f"{upstream.url}/prom"))
        async with service(tmp_path / "state", **chosen) as gateway:
            first, second = await asked(gateway), await asked(gateway)
    assert first["phase"] == "Successful"
    assert "egress: it redirects out of the url of connection vendor" in second["message"]
    assert [each.target for each in upstream.requests] == ["/prom/x", "/prom/inside", "/prom/x"]
    assert credentials(upstream) == [f"Bearer {KEY}"] * 3


async def test_a_changed_secret_gets_no_answer_of_the_old_one(tmp_path: Path) -> None:
    """However young that is; and a secret that is gone is an Error, nothing sent."""
    async with backend(Play('"green"')) as upstream:
        held(tmp_path / "templates", "shop", web_metric(upstream.url, GREEN))
        chosen = settings(tmp_path, connection(upstream.url))
        async with service(tmp_path / "state", **chosen) as gateway:
            path = "/v1/namespaces/shop/analysistemplates/t/verdict?maxAge=60s"
            kept = [measured(await gateway.get(path))["cache"] for _ in range(2)]
            planted(tmp_path / "secrets", "hunter3")
            renewed = measured(await gateway.get(path))
            (tmp_path / "secrets/own/upstream/key").unlink()
            gone = measured(await gateway.get(path))
    assert kept == ["miss", "hit"]
    assert renewed["cache"] == "miss"
    assert credentials(upstream) == [f"Bearer {KEY}", "Bearer hunter3"]
    assert gone["phase"] == "Error"
    assert gone["message"] == ("connection vendor: key 'key' does not exist in secret 'upstream'")


async def test_a_token_url_uses_it_too(tmp_path: Path) -> None:
    """Every request goes the same way, whatever it is for; what a request has itself stays."""
    token = Play('{"access_token": "t"}', headers={"Content-Type": "application/json"})
    sums = '{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}'
    async with backend(token, Play(sums)) as upstream:
        oauth2 = {"tokenUrl": f"{upstream.url}/tok", "clientId": "i", "clientSecret": "s"}
        block = {"address": upstream.url, "query": "1", "authentication": {"oauth2": oauth2}}
        metric = {"name": "m", "successCondition": "true", "provider": {"prometheus": block}}
        held(tmp_path / "templates", "shop", metric)
        header = {"name": "X-Key", "secret": "upstream/key"}
        chosen = connection(upstream.url, headers=[header])
        async with service(tmp_path / "state", **settings(tmp_path, chosen)) as gateway:
            found = await asked(gateway)
    assert found["phase"] == "Successful", found
    assert [each.headers["X-Key"] for each in upstream.requests] == [KEY, KEY]
    assert credentials(upstream)[1] == "Bearer t"


async def test_its_timeout_bounds_a_request(tmp_path: Path) -> None:
    """Though the template would wait longer."""
    async with backend(Play('"green"', delay_s=5)) as upstream:
        held(tmp_path / "templates", "shop", web_metric(upstream.url, GREEN))
        chosen = settings(tmp_path, connection(upstream.url, timeout="200ms"))
        async with service(tmp_path / "state", **chosen) as gateway:
            found = await asked(gateway)
    assert "context deadline exceeded" in found["message"]
    assert found["tookMs"] < 3000


async def test_a_private_authority_and_a_client_certificate(tmp_path: Path) -> None:
    """They are re-read, and a template that checks no certificates checks them all the same."""
    ca, stranger = trustme.CA(), trustme.CA()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("127.0.0.1").configure_cert(tls)
    ca.configure_trust(tls)
    tls.verify_mode = ssl.CERT_REQUIRED
    files = Files(tmp_path / "files")
    files.serve(ca.issue_cert("gateway"), stranger)
    async with backend(Play('"green"'), tls=tls) as upstream:
        metric = web_metric(upstream.url, GREEN)
        metric["provider"]["web"]["insecure"] = True
        held(tmp_path / "templates", "shop", metric)
        chosen = connection(
            upstream.url,
            caBundle=files["ca"],
            clientCertificate=files["certificate"],
            clientKey=files["key"],
        )
        async with service(tmp_path / "state", **settings(tmp_path, chosen)) as gateway:
            refused = await asked(gateway)
            files.serve(ca.issue_cert("gateway"), ca)
            await asyncio.sleep(1.1)
            found = await asked(gateway)
    assert "certificate" in refused["message"]
    assert found["phase"] == "Successful", found
    assert credentials(upstream) == [f"Bearer {KEY}"]


async def test_it_is_named_and_never_shown(tmp_path: Path) -> None:
    """Its quota is its own; who may look sees its name. See test_secrets_stay.py for the rest."""
    echo = Play(json.dumps({"you": f"Bearer {KEY}"}), headers={"X-RateLimit-Remaining": "41"})
    async with backend(echo) as upstream:
        held(tmp_path / "templates", "shop", web_metric(upstream.url, "result.you == ''"))
        async with service(
            tmp_path / "state", **settings(tmp_path, connection(upstream.url))
        ) as gateway:
            verdict = await asked(gateway)
            metrics, ready = [await gateway.get(path) for path in ("/metrics", "/readyz")]
    assert verdict["value"] == {"you": "Bearer *****"}
    assert 'credential="connection/vendor"' in metrics.text
    assert ready.body["connections"] == {"names": ["vendor"]}
    assert KEY not in metrics.text + ready.text
