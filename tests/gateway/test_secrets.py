"""Secrets do not show."""

import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.freeze import freeze
from gateway.secrets import Redaction, Secret


def test_a_secret_prints_as_asterisks() -> None:
    """Neither str, repr nor an f-string shows it; reveal does."""
    secret = Secret("hunter2")
    assert (str(secret), repr(secret), f"{secret}") == ("*****", "Secret('*****')", "*****")
    assert secret.reveal() == "hunter2"


def test_secrets_compare_by_value() -> None:
    """Equal texts are equal secrets; a secret equals no text."""
    assert {Secret("a"), Secret("a")} == {Secret("a")}
    assert Secret("a") != "a"


@pytest.mark.parametrize(
    ("text", "secrets", "shown"),
    [
        pytest.param(
            "url hunter2 bad hunter2", ["hunter2"], "url ***** bad *****", id="everywhere"
        ),
        pytest.param("abcdef", ["abc", "abcdef"], "*****", id="the-longest-first"),
        pytest.param("text", [""], "text", id="an-empty-secret-masks-nothing"),
        pytest.param("text", [], "text", id="no-secret-no-change"),
        pytest.param("?q=a%2Fb%20c&r=a%2Fb+c", ["a/b c"], "?q=*****&r=*****", id="in-a-url"),
        pytest.param(r'{"k":"a\"b"}', ['a"b'], '{"k":"*****"}', id="in-json"),
        pytest.param("/a/%22b", ['a/"b'], "/*****", id="half-escaped-for-a-url"),
        pytest.param(r"a\u003cb\nc", ["a<b\nc"], "*****", id="escaped-as-go-escapes-json"),
        pytest.param(r"\ud83d\ude00", ["\N{GRINNING FACE}"], "*****", id="a-pair-of-escapes"),
        pytest.param(
            r'duration "p\xc3\xa4ss" of p\u00e4ss',
            ["p\N{LATIN SMALL LETTER A WITH DIAERESIS}ss"],
            'duration "*****" of *****',
            id="as-go-quotes-times",
        ),
        pytest.param("a.b axb", ["a.b"], "***** axb", id="a-point-is-a-point"),
        pytest.param('port ":hunter2" of a', ["hunter2/a"], 'port ":*****" of a', id="a-piece"),
        pytest.param(
            "y^w&z!\nth*1g(2)\nok", ["s\ny^w&z!\nth*1g(2)"], "*****\n*****\nok", id="some-lines"
        ),
        pytest.param("\ud800", ["\ud800"], "*****", id="half-a-pair"),
    ],
)
def test_a_text_is_redacted(text: str, secrets: list[str], shown: str) -> None:
    """Each secret becomes five asterisks, however it was escaped."""
    assert Redaction(map(Secret, secrets)).text(text) == shown


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        pytest.param(b"\xff hunter2%2fx \xc3", b"\xff ***** \xc3", id="in-what-is-no-text"),
        pytest.param(b"\xff hunter", b"\xff hunter", id="what-only-looks-like-it"),
        pytest.param(b"\xff", b"\xff", id="nothing"),
    ],
)
def test_an_answer_is_redacted(data: bytes, shown: bytes) -> None:
    """All else of it stays as it came."""
    assert Redaction([Secret("hunter2/x")]).octets(data) == shown


KEY = "k-7q/z9+x Z"


