"""Tokens in a file."""

from typing import Any

import pytest
from guarded import ALICE, BOB, digest

from gateway.access.caller import Caller
from gateway.access.static_tokens import StaticTokens, parse_tokens
from gateway.errors import TemplateInvalid


def entry(token: str = ALICE, **fields: object) -> dict[str, Any]:
    """An entry of the file."""
    return {"name": "alice", "sha256": digest(token), **fields}


async def test_a_token_has_an_owner() -> None:
    """With the groups that the file gives it; who is rotating has two tokens for a while."""
    table = parse_tokens({"tokens": [entry(groups=["ops"]), entry(BOB)]})
    tokens = StaticTokens(lambda: table)
    assert await tokens.caller_of(ALICE) == Caller("token:alice", frozenset({"ops"}))
    assert await tokens.caller_of(BOB) == Caller("token:alice")


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("token-of-nobody", id="unknown"),
        pytest.param(ALICE[:-1], id="a-part"),
        pytest.param(f"{ALICE}x", id="more"),
        pytest.param(digest(ALICE), id="its-hash"),
        pytest.param("", id="nothing"),
    ],
)
async def test_nobodys_token(token: str) -> None:
    """Close is not enough, and what the file holds opens nothing."""
    assert parse_tokens({"tokens": [entry()]}).find(token) is None


def test_no_tokens_at_all() -> None:
    """A file may take all of them away."""
    assert parse_tokens({"tokens": []}).find(ALICE) is None


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        pytest.param({}, ["tokens: is required"], id="no-list"),
        pytest.param(
            {"tokens": [{**entry(), "token": "s3cret"}]},
            ["tokens[0].token: unknown field"],
            id="a-token-in-the-clear",
        ),
        pytest.param(
            {"tokens": [entry(sha256="s3cret")]},
            [
                (
                    "tokens[0].sha256: must be the SHA-256 of the token, as 64 lower case"
                    " hexadecimal digits"
                )
            ],
            id="no-hash",
        ),
        pytest.param(
            {"tokens": [entry("")]},
            ["tokens[0].sha256: is the SHA-256 of an empty text, and of no token"],
            id="the-hash-of-nothing",
        ),
        pytest.param(
            {"tokens": [entry(name="")]},
            ["tokens[0].name: must be up to 63 letters, digits, '-', '_' and '.'"],
            id="no-name",
        ),
        pytest.param(
            {"tokens": [entry(name="a:b")]},
            ["tokens[0].name: must be up to 63 letters, digits, '-', '_' and '.'"],
            id="a-name-that-looks-like-another-kind",
        ),
        pytest.param(
            {"tokens": [entry(), entry(name="bob")]},
            ["tokens[1].sha256: stands here twice"],
            id="one-token-for-two",
        ),
    ],
)
def test_tokens_that_are_wrong(content: object, problems: list[str]) -> None:
    """Every problem has its path, and none repeats what may be a token."""
    with pytest.raises(TemplateInvalid) as caught:
        parse_tokens(content)
    assert [str(each) for each in caught.value.problems] == problems
    assert "s3cret" not in str(caught.value)
