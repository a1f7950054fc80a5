"""Tokens that the API server is asked about."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from gateway.access import reviewed_tokens
from gateway.access.caller import Caller
from gateway.access.reviewed_tokens import ReviewedTokens, caller_of_review
from gateway.config.access import TokenReview
from gateway.errors import (
    ClusterRefused,
    ClusterUnavailable,
    CredentialRefused,
    CredentialUnchecked,
    GatewayError,
)

AUDIENCES = ("analysis-gateway", "other")
ARGO = "serviceaccount:argo-rollouts/argo-rollouts"
STATUS: dict[str, Any] = {
    "authenticated": True,
    "user": {
        "username": "system:serviceaccount:argo-rollouts:argo-rollouts",
        "uid": "u",
        "groups": ["system:serviceaccounts", "system:authenticated"],
    },
    "audiences": ["other"],
}


def user(name: object, **fields: object) -> dict[str, Any]:
    """The status of a token of somebody else."""
    return {**STATUS, "user": {"username": name, **fields}}


@pytest.mark.parametrize(
    ("status", "name"),
    [
        pytest.param(STATUS, ARGO, id="service-account"),
        pytest.param(user("alice"), "user:alice", id="user"),
        pytest.param(
            user("system:serviceaccount:odd"), "user:system:serviceaccount:odd", id="half-a-name"
        ),
        pytest.param(
            user("serviceaccount:shop/ci"), "user:serviceaccount:shop/ci", id="a-pretender"
        ),
        pytest.param({}, None, id="nothing"),
        pytest.param({**STATUS, "authenticated": False}, None, id="not-authenticated"),
        pytest.param({**STATUS, "authenticated": "true"}, None, id="almost"),
        pytest.param({"user": {}, "error": "invalid bearer token"}, None, id="an-error"),
        pytest.param({**STATUS, "audiences": ["x"]}, None, id="another-audience"),
        pytest.param({**STATUS, "audiences": []}, None, id="no-audience"),
        pytest.param({**STATUS, "audiences": None}, None, id="audiences-are-not-looked-at"),
        pytest.param({**STATUS, "user": None}, None, id="nobody"),
        pytest.param(user(""), None, id="no-name"),
        pytest.param(user(3), None, id="a-number"),
        pytest.param(user("a\nb"), None, id="two-lines"),
        pytest.param(user("x" * 600), None, id="too-long"),
    ],
)
def test_whose_a_token_is(status: dict[str, Any], name: str | None) -> None:
    """By the status of its review, and by nothing that is not said."""
    caller = caller_of_review(status, AUDIENCES)
    assert (caller and caller.name) == name


@pytest.mark.parametrize(
    ("groups", "known"),
    [
        pytest.param(["a", "b"], {"a", "b"}, id="some"),
        pytest.param(None, set(), id="none"),
        pytest.param(["a", 3], {"a"}, id="what-is-no-text-is-none"),
    ],
)
def test_groups_of_a_review(groups: object, known: set[str]) -> None:
    """Are those of the caller."""
    caller = caller_of_review(user("alice", groups=groups), AUDIENCES)
    assert caller == Caller("user:alice", frozenset(known))


class ApiServer:
    """What the API server says, and what it is asked."""

    def __init__(self) -> None:
        self.status: Mapping[str, object] = STATUS
        self.error: GatewayError | None = None
        self.flows = asyncio.Event()
        self.flows.set()
        self.asked: list[str] = []
        self.now_s = 100.0

    async def review(self, token: str, audiences: Sequence[str]) -> Mapping[str, object]:
        """The status of a review."""
        assert tuple(audiences) == AUDIENCES
        self.asked.append(token)
        await self.flows.wait()
        if self.error is not None:
            raise self.error
        return self.status

    def tokens(self) -> ReviewedTokens:
        """Who asks it."""
        chosen = {"audiences": AUDIENCES, "ttl": "60s", "refusedTtl": "10s"}
        settings = TokenReview.model_validate(chosen)
        return ReviewedTokens(self, settings, lambda: self.now_s)


async def outcome(tokens: ReviewedTokens, token: str = "t") -> str:
    """The caller's name, or which error."""
    try:
        return (await tokens.caller_of(token)).name
    except (CredentialRefused, CredentialUnchecked) as error:
        return type(error).__name__


