"""kayenta: an execution is begun, looked at, and judged by its score."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from backends import NOW_UNIX_S
from fake_kayenta import (
    ATTEMPT,
    BEGUN,
    ID,
    TIMES,
    URL,
    FakeKayenta,
    answer,
    block,
    completed,
    provider,
    scope,
)

from gateway.errors import ProviderError, ProviderInvalid
from gateway.model import Phase
from gateway.provider import HttpRequest, LastingProvider, Progress, Surroundings
from providers import PROVIDERS
from providers.kayenta import LONGEST_S, parse

RUNNING = Progress(phase=Phase.RUNNING, metadata=ID, resume_at_unix_s=NOW_UNIX_S + 15)
LOOKUP = f"GET {URL}/canaryConfig?application=cart&configurationAccountName=gcs-s"
ORDER = (
    f"POST {URL}/canary/c-2?application=cart&metricsAccountName=prom"
    "&configurationAccountName=gcs-c&storageAccountName=gcs-s"
)
NOW = "2023-11-14T22:13:20Z"
TEN_MINUTES_AGO = "2023-11-14T22:03:20Z"
HALVES = "must both be set or be empty"


def begun(attempt: Any = ATTEMPT, **fields: Any) -> dict[str, Any]:
    """The body of the order that a block makes."""
    request = provider(**fields).build_beginning("c-2", attempt, now_unix_s=NOW_UNIX_S)
    assert request.body is not None
    body: dict[str, Any] = json.loads(request.body)
    return body


def window(**fields: Any) -> tuple[object, object]:
    """From when to when the experiment is looked at."""
    side = begun(**fields)["scopes"]["default"]["experimentScope"]
    return side["start"], side["end"]


async def test_an_execution_is_begun_and_looked_at_until_it_is_complete() -> None:
    """One order, then a look every 15 s; the URL is put together as it stands (KA01)."""
    kayenta = FakeKayenta()
    assert await provider().advance(kayenta.context(), ATTEMPT) == RUNNING
    assert kayenta.told() == [LOOKUP, ORDER]
    later = NOW_UNIX_S + 15
    assert await provider().advance(kayenta.context(later), BEGUN) == replace(
        RUNNING, resume_at_unix_s=later + 15
    )
    kayenta.state = answer(completed(81.9))
    assert await provider().advance(kayenta.context(later + 15), BEGUN) == Progress(
        phase=Phase.SUCCESSFUL,
        text="score 81 (pass 80, marginal 50)",
        value=81,
        metadata=ID,
    )
    assert kayenta.told()[2:] == [f"GET {URL}/canary/EX-1"] * 2
    assert kayenta.begun == 1


async def test_each_measurement_is_an_execution_of_its_own() -> None:
    """Kayenta has no names by which one could be found again."""
    kayenta = FakeKayenta()
    for number in (1, 2):
        progress = await provider().advance(kayenta.context(), ATTEMPT)
        assert progress.metadata == {"canaryExecutionId": f"EX-{number}"}


@pytest.mark.parametrize(
    ("elapsed_s", "state", "phase"),
    [
        pytest.param(LONGEST_S, {"complete": False}, Phase.RUNNING, id="to-the-last-moment"),
        pytest.param(LONGEST_S + 1, completed(90), Phase.SUCCESSFUL, id="late-is-not-too-late"),
        pytest.param(LONGEST_S + 1, {"complete": False}, None, id="and-no-longer"),
    ],
)
async def test_nothing_is_looked_at_for_ever(
    elapsed_s: float, state: object, phase: Phase | None
) -> None:
    """Unlike in Argo, an execution that hangs is an Error some time."""
    kayenta = FakeKayenta(state=answer(state))
    context = kayenta.context(NOW_UNIX_S + elapsed_s)
    if phase is None:
        with pytest.raises(ProviderError) as caught:
            await provider().advance(context, BEGUN)
        assert str(caught.value) == (
            "the canary execution EX-1 is not complete after 3600s; it is not waited for any longer"
        )
    else:
        assert (await provider().advance(context, BEGUN)).phase is phase
    # Who follows an execution waits for the look that ends it.
    assert provider().longest_s() == LONGEST_S + 15 + 15


@pytest.mark.parametrize("attempt", [ATTEMPT, BEGUN], ids=["not-begun", "begun"])
async def test_nothing_is_sent_to_stop_or_to_remove_an_execution(attempt: Any) -> None:
    """As in Argo (KA23)."""
    kayenta = FakeKayenta()
    await provider().terminate(kayenta.context(), attempt)
    await provider().collect(kayenta.context(), attempt, keep=0)
    assert kayenta.asked == []


def test_it_is_one_that_lasts() -> None:
    """Without a query to be shown."""
    assert isinstance(provider(), LastingProvider)
    assert provider().resolved_query() == ""


def test_the_order_is_what_kayenta_knows() -> None:
    """``region`` is called ``location``, ``threshold`` is called ``thresholds``."""
    scopes = [scope(), scope("b", control={**TIMES, "scope": 'a"b'})]
    request = provider(scopes=scopes).build_beginning("c", ATTEMPT, now_unix_s=NOW_UNIX_S)
    side = {"location": "eu", "step": 60, **TIMES}
    assert request.headers == {"Content-Type": "application/json"}
    assert not request.is_repeatable
    assert json.loads(request.body or b"") == {
        "scopes": {
            "default": {
                "controlScope": {"scope": "stable", **side},
                "experimentScope": {"scope": "canary", **side},
            },
            "b": {
                "controlScope": {"scope": 'a"b', **side},
                "experimentScope": {"scope": "canary", **side},
            },
        },
        "thresholds": {"pass": 80, "marginal": 50},
    }


def test_of_scopes_with_one_name_the_last_one_counts() -> None:
    """As wherever a JSON object is read."""
    last = scope(control={**TIMES, "scope": "other"})
    scopes = begun(scopes=[scope(), last])["scopes"]
    assert [each["controlScope"]["scope"] for each in scopes.values()] == ["other"]


def test_nothing_in_a_url_is_escaped() -> None:
    """Neither what the template says nor what Kayenta says."""
    made = provider("http://h/", application="a%20b", storageAccountName="s&x=1")
    assert made.build_lookup() == HttpRequest(
        "GET", "http://h//canaryConfig?application=a%20b&configurationAccountName=s&x=1"
    )
    assert made.build_look("a/b?c") == HttpRequest("GET", "http://h//canary/a/b?c")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({}, (TEN_MINUTES_AGO, NOW), id="the-interval-until-now-KA07"),
        pytest.param(
            {"attempt": replace(ATTEMPT, interval="1.5s")},
            ("2023-11-14T22:13:18Z", NOW),
            id="in-whole-seconds",
        ),
        pytest.param(
            {"experiment": {"start": "x"}, "control": {"start": "y"}},
            ("x", NOW),
            id="what-is-given-is-sent-unchecked",
        ),
        pytest.param(
            {"experiment": {"end": "x"}, "control": {"end": "y"}},
            (TEN_MINUTES_AGO, "x"),
            id="an-end-alone",
        ),
        pytest.param(
            {
                "lookback": True,
                "attempt": replace(ATTEMPT, analysis_began_at_unix_s=1_699_999_000.9),
            },
            ("2023-11-14T21:56:40Z", NOW),
            id="back-to-the-beginning-of-the-run-KA09",
        ),
        pytest.param({"lookback": True}, (NOW, NOW), id="which-may-be-now-KA10"),
        pytest.param(
            {"lookback": True, "attempt": replace(ATTEMPT, interval="x")},
            (NOW, NOW),
            id="lookback-needs-no-interval",
        ),
        pytest.param(
            {"attempt": replace(ATTEMPT, interval="x"), "experiment": TIMES, "control": TIMES},
            tuple(TIMES.values()),
            id="nor-do-times-that-are-given",
        ),
    ],
)
def test_a_window_may_be_left_open(fields: dict[str, Any], expected: tuple[object, object]) -> None:
    """RFC 3339, UTC."""
    sides = {side: fields.pop(side, {}) for side in ("control", "experiment")}
    assert window(scopes=[scope(**sides)], **fields) == expected


@pytest.mark.parametrize(
    ("control", "experiment", "interval", "message"),
    [
        pytest.param(
            *({}, {"start": "x"}, "10m"),
            f"controlScope.start and experimentScope.start {HALVES}",
            id="one-start-KA11",
        ),
        pytest.param(
            *({"start": "x", "end": "x"}, {"start": "x"}, "10m"),
            f"controlScope.end and experimentScope.end {HALVES}",
            id="one-end",
        ),
        pytest.param(
            *({}, {}, ""),
            'Invalid duration "": time: invalid duration ""',
            id="no-interval-KA08",
        ),
        pytest.param(
            *({}, {}, "5"),
            'Invalid duration "5": time: missing unit in duration "5"',
            id="no-duration",
        ),
    ],
)
async def test_a_window_that_cannot_be_told_is_an_error(
    control: Mapping[str, object], experiment: Mapping[str, object], interval: str, message: str
) -> None:
    """After the lookup, before anything is begun."""
    kayenta = FakeKayenta()
    scopes = [scope("fine"), scope(control=control, experiment=experiment)]
    with pytest.raises(ProviderInvalid) as caught:
        await provider(scopes=scopes).advance(
            kayenta.context(), replace(ATTEMPT, interval=interval)
        )
    assert (str(caught.value), kayenta.told()) == (message, [LOOKUP])


@pytest.mark.parametrize(
    ("score", "phase", "value"),
    [
        pytest.param(80.0, Phase.SUCCESSFUL, 80, id="pass-KA13"),
        pytest.param(100, Phase.SUCCESSFUL, 100, id="more-than-pass"),
        pytest.param(79.99, Phase.INCONCLUSIVE, 79, id="the-fraction-is-cut-KA14"),
        pytest.param(50, Phase.INCONCLUSIVE, 50, id="marginal-KA15"),
        pytest.param(49.999, Phase.FAILED, 49, id="less-KA16"),
        pytest.param(-0.5, Phase.FAILED, 0, id="towards-zero"),
        pytest.param(1e300, Phase.FAILED, -(2**63), id="beyond-64-bits"),
        pytest.param(2.0**63, Phase.FAILED, -(2**63), id="just-beyond-64-bits"),
        pytest.param(-(2.0**63), Phase.FAILED, -(2**63), id="just-within-64-bits"),
    ],
)
async def test_the_score_decides(score: float, phase: Phase, value: int) -> None:
    """Without its fraction."""
    kayenta = FakeKayenta(state=answer(completed(score)))
    progress = await provider().advance(kayenta.context(), BEGUN)
    assert (progress.phase, progress.value) == (phase, value)
    assert progress.text == f"score {value} (pass 80, marginal 50)"
    assert progress.message == ""


async def test_thresholds_that_are_the_wrong_way_round_are_taken_as_they_are() -> None:
    """Whatever passes has passed."""
    kayenta = FakeKayenta(state=answer(completed(40)))
    made = provider(threshold={"pass": 30, "marginal": 60})
    assert (await made.advance(kayenta.context(), BEGUN)).phase is Phase.SUCCESSFUL


def test_a_url_that_is_none_is_known_when_the_block_is_read() -> None:
    """With Go's text."""
    with pytest.raises(ProviderInvalid, match=r'^parse "http://a b/canaryConfig'):
        parse(block("http://a b"), Surroundings())


