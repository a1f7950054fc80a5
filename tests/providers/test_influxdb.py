"""influxdb: the block and its Secret, the request, and what an answer is worth."""

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest
from backends import Play, backend, failure_text, world
from multidict import CIMultiDict

from gateway.conditions import judge
from gateway.errors import ProviderError, ProviderInvalid
from gateway.model import Phase, Reading, ResultType, Typed
from gateway.provider import FoundSecret, HttpResponse, SecretUse, Surroundings
from gateway.secrets import Secret
from providers._flux_csv import MAX_RECORDS
from providers.influxdb import TYPE, InfluxdbProvider, parse, read_response

QUERY = 'from(bucket: "b") |> range(start: -5m)'
SECRET = {"address": "http://influx:8086", "authToken": "hush", "org": "shop"}
HEAD = "#datatype,string,long,{}\n#group,false,false,false\n#default,_result,,\n"
NAMES = ",result,table,_value\n"


def surroundings(**content: str) -> Surroundings:
    """What a deployment has that holds one Secret."""
    keys = {key: Secret(text) for key, text in content.items()}
    return Surroundings(secret=FoundSecret("own/influxdb", keys))


def provider(query: str = QUERY, **content: str) -> InfluxdbProvider:
    """A provider of one query; ``content`` goes over that of its Secret."""
    made = parse({"query": query}, surroundings(**{**SECRET, **content}))
    return cast("InfluxdbProvider", made)


def table(datatype: str, *cells: str) -> str:
    """An answer with one record for each cell."""
    return HEAD.format(datatype) + NAMES + "".join(f",,0,{cell}\n" for cell in cells)


@pytest.mark.parametrize(
    ("block", "name"),
    [
        pytest.param({"query": "q"}, "influxdb", id="the-usual-one"),
        pytest.param({"query": "q", "profile": ""}, "influxdb", id="an-empty-profile"),
        pytest.param({"query": "q", "profile": "eu"}, "eu", id="another-profile"),
    ],
)
def test_the_profile_names_the_secret(block: dict[str, Any], name: str) -> None:
    """Of the gateway's own namespace."""
    assert TYPE.credentials(block, {}) == SecretUse(name, ("address", "authToken", "org"))


@pytest.mark.parametrize("key", SECRET)
@pytest.mark.parametrize(
    "lacking",
    [
        pytest.param(lambda key: {name: SECRET[name] for name in SECRET if name != key}, id="none"),
        pytest.param(lambda key: {**SECRET, key: ""}, id="empty"),
    ],
)
def test_all_three_keys_are_needed(key: str, lacking: Callable[[str], dict[str, str]]) -> None:
    """In Argo's words."""
    with pytest.raises(ProviderInvalid) as caught:
        parse({"query": QUERY}, surroundings(**lacking(key)))
    assert str(caught.value) == "authToken, org, or address not found"


def test_a_secret_that_is_not_there_is_told() -> None:
    """In the words of who looked for it."""
    missing = ProviderInvalid('secrets "influxdb" not found')
    with pytest.raises(ProviderInvalid) as caught:
        parse({"query": QUERY}, Surroundings(secret=missing))
    assert caught.value is missing


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("influx:8086", id="no-scheme"),
        pytest.param("10.0.0.1:8086", id="a-number-and-no-scheme"),
        pytest.param("ftp://influx", id="another-scheme"),
        pytest.param("http:///base", id="no-host"),
        pytest.param("http://u:hush@influx:x", id="no-port"),
        pytest.param("http://influx:8086\n", id="a-line-break"),
    ],
)
def test_an_address_that_is_no_url_is_told_without_it(address: str) -> None:
    """A password may stand in it."""
    with pytest.raises(ProviderInvalid) as caught:
        provider(address=address)
    assert str(caught.value) == (
        "address in secret own/influxdb is not the URL of a server, such as https://host:8086"
    )


@pytest.mark.parametrize(
    ("address", "org", "url"),
    [
        pytest.param("http://h:8086", "o", "http://h:8086/api/v2/query?org=o", id="a-host"),
        pytest.param("http://h/", "o", "http://h/api/v2/query?org=o", id="a-trailing-slash"),
        pytest.param("http://h/base", "o", "http://h/base/api/v2/query?org=o", id="a-path"),
        pytest.param("http://h//a/../b/", "o", "http://h/b/api/v2/query?org=o", id="a-long-path"),
        pytest.param("http://h?x=1", "o", "http://h/api/v2/query?org=o", id="a-query-is-dropped"),
        pytest.param("http://h", "o x&y=é", "http://h/api/v2/query?org=o+x%26y%3D%C3%A9", id="org"),
        pytest.param("http://u:p@h", "o", "http://u:p@h/api/v2/query?org=o", id="a-password"),
    ],
)
def test_the_address_leads_to_the_api(address: str, org: str, url: str) -> None:
    """As the client of InfluxDB joins them."""
    assert provider(address=address, org=org).request.url == url


