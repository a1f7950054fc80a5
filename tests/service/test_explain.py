"""``explain=true``: the requests and answers behind a verdict, for who may see them."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from backends import Play, backend
from guarded import BOB, get, guarded, refused, rule
from running import Service, service, template, web_metric

from gateway.traces import MAX_BODY_CHARS

SECRET = "s3cr3t-of-the-shop"


def guarded_metric(url: str) -> dict[str, Any]:
    """A metric that sends a secret in its URL and in a header."""
    web = web_metric(url + "/{{args.token}}?a=1", 'result.state == "green"')
    web["provider"]["web"]["headers"] = [{"key": "X-Key", "value": "{{args.token}}"}]
    return web


def with_secret(folder: Path, metric: dict[str, Any]) -> Path:
    """A folder of templates with one, ``t``, whose argument comes from a Secret."""
    source = {"secretKeyRef": {"name": "s", "key": "token"}}
    content = template(metric, args=[{"name": "token", "valueFrom": source}])
    content["metadata"] = {"name": "t", "namespace": "shop"}
    folder.mkdir()
    (folder / "t.yaml").write_text(yaml.safe_dump(content))
    return folder


def secrets_in(folder: Path) -> Path:
    """A folder of secrets with that one."""
    place = folder / "shop" / "s"
    place.mkdir(parents=True)
    (place / "token").write_text(SECRET)
    return folder


async def asked(gateway: Service, path: str, **headers: str) -> Any:
    """The only metric of a verdict."""
    reply = await gateway.get(path, **headers)
    assert SECRET not in reply.text
    (metric,) = reply.body["metrics"].values()
    return metric


async def test_requests_and_answers_are_told_without_secrets(tmp_path: Path) -> None:
    """Also those of a reading that was kept; and nothing of it without the question for it."""
    echo = json.dumps({"state": "red", "echo": f"you said {SECRET}"})
    path = "/v1/namespaces/shop/analysistemplates/t/verdict?maxAge=60s"
    async with backend(Play(echo)) as upstream:
        folder = with_secret(tmp_path / "t", guarded_metric(upstream.url))
        secrets = secrets_in(tmp_path / "secrets")
        async with service(tmp_path / "s", templates=folder, secrets=secrets) as gateway:
            first = await asked(gateway, path)
            metric = await asked(gateway, path + "&explain=true")
            again = await asked(gateway, path)
    assert "exchanges" not in first
    assert "exchanges" not in again
    assert metric["cache"] == "hit"
    assert metric["explanation"]["retries"] == 0
    assert metric["explanation"]["successCondition"]["parts"][0] == {
        "expression": "result.state",
        "value": "red",
    }
    (exchange,) = metric["exchanges"]
    request, response = exchange["request"], exchange["response"]
    assert request["method"] == "GET"
    assert request["url"].endswith("/*****?a=1")
    assert request["headers"]["X-Key"] == "*****"
    assert response["status"] == 200
    assert response["headers"]["Content-Type"].startswith("application/")
    assert json.loads(response["body"]) == {"state": "red", "echo": "you said *****"}
    assert (exchange["error"], exchange["tookMs"] > 0) == ("", True)


@pytest.mark.parametrize(
    ("body", "begin", "length"),
    [
        pytest.param(
            '{"a":"' + "<script>" * 2_000 + '"}',
            '{"a":"<script>',
            MAX_BODY_CHARS + 3,
            id="a-long-body-is-cut",
        ),
        pytest.param("no JSON", "no JSON", 7, id="what-is-no-json-is-told-as-it-is"),
        pytest.param("NaN", "NaN", 3, id="so-is-nan"),
    ],
)
async def test_bodies_of_all_sorts_are_strict_json(
    tmp_path: Path, body: str, begin: str, length: int
) -> None:
    """Whatever an upstream says."""
    async with backend(Play(body)) as upstream, service(tmp_path) as gateway:
        metric = web_metric(upstream.url, "result.a == 1")
        reply = await gateway.post("/v1/verdict?explain=true", template(metric))
    assert reply.status == 200, reply.text
    (exchange,) = reply.body["metrics"]["m"]["exchanges"]
    told = exchange["response"]["body"]
    assert told.startswith(begin)
    assert len(told) == length


async def test_no_piece_of_a_secret_is_told(tmp_path: Path) -> None:
    """Whatever a condition cuts out of an echo."""
    async with backend(Play(json.dumps({"echo": f"you said {SECRET}"}))) as upstream:
        metric = guarded_metric(upstream.url)
        metric["successCondition"] = 'result.echo[9:13] != "x"'
        folder = with_secret(tmp_path / "t", metric)
        secrets = secrets_in(tmp_path / "secrets")
        async with service(tmp_path / "s", templates=folder, secrets=secrets) as gateway:
            found = await asked(gateway, "/v1/namespaces/shop/analysistemplates/t/verdict")
    assert SECRET[:4] not in json.dumps(found)
    assert found["explanation"]["successCondition"]["parts"][0] == {
        "expression": "result.echo[9:13]",
        "value": "****",
    }


async def test_who_gave_no_answer_is_told(tmp_path: Path) -> None:
    """With the error instead of a response."""
    async with service(tmp_path) as gateway:
        metric = web_metric("http://127.0.0.1:1/", "true")
        reply = await gateway.post("/v1/verdict?explain=true", template(metric))
    (exchange,) = reply.body["metrics"]["m"]["exchanges"]
    assert exchange["response"] is None
    assert "connection refused" in exchange["error"]


async def test_it_takes_a_right_of_its_own(tmp_path: Path) -> None:
    """Who may ask for a verdict may not see whatever an upstream answers."""
    may_ask = rule("verdict", callers=["token:alice", "token:bob"])
    may_see = rule("explain", callers=["token:bob"])
    async with backend(Play('{"state":"green"}')) as upstream:
        folder = with_secret(tmp_path / "t", guarded_metric(upstream.url))
        secrets = secrets_in(tmp_path / "secrets")
        settings = {"templates": folder, "secrets": secrets}
        async with guarded(tmp_path, may_ask, may_see, **settings) as gateway:
            path = "/v1/namespaces/shop/analysistemplates/t/verdict"
            replies = [
                await get(gateway, path),
                await get(gateway, f"{path}?explain=true"),
                await get(gateway, f"{path}?explain=true", BOB),
            ]
    assert [each.status for each in replies] == [200, 403, 200]
    assert "may not see requests and answers" in refused(replies[1])[2]


async def test_what_was_sent_again_is_counted(tmp_path: Path) -> None:
    """As the vendor asked for."""
    busy = Play(status=429, headers={"Retry-After": "1"})
    async with backend(busy, Play('{"a":1}')) as upstream, service(tmp_path) as gateway:
        reply = await gateway.post(
            "/v1/verdict", template(web_metric(upstream.url, "result.a == 1"))
        )
    assert reply.body["metrics"]["m"]["explanation"]["retries"] == 1
    assert len(upstream.requests) == 2
