"""newRelic: the block and its Secret, the request, and what an answer is worth."""

import json
from types import MappingProxyType
from typing import Any, cast

import pytest
from backends import Play, backend, failure_text, world
from hypothesis import given
from hypothesis import strategies as st

from gateway.conditions import judge
from gateway.errors import ProviderError, ProviderInvalid
from gateway.model import Phase, Reading, ResultType
from gateway.provider import FoundSecret, HttpResponse, SecretUse, Surroundings
from gateway.secrets import Secret
from providers._nerdgraph import read_response
from providers.newrelic import TYPE, NewRelicProvider, parse

QUERY = "SELECT count(*) FROM Transaction"
SECRET = {"personal-api-key": "NRAK-hush", "account-id": "4711"}
NO_RESULTS = "ProviderUnreadable: no results returned from NRQL query"
REFUSED_KEY = (
    "ProviderRejected: 401 response returned: Invalid credentials provided."
    " Missing API key or an invalid API key was provided."
)


def surroundings(content: dict[str, str], **environ: str) -> Surroundings:
    """What a deployment has that holds one Secret."""
    keys = {key: Secret(text) for key, text in content.items()}
    return Surroundings(environ, FoundSecret("own/newrelic", keys))


def provider(
    block: dict[str, Any] | None = None, content: dict[str, str] | None = None, **environ: str
) -> NewRelicProvider:
    """A provider of one query; ``content`` goes over that of its Secret."""
    whole = {"query": QUERY, **(block or {})}
    made = parse(whole, surroundings({**SECRET, **(content or {})}, **environ))
    return cast("NewRelicProvider", made)


def answer(*rows: Any) -> str:
    """What NerdGraph answers with these rows."""
    results = {"results": list(rows)}
    return json.dumps({"data": {"actor": {"account": {"nrql": results}}}})


@pytest.mark.parametrize(
    ("block", "name"),
    [
        pytest.param({"query": "q"}, "newrelic", id="the-usual-one"),
        pytest.param({"query": "q", "profile": "nr-eu"}, "nr-eu", id="another-profile"),
    ],
)
def test_the_profile_names_the_secret(block: dict[str, Any], name: str) -> None:
    """Of the gateway's own namespace."""
    keys = ("personal-api-key", "account-id", "region", "base-url-rest", "base-url-nerdgraph")
    assert TYPE.credentials(block, {}) == SecretUse(name, keys)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param({}, "account ID or personal API key not found", id="nothing"),
        pytest.param(
            {"account-id": "1"}, "account ID or personal API key not found", id="no-api-key"
        ),
        pytest.param(
            {"personal-api-key": "k", "account-id": ""},
            "account ID or personal API key not found",
            id="an-empty-account",
        ),
        pytest.param(
            {**SECRET, "base-url-rest": "", "base-url-nerdgraph": ""},
            "base URL can not be empty",
            id="an-empty-base-url",
        ),
        pytest.param(
            {**SECRET, "account-id": "x", "base-url-nerdgraph": ""},
            "nerdgraph base URL can not be empty",
            id="an-empty-base-url-of-nerdgraph",
        ),
        pytest.param(
            {**SECRET, "account-id": "4711\n"},
            'could not parse account ID: strconv.Atoi: parsing "*****": invalid syntax',
            id="an-account-with-a-line-break",
        ),
        pytest.param(
            {**SECRET, "account-id": "9223372036854775808"},
            'could not parse account ID: strconv.Atoi: parsing "*****": value out of range',
            id="an-account-beyond-64-bits",
        ),
        pytest.param(
            {**SECRET, "base-url-nerdgraph": "api.newrelic.com/hush"},
            "base-url-nerdgraph in secret own/newrelic is not the URL of a server,"
            " such as https://host:8086",
            id="a-base-url-that-is-none",
        ),
    ],
)
def test_a_secret_is_refused(content: dict[str, str], message: str) -> None:
    """In Argo's words, without what stands in it."""
    with pytest.raises(ProviderInvalid) as caught:
        parse({"query": QUERY}, surroundings(content))
    assert str(caught.value) == message


