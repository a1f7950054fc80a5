"""newRelic: what is asked again, when, and what is told in the end; in virtual time."""

import asyncio
from dataclasses import dataclass, field
from typing import cast

import pytest
from backends import NOW_UNIX_S, context_threads, failure_text
from multidict import CIMultiDict
from virtual_time import in_virtual_time, now_s

from gateway.config.settings import Settings
from gateway.model import Reading
from gateway.provider import (
    DEADLINE_EXCEEDED,
    Context,
    FoundSecret,
    HttpRequest,
    HttpResponse,
    NoAnswer,
    Stage,
    Surroundings,
)
from gateway.secrets import Secret
from gateway.upstreams.tokens import TokenCache
from providers.newrelic import ATTEMPT_S, BACKOFFS_S, LIMIT_S, NewRelicProvider, parse

URL = "http://u:hush@nr/graphql"
SHOWN = "POST http://u:***@nr/graphql"
ROWS = '{"data":{"actor":{"account":{"nrql":{"results":[{"a":1}]}}}}}'


def says(status: int, body: str = "", **headers: str) -> HttpResponse:
    """An answer."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return HttpResponse(status, "", CIMultiDict(named), body.encode())


GOOD = says(200, ROWS)
RESET = NoAnswer('Post "x": reset', cause="reset", stage=Stage.AWAITING_HEADERS)
CUT = NoAnswer("unexpected EOF", cause="unexpected EOF", stage=Stage.READING_BODY)
SILENCE = "silence"
TOO_MANY = says(200, '{"errors":[{"extensions":{"errorClass":"TOO_MANY_REQUESTS"}}]}')
TIMED_OUT = says(200, '{"errors":[{"message":"too slow","extensions":{"errorClass":"TIMEOUT"}}]}')


@dataclass
class Wire:
    """The way out of the process; it plays its answers in order, the last one for ever."""

    plays: tuple[object, ...]
    sent_at_s: list[float] = field(default_factory=list)

    async def send(self, request: HttpRequest, *, timeout_s: float) -> HttpResponse:
        """The next answer; silence lasts until the time limit."""
        assert request.url == URL
        play = self.plays[min(len(self.sent_at_s), len(self.plays) - 1)]
        self.sent_at_s.append(now_s())
        if play == SILENCE:
            await asyncio.sleep(timeout_s)
            cause = DEADLINE_EXCEEDED
            raise NoAnswer(f'Post "x": {cause}', cause=cause, stage=Stage.AWAITING_HEADERS)
        if isinstance(play, NoAnswer):
            raise play
        assert isinstance(play, HttpResponse)
        return play


def provider() -> NewRelicProvider:
    """A query whose server is whatever the wire says."""
    content = {"personal-api-key": "k", "account-id": "1", "base-url-nerdgraph": URL}
    found = FoundSecret("own/newrelic", {key: Secret(text) for key, text in content.items()})
    return cast("NewRelicProvider", parse({"query": "q"}, Surroundings(secret=found)))


async def measured(wire: Wire) -> Reading | str:
    """The reading, or the error's class and text."""
    with context_threads() as threads:
        context = Context(wire, lambda: NOW_UNIX_S + now_s(), TokenCache(), threads)
        return await failure_text(provider().measure(context))


@pytest.mark.parametrize(
    ("plays", "sent_at_s"),
    [
        pytest.param([GOOD], [0], id="at-once"),
        pytest.param([RESET, GOOD], [0, 1], id="no-answer"),
        pytest.param([CUT, GOOD], [0, 1], id="an-answer-that-is-cut-off"),
        pytest.param([says(500), says(503), says(429), GOOD], [0, 1, 3, 7], id="statuses"),
        pytest.param([TOO_MANY, GOOD], [0, 1], id="too-many-requests"),
        pytest.param([TIMED_OUT, TIMED_OUT, GOOD], [0, 1, 3], id="a-query-that-took-too-long"),
        pytest.param([SILENCE, GOOD], [0, 31], id="silence"),
        pytest.param([says(429, Retry_After="5"), says(500), GOOD], [0, 5, 7], id="a-time-is-told"),
        pytest.param([says(503, Retry_After="0"), GOOD], [0, 0], id="the-time-is-over"),
        pytest.param([says(500, Retry_After="5"), GOOD], [0, 1], id="a-time-told-with-500"),
        pytest.param([says(429, Retry_After="soon"), GOOD], [0, 1], id="a-time-that-is-none"),
        pytest.param(
            [says(429, Retry_After="Tue, 14 Nov 2023 22:13:30 GMT"), GOOD],
            [0, 9.75],
            id="an-instant",
        ),
        pytest.param(
            [says(429, Retry_After="Tue, 14 Nov 2023 22:13:10 GMT"), GOOD],
            [0, 0],
            id="an-instant-that-has-passed",
        ),
    ],
)
def test_what_may_pass_is_asked_again(plays: list[object], sent_at_s: list[float]) -> None:
    """After one, two and four seconds, or when the server says."""

    @in_virtual_time
    async def story() -> None:
        wire = Wire(tuple(plays))
        got = await measured(wire)
        assert isinstance(got, Reading)
        assert got.text == '{"a":1}'
        assert wire.sent_at_s == pytest.approx(sent_at_s)

    story()


