"""A planted secret is searched for in everything that leaves the gateway."""

import json
import logging
from pathlib import Path
from urllib.parse import quote

import pytest
from backends import Play, backend
from redis_server import RedisServer
from running import service, template, web_metric

from gateway.logs import JsonFormatter, TextFormatter

SECRET = 'hunter2/"key'  # it looks different in URLs and in JSON
ESCAPED = (SECRET, quote(SECRET, safe=""), r"hunter2/\"key", "hunter2")


def planted(folder: Path) -> Path:
    """A secrets folder with one secret."""
    key = folder / "default" / "vault" / "token"
    key.parent.mkdir(parents=True)
    key.write_text(SECRET)
    return folder


def plant_credentials(folder: Path, url: str) -> None:
    """Beside it the credentials of a provider; what they are for is at ``url``."""
    keys = folder / "default" / "influxdb"
    keys.mkdir()
    for name, content in (("address", url), ("authToken", SECRET), ("org", "o")):
        (keys / name).write_text(content)


ARGS = [
    {"name": "token", "valueFrom": {"secretKeyRef": {"name": "vault", "key": "token"}}},
    {"name": "plain", "value": "open"},
]
WITH_SECRET = "{{args.token}}"


def holders(url: str) -> list[dict[str, object]]:
    """Metrics that hold the secret in every place of a template that can hold one."""
    prometheus = {"address": url, "query": 'up{t="{{args.plain}}"}'}
    basic = {"basicAuth": {"username": "u", "password": WITH_SECRET}}
    oauth2 = {"oauth2": {"tokenUrl": f"{url}/tok", "clientId": "c", "clientSecret": WITH_SECRET}}
    return [
        web_metric(f"{url}/?q={WITH_SECRET}", "result.x > 1", name="in-url"),
        web_metric(url, f"result == `{WITH_SECRET}`", name="in-condition"),
        web_metric(url, f"result >= `{WITH_SECRET}` >= ", name="in-bad-condition"),
        web_metric(url, "true", name="in-json-path", jsonPath=f"{{.{WITH_SECRET}}}"),
        web_metric(f"http://127.0.0.1:1/{WITH_SECRET}", "true", name="in-refused-url"),
        web_metric(f"http://u:{WITH_SECRET}@{WITH_SECRET}/", "true", name="in-bad-url"),
        {
            "name": "in-header",
            "provider": {
                "web": {"url": url, "headers": [{"key": "Authorization", "value": WITH_SECRET}]}
            },
        },
        {
            "name": "in-bad-header",
            "provider": {"web": {"url": url, "headers": [{"key": WITH_SECRET, "value": "x"}]}},
        },
        {
            "name": "in-body",
            "provider": {"web": {"url": url, "method": "POST", "jsonBody": {"k": [WITH_SECRET]}}},
        },
        {
            "name": "in-query",
            "successCondition": "result[0] > 1",
            "provider": {"prometheus": {**prometheus, "query": f'up{{t="{WITH_SECRET}"}}'}},
        },
        {
            "name": "in-basic-auth",
            "provider": {"prometheus": {**prometheus, "authentication": basic}},
        },
        {"name": "in-oauth2", "provider": {"prometheus": {**prometheus, "authentication": oauth2}}},
        {
            "name": "in-address",
            "provider": {"prometheus": {**prometheus, "address": f"{url}/{WITH_SECRET}"}},
        },
        {
            "name": "in-range",
            "provider": {
                "prometheus": {
                    **prometheus,
                    "rangeQuery": {
                        "start": f"now() - `{WITH_SECRET}`",
                        "end": "now()",
                        "step": WITH_SECRET,
                    },
                }
            },
        },
    ]


CREDENTIALED = {"name": "in-credentials", "provider": {"influxdb": {"query": "q"}}}
"""A metric whose template knows nothing of a secret."""


@pytest.mark.parametrize(
    "play",
    [
        pytest.param(Play('{"k": "' + SECRET.replace('"', r"\"") + '"}'), id="echoed-as-json"),
        pytest.param(Play(SECRET), id="echoed-as-text"),
        pytest.param(Play(SECRET, status=401), id="echoed-in-a-refusal"),
        pytest.param(
            Play(json.dumps({"status": "error", "errorType": "e", "error": SECRET}), status=400),
            id="echoed-in-an-error",
        ),
        pytest.param(
            Play("", status=302, headers={"Location": f"http://127.0.0.1:1/{quote(SECRET)}"}),
            id="echoed-in-a-redirect",
        ),
    ],
)
async def test_no_output_holds_the_secret(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, redis_server: RedisServer, play: Play
) -> None:
    """Answers, errors, metrics, log lines and Redis keys are all searched."""
    caplog.set_level(logging.DEBUG)
    folder = planted(tmp_path / "secrets")
    async with (
        backend(play) as upstream,
        service(tmp_path / "s", secrets=folder, redis=redis_server.url.reveal()) as gateway,
    ):
        plant_credentials(folder, upstream.url)
        replies = [
            await gateway.post(f"/v1/verdict?{query}", template(metric, args=ARGS))
            for metric in holders(upstream.url)
            for query in ("", "maxAge=0", "args.plain=%22")
        ]
        replies.append(await gateway.post("/v1/verdict", template(CREDENTIALED)))
        replies.append(await gateway.post("/v1/lint", template(*holders(upstream.url), args=ARGS)))
        replies += [await gateway.get(path) for path in ("/metrics", "/readyz", "/v1/templates")]
        keys = redis_server.cli("--scan")
    assert {reply.status for reply in replies} == {200}
    outputs = [reply.text for reply in replies] + [keys]
    # The stand-in for a vendor writes a log of its own.
    records = [each for each in caplog.records if each.name != "aiohttp.access"]
    outputs += [JsonFormatter().format(each) for each in records]
    outputs += [TextFormatter().format(each) for each in records]
    assert any("*****" in output for output in outputs)
    for output in outputs:
        assert not [form for form in ESCAPED if form in output], output