US = "https://api.newrelic.com/graphql"
ELSEWHERE = {"NEW_RELIC_NERDGRAPH_BASE_URL": "https://elsewhere/g/"}


@pytest.mark.parametrize(
    ("content", "environ", "url"),
    [
        pytest.param({}, {}, US, id="no-region"),
        pytest.param({"region": "US"}, {}, US, id="us"),
        pytest.param({"region": "eU"}, {}, "https://api.eu.newrelic.com/graphql", id="eu"),
        pytest.param({"region": "JP"}, {}, "https://api.jp.newrelic.com/graphql", id="jp"),
        pytest.param({"region": "gov"}, {}, "https://gov-api.newrelic.com/graphql", id="gov"),
        pytest.param({"region": "FedRAMP"}, {}, "https://gov-api.newrelic.com/graphql", id="fed"),
        pytest.param({"region": "Staging"}, {}, "https://staging-api.newrelic.com/graphql", id="s"),
        pytest.param({"region": "local"}, {}, "http://localhost:3000/graphql", id="local"),
        pytest.param({"region": "eu01"}, {}, US, id="an-unknown-region-is-us-as-in-argo"),
        pytest.param({"region": "eu\n"}, {}, US, id="and-so-is-one-with-a-line-break"),
        pytest.param({"region": "eu"}, ELSEWHERE, "https://elsewhere/g", id="the-environment"),
        pytest.param(
            {"region": "eu", "base-url-nerdgraph": "http://h/nerdgraph/"},
            ELSEWHERE,
            "http://h/nerdgraph",
            id="the-secret",
        ),
        pytest.param({"base-url-rest": "http://h/v2"}, {}, US, id="the-rest-api-is-not-used"),
    ],
)
def test_the_region_leads_to_nerdgraph(
    content: dict[str, str], environ: dict[str, str], url: str
) -> None:
    """Unless somebody says where it is."""
    assert provider(None, content, **environ).request.url == url


def test_a_bad_address_of_the_environment_is_told() -> None:
    """By the name of its variable."""
    with pytest.raises(ProviderInvalid, match="NEW_RELIC_NERDGRAPH_BASE_URL is not the URL of a"):
        provider(NEW_RELIC_NERDGRAPH_BASE_URL="api.newrelic.com")


@pytest.mark.parametrize(
    ("environ", "service"),
    [
        pytest.param({}, "newrelic-client-go", id="by-itself"),
        pytest.param({"NEW_RELIC_SERVICE_NAME": "ci"}, "ci|newrelic-client-go", id="named"),
    ],
)
async def test_the_request_is_that_of_argo(environ: dict[str, str], service: str) -> None:
    """With the key, and the query as a variable."""
    block = {"query": "SELECT '<é>'", "timeout": 9}
    async with backend(Play(answer({"a": 1}))) as server, world() as context:
        content = {"base-url-nerdgraph": f"{server.url}/graphql"}
        await provider(block, content, **environ).measure(context)
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/graphql")
    assert request.headers["Api-Key"] == "NRAK-hush"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Newrelic-Requesting-Services"] == service
    assert request.headers["X-Query-Source-Component-Id"] == service
    body = json.loads(request.body)
    assert "nrql(query: $query, timeout: $timeout) {\n        results\n" in body["query"]
    assert body["variables"] == {"accountId": 4711, "query": "SELECT '<é>'", "timeout": 9}


@pytest.mark.parametrize(
    ("block", "timeout"),
    [pytest.param({}, 5, id="five-seconds"), pytest.param({"timeout": 0}, 0, id="none-at-all")],
)
def test_new_relic_gives_the_query_a_time_limit(block: dict[str, Any], timeout: int) -> None:
    """Of five seconds, unless the block says otherwise."""
    body = provider(block).request.body
    assert body is not None
    assert json.loads(body)["variables"]["timeout"] == timeout


