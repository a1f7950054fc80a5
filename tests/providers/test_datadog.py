"""datadog: the block, the credentials and the requests."""

import json
from dataclasses import replace
from typing import Any

import pytest
from backends import NOW_UNIX_S, Play, backend, failure_text, world

from gateway.errors import ProviderInvalid
from gateway.provider import FoundSecret, HasCredential, SecretOwner, SecretUse, Surroundings
from gateway.secrets import Secret
from gateway.upstreams.egress import EVERYTHING, EgressPolicy, Redirects
from gateway.upstreams.http_client import HttpClient
from providers.datadog import TYPE, DatadogProvider, DatadogSpec, parse, scalar_body

KEYS = {"api-key": "AK", "app-key": "PK"}
ALL_KEYS = ("api-key", "app-key", "address")
ENVIRON = {"DD_API_KEY": "EK", "DD_APP_KEY": "EP", "DD_ADDRESS": ""}
V1 = {"query": "avg:shop.lat{svc:cart}"}
V2 = {"apiVersion": "v2", "query": "sum:shop.err{*}"}
FAILED = "failed to find the credentials for datadog metrics provider"
NO_SERVER = "the address of own/datadog is not the URL of a server, such as https://host:8086"
NOW = int(NOW_UNIX_S)


def found(**others: str) -> Surroundings:
    """A Secret ``own/datadog`` with both keys, and others."""
    values = {**KEYS, **others}
    secrets = {key: Secret(value) for key, value in values.items()}
    return Surroundings(secret=FoundSecret("own/datadog", secrets))


def made(block: dict[str, Any], surroundings: Surroundings | None = None) -> DatadogProvider:
    """The provider of a block."""
    provider = parse(block, surroundings or found())
    assert isinstance(provider, DatadogProvider)
    return provider


def refusal(block: dict[str, Any], surroundings: Surroundings | None = None) -> str:
    """Why no provider can be made of a block."""
    with pytest.raises(ProviderInvalid) as caught:
        parse(block, surroundings or found())
    return str(caught.value)


REVIEW = "Please review the Analysis Template."
UNSOUND = [
    pytest.param({}, f"Must have either a query or queries. {REVIEW}", id="nothing-asked"),
    pytest.param(
        {"queries": {}}, f"Must have either a query or queries. {REVIEW}", id="no-queries"
    ),
    pytest.param(
        {"query": "a", "queries": {"a": "b"}, "formula": "a"},
        f"Cannot have both a query and queries. {REVIEW}",
        id="both-and-before-the-version",
    ),
    pytest.param(
        {"queries": {"a": "x", "b": "y"}, "aggregator": "sum"},
        "Query is empty. API Version v1 only supports using the query parameter in your Analysis"
        " Template.",
        id="queries-of-v1",
    ),
    pytest.param(
        {"query": "a", "formula": "a", "aggregator": "sum"},
        f"Formula are only valid when queries are set. {REVIEW}",
        id="a-formula-of-one-query",
    ),
    pytest.param(
        {"apiVersion": "v2", "queries": {"a": "x", "b": "y"}},
        "When multiple queries are provided you must include a formula.",
        id="two-queries-without-a-formula",
    ),
    pytest.param(
        {"query": "a", "aggregator": "last", "requestTimeout": "x"},
        f"Aggregator is not supported in v1. {REVIEW}",
        id="an-aggregator-of-v1-even-the-usual-one",
    ),
    pytest.param(
        {"query": "a", "requestTimeout": "10"},
        f'Could not parse the request timeout: time: missing unit in duration "10". {REVIEW}',
        id="no-duration",
    ),
    pytest.param(
        {**V2, "requestTimeout": "-1s"},
        f"Request timeout must be a positive duration (e.g. 30s). {REVIEW}",
        id="less-than-no-time",
    ),
]


