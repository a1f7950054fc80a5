"""OAuth2 client credentials against a real token server."""

import asyncio
import json
from typing import Any

import pytest
from backends import Backend, Play, Recorded, backend, failure_text, raw_server, saying, world

from gateway.errors import ProviderError
from gateway.model import Reading, ResultType
from gateway.provider import Provider, Surroundings
from providers import PROVIDERS

SEVEN = Reading(7.0, ResultType.JSON, "7")


def granted(token: str = "AT", **fields: object) -> Play:
    """A token server's answer."""
    body = {"access_token": token, "token_type": "bearer", "expires_in": 300, **fields}
    return Play(json.dumps(body), headers={"Content-Type": "application/json"})


def oauth2(url: str, **fields: Any) -> dict[str, Any]:
    """Credentials at a token server."""
    client = {"tokenUrl": f"{url}/tok", "clientId": "c:id", "clientSecret": "s&cret"}
    return {"oauth2": {**client, **fields}}


def web(url: str, token_url: str, **fields: Any) -> Provider:
    """A web provider with credentials."""
    block = {"url": f"{url}/m", "authentication": oauth2(token_url), **fields}
    return PROVIDERS["web"].parse(block, Surroundings())


def authorizations(server: Backend) -> list[str]:
    """What requests to a server proved themselves with."""
    return [request.headers.get("Authorization", "") for request in server.requests]


async def test_a_token_is_shared_by_measurements() -> None:
    """One token request serves many measurements, at the same time and later."""
    async with backend(granted()) as tokens, backend(Play("7")) as server, world() as context:
        providers = [web(server.url, tokens.url) for _ in range(5)]
        together = await asyncio.gather(*(one.measure(context) for one in providers))
        later = await web(server.url, tokens.url).measure(context)
    assert [*together, later] == [SEVEN] * 6
    assert (len(tokens.requests), authorizations(server)) == (1, ["Bearer AT"] * 6)


async def test_the_credentials_are_escaped_in_the_header() -> None:
    """Id and secret are form-encoded before they become Basic authentication."""
    async with backend(granted()) as tokens, backend(Play("7")) as server, world() as context:
        await web(server.url, tokens.url).measure(context)
    request = tokens.requests[0]
    assert (request.method, request.target, request.body, authorizations(tokens)) == (
        "POST",
        "/tok",
        "grant_type=client_credentials",
        ["Basic YyUzQWlkOnMlMjZjcmV0"],
    )


@pytest.mark.parametrize(
    ("play", "told"),
    [
        pytest.param(
            Play('{"x": 1, "you": "Bearer ya29.a0Af/H6SM"}'),
            '{"x":1,"you":"Bearer *****"}',
            id="in-an-answer",
        ),
        pytest.param(
            Play("", 302, {"Location": "http://[ya29.a0Af/H6SM"}),
            'Get "$URL/m": failed to parse Location header "http://[*****": parse "http://[*****":'
            " Invalid IPv6 URL",
            id="in-an-error",
        ),
    ],
)
async def test_a_token_that_is_echoed_goes_no_further(play: Play, told: str) -> None:
    """No plan knows it, so nobody could mask it later: neither here nor where readings are kept."""
    async with (
        backend(granted("ya29.a0Af/H6SM")) as tokens,
        backend(play) as server,
        world() as context,
    ):
        try:
            shown = (await web(server.url, tokens.url).measure(context)).text
        except ProviderError as error:
            shown = str(error)
    assert shown.replace(server.url, "$URL") == told
    assert authorizations(server) == ["Bearer ya29.a0Af/H6SM"]


async def test_another_secret_is_another_token() -> None:
    """A rotated secret does not go on with the old one's token."""
    async with (
        backend(granted("A"), granted("B")) as tokens,
        backend(Play("7")) as server,
        world() as context,
    ):
        await web(server.url, tokens.url).measure(context)
        other = oauth2(tokens.url, clientSecret="rotated")
        await web(server.url, tokens.url, authentication=other).measure(context)
    assert authorizations(server) == ["Bearer A", "Bearer B"]


async def test_a_refused_token_is_replaced_once() -> None:
    """A token from the cache that the metric's server refuses is fetched anew."""
    async with (
        backend(granted("A"), granted("B")) as tokens,
        backend(Play("7"), Play("", 401), Play("7")) as server,
        world() as context,
    ):
        await web(server.url, tokens.url).measure(context)
        assert await web(server.url, tokens.url).measure(context) == SEVEN
    assert authorizations(server) == ["Bearer A", "Bearer A", "Bearer B"]


@pytest.mark.parametrize(
    ("plays", "sent"),
    [
        pytest.param([Play("", 401)], ["Bearer A"], id="a-new-token-is-not-doubted"),
        pytest.param(
            [Play("7"), Play("", 401)],
            ["Bearer A", "Bearer A", "Bearer B"],
            id="a-second-refusal-is-final",
        ),
    ],
)
async def test_a_refusal_ends(plays: list[Play], sent: list[str]) -> None:
    """A server that refuses every token is not asked for ever."""
    async with (
        backend(granted("A"), granted("B")) as tokens,
        backend(*plays) as server,
        world() as context,
    ):
        for _ in plays:
            outcome = await failure_text(web(server.url, tokens.url).measure(context))
    assert outcome == "ProviderRejected: received non 2xx response code: 401"
    assert authorizations(server) == sent


