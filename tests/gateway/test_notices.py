"""Notices: who wants them, what they say, and how they are signed."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.config.notifications import Notification
from gateway.config.settings import Settings, load
from gateway.model import Phase
from gateway.notifications.notices import (
    MAX_REASON_CHARS,
    RUN_ENDED,
    VERDICT_CHANGED,
    Notice,
    NoticeUnwritable,
    SigningKeyInvalid,
    body_of,
    headers_of,
    is_about,
    is_wanted,
    packed,
    question_of,
    signature_headers,
    unpacked,
)
from gateway.secrets import Secret

NOTICE = Notice(
    id="n1",
    type=VERDICT_CHANGED,
    at_unix_s=1_790_000_000.25,
    namespace="shop",
    templates=("error-rate@sha256:1", "latency@sha256:2"),
    label="error-rate",
    phase=Phase.FAILED,
    previous_phase=Phase.SUCCESSFUL,
    reason="error-rate: 0.018 does not satisfy result < 0.01 (missed by 0.008)",
    arguments={"service": "checkout"},
)
RUN = replace(NOTICE, type=RUN_ENDED, run="r1", previous_phase=None, templates=(), label="inline")
STOPPED = replace(RUN, phase=Phase.SUCCESSFUL, gate=Phase.INCONCLUSIVE, reason="Run Terminated")
"""A run that was terminated while all was well."""


def told(**fields: Any) -> Notification:
    """A receiver."""
    return Notification.model_validate({"name": "a", "url": "https://x/", **fields})


@pytest.mark.parametrize(
    ("fields", "notice", "is_told"),
    [
        pytest.param({}, NOTICE, True, id="everything"),
        pytest.param({}, RUN, True, id="runs-as-well"),
        pytest.param({"events": ["run"]}, NOTICE, False, id="runs-only"),
        pytest.param({"events": ["verdict"]}, RUN, False, id="verdicts-only"),
        pytest.param({"templates": ["lat*"]}, NOTICE, True, id="one-of-the-templates"),
        pytest.param({"templates": ["cpu"]}, NOTICE, False, id="none-of-them"),
        pytest.param({"templates": ["inline"]}, RUN, True, id="what-was-brought"),
        pytest.param({"templates": ["lat*"]}, RUN, False, id="what-was-brought-has-no-name"),
        pytest.param({"namespaces": ["team-*", "shop"]}, NOTICE, True, id="the-namespace"),
        pytest.param({"namespaces": ["team-*"]}, NOTICE, False, id="another-one"),
        pytest.param({"phases": ["Successful"]}, NOTICE, False, id="another-phase"),
        pytest.param(
            {"phases": ["Successful"]}, STOPPED, False, id="who-was-stopped-has-not-passed"
        ),
        pytest.param({"phases": ["Inconclusive"]}, STOPPED, True, id="but-is-inconclusive"),
    ],
)
def test_who_is_told(fields: dict[str, Any], notice: Notice, is_told: bool) -> None:  # noqa: FBT001 - a table
    """All that a receiver says must be true."""
    assert is_wanted(told(**fields), notice) is is_told


def test_a_phase_that_nobody_wants_is_still_one_to_know_of() -> None:
    """The next change is one from it."""
    assert is_about(told(phases=["Successful"]), NOTICE)


def test_a_cloud_event() -> None:
    """CloudEvents 1.0, in JSON's structured mode."""
    assert json.loads(body_of(NOTICE, "cloudevents")) == {
        "specversion": "1.0",
        "id": "n1",
        "source": "/analysis-gateway/shop",
        "type": "analysis-gateway.verdict.changed",
        "subject": "shop/error-rate,latency",
        "time": "2026-09-21T14:13:20.250Z",
        "datacontenttype": "application/json",
        "data": {
            "phase": "Failed",
            "previousPhase": "Successful",
            "ok": False,
            "reason": NOTICE.reason,
            "run": None,
            "namespace": "shop",
            "templates": ["error-rate@sha256:1", "latency@sha256:2"],
            "arguments": {"service": "checkout"},
        },
    }
    event = json.loads(body_of(RUN, "cloudevents"))
    assert (event["subject"], "previousPhase" in event["data"]) == ("r1", False)
    assert headers_of(NOTICE, "cloudevents")["Content-Type"] == "application/cloudevents+json"


def test_a_run_that_was_stopped_has_not_passed() -> None:
    """Its phase is Argo's, and ``ok`` that of its verdict: in words and signs as well."""
    data = json.loads(body_of(STOPPED, "cloudevents"))["data"]
    assert (data["phase"], data["ok"], "gate" in data) == ("Successful", False, False)
    assert json.loads(body_of(STOPPED, "slack"))["text"] == (
        ":grey_question: *shop/inline* is Successful in run `r1`, but has not passed\n"
        "Run Terminated"
    )
    passed = replace(STOPPED, gate=Phase.SUCCESSFUL)
    assert json.loads(body_of(passed, "cloudevents"))["data"]["ok"] is True
    assert json.loads(body_of(passed, "slack"))["text"].startswith(
        ":white_check_mark: *shop/inline* is Successful in run `r1`\n"
    )