async def test_a_negative_time_limit_is_told_by_lint_and_when_it_is_measured() -> None:
    """Argo makes the provider, and so reports its query."""
    block = {"query": QUERY, "timeout": -1}
    assert TYPE.rules is not None
    with pytest.raises(ProviderInvalid, match="timeout value needs to be a positive value"):
        TYPE.rules(block)
    async with world() as context:
        assert await failure_text(provider(block).measure(context)) == (
            "ProviderInvalid: timeout value needs to be a positive value"
        )
    assert provider(block).resolved_query() == QUERY
    TYPE.rules({"query": QUERY})


def test_a_query_is_required() -> None:
    """By the schema of the template, and so here."""
    assert TYPE.check({"timeout": "5"}) == [
        ("query", "is required"),
        ("timeout", "must be an integer"),
    ]


async def test_a_key_with_a_line_break_is_told_without_it() -> None:
    """A Secret's content is used as it is, a newline at its end included."""
    async with backend() as server, world() as context:
        content = {"personal-api-key": "hush\n", "base-url-nerdgraph": server.url}
        got = await failure_text(provider(None, content).measure(context))
    assert got == (
        f'ProviderInvalid: Post "{server.url}": net/http: invalid header field value for "Api-Key"'
    )
    assert server.requests == []


def test_the_credential_is_named_and_masked() -> None:
    """The key, and a password or a token in an address; nothing of the rest is a secret."""
    credential = provider(None, {"base-url-nerdgraph": "http://u:pass@h"}).credential
    assert credential.name == "own/newrelic"
    assert credential.secrets == (Secret("NRAK-hush"), Secret("pass"))
    credential = provider(None, {"base-url-nerdgraph": "http://h/?key=tokens"}).credential
    assert credential.secrets == (Secret("NRAK-hush"), Secret("tokens"))


def test_a_run_reports_the_query() -> None:
    """Under Argo's name for it."""
    assert TYPE.query_metadata == "ResolvedNewRelicQuery"


def outcome(body: str, status: int = 200) -> Reading | str:
    """The reading, or the error's class and text."""
    try:
        return read_response(HttpResponse(status, "", {}, body.encode()))
    except ProviderError as error:
        return f"{type(error).__name__}: {error}"


def reading(result: object, text: str) -> Reading:
    """A JSON reading that holds data."""
    return Reading(result, ResultType.JSON, text)


ROW = MappingProxyType({"a": 1.0})
NOTHING: MappingProxyType[str, object] = MappingProxyType({})


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(
            answer({"count": 12, "average.duration": 0.31, "name": "<a>"}),
            reading(
                MappingProxyType({"count": 12.0, "average.duration": 0.31, "name": "<a>"}),
                r'{"average.duration":0.31,"count":12,"name":"\u003ca\u003e"}',
            ),
            id="one-row-is-a-map",
        ),
        pytest.param(
            answer({"a": 1}, {"a": 1}),
            reading((ROW, ROW), '[{"a":1},{"a":1}]'),
            id="several-rows-are-a-list",
        ),
        pytest.param(
            answer({"count": None}),
            reading(MappingProxyType({"count": None}), '{"count":null}'),
            id="null-in-a-row-is-data",
        ),
        pytest.param(
            answer({}, None),
            Reading((NOTHING, None), ResultType.JSON, "[{},null]", is_empty=True),
            id="several-rows-without-a-member",
        ),
        pytest.param(
            '{"DATA":{"Actor":{"ACCOUNT":{"nrQL":{"resulTs":[{"a":1}]}}}},"errors":[]}',
            reading(ROW, '{"a":1}'),
            id="names-in-any-case",
        ),
        pytest.param(
            answer({"a": 1})[:-1] + ',"errors":[{"message":"This field is deprecated! Use b."}]}',
            reading(ROW, '{"a":1}'),
            id="a-field-that-is-deprecated",
        ),
        pytest.param(
            answer({"a": 1})[:-1] + ',"errors":null}', reading(ROW, '{"a":1}'), id="no-errors"
        ),
    ],
)
def test_rows_are_read(body: str, expected: Reading) -> None:
    """As many as there are."""
    assert outcome(body) == expected