@pytest.mark.parametrize(
    ("text", "secrets", "shown"),
    [
        pytest.param("bad key k-7q/z9+x ...", [KEY], "bad key *****...", id="all-but-the-last"),
        pytest.param("k-7q/z...", [KEY], "*****...", id="six-characters"),
        pytest.param("k-7q/...", [KEY], "k-7q/...", id="too-few-to-tell"),
        pytest.param("at hun...", ["hunter"], "at *****...", id="half-of-a-short-one"),
        pytest.param("ab...", ["abcd"], "ab...", id="two-characters-of-any"),
        pytest.param("k-7q/z9 k-7q/z", [KEY], "k-7q/z9 k-7q/z", id="nothing-was-cut"),
        pytest.param('"k-7q/z..." in "x"', [KEY], '"*****..." in "x"', id="amid-a-message"),
        pytest.param("k-7q%2fz9%2Bx...", [KEY], "*****...", id="escaped-for-a-url"),
        pytest.param(r"k-7q\u002Fz9...", [KEY], "*****...", id="escaped-for-json"),
        pytest.param("k-7q/z9%2...", [KEY], "*****...", id="half-an-escape-for-a-url"),
        pytest.param(r"k-7q/z9\u00...", [KEY], "*****...", id="half-an-escape-for-json"),
        pytest.param(
            r"abcdef\xc3...",
            ["abcdef\N{LATIN SMALL LETTER A WITH DIAERESIS}"],
            "*****...",
            id="half-an-escape-for-a-time",
        ),
        pytest.param("abcdef....", ["abcdef.ghijkl"], "*****...", id="a-point-before-the-points"),
        pytest.param("abcdef...ghijkl", ["abcdef...ghijkl"], "*****", id="points-of-its-own"),
        pytest.param("k-7q/z k-7q/z...", [KEY], "k-7q/z *****...", id="the-second"),
        pytest.param("00abcdef...", ["abcdefgh", "00abcd"], "*****...", id="two-that-overlap"),
        pytest.param("abcdef...", ["abcdefgh", "cdefghij"], "*****...", id="one-inside-another"),
        pytest.param("s\nfirst li...", ["x\nfirst line\ny"], "s\n*****...", id="a-line"),
    ],
)
def test_a_secret_that_was_cut_is_redacted(text: str, secrets: list[str], shown: str) -> None:
    """What a message shows of its beginning does not give it away."""
    assert Redaction(map(Secret, secrets)).text(text) == shown


@given(st.text(min_size=6, max_size=30), st.text(max_size=9), st.data())
def test_no_cut_leaves_half_a_secret(secret: str, before: str, data: st.DataObject) -> None:
    """However it was escaped, and wherever it ends."""
    half = (len(secret) + 1) // 2
    kept = secret[: data.draw(st.integers(min(6, half), len(secret)))]
    redaction = Redaction([Secret(secret)])
    for written in (kept, quote(kept, safe="", errors="replace"), json.dumps(kept)[1:-1]):
        assert written not in redaction.text(f"{before}{written}...").replace("*", "")


def test_a_long_answer_is_not_searched_for_cuts() -> None:
    """No message is as long, and looking through it would take a while."""
    long = "x" * 65_536
    assert Redaction([Secret("hunter2")]).text(f"{long}hunter...") == f"{long}hunter..."


def test_values_are_redacted_at_any_depth() -> None:
    """Texts and keys are masked, numbers and nothing stay."""
    value = freeze({"my-key": ["my-key", 1.0, None, {"a": "x my-key"}]})
    shown = freeze({"*****": ["*****", 1.0, None, {"a": "x *****"}]})
    assert Redaction([Secret("my-key")]).value(value) == shown


def test_no_secret_is_no_work() -> None:
    """A redaction of nothing is false, so that the hot path can skip it."""
    assert not Redaction([])
    assert not Redaction([Secret("")])
    assert Redaction([Secret("x")])


@given(st.binary(max_size=12), st.text(min_size=6, max_size=30), st.binary(max_size=12))
def test_a_secret_is_found_inside_base64(before: bytes, secret: str, after: bytes) -> None:
    """As in an echoed ``Authorization: Basic``: nothing of it that could be decoded is left."""
    octets = secret.encode("utf-8", "surrogatepass")
    for encode in (b64encode, urlsafe_b64encode):
        encoded = encode(before + octets + after).decode()
        shown = Redaction([Secret(secret)]).text(encoded)
        assert "*****" in shown
        assert len(shown.replace("*****", "")) <= len(encoded) - (len(octets) * 8 // 6 - 1)
