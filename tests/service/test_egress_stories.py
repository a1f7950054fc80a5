"""What a named template may ask tells nothing to who brings the same, and redirects end early."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from backends import Backend, Play, backend
from running import Reply, Service, service, template, web_metric

REFUSED = "egress: no rule of egress.inline allows"
GREEN = Play('"green"')
TOKEN = Play(
    json.dumps({"access_token": "t", "expires_in": 3600}),
    headers={"Content-Type": "application/json"},
)
ELSEWHERE = "elsewhere"
NAMED = "/v1/namespaces/default/analysistemplates/t"


@asynccontextmanager
async def shared_gateway(
    tmp_path: Path, content: Mapping[str, Any], **settings: Any
) -> AsyncIterator[Service]:
    """A gateway as for others than this machine: it has one template, and callers bring some."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "t.yaml").write_text(yaml.safe_dump(content))
    egress = {"inline": [], **settings.pop("egress", {})}
    chosen = {"templates": tmp_path / "templates", "egress": egress, **settings}
    async with service(tmp_path / "state", **chosen) as gateway:
        yield gateway


def message(reply: Reply) -> str:
    """Phase and message of the only metric."""
    measured = reply.body["metrics"]["m"]
    return f"{measured['phase']}: {measured['message']}"


async def both(gateway: Service, content: Mapping[str, Any], query: str = "") -> tuple[str, str]:
    """What the template says that the gateway has, and then the same one from a request."""
    named = await gateway.get(f"{NAMED}/verdict?{query}")
    brought = await gateway.post(f"/v1/verdict?{query}", content)
    return message(named), message(brought)


async def test_a_reading_of_a_named_template_is_none_of_a_brought_one(tmp_path: Path) -> None:
    """Nor is the connection that was kept: the second has another key, and another pool."""
    async with backend(GREEN) as upstream:
        content = template(web_metric(upstream.url, 'result == "green"'))
        async with shared_gateway(tmp_path, content) as gateway:
            named, brought = await both(gateway, content, "maxAge=60s")
    assert named == "Successful: "
    assert brought == f'Error: Get "{upstream.url}": {REFUSED} {upstream.url}'
    assert len(upstream.requests) == 1


async def test_what_a_rule_allows_can_be_brought(tmp_path: Path) -> None:
    """Elsewhere than on loopback, too."""
    async with backend(GREEN) as upstream:
        content = template(web_metric(upstream.url, 'result == "green"'))
        rule = {"name": "home", "hosts": ["127.0.0.1"], "ports": ["1-65535"]}
        async with shared_gateway(tmp_path, content, egress={"inline": [rule]}) as gateway:
            named, brought = await both(gateway, content)
    assert (named, brought, len(upstream.requests)) == ("Successful: ", "Successful: ", 2)


def with_token(url: str, token_url: str) -> dict[str, Any]:
    """A metric that fetches a token first."""
    oauth2 = {"tokenUrl": token_url, "clientId": "i", "clientSecret": "s"}
    block = {"url": url, "authentication": {"oauth2": oauth2}}
    return template({"name": "m", "provider": {"web": block}})


async def test_a_token_that_a_named_template_fetched_is_none_of_a_brought_one(
    tmp_path: Path,
) -> None:
    """Whose token server is out of bounds, although what it guards is not."""
    async with backend(GREEN) as upstream, backend(TOKEN) as tokens:
        content = with_token(upstream.url, tokens.url)
        port = int(upstream.url.rpartition(":")[2])
        rule = {"name": "guarded", "hosts": ["127.0.0.1"], "ports": [port]}
        async with shared_gateway(tmp_path, content, egress={"inline": [rule]}) as gateway:
            named, brought = await both(gateway, content)
    assert named == "Successful: "
    assert brought == (f'Error: Get "{upstream.url}": Post "{tokens.url}": {REFUSED} {tokens.url}')
    assert (len(upstream.requests), len(tokens.requests)) == (1, 1)


async def test_a_silence_of_a_vendor_is_told_to_named_templates_only(tmp_path: Path) -> None:
    """A brought one does not even learn that there is a vendor."""
    busy = Play("busy", 429, {"Retry-After": "60"})
    async with backend(busy) as upstream:
        content = template(web_metric(upstream.url))
        async with shared_gateway(tmp_path, content) as gateway:
            named, brought = await both(gateway, content)
    assert "429" in named
    assert brought == f'Error: Get "{upstream.url}": {REFUSED} {upstream.url}'