@pytest.mark.parametrize(("block", "message"), UNSOUND)
def test_a_block_is_refused(block: dict[str, Any], message: str) -> None:
    """The first of Argo's rules that is broken is told, by lint as well."""
    assert refusal(block) == message
    assert TYPE.rules is not None
    with pytest.raises(ProviderInvalid) as caught:
        TYPE.rules(block)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(V1, id="one-query"),
        pytest.param({**V1, "requestTimeout": ""}, id="an-empty-timeout-is-the-usual-one"),
        pytest.param({"apiVersion": "v2", "queries": {"a": "x"}}, id="one-of-several"),
        pytest.param(
            {"apiVersion": "v2", "queries": {"a": "x"}, "formula": "a", "aggregator": "area"},
            id="a-formula",
        ),
        pytest.param({**V1, "secretRef": {"name": "x", "namespaced": True}}, id="a-secret"),
    ],
)
def test_a_block_is_sound(block: dict[str, Any]) -> None:
    """Lint needs no credentials to say so."""
    assert TYPE.check(block) == []
    assert TYPE.rules is not None
    assert TYPE.rules(block) is None
    assert made(block).timeout_s == 10


@pytest.mark.parametrize(
    ("block", "message"),
    [
        pytest.param({**V1, "interval": "soon"}, 'time: invalid duration "soon"', id="interval"),
        pytest.param(
            {**V1, "secretRef": {"namespaced": True}},
            "secret name is required for namespaced credentials",
            id="a-secret-without-a-name",
        ),
    ],
)
def test_lint_knows_what_fails_before_anything_is_sent(block: dict[str, Any], message: str) -> None:
    """A bad interval is told when it is measured, as in Argo; lint tells it at once."""
    assert TYPE.rules is not None
    with pytest.raises(ProviderInvalid) as caught:
        TYPE.rules(block)
    assert str(caught.value) == message


def test_all_that_is_wrong_with_a_shape_is_told() -> None:
    """Versions and aggregators come from a list, as in Argo's CRD."""
    bad = {
        "apiVersion": "v3",
        "aggregator": "median",
        "queries": {"a": 1},
        "secretRef": {"namespace": "x"},
    }
    assert sorted(TYPE.check(bad)) == [
        (
            "aggregator",
            "must be 'avg', 'min', 'max', 'sum', 'last', 'percentile', 'mean', 'l2norm' or 'area'",
        ),
        ("apiVersion", "must be 'v1' or 'v2'"),
        ("queries.a", "must be a text, not the number 1; put it into quotes"),
        ("secretRef.namespace", "unknown field; did you mean namespaced?"),
    ]


@pytest.mark.parametrize(
    ("ref", "environ", "use"),
    [
        pytest.param({}, {}, SecretUse("datadog", ALL_KEYS), id="the-usual-one"),
        pytest.param({}, ENVIRON, None, id="the-environment-goes-before"),
        pytest.param(
            {},
            {"DD_API_KEY": "EK", "DD_APP_KEY": "EP"},
            SecretUse("datadog", ALL_KEYS),
            id="the-environment-needs-all-three",
        ),
        pytest.param(
            {},
            {**ENVIRON, "DD_APP_KEY": ""},
            SecretUse("datadog", ALL_KEYS),
            id="an-empty-key-is-none",
        ),
        pytest.param(
            {"name": "team"}, ENVIRON, SecretUse("team", ALL_KEYS), id="a-name-goes-before-all"
        ),
        pytest.param(
            {"name": "team", "namespaced": True},
            ENVIRON,
            SecretUse("team", ALL_KEYS, SecretOwner.ANALYSIS),
            id="one-of-the-analysis",
        ),
    ],
)
def test_the_secret_that_is_wanted(
    ref: dict[str, Any], environ: dict[str, str], use: SecretUse | None
) -> None:
    """As Argo looks for it."""
    assert TYPE.credentials({**V1, "secretRef": ref}, environ) == use