@pytest.mark.parametrize(
    ("condition", "phase"),
    [
        pytest.param("all(result, .count > 4)", Phase.SUCCESSFUL, id="all-rows"),
        pytest.param("result[0]['average.duration'] > 1", Phase.FAILED, id="a-name-with-a-point"),
        pytest.param("result.count > 4", Phase.ERROR, id="a-list-has-no-names"),
    ],
)
def test_conditions_see_rows(condition: str, phase: Phase) -> None:
    """By their place."""
    got = outcome(answer({"count": 5, "average.duration": 0.3}, {"count": 7}))
    assert isinstance(got, Reading)
    assert judge(got, success_condition=condition, failure_condition="").phase is phase


def errors(*told: object) -> str:
    """An answer that tells errors."""
    return json.dumps({"data": None, "errors": told})


def of_class(name: str, message: str = "m") -> dict[str, Any]:
    """An error of a class."""
    return {"message": message, "extensions": {"errorClass": name}}


UNTOLD = "NerdGraph answers with an error, and does not say which"
BAD_KEY = {"message": "x", "extensions": {"error_code": "BAD_API_KEY"}}


@pytest.mark.parametrize(
    ("body", "status", "failure"),
    [
        pytest.param(answer(), 200, NO_RESULTS, id="no-rows"),
        pytest.param(answer({}), 200, NO_RESULTS, id="a-row-without-a-member"),
        pytest.param(answer(None), 200, NO_RESULTS, id="a-row-that-is-null"),
        pytest.param(answer().replace("[]", "null"), 200, NO_RESULTS, id="rows-that-are-null"),
        pytest.param('{"data":{"actor":null}}', 200, NO_RESULTS, id="no-actor"),
        pytest.param("{}", 200, NO_RESULTS, id="no-data"),
        pytest.param("null", 200, NO_RESULTS, id="null"),
        pytest.param(
            errors({"message": "NRQL Syntax Error"}, {"message": "second"}),
            200,
            "ProviderRejected: NRQL Syntax Error, second",
            id="errors",
        ),
        pytest.param(
            answer({"a": 1})[:-1] + ',"errors":[{"message":"m","path":["a",0]}]}',
            200,
            "ProviderRejected: m",
            id="errors-beside-rows",
        ),
        *(
            pytest.param(
                f'{answer({"a": 1})[:-1]},"errors":{told}}}',
                200,
                f"ProviderRejected: {said}",
                id=f"beside-rows-{told}",
            )
            for told, said in (
                ("[{}]", UNTOLD),
                ('[{"message":""},null]', UNTOLD),
                ("true", UNTOLD),
                ('["boo"]', "boo"),
                ('"boo"', "boo"),
                ('{"message":"boo"}', "boo"),
            )
        ),
        pytest.param(errors(BAD_KEY), 401, REFUSED_KEY, id="a-bad-key"),
        pytest.param(errors({}), 401, REFUSED_KEY, id="401-with-any-errors"),
        pytest.param(errors({"message": "a"}, BAD_KEY), 403, REFUSED_KEY, id="a-bad-key-with-403"),
        pytest.param(errors(BAD_KEY), 200, "ProviderRejected: x", id="a-bad-key-with-200"),
        pytest.param("{}", 401, "ProviderRejected: 401 response returned", id="401-alone"),
        pytest.param(
            errors({"message": "a"}, {"message": 1}, {"message": "b"}),
            403,
            "ProviderRejected: 403 response returned: a, b",
            id="another-status-with-errors",
        ),
        pytest.param("bad", 400, "ProviderRejected: 400 response returned", id="400"),
        pytest.param("[]", 501, "ProviderRejected: 501 response returned", id="501-does-not-pass"),
        pytest.param(errors(BAD_KEY), 404, "ProviderRejected: resource not found", id="404"),
        pytest.param("", 404, "ProviderRejected: resource not found", id="404-alone"),
        pytest.param(errors(BAD_KEY), 402, "ProviderRejected: Payment Required", id="402"),
        pytest.param("", 429, "Passing: 429 response returned", id="429-passes"),
        pytest.param(errors(BAD_KEY), 500, "Passing: 500 response returned", id="500-passes"),
        pytest.param("", 502, "Passing: 502 response returned", id="502-passes"),
        pytest.param("", 599, "Passing: 599 response returned", id="599-passes"),
        pytest.param(
            errors(of_class("TOO_MANY_REQUESTS")),
            404,
            "Passing: TOO_MANY_REQUESTS",
            id="too-many-requests-pass",
        ),
        pytest.param(
            errors(of_class("TOO_MANY_REQUESTS"), {"message": "a"}),
            200,
            "Passing: TOO_MANY_REQUESTS",
            id="and-so-they-do-among-others",
        ),
        pytest.param(
            errors({"message": "a"}, of_class("TOO_MANY_REQUESTS")),
            200,
            "ProviderRejected: a, m",
            id="unless-that-is-not-said-first",
        ),
        *(
            pytest.param(
                errors({"message": "a"}, of_class(name)), 400, "PassingErrors: a, m", id=name
            )
            for name in ("TIMEOUT", "INTERNAL_SERVER_ERROR", "SERVER_ERROR")
        ),
        pytest.param(
            "not json",
            200,
            "ProviderUnreadable: invalid character 'o' in literal null (expecting 'u')",
            id="no-json",
        ),
        pytest.param(
            '{"data":{"actor":[]}}',
            200,
            "ProviderUnreadable: json: cannot unmarshal array into Go struct field .data.Actor of"
            " type struct",
            id="a-list-in-place-of-an-object",
        ),
        pytest.param(
            answer().replace("[]", '"x"'),
            200,
            "ProviderUnreadable: json: cannot unmarshal string into Go struct field"
            " .data.Actor.Account.NRQL.Results of type []nrdb.NRDBResult",
            id="rows-that-are-a-text",
        ),
        pytest.param(
            answer({"a": 1}, 2),
            200,
            "ProviderUnreadable: json: cannot unmarshal number into Go struct field"
            " .data.Actor.Account.NRQL.Results of type nrdb.NRDBResult",
            id="a-row-that-is-a-number",
        ),
    ],
)
def test_an_answer_is_refused(body: str, status: int, failure: str) -> None:
    """In Argo's words; what passes is an error of its own kind."""
    assert outcome(body, status) == failure


def test_long_messages_are_cut() -> None:
    """New Relic may repeat a whole query in its error."""
    assert outcome(errors({"message": "x" * 5_000})) == f"ProviderRejected: {'x' * 4_096}..."


NAMES = ["data", "actor", "account", "nrql", "results", "errors", "message", "extensions"]
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.sampled_from(["", "x", "TIMEOUT", "BAD_API_KEY"]),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(st.sampled_from([*NAMES, "errorClass", "error_code"]), children)
    ),
    max_leaves=12,
)


@given(JSON.map(json.dumps) | st.text() | JSON.map(answer), st.sampled_from([200, 204, 400, 401]))
def test_any_answer_is_a_reading_or_an_error(body: str, status: int) -> None:
    """Nothing else comes of what a server says; and null is no reading."""
    got = outcome(body, status)
    if isinstance(got, Reading):
        assert got.result
        assert status < 300
