"""cloudWatch: the block, the call, what is asked again, and what an answer is worth."""

import json
import logging
import random
import sys
from dataclasses import replace
from typing import Any, cast

import pytest
from aws_account import KEY_ID
from backends import Backend, Play, backend, failure_text, world
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ProviderError
from gateway.logs import set_up
from gateway.model import Reading
from gateway.provider import HttpResponse, Surroundings
from providers._cloudwatch_answer import read_results
from providers.cloudwatch import TYPE, CloudWatchProvider, build_body, parse

QUERY = {"id": "a", "expression": "1 + 1"}
OPERATION = "operation error CloudWatch: GetMetricData"
UNREADABLE = f"ProviderUnreadable: {OPERATION}, deserialization failed"
GOOD = Play('{"MetricDataResults":[{"Id":"a","Values":[0.5],"StatusCode":"Complete"}]}')
BUSY = Play('{"__type":"x#ThrottlingException","message":"Rate exceeded"}', 400)
WRONG = Play('{"__type":"ValidationError","Message":"no"}', 400, {"x-amzn-RequestId": "r-1"})


@pytest.fixture(autouse=True)
def _quick(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 - the account comes first
    monkeypatch.setattr(random, "random", lambda: 0.01)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")


def provider(**block: Any) -> CloudWatchProvider:
    """A provider of one query."""
    whole = {"metricDataQueries": [QUERY], **block}
    return cast("CloudWatchProvider", parse(whole, Surroundings()))


async def measured(server: Backend, monkeypatch: pytest.MonkeyPatch) -> Reading | str:
    """What a server makes of one query; the error with its class."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", server.url)
    async with world() as context:
        return await failure_text(provider().measure(context))


@pytest.mark.parametrize(
    ("block", "problems"),
    [
        pytest.param({"metricDataQueries": [QUERY]}, [], id="one-query"),
        pytest.param({}, [("metricDataQueries", "is required")], id="no-queries"),
        pytest.param({"metricDataQueries": []}, [], id="amazon-says-what-an-empty-list-lacks"),
        pytest.param(
            {"metricDataQueries": [{"id": "a", "metricStat": {"metric": {"name": "x"}}}]},
            [
                (
                    "metricDataQueries[0].metricStat.metric.name",
                    "unknown field; did you mean namespace?",
                )
            ],
            id="a-typo-far-inside",
        ),
        pytest.param(
            {"metricDataQueries": [{"id": "a", "period": True}]},
            [("metricDataQueries[0].period", "must be an integer or a text")],
            id="a-period-that-is-neither-number-nor-text",
        ),
    ],
)
def test_blocks_are_checked(block: dict[str, Any], problems: list[tuple[str, str]]) -> None:
    """Every problem with its path."""
    assert TYPE.check(block) == problems


@pytest.mark.parametrize(
    ("query", "sent"),
    [
        pytest.param({}, {"Id": ""}, id="an-id-is-always-sent"),
        pytest.param({"id": "a", "period": "60"}, {"Id": "a", "Period": 60}, id="a-text"),
        pytest.param({"id": "a", "period": "1m"}, {"Id": "a", "Period": 0}, id="no-number"),
        pytest.param(
            {"id": "a", "returnData": True, "label": "L"},
            {"Id": "a", "Label": "L", "ReturnData": True},
            id="what-is-set-is-sent",
        ),
        pytest.param(
            {"id": "a", "metricStat": {"metric": {"metricName": "m", "namespace": "n"}}},
            {
                "Id": "a",
                "MetricStat": {
                    "Metric": {"MetricName": "m", "Namespace": "n"},
                    "Period": 0,
                    "Stat": "",
                },
            },
            id="a-metric-without-the-rest",
        ),
    ],
)
def test_queries_are_sent_as_argo_sends_them(query: dict[str, Any], sent: dict[str, Any]) -> None:
    """Names in Amazon's letters, nothing that is not set."""
    (queries,) = provider(metricDataQueries=[query]).queries
    assert queries == sent


def test_the_time_ends_now_and_begins_an_interval_ago() -> None:
    """Five minutes, if the block does not say."""
    made = provider()
    body = json.loads(build_body(made.queries, made.interval_s, 1_700_000_000.25))
    assert (body["StartTime"], body["EndTime"]) == (1_699_999_700.25, 1_700_000_000.25)
    assert provider(interval="1h").interval_s == 3600


@pytest.mark.parametrize(
    ("plays", "outcome", "requests"),
    [
        pytest.param([GOOD], "[[0.5]]", 1, id="at-once"),
        pytest.param([Play("", 500), GOOD], "[[0.5]]", 2, id="after-a-500"),
        pytest.param([BUSY, Play("", 503), GOOD], "[[0.5]]", 3, id="after-two"),
        pytest.param(
            [BUSY],
            f"MayPass: {OPERATION}, https response error StatusCode: 400, RequestID: -,"
            " api error ThrottlingException: Rate exceeded",
            3,
            id="too-busy",
        ),
        pytest.param(
            [WRONG],
            f"ProviderRejected: {OPERATION}, https response error StatusCode: 400, RequestID: r-1,"
            " api error ValidationError: no",
            1,
            id="what-does-not-pass-is-not-asked-again",
        ),
        pytest.param(
            [Play('{"code":"x#Throttling:http://x"}', 400), GOOD], "[[0.5]]", 2, id="a-code"
        ),
        pytest.param(
            [Play("{}", 400, {"x-amzn-ErrorType": "SlowDown:http://x"}), GOOD],
            "[[0.5]]",
            2,
            id="a-code-in-a-header",
        ),
        pytest.param(
            [Play('{"__type":"X","message":5}', 404)],
            f"ProviderRejected: {OPERATION}, https response error StatusCode: 404, RequestID: -,"
            " api error X: ",
            1,
            id="a-message-that-is-no-text",
        ),
    ],
)
async def test_what_may_pass_is_asked_again(
    plays: list[Play], outcome: str, requests: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three times in all, as Amazon's own client does."""
    async with backend(*plays) as server:
        got = await measured(server, monkeypatch)
    assert (got.text if isinstance(got, Reading) else got) == outcome
    assert len(server.requests) == requests


async def test_no_pause_goes_beyond_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the last answer counts."""
    monkeypatch.setattr(random, "random", lambda: 5.0)
    async with backend(BUSY) as server, world() as context:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", server.url)
        got = await failure_text(replace(provider(), timeout_s=2.0).measure(context))
    assert isinstance(got, str)
    assert "Rate exceeded" in got
    assert len(server.requests) == 1


async def test_refused_credentials_are_found_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """They may have been changed; the next measurement takes what is there then."""
    expired = Play('{"__type":"ExpiredTokenException","message":"expired"}', 400)
    async with backend(GOOD, expired, GOOD) as server:
        for key_id in (KEY_ID, "AKNEW", "AKNEW"):
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", key_id)
            await measured(server, monkeypatch)
    assert [
        request.headers["Authorization"].partition("Credential=")[2].partition("/")[0]
        for request in server.requests
    ] == [KEY_ID, KEY_ID, "AKNEW"]


async def test_a_token_that_is_echoed_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signature that does not fit is answered with all that was signed."""
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session/hush+hush==")
    echo = "the string should have been x-amz-security-token:session/hush+hush=="
    refusal = Play(json.dumps({"__type": "SignatureDoesNotMatch", "message": echo}), 403)
    async with backend(refusal) as server:
        got = await measured(server, monkeypatch)
    assert isinstance(got, str)
    assert got.endswith("SignatureDoesNotMatch: the string should have been"
                        " x-amz-security-token:*****")  # fmt: skip
    assert server.requests[0].headers["X-Amz-Security-Token"] == "session/hush+hush=="


@pytest.mark.parametrize(
    "play",
    [
        pytest.param(Play("", 302, {"Location": "http://127.0.0.1:1/TOKEN"}), id="a-redirect"),
        pytest.param(Play("", 302, {"Location": "http://%zz/TOKEN"}), id="a-bad-redirect"),
        pytest.param(Play("TOKEN", 500), id="a-body"),
        pytest.param(Play('{"__type":"#TOKEN"}', 400, {"x-amzn-RequestId": "TOKEN"}), id="names"),
        pytest.param(
            Play(
                '{"MetricDataResults":[{"Id":"a","Label":"TOKEN","Values":[1]}],'
                '"Messages":[{"Code":"c","Value":"TOKEN"}]}'
            ),
            id="a-reading",
        ),
    ],
)
async def test_a_token_never_comes_back(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever a server puts it."""
    token = "FwoGZXIvYXdzEBYaDHqa0AP1EXAMPLE"
    monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    headers = {name: value.replace("TOKEN", token) for name, value in play.headers.items()}
    echo = replace(play, body=str(play.body).replace("TOKEN", token), headers=headers)
    async with backend(echo) as server:
        got = await measured(server, monkeypatch)
    assert token not in repr(got)
    # A redirect to elsewhere is told without its path.
    assert "*****" in repr(got) or "redirects to" in repr(got)


@pytest.mark.parametrize(
    ("environ", "failure"),
    [
        pytest.param(
            {"AWS_REGION": ""},
            f"{OPERATION}, no region is configured: set AWS_REGION, or region in a profile",
            id="no-region",
        ),
        pytest.param(
            {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
            f"{OPERATION}, get credentials: AWS's credential chain holds none; set"
            " AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role for this process",
            id="no-credentials",
        ),
        pytest.param(
            {"AWS_PROFILE": "nobody"},
            f"{OPERATION}, get credentials: The config profile (nobody) could not be found",
            id="an-unknown-profile",
        ),
    ],
)
async def test_what_cannot_be_signed_is_told(
    environ: dict[str, str], failure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing is sent."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    async with backend(GOOD) as server:
        assert await measured(server, monkeypatch) == f"ProviderInvalid: {failure}"
    assert server.requests == []


async def test_an_endpoint_that_is_no_url_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it: a password may stand in it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", "u:hush@h")
    async with world() as context:
        assert await failure_text(provider().measure(context)) == (
            f"ProviderInvalid: {OPERATION}, get credentials: what AWS_ENDPOINT_URL, or a setting"
            " like it, says is no URL of a server"
        )


async def test_slow_credentials_meet_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Amazon's own services have only the time of the measurement."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    async with backend(Play("", delay_s=1.0), Play("", 404)) as agent, world() as context:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{agent.url}/v1")
        got = await failure_text(replace(provider(), timeout_s=0.3).measure(context))
    assert got == f"ProviderUnreachable: {OPERATION}, get credentials: context deadline exceeded"


@pytest.mark.parametrize("package", ["botocore.exceptions", "botocore.auth"])
async def test_a_missing_package_is_named(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra to install stands in the error."""
    monkeypatch.setitem(sys.modules, package, None)
    async with backend(GOOD) as server:
        assert await measured(server, monkeypatch) == (
            "ProviderInvalid: cloudWatch needs the extra package botocore, which is not installed:"
            " install analysis-gateway[aws]"
        )


def answer(document: object) -> Reading | str:
    """What is read of an answer; the error with its class."""
    body = document if isinstance(document, str) else json.dumps(document)
    try:
        return read_results(HttpResponse(200, "OK", {}, body.encode()))
    except ProviderError as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize(
    ("document", "outcome"),
    [
        pytest.param("null", f"{UNREADABLE}: the document must be an object, not null", id="null"),
        pytest.param("{}", f"{UNREADABLE}: MetricDataResults: is required", id="no-results"),
        pytest.param("[", f"{UNREADABLE}: unexpected end of JSON input", id="half-an-answer"),
        pytest.param(
            {"MetricDataResults": [{"Id": "a", "Values": [None]}]},
            f"{UNREADABLE}: MetricDataResults[0].Values[0]: Input should be a valid number",
            id="a-gap-is-no-zero",
        ),
        pytest.param(
            {"MetricDataResults": [{"Id": "a", "Values": [True]}]},
            f"{UNREADABLE}: MetricDataResults[0].Values[0]: Input should be a valid number",
            id="a-boolean-is-no-number",
        ),
        pytest.param(
            {"MetricDataResults": [{"Id": "a", "Values": ["5"]}]},
            f"{UNREADABLE}: MetricDataResults[0].Values[0]: Input should be a valid number",
            id="nor-is-a-text",
        ),
        pytest.param(
            {"MetricDataResults": [{"Id": "a", "Values": [1], "Timestamps": [1e300]}]},
            f"{UNREADABLE}: MetricDataResults[0].Timestamps[0]: Input should be less than",
            id="an-instant-that-no-calendar-knows",
        ),
        pytest.param(
            {"MetricDataResults": [{"Id": "a", "Values": "7"}]},
            f"{UNREADABLE}: MetricDataResults[0].Values: Input should be a valid list",
            id="a-text-is-no-list",
        ),
    ],
)
def test_what_is_no_answer_is_an_error(document: object, outcome: str) -> None:
    """Never an empty result."""
    got = answer(document)
    assert isinstance(got, str)
    assert got.startswith(outcome)


@pytest.mark.parametrize(
    ("results", "more", "text", "is_empty", "is_partial"),
    [
        pytest.param([("a", "Complete", [1, 2])], {}, "[[1 2]]", False, False, id="values"),
        pytest.param([("a", "Complete", [])], {}, "[[]]", True, False, id="no-values"),
        pytest.param([], {}, "[]", True, False, id="no-results"),
        pytest.param(
            [("a", "Complete", []), ("b", "Complete", [3])], {}, "[[] [3]]", False, False, id="two"
        ),
        pytest.param([("a", "PartialData", [1])], {}, "[[1]]", False, True, id="partial"),
        pytest.param(
            [("a", "Complete", [1])], {"NextToken": "t"}, "[[1]]", False, True, id="more-pages"
        ),
        pytest.param(
            [("a", "Complete", ["NaN", "-Infinity", "Infinity"])],
            {},
            "[[NaN -Inf +Inf]]",
            False,
            False,
            id="words",
        ),
    ],
)
def test_answers_are_read(
    results: list[tuple[str, str, list[Any]]],
    more: dict[str, Any],
    text: str,
    is_empty: bool,  # noqa: FBT001 - a column of the table
    is_partial: bool,  # noqa: FBT001 - the same
) -> None:
    """Partial and empty answers are judged, but not kept for others."""
    records = [{"Id": id_, "StatusCode": code, "Values": values} for id_, code, values in results]
    got = answer({"MetricDataResults": records, **more})
    assert isinstance(got, Reading)
    assert (got.text, got.is_empty, got.is_partial) == (text, is_empty, is_partial)
    assert got.outlives_error


def test_what_is_null_was_not_sent() -> None:
    """As with Amazon's own client."""
    names = ("Id", "Label", "Messages", "StatusCode", "Timestamps", "Values")
    got = answer({"MetricDataResults": [dict.fromkeys(names)], "Messages": None, "NextToken": None})
    assert isinstance(got, Reading)
    assert (got.text, got.is_empty) == ("[[]]", True)


def test_messages_are_told_as_texts() -> None:
    """Argo prints where they lie in memory."""
    messages = [{"Code": "A", "Value": "b"}, {"Code": "C", "Value": "d"}]
    got = answer({"MetricDataResults": [], "Messages": messages})
    assert isinstance(got, Reading)
    assert got.metadata == {"messages": "A: b; C: d"}


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    document=json_values
    | st.fixed_dictionaries(
        {
            "MetricDataResults": json_values
            | st.lists(st.dictionaries(st.sampled_from(["Id", "Values", "Messages"]), json_values))
        }
    )
)
def test_any_answer_is_read_or_an_error(document: object) -> None:
    """Nothing else comes of JSON."""
    assert isinstance(answer(document), Reading | str)


async def test_debugging_shows_no_credentials(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Amazon's library would log all that it signs, and what its token service grants."""
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session-hush")
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    try:
        set_up(level="debug", log_format="text")
        root.addHandler(caplog.handler)
        async with backend(GOOD) as server:
            assert isinstance(await measured(server, monkeypatch), Reading)
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers
    assert caplog.records
    assert "session-hush" not in caplog.text