def test_the_environment_has_an_account() -> None:
    """It is named where its keys must not be."""
    provider = made(V1, Surroundings(ENVIRON))
    assert isinstance(provider, HasCredential)
    assert (provider.credential.name, provider.credential.secrets) == (
        "environment",
        (Secret("EK"), Secret("EP")),
    )
    assert provider.build_request(now_unix_s=NOW).url.startswith("https://api.datadoghq.com/api/v1")


@pytest.mark.parametrize(
    ("address", "secrets"),
    [
        pytest.param("http://u:p%40w@h", ["p@w"], id="a-password-and-not-its-user"),
        pytest.param("http://tok%41@h", ["tokA"], id="a-user-without-a-password"),
        pytest.param("http://tok:@h", ["tok"], id="a-user-with-an-empty-password"),
        pytest.param(
            "http://h/v1?v=1&t=tok%41en&tok-en",
            ["tok%41en", "tokAen", "tok-en"],
            id="values-of-the-query",
        ),
        pytest.param(
            "http://h/datadog/0123456789abcde%66",
            ["0123456789abcde%66", "0123456789abcdef"],
            id="a-long-part-of-the-path",
        ),
        pytest.param("http://h:8/datadog/v1?v=1", [], id="nothing"),
        pytest.param(":8", [], id="no-address"),
    ],
)
def test_what_is_secret_in_the_address(address: str, secrets: list[str]) -> None:
    """A proxy before Datadog may want something, too."""
    credential = made(V1, found(address=address)).credential
    assert credential.name == "own/datadog"
    assert credential.secrets == tuple(map(Secret, ["AK", "PK", *secrets]))


@pytest.mark.parametrize(
    ("surroundings", "message"),
    [
        pytest.param(
            Surroundings(secret=ProviderInvalid('secrets "datadog" not found')), FAILED, id="none"
        ),
        pytest.param(
            Surroundings(secret=ProviderInvalid('secrets "datadog" not found: switched off')),
            f'{FAILED}: secrets "datadog" not found: switched off',
            id="it-may-not-be-read",
        ),
        pytest.param(found(**{"app-key": ""}), FAILED, id="an-empty-key"),
        pytest.param(Surroundings(secret=FoundSecret("own/datadog", {})), FAILED, id="no-keys"),
    ],
)
def test_there_are_no_credentials(surroundings: Surroundings, message: str) -> None:
    """Argo says no more than that; the gateway adds a reason that is not just that."""
    assert refusal({}, surroundings) == message


@pytest.mark.parametrize(
    ("address", "url"),
    [
        pytest.param("", "https://api.datadoghq.com/api/v1/query?", id="none-is-datadogs"),
        pytest.param("http://h/", "http://h//api/v1/query?", id="a-slash-stays"),
        pytest.param("http://u:p@h/x", "http://u:p@h/x/api/v1/query?", id="user-and-path"),
    ],
)
def test_a_question_of_v1(address: str, url: str) -> None:
    """From an interval ago until now, in whole seconds."""
    provider = made({**V1, "interval": "1m30.9s"}, found(address=address))
    request = provider.build_request(now_unix_s=NOW)
    span = f"from={NOW - 90}&query=avg%3Ashop.lat%7Bsvc%3Acart%7D&to={NOW}"
    assert (request.method, request.url, request.body) == ("GET", url + span, None)
    assert request.headers == {
        "Content-Type": "application/json",
        "Dd-Api-Key": "AK",
        "Dd-Application-Key": "PK",
    }


def test_a_question_of_v2() -> None:
    """A POST that only reads, so it may be repeated; five minutes are the default."""
    request = made(V2, found(address="http://h")).build_request(now_unix_s=NOW)
    assert (request.method, request.url) == ("POST", "http://h/api/v2/query/scalar")
    assert request.is_repeatable
    assert request.body is not None
    assert json.loads(request.body) == {
        "data": {
            "attributes": {
                "from": (NOW - 300) * 1000,
                "to": NOW * 1000,
                "queries": [
                    {
                        "aggregator": "last",
                        "data_source": "metrics",
                        "name": "query",
                        "query": "sum:shop.err{*}",
                    }
                ],
                "formulas": [],
            },
            "type": "scalar_request",
        }
    }


