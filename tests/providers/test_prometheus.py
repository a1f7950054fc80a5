"""prometheus: the block, the request, and what measuring adds to it."""

from typing import Any

import pytest
from backends import Play, Recorded, backend, failure_text, world

from gateway.errors import ProviderInvalid
from gateway.model import Reading, ResultType
from gateway.provider import HttpRequest, Surroundings, Tls
from providers.prometheus import (
    TYPE,
    PrometheusProvider,
    PrometheusSpec,
    add_headers,
    build_fallback,
    parse,
)

ONE = Play('{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}')
FORM = "application/x-www-form-urlencoded"


def block(**fields: Any) -> dict[str, Any]:
    """A block that works, with some fields of its own."""
    return {"address": "http://p:9090", "query": "up", **fields}


def provider(**fields: Any) -> PrometheusProvider:
    """The provider of a block."""
    parsed = parse(block(**fields), Surroundings())
    assert isinstance(parsed, PrometheusProvider)
    return parsed


def test_an_address_may_come_from_the_environment() -> None:
    """A block without address takes the gateway's."""
    environ = {"ARGO_ROLLOUTS_PROMETHEUS_ADDRESS": "http://central:9090"}
    parsed = parse({"query": "up"}, Surroundings(environ))
    own = parse(block(), Surroundings(environ))
    assert isinstance(parsed, PrometheusProvider)
    assert isinstance(own, PrometheusProvider)
    assert (parsed.server.wire, own.server.wire) == ("http://central:9090", "http://p:9090")


@pytest.mark.parametrize(
    ("fields", "environ", "message"),
    [
        pytest.param(
            {"address": ""}, {}, "prometheus address is not configured", id="no-address-anywhere"
        ),
        pytest.param(
            {"address": ""},
            {"ARGO_ROLLOUTS_PROMETHEUS_ADDRESS": ""},
            "prometheus address is not is url format",
            id="an-empty-address-in-the-environment",
        ),
        pytest.param(
            {"address": "p:9090"}, {}, "prometheus address is not is url format", id="no-scheme"
        ),
        pytest.param(
            {"address": "http://[/"}, {}, "prometheus address is not is url format", id="no-url"
        ),
        pytest.param(
            {"timeout": -1}, {}, "prometheus timeout should not be negative", id="negative-timeout"
        ),
        pytest.param(
            {"authentication": {"basicAuth": {"password": "p"}}},
            {},
            "missing mandatory parameter in metric for basic auth setup: username",
            id="a-password-without-a-user",
        ),
        pytest.param(
            {"authentication": {"oauth2": {"tokenUrl": "http://t", "clientSecret": "s"}}},
            {},
            "missing mandatory parameter in metric for OAuth2 setup",
            id="a-token-server-without-a-client",
        ),
        pytest.param(
            {"timeout": "5", "headers": [{"key": "a"}], "querry": ""},
            {},
            "timeout: must be an integer; headers[0].value: is required;"
            " querry: unknown field; did you mean query?",
            id="a-shape-that-is-wrong-in-three-places",
        ),
    ],
)
def test_a_block_is_refused(fields: dict[str, Any], environ: dict[str, str], message: str) -> None:
    """Creation errors are Argo's; shapes are told with their paths."""
    with pytest.raises(ProviderInvalid) as caught:
        parse(block(**fields), Surroundings(environ))
    assert str(caught.value) == message


def test_all_that_is_wrong_with_a_shape_is_told() -> None:
    """Paths lead into lists and objects."""
    bad = {
        "headers": [{"key": "a", "value": 1}],
        "insecure": "yes",
        "rangeQuery": {"star": "now()"},
        "authentication": {"sigv4": {"region": 1}, "basicauth": {}},
        "timeout": 2**63,
    }
    assert sorted(TYPE.check(bad)) == [
        ("authentication.basicauth", "unknown field; did you mean basicAuth?"),
        (
            "authentication.sigv4.region",
            "must be a text, not the number 1; put it into quotes",
        ),
        ("headers[0].value", "must be a text, not the number 1; put it into quotes"),
        ("insecure", "must be true or false"),
        ("rangeQuery.star", "unknown field; did you mean start?"),
        ("timeout", f"Input should be less than {2**63}"),
    ]


