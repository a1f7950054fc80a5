"""Secrets do not show."""

import pytest

from gateway.secrets import Secret, redact


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
    ],
)
def test_a_text_is_redacted(text: str, secrets: list[str], shown: str) -> None:
    """Each secret becomes five asterisks."""
    assert redact(text, map(Secret, secrets)) == shown
