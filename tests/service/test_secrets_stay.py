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
ESCAPED = (SECRET, quote(SECRET, safe=""), r"hunter2/\"key", "hunter2", "hunter")


def planted(folder: Path, url: str) -> Path:
    """A secrets folder with one secret, for arguments and as the credential of vendors."""
    for path, content in {
        "vault/token": SECRET,
        "datadog/api-key": SECRET,
        "datadog/app-key": f"{SECRET}\n",
        "datadog/address": url.replace("http://", f"http://u:{quote(SECRET, safe='')}@"),
        "vendor/api-key": SECRET,
        "vendor/app-key": SECRET,
        "vendor/address": url,
        "broken/api-key": SECRET,
        "broken/app-key": SECRET,
        "broken/address": f"http://u:{SECRET}@h",
        "opaque/api-key": "AK",
        "opaque/app-key": "PK",
        "opaque/address": f"u:{SECRET}@h",
        "influxdb/address": url,
        "influxdb/authToken": SECRET,
        "influxdb/org": "o",
        "nr/personal-api-key": f"{SECRET}\n",
        "nr/account-id": "1",
        "nr/base-url-nerdgraph": url,
        "mixed/personal-api-key": "k",
        "mixed/account-id": SECRET,
        f"wavefront-api-tokens/{url.removeprefix('http://')}": SECRET,
    }.items():
        key = folder / "default" / path
        key.parent.mkdir(parents=True, exist_ok=True)
        key.write_text(content)
    return folder


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


def credentialed(url: str) -> list[dict[str, object]]:
    """Metrics whose vendors get the secret though no template has it."""
    blocks = {
        "a-vendor": {"datadog": {"query": "a", "secretRef": {"name": "vendor"}}},
        "a-vendor-by-groups": {
            "datadog": {"query": "a", "apiVersion": "v2", "secretRef": {"name": "vendor"}}
        },
        "a-key-with-a-line-break": {"datadog": {"query": "a"}},
        "an-address-that-is-none": {"datadog": {"query": "a", "secretRef": {"name": "broken"}}},
        "an-address-without-a-scheme": {"datadog": {"query": "a", "secretRef": {"name": "opaque"}}},
        "a-token-of-influxdb": {"influxdb": {"query": "q"}},
        "a-key-of-new-relic-with-a-line-break": {"newRelic": {"query": "q", "profile": "nr"}},
        "a-key-in-the-wrong-place": {"newRelic": {"query": "q", "profile": "mixed"}},
        "a-token": {"wavefront": {"query": "a", "address": url.removeprefix("http://")}},
    }
    return [{"name": name, "provider": provider} for name, provider in blocks.items()]


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
        pytest.param(Play("x" * 4_090 + SECRET, status=400), id="cut-in-a-refusal"),
        pytest.param(
            Play(json.dumps({"errors": ["x" * 4_090 + SECRET]})), id="cut-in-errors-of-datadog"
        ),
        pytest.param(Play("x" * 1_018 + SECRET, status=400), id="cut-in-a-refusal-of-a-token"),
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
    async with (
        backend(play) as upstream,
        service(
            tmp_path / "s",
            secrets=planted(tmp_path / "secrets", upstream.url),
            redis=redis_server.url.reveal(),
        ) as gateway,
    ):
        replies = [
            await gateway.post(f"/v1/verdict?{query}", template(metric, args=ARGS))
            for metric in holders(upstream.url)
            for query in ("", "maxAge=0", "args.plain=%22")
        ]
        replies += [
            await gateway.post("/v1/verdict", template(metric))
            for metric in credentialed(upstream.url)
        ]
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
