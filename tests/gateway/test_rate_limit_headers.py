"""What vendors tell of their rate limits, in all the forms that they have for it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstreams.rate_limit_headers import LONGEST_S, Quota, quota_in, silence_s

NOW_UNIX_S = 1_700_000_000.0
DATE = "Tue, 14 Nov 2023 22:13:50 GMT"
"""Thirty seconds later."""


@pytest.mark.parametrize(
    ("headers", "quota"),
    [
        pytest.param(
            {
                "X-RateLimit-Limit": "100",
                "X-RateLimit-Remaining": "93",
                "X-RateLimit-Reset": "41",
                "X-RateLimit-Period": "60",
            },
            Quota(93, 100, 41),
            id="datadog-in-seconds-from-now",
        ),
        pytest.param(
            {"X-RateLimit-Limit": "50", "X-RateLimit-Reset": "1700000012500000"},
            Quota(None, 50, 12.5),
            id="dynatrace-in-unix-microseconds",
        ),
        pytest.param(
            {
                "X-RateLimit-Limit": "5000",
                "X-RateLimit-Remaining": "0",
                "X-RateLimit-Reset": "1700000600",
            },
            Quota(0, 5000, 600),
            id="github-in-unix-seconds",
        ),
        pytest.param(
            {"X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "1700000001500"},
            Quota(1, None, 1.5),
            id="unix-milliseconds",
        ),
        pytest.param(
            {"X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "1699999000"},
            Quota(1, None, 0),
            id="an-instant-that-is-over",
        ),
        pytest.param(
            {
                "X-RateLimit-Limit": "10, 10;w=1, 50;w=60",
                "X-RateLimit-Remaining": "9",
                "X-RateLimit-Reset": "1",
            },
            Quota(9, 10, 1),
            id="envoy-with-policies",
        ),
        pytest.param(
            {"RateLimit-Limit": "600", "RateLimit-Remaining": "599", "RateLimit-Reset": "60"},
            Quota(599, 600, 60),
            id="draft-06",
        ),
        pytest.param(
            {
                "RateLimit": "limit=100, remaining=50, reset=60",
                "RateLimit-Policy": "100;w=60",
            },
            Quota(50, 100, 60),
            id="honeycomb",
        ),
        pytest.param({"RateLimit": "remaining = 5 "}, Quota(5), id="no-more-than-the-rest"),
        pytest.param(
            {
                "RateLimit": '"default";r=50;t=30',
                "RateLimit-Policy": '"burst";q=7;w=1,"default";q=100;w=60',
            },
            Quota(50, 100, 30),
            id="draft-10",
        ),
        pytest.param({"RateLimit": '"default";r=50'}, Quota(50), id="draft-10-without-a-time"),
        pytest.param(
            {"RateLimit": '"day";r=900;t=3600, "minute"; r=2; t=11, "odd";r=x'},
            Quota(2, None, 11),
            id="of-several-the-scarcest",
        ),
        pytest.param({"X-RateLimit-Remaining": "0.5"}, Quota(0.5), id="half-a-request"),
        pytest.param({"X-RateLimit-Limit": "100"}, None, id="a-limit-alone-is-no-news"),
        pytest.param({"RateLimit": "nonsense"}, None, id="nonsense"),
        pytest.param({"RateLimit": ""}, None, id="nothing"),
        pytest.param({"Content-Type": "text/plain"}, None, id="no-such-header"),
        *(
            pytest.param({"X-RateLimit-Remaining": text}, Quota(None), id=f"ignored-{index}")
            for index, text in enumerate(
                ["", "-1", "NaN", "inf", "1e3", "0x10", "١٢", "1_000", "9" * 17, "many"]
            )
        ),
        pytest.param(
            {"X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "9999999999999999"},
            Quota(1),
            id="a-reset-in-hundreds-of-years",
        ),
        pytest.param(
            {"X-RateLimit-Remaining": "1", "X-RateLimit-Reset": f"{LONGEST_S + 1:.0f}"},
            Quota(1),
            id="a-reset-in-more-than-a-year",
        ),
    ],
)
def test_a_quota_is_read(headers: dict[str, str], quota: Quota | None) -> None:
    """Whatever its form; what cannot be read was not told."""
    assert quota_in(headers, now_unix_s=NOW_UNIX_S) == quota


EXHAUSTED = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "7"}


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        pytest.param(429, {"Retry-After": "120"}, 120, id="seconds"),
        pytest.param(429, {"Retry-After": " 0.65 "}, 0.65, id="parts-of-a-second"),
        pytest.param(429, {"Retry-After": "0"}, 0, id="at-once"),
        pytest.param(429, {"Retry-After": DATE}, 30, id="a-date"),
        pytest.param(429, {"Retry-After": "Tue, 14 Nov 2023 22:13:50 -0000"}, 30, id="no-zone"),
        pytest.param(429, {"Retry-After": "2023-11-14T22:13:50Z"}, 30, id="as-in-rfc-3339"),
        pytest.param(429, {"Retry-After": "Sat, 01 Jan 2000 00:00:00 GMT"}, 0, id="a-past-date"),
        pytest.param(429, {**EXHAUSTED, "Retry-After": "3"}, 3, id="it-goes-before-the-reset"),
        pytest.param(429, EXHAUSTED, 7, id="the-reset"),
        pytest.param(429, {"X-RateLimit-Reset": "7"}, 7, id="who-tells-the-reset-alone-is-done"),
        pytest.param(
            429, {**EXHAUSTED, "X-RateLimit-Remaining": "1"}, None, id="another-limit-was-met"
        ),
        pytest.param(429, {"RateLimit": '"a";r=0;t=9'}, 9, id="the-reset-of-the-draft"),
        pytest.param(429, {"X-RateLimit-Remaining": "0"}, None, id="no-time-at-all"),
        pytest.param(429, {}, None, id="nothing-is-told"),
        pytest.param(503, {"Retry-After": "5"}, 5, id="unavailable-for-a-time"),
        pytest.param(503, EXHAUSTED, None, id="unavailable-has-no-quota"),
        pytest.param(503, {}, None, id="unavailable"),
        pytest.param(200, {"Retry-After": "5"}, None, id="an-answer"),
        pytest.param(403, EXHAUSTED, None, id="a-refusal-for-good"),
        *(
            pytest.param(429, {**EXHAUSTED, "Retry-After": text}, 7, id=f"ignored-{index}")
            for index, text in enumerate(
                [
                    *("", "-5", "soon", "NaN", "1e9", "99999999999", "9" * 400),
                    "Tue, 32 Nov 2023 22:13:50 GMT",
                    "Tue, 14 Nov 9999 22:13:50 GMT",
                    "Tue, 14 Nov 2023 22:13:50 +9999",
                    " ".join([DATE] * 9),
                ]
            )
        ),
    ],
)
def test_a_time_to_be_silent_is_read(
    status: int, headers: dict[str, str], seconds: float | None
) -> None:
    """Of the answers that ask for one."""
    assert silence_s(status, headers, now_unix_s=NOW_UNIX_S) == seconds


NAMES = st.sampled_from(
    [
        *("Retry-After", "RateLimit", "RateLimit-Policy"),
        *(f"{prefix}RateLimit-{what}" for prefix in ("", "X-") for what in ("Limit", "Remaining")),
        *("RateLimit-Reset", "X-RateLimit-Reset"),
    ]
)
VALUES = st.one_of(
    st.text("".join(map(chr, (*range(32, 256), 0x662, 0xDC80))), max_size=40),
    st.text('0123456789.,;=-+eE rtqwx"', max_size=40),
    st.integers().map(str),
    st.floats().map(str),
    st.datetimes().map(lambda each: f"{each:%a, %d %b %Y %H:%M:%S} GMT"),
    st.lists(
        st.tuples(
            st.sampled_from(['"a"', '"b;, "', "limit", "remaining", "reset"]),
            st.sampled_from(["=", ";r=", ";t=", ";r=1;t=", ";q=", ", "]),
            st.one_of(st.integers(), st.floats()),
        ).map(lambda each: f"{each[0]}{each[1]}{each[2]}"),
        max_size=3,
    ).map(", ".join),
)


@given(
    st.dictionaries(NAMES, VALUES), st.sampled_from([200, 429, 503]), st.floats(0, 253_402_300_799)
)
def test_whatever_is_said_can_be_heard(
    headers: dict[str, str], status: int, now_unix_s: float
) -> None:
    """Nothing raises, and every number is one that can be waited for or shown."""
    quota = quota_in(headers, now_unix_s=now_unix_s) or Quota(None)
    for count in (quota.remaining, quota.limit):
        assert count is None or (count >= 0 and math.isfinite(count))
    for time_s in (quota.resets_in_s, silence_s(status, headers, now_unix_s=now_unix_s)):
        assert time_s is None or 0 <= time_s <= LONGEST_S
