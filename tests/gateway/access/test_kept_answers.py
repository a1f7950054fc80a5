"""What is remembered of credentials."""

import pytest

from gateway.access import kept_answers
from gateway.access.kept_answers import KeptAnswers


class Clock:
    """A clock that stands still."""

    now_s = 100.0

    def __call__(self) -> float:
        """The time."""
        return self.now_s


def test_an_answer_is_over_at_its_time() -> None:
    """And is not there any more."""
    clock = Clock()
    kept = KeptAnswers[str](clock)
    kept.keep("token", "alice", until_s=110)
    clock.now_s = 109.9
    assert kept.find("token") == "alice"
    clock.now_s = 110
    assert kept.find("token") is None
    clock.now_s = 100
    assert kept.find("token") is None


def test_a_newer_answer_takes_the_place_of_an_older_one() -> None:
    """For the same credential, and for no other."""
    kept = KeptAnswers[str](Clock())
    kept.keep("token", "alice", until_s=110)
    kept.keep("token", "bob", until_s=110)
    assert (kept.find("token"), kept.find("other")) == ("bob", None)


def test_only_so_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was used longest ago goes first."""
    monkeypatch.setattr(kept_answers, "MAX_KEPT", 2)
    kept = KeptAnswers[str](Clock())
    for token in ("a", "b"):
        kept.keep(token, token, until_s=200)
    kept.find("a")
    kept.keep("c", "c", until_s=200)
    assert [kept.find(token) for token in "abc"] == ["a", None, "c"]


def test_no_credential_is_kept_in_the_clear() -> None:
    """Neither as it is nor under a hash that somebody else could make."""
    one, other = KeptAnswers[str](Clock()), KeptAnswers[str](Clock())
    for kept in (one, other):
        kept.keep("s3cret", "alice", until_s=200)
    assert "s3cret" not in repr(vars(one))
    assert one._kept.keys() != other._kept.keys()
