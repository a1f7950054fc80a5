"""What is remembered of vendors that want to hear nothing is bounded, and holds no secret."""

import pytest
from rate_limited_vendor import limited, request

from gateway.provider import HttpResponse
from gateway.upstreams import silences as module
from gateway.upstreams.silences import FORGOTTEN_AFTER_S, LONGEST_S, MAX_BODY_BYTES, Silences


def test_only_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that began first goes first."""
    monkeypatch.setattr(module, "MAX_SILENCES", 2)
    silences = Silences()
    places = [request(f"https://vendor/{number}") for number in range(3)]
    for each in places:
        silences.begin(each, limited("5"), 5, now_s=0)
    known = [silences.of(each, now_s=0) is not None for each in places]
    assert known == [False, True, True]


def test_what_is_long_over_is_forgotten() -> None:
    """Whoever asks about anything clears one away."""
    silences = Silences()
    for place in ("https://vendor/a", "https://vendor/b"):
        silences.begin(request(place), limited("5"), 5, now_s=0)
    over_s = 5 + FORGOTTEN_AFTER_S
    asked = [silences.of(request("https://vendor/b"), now_s=at) for at in (over_s, over_s + 1)]
    assert None not in asked
    assert silences.of(request("https://vendor/b"), now_s=over_s + 1) is None


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        pytest.param(limited("5"), limited("5"), id="an-answer"),
        pytest.param(
            HttpResponse(429, "later", {}, b"x" * (MAX_BODY_BYTES + 1)),
            HttpResponse(429, "later", {}, b"x" * MAX_BODY_BYTES),
            id="a-long-body",
        ),
        pytest.param(
            HttpResponse(429, "later", {"Set-Cookie": "x" * 5_000}, b"slow down"),
            HttpResponse(429, "later", {}, b"slow down"),
            id="long-headers",
        ),
    ],
)
def test_an_answer_is_kept_as_far_as_it_is_small(answer: HttpResponse, kept: HttpResponse) -> None:
    """It is the vendor's own word, for everybody who must not ask."""
    silences = Silences()
    silences.begin(request(), answer, 1e9, now_s=0)
    silence = silences.of(request(), now_s=0)
    assert silence is not None
    assert (silence.answer, silence.until_s) == (kept, LONGEST_S)


@pytest.mark.parametrize("times_s", [(3, 8), (8, 3)])
def test_of_two_answers_the_more_cautious_one_counts(times_s: tuple[float, float]) -> None:
    """And the words of the last one."""
    silences = Silences()
    for time_s in times_s:
        silences.begin(request(), limited(f"{time_s}"), time_s, now_s=0)
    silence = silences.of(request(), now_s=0)
    assert silence is not None
    assert (silence.until_s, silence.answer) == (8, limited(f"{times_s[1]}"))


def test_no_credential_is_kept() -> None:
    """Neither of a URL, nor of a header, nor of a form; and no two processes hash alike."""
    asked = request(
        "https://user:hush@vendor/hush?token=hush", headers={"X-Key": "hush"}, body=b"key=hush"
    )
    first, second = Silences(), Silences()
    for each in (first, second):
        each.begin(asked, limited("5"), 5, now_s=0)
    assert "hush" not in repr(first._kept)
    assert first._kept.keys() != second._kept.keys()