async def test_an_answer_is_used_for_a_while() -> None:
    """A refusal for a shorter one."""
    server = ApiServer()
    tokens = server.tokens()
    story = []
    for now_s, status in ((0, STATUS), (59, {}), (60, {}), (69, STATUS), (70, STATUS), (129, {})):
        server.now_s, server.status = 100.0 + now_s, status
        story.append((now_s, await outcome(tokens), len(server.asked)))
    assert story == [
        (0, ARGO, 1),
        (59, ARGO, 1),
        (60, "CredentialRefused", 2),
        (69, "CredentialRefused", 2),
        (70, ARGO, 3),
        (129, ARGO, 3),
    ]


async def test_many_who_show_the_same_token_cause_one_review() -> None:
    """They wait for it together."""
    server = ApiServer()
    server.flows.clear()
    tokens = server.tokens()
    asking = [asyncio.create_task(outcome(tokens)) for _ in range(20)]
    await asyncio.sleep(0)
    server.flows.set()
    assert await asyncio.gather(*asking) == [ARGO] * 20
    assert server.asked == ["t"]


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(ClusterUnavailable("10.1.2.3 is away"), id="away"),
        pytest.param(ClusterRefused("no right at 10.1.2.3", status=403), id="no-right"),
    ],
)
async def test_an_api_server_that_does_not_tell(
    error: GatewayError, caplog: pytest.LogCaptureFixture
) -> None:
    """It is not known whose the token is: nothing is kept, and nobody is told addresses."""
    server = ApiServer()
    server.error = error
    tokens = server.tokens()
    with pytest.raises(CredentialUnchecked) as caught:
        await tokens.caller_of("t")
    assert "10.1.2.3" not in str(caught.value)
    assert "10.1.2.3" in str(vars(caplog.records[0]))
    server.error = None
    assert await outcome(tokens) == ARGO


async def test_who_is_known_goes_on_while_the_api_server_is_away() -> None:
    """For as long as the answer is used."""
    server = ApiServer()
    tokens = server.tokens()
    await outcome(tokens)
    server.error = ClusterUnavailable("away")
    assert [await outcome(tokens), await outcome(tokens, "other")] == [ARGO, "CredentialUnchecked"]
    server.now_s += 60
    assert await outcome(tokens) == "CredentialUnchecked"


async def test_made_up_tokens_do_not_drown_the_api_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only so many are asked about at a time; who is known does not wait behind them."""
    monkeypatch.setattr(reviewed_tokens, "MAX_REVIEWS", 3)
    server = ApiServer()
    tokens = server.tokens()
    await outcome(tokens, "good")
    server.flows.clear()
    server.status = {}
    asking = [asyncio.create_task(outcome(tokens, f"made-up-{each}")) for each in range(9)]
    await asyncio.sleep(0)
    assert await outcome(tokens, "good") == ARGO
    server.flows.set()
    outcomes = await asyncio.gather(*asking)
    assert sorted(outcomes) == ["CredentialRefused"] * 3 + ["CredentialUnchecked"] * 6
    assert len(server.asked) == 4


async def test_no_token_is_kept_in_the_clear(caplog: pytest.LogCaptureFixture) -> None:
    """Not even while it is being reviewed."""
    caplog.set_level(logging.DEBUG)
    server = ApiServer()
    server.flows.clear()
    tokens = server.tokens()
    asking = asyncio.create_task(outcome(tokens, "s3cret"))
    await asyncio.sleep(0)
    assert tokens._under_way
    assert "s3cret" not in repr([tokens._under_way.keys(), tokens._known._kept])
    server.flows.set()
    await asking
    assert "s3cret" not in repr([tokens._known._kept, tokens._refused._kept])