@pytest.mark.parametrize(
    ("plays", "sent_at_s", "failure"),
    [
        pytest.param(
            [RESET],
            [0, 1, 3, 7],
            f'ProviderUnreachable: {SHOWN} giving up after 4 attempt(s): Post "x": reset',
            id="no-answer",
        ),
        pytest.param(
            [says(503)],
            [0, 1, 3, 7],
            f"ProviderRejected: {SHOWN} giving up after 4 attempt(s): 503 response returned",
            id="a-status",
        ),
        pytest.param(
            [TOO_MANY],
            [0, 1, 3, 7],
            f"ProviderRejected: {SHOWN} giving up after 4 attempt(s): TOO_MANY_REQUESTS",
            id="too-many-requests",
        ),
        pytest.param(
            [RESET, says(500), TOO_MANY, TIMED_OUT],
            [0, 1, 3, 7],
            "ProviderRejected: maximum retries reached: too slow",
            id="the-last-cause-counts",
        ),
        pytest.param(
            [says(429, Retry_After="1")],
            [0, 1, 2, 3],
            f"ProviderRejected: {SHOWN} giving up after 4 attempt(s): 429 response returned",
            id="always-the-same-time-told",
        ),
        pytest.param(
            [says(429, Retry_After="55")],
            [0],
            f"ProviderRejected: {SHOWN} giving up after 1 attempt(s): 429 response returned",
            id="a-time-that-is-too-late",
        ),
        pytest.param(
            [says(429, Retry_After="40"), says(429, Retry_After="40")],
            [0, 40],
            f"ProviderRejected: {SHOWN} giving up after 2 attempt(s): 429 response returned",
            id="a-second-time-that-is-too-late",
        ),
        pytest.param(
            [says(429, Retry_After="9" * 400)],
            [0, 1, 3, 7],
            f"ProviderRejected: {SHOWN} giving up after 4 attempt(s): 429 response returned",
            id="a-time-that-nobody-means",
        ),
        pytest.param(
            [SILENCE],
            [0, 31],
            f"ProviderUnreachable: {SHOWN} giving up after 2 attempt(s):"
            ' Post "x": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
            id="silence",
        ),
        pytest.param(
            [says(401)], [0], "ProviderRejected: 401 response returned", id="what-does-not-pass"
        ),
        pytest.param(
            [RESET, says(404)], [0, 1], "ProviderRejected: resource not found", id="nor-the-second"
        ),
    ],
)
def test_the_last_cause_is_told(plays: list[object], sent_at_s: list[float], failure: str) -> None:
    """After four attempts, or when the next one would come too late."""

    @in_virtual_time
    async def story() -> None:
        wire = Wire(tuple(plays))
        assert await measured(wire) == failure
        assert wire.sent_at_s == sent_at_s
        assert now_s() <= LIMIT_S

    story()


@in_virtual_time
async def test_a_pause_can_be_cancelled() -> None:
    """Nothing is sent afterwards."""
    wire = Wire((RESET,))
    task = asyncio.create_task(measured(wire))
    await asyncio.sleep(2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(60)
    assert wire.sent_at_s == [0, 1]


def test_all_attempts_may_take_less_than_the_gateway_allows() -> None:
    """``verdicts.measurementTimeout`` is sixty seconds by default."""
    assert sum(BACKOFFS_S) + ATTEMPT_S < LIMIT_S < Settings().verdicts.measurement_timeout_s