async def measured_against(answer: Play) -> tuple[Reading | str, list[Recorded]]:
    """What comes of a measurement whose token server answers so."""
    async with backend(answer) as tokens, world() as context:
        outcome = await failure_text(web("http://127.0.0.1:1", tokens.url).measure(context))
        if isinstance(outcome, str):
            outcome = outcome.replace(tokens.url, "$TOKENS")
        return outcome, tokens.requests


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        pytest.param(
            Play("<h1>who?</h1>", 401),
            "ProviderRejected: oauth2: cannot fetch token: 401 Unauthorized\n"
            "Response: <h1>who?</h1>",
            id="a-refusal-in-html",
        ),
        pytest.param(
            Play("x" * 2000, 500),
            f"ProviderRejected: oauth2: cannot fetch token: 500 Internal Server Error\n"
            f"Response: {'x' * 1024}...",
            id="a-long-refusal-is-cut",
        ),
        pytest.param(
            Play("<h1>hello</h1>"),
            "ProviderUnreadable: oauth2: cannot parse json: Expecting value: line 1 column 1"
            " (char 0)",
            id="a-page",
        ),
        pytest.param(
            Play("[" * 300 + "]" * 300),
            "ProviderUnreadable: the answer is nested deeper than 200 levels",
            id="a-deep-answer",
        ),
        pytest.param(
            Play("not", headers={"Location": "/x"}, status=302),
            "ProviderUnreachable: $POST: stopped after 10 redirects",
            id="redirects-without-end",
        ),
    ],
)
async def test_a_failing_token_server_is_told(answer: Play, failure: str) -> None:
    """The error names the metric's request, then what the token server said, and is tried twice."""
    outcome, requests = await measured_against(answer)
    kind, _, text = failure.partition(": ")
    text = text.replace("$POST", 'Post "$TOKENS/x"')
    assert outcome == f'{kind}: Get "http://127.0.0.1:1/m": {text}'
    assert len(requests) == (20 if "redirects" in failure else 2)


async def test_the_secret_is_tried_in_the_form_second() -> None:
    """Some servers want it there and nowhere else."""
    async with (
        backend(Play("", 400), granted()) as tokens,
        backend(Play("7")) as server,
        world() as context,
    ):
        scoped = oauth2(tokens.url, scopes=["b", "a"])
        provider = web(server.url, tokens.url, authentication=scoped)
        assert await provider.measure(context) == SEVEN
    assert authorizations(tokens)[1] == ""
    assert tokens.requests[1].body == (
        "client_id=c%3Aid&client_secret=s%26cret&grant_type=client_credentials&scope=b+a"
    )


async def test_one_limit_holds_for_token_and_metric_together() -> None:
    """A slow token server uses the metric's time."""
    async with backend(Play("", delay_s=1.2)) as tokens, world() as context:
        provider = web("http://127.0.0.1:1", tokens.url, timeoutSeconds=1)
        outcome = await failure_text(provider.measure(context))
    assert outcome == (
        'ProviderUnreachable: Get "http://127.0.0.1:1/m":'
        f' Post "{tokens.url}/tok": context deadline exceeded'
    )


async def test_a_bad_token_url_is_told() -> None:
    """The template's author learns which URL is wrong."""
    async with world() as context:
        outcome = await failure_text(web("http://h", "ftp://t").measure(context))
    assert outcome == (
        'ProviderInvalid: Get "http://h/m": Post "ftp://t/tok": unsupported protocol scheme "ftp"'
    )


async def test_a_cut_token_is_told() -> None:
    """A body that ends too early is worded as Go's client words it."""
    cut = saying(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{")
    async with raw_server(cut) as token_url, world() as context:
        outcome = await failure_text(web("http://h", token_url).measure(context))
    assert outcome == (
        'ProviderUnreachable: Get "http://h/m": oauth2: cannot fetch token: unexpected EOF'
    )


async def test_tokens_of_prometheus_pass_through_all_layers() -> None:
    """Custom headers reach the token server, too, and an Authorization of theirs wins."""
    answer = '{"status":"success","data":{"resultType":"scalar","result":[1,"7"]}}'
    async with backend(granted()) as tokens, backend(Play(answer)) as server, world() as context:
        block = {
            "address": server.url,
            "query": "up",
            "authentication": oauth2(tokens.url),
            "headers": [{"key": "Authorization", "value": "Custom"}, {"key": "X-T", "value": "1"}],
        }
        await PROVIDERS["prometheus"].parse(block, Surroundings()).measure(context)
    assert (authorizations(tokens), authorizations(server)) == (["Custom"], ["Custom"])
    assert tokens.requests[0].headers["X-T"] == "1"