async def test_the_request_is_that_of_argo() -> None:
    """With the token, and the query as JSON."""
    query = 'from(bucket: "<b>")\n  |> range(start: -5m)'
    async with backend(Play(table("double", "1"))) as server, world() as context:
        await provider(query, address=server.url).measure(context)
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/api/v2/query?org=shop")
    assert request.headers["Authorization"] == "Token hush"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Accept-Encoding"] == "gzip"
    assert json.loads(request.body) == {
        "dialect": {
            "annotations": ["datatype", "group", "default"],
            "delimiter": ",",
            "header": True,
        },
        "query": query,
        "type": "flux",
    }


async def test_a_token_with_a_line_break_is_told_without_it() -> None:
    """A Secret's content is used as it is, a newline at its end included."""
    async with backend() as server, world() as context:
        got = await failure_text(provider(address=server.url, authToken="hush\n").measure(context))
    assert got == (
        f'ProviderInvalid: Post "{server.url}/api/v2/query?org=shop": net/http: invalid header'
        ' field value for "Authorization"'
    )
    assert server.requests == []


@pytest.mark.parametrize(
    ("query", "is_repeatable"),
    [
        pytest.param(QUERY, True, id="reads"),
        pytest.param(f'{QUERY} |> to(bucket: "c")', False, id="writes"),
        pytest.param(f"{QUERY} |> wideTo(bucket: b)", False, id="writes-wide"),
        pytest.param(f'import "http"\n{QUERY}', False, id="has-functions-of-a-package"),
        pytest.param(f'{QUERY} |> filter(fn: (r) => r._field == "imported")', True, id="a-name"),
    ],
)
def test_what_may_write_is_sent_once(query: str, *, is_repeatable: bool) -> None:
    """A query that only reads may be sent again over a new connection."""
    assert provider(query).request.is_repeatable is is_repeatable


def test_the_credential_is_named_and_masked() -> None:
    """The token, and a password or a token in the address; nothing of the rest is a secret."""
    credential = provider(address="http://u:pass@h").credential
    assert credential.name == "own/influxdb"
    assert credential.secrets == (Secret("hush"), Secret("pass"))
    assert provider(address="http://tok@h").credential.secrets == (Secret("hush"), Secret("tok"))
    assert provider().credential.secrets == (Secret("hush"),)


def test_the_query_is_shown() -> None:
    """As it was written; a run does not report it."""
    assert provider(" q \n").resolved_query() == " q \n"
    assert TYPE.query_metadata == ""


def test_the_rules_need_no_secret() -> None:
    """Lint has none."""
    assert TYPE.rules is not None
    TYPE.rules({"query": QUERY})
    with pytest.raises(ProviderInvalid, match="unknown field"):
        TYPE.rules({"querry": QUERY})


def outcome(body: str | bytes, status: int = 200, **headers: str) -> Reading | str:
    """The reading, or the error's class and text."""
    data = body if isinstance(body, bytes) else body.encode()
    named: Mapping[str, str] = CIMultiDict(
        {name.replace("_", "-"): text for name, text in headers.items()}
    )
    try:
        return read_response(HttpResponse(status, "Bad Request", named, data))
    except ProviderError as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize(
    ("body", "result", "text"),
    [
        pytest.param(table("double", "0.004", "0.02"), (0.004, 0.02), "[0.004 0.02]", id="doubles"),
        pytest.param(
            table("long", "7") + "\n" + table("unsignedLong", "7"),
            (Typed("int64", "7"), Typed("uint64", "7")),
            "[7 7]",
            id="two-tables",
        ),
        pytest.param(table("string", "ok then"), ("ok then",), "[ok then]", id="a-text"),
        pytest.param(table("boolean", "true", "no"), (True, True), "[true true]", id="booleans"),
        pytest.param(
            table("dateTime:RFC3339", "2024-05-06T07:08:09Z"),
            (Typed("time.Time", "2024-05-06T07:08:09Z"),),
            "[2024-05-06 07:08:09 +0000 UTC]",
            id="a-time",
        ),
        pytest.param(
            table("duration", "90s"), (Typed("time.Duration", "1m30s"),), "[1m30s]", id="a-duration"
        ),
        pytest.param(
            table("base64Binary", "aGk="), (Typed("[]uint8", "aGk="),), "[[104 105]]", id="bytes"
        ),
        pytest.param(table("double", "", "1e6"), (None, 1e6), "[<nil> 1e+06]", id="a-gap"),
        pytest.param(
            table("string", "\udcff").encode("utf-8", "surrogateescape"),
            ("\N{REPLACEMENT CHARACTER}",),
            "[\N{REPLACEMENT CHARACTER}]",
            id="a-text-that-is-not-utf-8",
        ),
    ],
)
def test_values_are_read(body: str | bytes, result: tuple[object, ...], text: str) -> None:
    """Those of all tables, in their order."""
    assert outcome(body) == Reading(result, ResultType.TYPED, text)