def test_a_message_for_slack() -> None:
    """What anybody wrote mentions nobody there."""
    loud = replace(NOTICE, reason="<!channel> a & b " + "x" * 9_000)
    text = json.loads(body_of(loud, "slack"))["text"]
    assert text.startswith(
        ":x: *shop/error-rate, latency* is Failed (was Successful)\n&lt;!channel&gt; a &amp; b xxx"
    )
    assert len(text) < MAX_REASON_CHARS + 200
    told_of_run = json.loads(body_of(RUN, "slack"))["text"]
    assert told_of_run.startswith(":x: *shop/inline* is Failed in run `r1`\n")
    assert headers_of(NOTICE, "slack")["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("key", "octets"),
    [
        pytest.param("a plain text\n", b"a plain text", id="a-text"),
        pytest.param("whsec_" + base64.b64encode(b"k" * 24).decode(), b"k" * 24, id="standard"),
    ],
)
def test_a_signature(key: str, octets: bytes) -> None:
    """Standard Webhooks 1.0: over id, time and body."""
    headers = signature_headers(Secret(key), "n1", b"{}", 1_790_000_000.9)
    digest = hmac.new(octets, b"n1.1790000000.{}", hashlib.sha256).digest()
    assert headers == {
        "webhook-timestamp": "1790000000",
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


@pytest.mark.parametrize("key", ["", " \n", "whsec_?"])
def test_a_key_that_is_none(key: str) -> None:
    """Nothing goes out with a signature that proves nothing, and the key is not repeated."""
    with pytest.raises(SigningKeyInvalid, match=r"^the key of the signature (is empty|begins)"):
        signature_headers(Secret(key), "n1", b"{}", 0)


def test_notices_come_back_from_redis() -> None:
    """As they were."""
    assert unpacked(packed(NOTICE)) == NOTICE
    assert unpacked(packed(RUN)) == RUN
    assert unpacked(packed(STOPPED)) == STOPPED


def test_a_question_stays_the_same_when_its_template_is_edited() -> None:
    """Namespace, names, kinds, whether they were brought, and arguments make it."""
    was = question_of("shop", ["AnalysisTemplate/a"], {"x": "1", "y": "2"})
    assert question_of("shop", ["AnalysisTemplate/a"], {"y": "2", "x": "1"}) == was
    others = [
        question_of("bank", ["AnalysisTemplate/a"], {"x": "1", "y": "2"}),
        question_of("shop", ["AnalysisTemplate/b"], {"x": "1", "y": "2"}),
        question_of("shop", ["ClusterAnalysisTemplate/a"], {"x": "1", "y": "2"}),
        question_of("shop", ["inline:AnalysisTemplate/a"], {"x": "1", "y": "2"}),
        question_of("shop", ["AnalysisTemplate/a"], {"x": "2", "y": "2"}),
    ]
    assert len({was, *others}) == 6


def test_a_notice_of_a_newer_gateway() -> None:
    """What it says beside is passed over."""
    newer = packed(NOTICE).replace(b"{", b'{"severity":"page",', 1)
    assert unpacked(newer) == NOTICE


def test_a_notice_of_an_older_gateway() -> None:
    """It told phases only."""
    older = packed(RUN).replace(b',"gate":null', b"")
    assert b"gate" not in older.replace(b"gateway", b"")
    assert unpacked(older) == RUN


def test_a_notice_that_is_no_text() -> None:
    """Half of a surrogate pair is none in UTF-8."""
    with pytest.raises(NoticeUnwritable, match="one half of a surrogate pair"):
        packed(replace(NOTICE, reason="\ud800"))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        pytest.param({"url": None}, "needs either url or urlFrom", id="no-url"),
        pytest.param({"urlFrom": {"file": "f"}}, "needs either url or urlFrom", id="two-urls"),
        pytest.param({"url": "ftp://x"}, "must be a URL that begins with https://", id="ftp"),
        pytest.param({"url": "https://a:b@x"}, "must not hold credentials", id="a-password"),
        pytest.param({"url": "http://169.254.169.254/"}, "nothing can allow", id="metadata"),
        pytest.param({"signingFrom": {}}, "needs either secret or file", id="no-key"),
        pytest.param({"signingFrom": {"secret": "a"}}, "NAME/KEY", id="no-secret"),
        pytest.param({"phases": ["Running"]}, "phases can be Successful", id="not-an-end"),
        pytest.param({"events": []}, "at least 1 item", id="on-nothing"),
    ],
)
def test_settings_that_are_wrong(fields: dict[str, Any], message: str) -> None:
    """They say what is wanted."""
    with pytest.raises(ValidationError, match=message):
        told(**fields)


def test_names_of_receivers_are_their_own() -> None:
    """A metric or a log line could mean either."""
    receiver = {"name": "a", "url": "https://x/"}
    with pytest.raises(ValidationError, match="two of them have the same name"):
        Settings.model_validate({"notifications": [receiver, receiver]})


def test_the_page_about_them_shows_settings_that_can_be_used(tmp_path: Path) -> None:
    """As YAML reads them: some words are no texts to it."""
    text = (
        (Path(__file__).parents[2] / "docs/notifications.md")
        .read_text(encoding="utf-8")
        .split("```yaml\n")[1]
    )
    file = tmp_path / "settings.yaml"
    file.write_text(text.partition("```")[0])
    hook, chat = load(file, flags={}, environ={}).notifications
    assert (hook.name, chat.events, chat.format) == ("deploys", ("run",), "slack")