async def test_a_run_that_is_brought_asks_as_a_brought_template(tmp_path: Path) -> None:
    """And one of the gateway's own template as that."""
    async with backend(GREEN) as upstream:
        metric = web_metric(upstream.url, 'result == "green"', consecutiveErrorLimit=0)
        content = template(metric)
        async with shared_gateway(tmp_path, content) as gateway:
            query = "wait=10s"
            brought = await gateway.post(f"/v1/runs?{query}", content)
            named = await gateway.post(f"/v1/runs?{query}", {"templates": [{"templateName": "t"}]})
    assert brought.body["status"]["phase"] == "Error"
    assert REFUSED in brought.text
    assert named.body["status"]["phase"] == "Successful"
    assert len(upstream.requests) == 1


async def test_one_that_is_brought_beside_named_ones_binds_them_all(tmp_path: Path) -> None:
    """A brought template may refer to a named one, whose arguments it chooses."""
    async with backend(GREEN) as upstream:
        named = template(web_metric(upstream.url, 'result == "green"'))
        brought = template(templates=[{"templateName": "t"}])
        brought["metadata"] = {"name": "other"}
        async with shared_gateway(tmp_path, named) as gateway:
            reply = await gateway.post("/v1/verdict", brought)
    assert message(reply).endswith(f"{REFUSED} {upstream.url}")
    assert upstream.requests == []


async def test_a_secret_in_a_url_is_not_told(tmp_path: Path) -> None:
    """A refusal shows the host, and that may be one as well."""
    secrets = tmp_path / "secrets" / "default" / "s"
    secrets.mkdir(parents=True)
    (secrets / "k").write_text("Hunter2Hunter2")
    url = "http://u:{{args.s}}@{{args.s}}.example/{{args.s}}"
    source = {"secretKeyRef": {"name": "s", "key": "k"}}
    content = template(web_metric(url), args=[{"name": "s", "valueFrom": source}])
    settings = {"secrets": tmp_path / "secrets", "egress": {"named": []}}
    async with shared_gateway(tmp_path, content, **settings) as gateway:
        reply = await gateway.get(f"{NAMED}/verdict")
    assert "egress: no rule of egress.named allows http://" in message(reply)
    assert "hunter2" not in reply.text.lower()


def redirected(first: Backend, to: str) -> dict[str, Any]:
    """A template whose server sends on to another place."""
    first.plays = [Play("", 302, {"Location": to}), GREEN]
    return template(web_metric(f"{first.url}/first", 'result == "green"'))


@pytest.mark.parametrize(
    ("egress", "to", "named", "brought"),
    [
        pytest.param({}, "/second", "", "follows none", id="the-same-origin-if-named"),
        pytest.param({}, ELSEWHERE, "same origin only", "follows none", id="elsewhere-for-nobody"),
        pytest.param(
            {"namedRedirects": "none"},
            "/second",
            "follows none",
            "follows none",
            id="none-if-asked",
        ),
        pytest.param({"namedRedirects": "all"}, ELSEWHERE, "", "follows none", id="all-if-asked"),
        pytest.param(
            {"inlineRedirects": "same-origin"}, "/second", "", "", id="the-same-origin-if-asked"
        ),
        pytest.param(
            {"inlineRedirects": "same-origin"},
            ELSEWHERE,
            "same origin only",
            "same origin only",
            id="brought-ones-never-go-elsewhere",
        ),
    ],
)
async def test_redirects_are_followed_as_the_settings_say(
    tmp_path: Path, egress: Mapping[str, str], to: str, named: str, brought: str
) -> None:
    """An empty text is a measurement; whoever is not followed to hears nothing."""
    rule = {"name": "home", "hosts": ["127.0.0.1"], "ports": ["1-65535"]}
    async with backend() as first, backend(GREEN) as second:
        content = redirected(first, to.replace(ELSEWHERE, f"{second.url}/x"))
        settings = {"inline": [rule], **egress}
        async with shared_gateway(tmp_path, content, egress=settings) as gateway:
            said = message(await gateway.get(f"{NAMED}/verdict"))
            first.requests.clear()
            said_to_brought = message(await gateway.post("/v1/verdict", content))
    for text, part in ((said, named), (said_to_brought, brought)):
        assert part in text
        assert text.startswith("Error: " if part else "Successful: ")
    assert bool(second.requests) == (to == ELSEWHERE and not named)