def test_an_answer_has_so_many_records_at_most() -> None:
    """Reading them holds up everybody else."""
    body = table("double", *["1"] * MAX_RECORDS)
    assert isinstance(outcome(body), Reading)
    assert outcome(f"{body},,0,1\n") == (
        "ProviderUnreadable: the answer has more than 100000 records: aggregate them in the query"
    )


def test_gaps_alone_are_no_data() -> None:
    """They go to the conditions, as in Argo, but to nobody who asks later."""
    got = outcome(table("double", "", ""))
    assert got == Reading((None, None), ResultType.TYPED, "[<nil> <nil>]", is_empty=True)


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        pytest.param("", "ProviderUnreadable: no results returned from flux query", id="nothing"),
        pytest.param(
            table("double"),
            "ProviderUnreadable: no results returned from flux query",
            id="IN02-a-table-without-records",
        ),
        pytest.param(
            "#datatype,string,string\n#group,true,true\n#default,,\n,error,reference\n"
            ",failed to parse,897\n",
            "ProviderRejected: failed to parse,897",
            id="IN08-an-error-of-the-query",
        ),
        pytest.param(
            table("double", "1.5", "zz", "9"),
            'ProviderUnreadable: column _value: strconv.ParseFloat: parsing "zz": invalid syntax',
            id="IN09-a-broken-value",
        ),
    ],
)
def test_no_answer_is_read_in_part(body: str, failure: str) -> None:
    """Argo has no results in IN08, and judges the first record alone in IN09."""
    assert outcome(body) == failure


@pytest.mark.parametrize(
    ("condition", "phase"),
    [
        pytest.param("result[0] == 7", Phase.SUCCESSFUL, id="integers-compare"),
        pytest.param("all(result, # < 8)", Phase.FAILED, id="all-of-them"),
        pytest.param("len(result) == 2", Phase.SUCCESSFUL, id="as-many-as-there-are"),
        pytest.param('result[0] == "7"', Phase.FAILED, id="and-are-no-texts"),
    ],
)
def test_conditions_see_the_types(condition: str, phase: Phase) -> None:
    """An integer is one."""
    got = outcome(table("long", "7", "8"))
    assert isinstance(got, Reading)
    assert judge(got, success_condition=condition, failure_condition="").phase is phase


JSON = "application/json"


@pytest.mark.parametrize(
    ("body", "status", "headers", "message"),
    [
        pytest.param(
            '{"code":"unauthorized","message":"unauthorized access"}',
            401,
            {"Content_Type": JSON},
            "unauthorized: unauthorized access",
            id="a-code-and-a-message",
        ),
        pytest.param(
            '{"CODE":"invalid","message":"m","err":"e","line":1}',
            400,
            {"Content_Type": "Application/JSON; charset=utf-8"},
            "invalid: m",
            id="beside-other-members",
        ),
        pytest.param(
            '{"error":"no database"}',
            400,
            {"Content_Type": JSON, "X_Influxdb_Error": "no database"},
            "400 Bad Request: no database",
            id="influxdb-1-tells-it-in-a-header",
        ),
        pytest.param("null", 418, {"Content_Type": JSON}, "Unexpected status code 418", id="null"),
        pytest.param(
            '{"code":"x"}', 400, {"Content_Type": JSON}, "Unexpected status code 400", id="a-code"
        ),
        pytest.param(
            '{"code":1,"message":[]}',
            400,
            {"Content_Type": JSON},
            "Unexpected status code 400",
            id="members-that-are-no-texts",
        ),
        pytest.param("", 400, {"Content_Type": JSON}, "EOF", id="no-json"),
        pytest.param(
            "[]",
            400,
            {"Content_Type": JSON},
            "json: cannot unmarshal array into Go value of type http.Error",
            id="json-that-is-a-list",
        ),
        pytest.param(
            "{}",
            429,
            {"Content_Type": JSON},
            "too many requests: exceeded rate limit",
            id="too-many-requests",
        ),
        pytest.param(
            "{}",
            503,
            {"Content_Type": JSON},
            "unavailable: service temporarily unavailable",
            id="unavailable",
        ),
        pytest.param(
            "bad flux", 400, {"Content_Type": "text/plain"}, "400 Bad Request: bad flux", id="text"
        ),
        pytest.param("", 503, {}, "Unexpected status code 503", id="nothing"),
        pytest.param("x" * 5_000, 400, {}, f"400 Bad Request: {'x' * 4_079}...", id="a-page"),
        pytest.param(table("double", "1"), 302, {}, None, id="a-redirect-that-leads-nowhere"),
    ],
)
def test_a_refusal_is_told(
    body: str, status: int, headers: dict[str, str], message: str | None
) -> None:
    """In the server's own words, whatever else stands in the answer."""
    told = f"{status} Bad Request: {body}" if message is None else message
    assert outcome(body, status, **headers) == f"ProviderRejected: {told}"