def test_queries_are_asked_in_the_order_of_their_names() -> None:
    """The same question is always the same text, written as Go writes it."""
    spec = DatadogSpec.model_validate(
        {"queries": {"b": "t<1", "a": 'e{"x"}'}, "formula": "a / b", "aggregator": "sum"}
    )
    assert scalar_body(spec, from_ms=1, to_ms=2) == (
        '{"data":{"attributes":{"from":1,"to":2,"queries":['
        r'{"aggregator":"sum","data_source":"metrics","name":"a","query":"e{\"x\"}"},'
        r'{"aggregator":"sum","data_source":"metrics","name":"b","query":"t\u003c1"}],'
        '"formulas":[{"formula":"a / b"}]},"type":"scalar_request"}}'
    )


@pytest.mark.parametrize(
    ("block", "query"),
    [
        pytest.param(V1, "avg:shop.lat{svc:cart}", id="one"),
        pytest.param({"apiVersion": "v2", "queries": {"a": "x"}}, "", id="several"),
    ],
)
def test_the_query_is_shown(block: dict[str, Any], query: str) -> None:
    """As it was written."""
    assert made(block).resolved_query() == query


@pytest.mark.parametrize(
    ("block", "secret", "failure"),
    [
        pytest.param(V1, {"address": ":8"}, 'parse ":8": missing protocol scheme', id="no-scheme"),
        pytest.param(
            {**V1, "interval": "x"},
            {"address": ":8"},
            'parse ":8": missing protocol scheme',
            id="the-address-is-looked-at-first",
        ),
        pytest.param(
            V1,
            {"address": "http://u:hush/@h:y"},
            NO_SERVER,
            id="a-password-is-not-quoted",
        ),
        *(
            pytest.param(V1, {"address": address}, NO_SERVER, id=address)
            for address in (
                "u:hush@h",
                "http:u:hush@h",
                "http:///u:hush@h",
                "//u:hush@h",
                "h/hush",
                ":8?token=hush",
                "h#hush",
            )
        ),
        pytest.param(
            {**V1, "interval": ""}, {}, 'time: invalid duration ""', id="an-empty-interval"
        ),
        pytest.param(
            V2,
            {"address": "h"},
            'Post "h/api/v2/query/scalar": unsupported protocol scheme ""',
            id="a-host-alone",
        ),
        pytest.param(
            V2,
            {"address": "http://h", "api-key": "hush\n"},
            'Post "http://h/api/v2/query/scalar": net/http: invalid header field value for'
            ' "Dd-Api-Key"',
            id="a-key-with-a-line-break",
        ),
    ],
)
async def test_nothing_can_be_sent(
    block: dict[str, Any], secret: dict[str, str], failure: str
) -> None:
    """Each is an Error of the measurement, without a secret in it."""
    async with world() as context:
        got = await failure_text(made(block, found(**secret)).measure(context))
    assert got == f"ProviderInvalid: {failure}"


FOLLOWS = EgressPolicy("egress", (EVERYTHING,), Redirects.ALL)


async def test_a_stranger_gets_no_keys() -> None:
    """A redirect to another server carries none."""
    async with backend(Play('{"series":[]}')) as stranger:
        moved = Play("", 307, {"Location": f"{stranger.url}/x"})
        async with backend(moved) as server, world() as context, HttpClient(FOLLOWS) as http:
            follows = replace(context, http=http)
            await made(V1, found(address=server.url)).measure(follows)
    assert not [name for name in stranger.requests[0].headers if name.startswith("Dd-")]