@pytest.mark.parametrize(
    ("fields", "problems"),
    [
        pytest.param({"address": "{{args.x}}"}, [], id="arguments-are-fine"),
        pytest.param({"application": "", "scopes": []}, [], id="what-is-required-may-be-empty"),
        pytest.param(
            {"thresholds": {"pass": 1, "marginal": 0}},
            [("thresholds", "unknown field; did you mean threshold?")],
            id="argos-guide-has-it-wrong",
        ),
        pytest.param(
            {"threshold": {"pass": "80"}},
            [
                ("threshold.pass", "must be an integer"),
                ("threshold.marginal", "is required"),
            ],
            id="numbers-are-numbers",
        ),
        pytest.param(
            {"scopes": [{"name": "a", "controlScope": {"scope": "a", "step": "60"}}]},
            [
                ("scopes[0].controlScope.region", "is required"),
                ("scopes[0].controlScope.step", "must be an integer"),
                ("scopes[0].experimentScope", "is required"),
            ],
            id="the-region-is-required",
        ),
        pytest.param({"lookback": "yes"}, [("lookback", "must be true or false")], id="lookback"),
    ],
)
def test_a_block_is_checked(fields: dict[str, Any], problems: list[tuple[str, str]]) -> None:
    """Before anything is asked."""
    assert PROVIDERS["kayenta"].check(block(**fields)) == problems


def test_everything_but_lookback_is_required() -> None:
    """As the schema of Argo has it."""
    paths = [path for path, _ in PROVIDERS["kayenta"].check({})]
    assert paths == [field for field in block() if field != "lookback"]


def test_a_provider_keeps_its_secrets() -> None:
    """A provider in a traceback or a log shows no address, nor anything else."""
    assert "hush" not in repr(provider("http://u:hush@h", application="hush"))
    assert "hush" not in repr(provider("http://u:hush@h").build_lookup())