@pytest.mark.parametrize(
    ("fields", "request_"),
    [
        pytest.param(
            {"query": 'sum(rate(x{a="b c"}[1m]))\n> 0'},
            HttpRequest(
                "POST",
                "http://p:9090/api/v1/query",
                {"Content-Type": FORM},
                b"query=sum%28rate%28x%7Ba%3D%22b+c%22%7D%5B1m%5D%29%29%0A%3E+0&time=1700000000",
                is_repeatable=True,
            ),
            id="an-instant-query",
        ),
        pytest.param(
            {
                "rangeQuery": {
                    "start": 'now() - duration("5m")',
                    "end": 'now() - duration("1.5s")',
                    "step": "1m30s",
                },
                "insecure": True,
            },
            HttpRequest(
                "POST",
                "http://p:9090/api/v1/query_range",
                {"Content-Type": FORM},
                b"end=1699999998.5&query=up&start=1699999700&step=90",
                Tls.UNVERIFIED,
                is_repeatable=True,
            ),
            id="a-range-query",
        ),
        pytest.param(
            {"address": "http://u:p@h/a%20b/x/..//c/?tenant=x&query=ignored&flag"},
            HttpRequest(
                "POST",
                "http://u:p@h/a%20b/c/api/v1/query?tenant=x&query=ignored&flag",
                {"Authorization": "Basic dTpw", "Content-Type": FORM},
                b"flag=&query=up&tenant=x&time=1700000000",
                is_repeatable=True,
            ),
            id="an-address-with-credentials-path-and-query",
        ),
    ],
)
def test_a_request_is_built(fields: dict[str, Any], request_: HttpRequest) -> None:
    """As prometheus/client_golang builds it."""
    assert provider(**fields).build_request(now_unix_s=1_700_000_000.0) == request_


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        pytest.param(
            {"start": "1 + 1", "end": "now()", "step": "1m"},
            "failed to parse rangeQuery.start as time: expected time.Time, but got int",
            id="a-start-that-is-no-time",
        ),
        pytest.param(
            {"start": "now()", "end": 'duration("1q")', "step": "1m"},
            'failed to parse rangeQuery.end as time: time: unknown unit "q" in duration "1q"',
            id="an-end-that-is-no-time",
        ),
        pytest.param(
            {"start": "now()", "end": "now()", "step": "5"},
            'failed to parse rangeQuery.step as duration: time: missing unit in duration "5"',
            id="a-step-without-a-unit",
        ),
    ],
)
def test_a_range_is_refused(bounds: dict[str, str], message: str) -> None:
    """The bounds are expressions, the step is a duration."""
    with pytest.raises(ProviderInvalid) as caught:
        provider(rangeQuery=bounds).build_request(now_unix_s=1_700_000_000.0)
    assert str(caught.value) == message


def test_a_fallback_asks_the_same_as_a_get() -> None:
    """The form takes the place of the address's query; the type of the body goes."""
    request = provider(address="http://h/x?tenant=a").build_request(now_unix_s=5.0)
    assert build_fallback(request) == HttpRequest(
        "GET", "http://h/x/api/v1/query?query=up&tenant=a&time=5", {}
    )


@pytest.mark.parametrize(
    ("basic_auth", "headers", "sent", "wire"),
    [
        pytest.param({}, [], {}, {}, id="nothing-to-add"),
        pytest.param(
            {"username": "u", "password": "p"},
            [],
            {},
            {"Authorization": "Basic dTpw"},
            id="a-user-authenticates",
        ),
        pytest.param(
            {"username": "u", "password": "p"},
            [],
            {"Authorization": "Bearer t"},
            {"Authorization": "Bearer t"},
            id="a-token-is-not-replaced-by-a-user",
        ),
        pytest.param(
            {"username": "u", "password": "p"},
            [("authorization", "Custom"), ("x-scope-orgid", "a"), ("X-Scope-OrgID", "b")],
            {"Authorization": "Bearer t"},
            {"Authorization": "Custom", "X-Scope-Orgid": "b"},
            id="headers-of-the-template-win-and-the-last-of-them",
        ),
        pytest.param(
            {},
            [("Host", "other"), ("content-length", "9"), ("Transfer-Encoding", "x"), ("Te", "y")],
            {},
            {"Te": "y"},
            id="what-belongs-to-the-client-is-ignored",
        ),
        pytest.param({}, [("a b", "1")], {}, {"a b": "1"}, id="a-bad-name-is-kept-to-be-refused"),
    ],
)
def test_headers_are_added_in_layers(
    basic_auth: dict[str, str],
    headers: list[tuple[str, str]],
    sent: dict[str, str],
    wire: dict[str, str],
) -> None:
    """Basic authentication only where nothing else authenticates, the template's headers last."""
    spec = PrometheusSpec.model_validate(
        {
            "headers": [{"key": key, "value": value} for key, value in headers],
            "authentication": {"basicAuth": basic_auth},
        }
    )
    assert add_headers(HttpRequest("GET", "http://h", sent), spec).headers == wire


async def measured(plays: list[Play], **fields: Any) -> tuple[Reading | str, list[Recorded]]:
    """What comes of a block against a server's answers."""
    async with backend(*plays) as server, world() as context:
        parsed = parse(block(address=server.url, **fields), Surroundings())
        outcome = await failure_text(parsed.measure(context))
        if isinstance(outcome, str):
            outcome = outcome.replace(server.url, "$URL")
        return outcome, server.requests


@pytest.mark.parametrize("status", [403, 405, 501])
async def test_a_refused_post_is_asked_again_as_get(status: int) -> None:
    """The second answer counts."""
    outcome, requests = await measured([Play("", status), ONE])
    assert outcome == Reading(1.0, ResultType.FLOAT, "1")
    assert [request.method for request in requests] == ["POST", "GET"]


@pytest.mark.parametrize("status", [400, 401, 404, 422, 500, 502])
async def test_other_refusals_are_final(status: int) -> None:
    """Nothing is asked twice without reason."""
    _, requests = await measured([Play("{}", status), ONE])
    assert [request.method for request in requests] == ["POST"]


async def test_a_timeout_of_zero_expires_at_once() -> None:
    """As in Argo, 0 is a limit and not the absence of one."""
    outcome, requests = await measured([ONE], timeout=0)
    assert (outcome, requests) == (
        'NoAnswer: Post "$URL/api/v1/query": context deadline exceeded',
        [],
    )


async def test_one_limit_holds_for_post_and_get_together() -> None:
    """The fallback has only the time that is left."""
    outcome, requests = await measured([Play("", 405, delay_s=0.6)], timeout=1)
    assert isinstance(outcome, str)
    assert outcome.startswith('NoAnswer: Get "$URL/api/v1/query?query=up&time=')
    assert outcome.endswith(": context deadline exceeded")
    assert len(requests) == 2


def test_the_query_is_reported() -> None:
    """Reports show the query after substitution."""
    assert provider().resolved_query() == "up"
