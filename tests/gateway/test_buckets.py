"""How many tokens a bucket gives away, and when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstreams.buckets import Bucket, Rate


def taken(bucket: Bucket, wanted: int, now_s: float) -> int:
    """Take as many as there are."""
    tokens = min(wanted, bucket.available(now_s))
    bucket.take(tokens, now_s)
    return tokens


@pytest.mark.parametrize(
    ("rate", "asks", "tokens"),
    [
        pytest.param(Rate(10), [(0, 1), (0, 1), (0.05, 1), (0.1, 1)], [1, 0, 0, 1], id="even"),
        pytest.param(Rate(10, 3), [(0, 9), (0.1, 9), (0.5, 9)], [3, 1, 3], id="a-burst-at-rest"),
        pytest.param(Rate(0.5), [(0, 1), (1.9, 1), (2, 1)], [1, 0, 1], id="less-than-one-a-second"),
        pytest.param(Rate(1, 2), [(100, 1), (100, 2), (99, 1)], [1, 1, 0], id="a-clock-set-back"),
    ],
)
def test_tokens_drip_in(rate: Rate, asks: list[tuple[float, int]], tokens: list[int]) -> None:
    """One after the other, and never more than fit."""
    bucket = Bucket(rate)
    assert [taken(bucket, wanted, now_s) for now_s, wanted in asks] == tokens


@given(
    per_s=st.floats(0.01, 1_000),
    burst=st.integers(1, 50),
    steps=st.lists(st.tuples(st.floats(0, 100), st.integers(1, 60)), min_size=1, max_size=40),
)
def test_no_window_has_more_than_its_share(
    per_s: float, burst: int, steps: list[tuple[float, int]]
) -> None:
    """Of any stretch of time: a burst, and what drips in meanwhile."""
    bucket, now_s = Bucket(Rate(per_s, burst)), 1_000.0
    given_away: list[tuple[float, int]] = []
    for pause_s, wanted in steps:
        now_s += pause_s
        given_away.append((now_s, taken(bucket, wanted, now_s)))
    for first, (from_s, _) in enumerate(given_away):
        total = 0
        for until_s, tokens in given_away[first:]:
            total += tokens
            assert total <= burst + per_s * (until_s - from_s) + 0.01


@given(per_s=st.floats(0.01, 1_000), burst=st.integers(1, 50), start_s=st.floats(0, 1e6))
def test_who_waits_as_long_as_told_gets_one(per_s: float, burst: int, start_s: float) -> None:
    """And before that there is none."""
    bucket = Bucket(Rate(per_s, burst))
    assert taken(bucket, burst + 1, start_s) == burst
    wait_s = bucket.wait_s(start_s)
    assert bucket.available(start_s + wait_s * 0.9) == 0
    assert bucket.available(start_s + wait_s) == 1


@given(
    per_s=st.floats(0.01, 1_000),
    burst=st.integers(1, 50),
    pauses_s=st.lists(st.floats(0, 10), max_size=60),
)
def test_one_at_a_time_is_the_same(per_s: float, burst: int, pauses_s: list[float]) -> None:
    """As so many at once, of which there is one."""
    one, many = Bucket(Rate(per_s, burst)), Bucket(Rate(per_s, burst))
    now_s = 0.0
    for pause_s in pauses_s:
        now_s += pause_s
        assert one.take_one(now_s) is (taken(many, 1, now_s) == 1)


def test_more_tokens_take_longer() -> None:
    """Each as long as it takes to drip in."""
    bucket = Bucket(Rate(10, 2))
    assert bucket.wait_s(0.0, 2) == 0
    bucket.take(2, 0.0)
    assert bucket.wait_s(0.0, 3) == pytest.approx(0.3)
