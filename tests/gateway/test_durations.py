"""Go's duration texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.durations import NANOSECONDS_PER_SECOND, parse_duration_ns, parse_duration_s

SECOND = NANOSECONDS_PER_SECOND


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        pytest.param("1h30m", 5400 * SECOND, id="hours-and-minutes-add-up"),
        pytest.param("1.5h", 5400 * SECOND, id="a-fraction-of-an-hour"),
        pytest.param("-5s", -5 * SECOND, id="a-negative-duration-is-accepted"),
        pytest.param("+5s", 5 * SECOND, id="a-plus-sign-is-accepted"),
        pytest.param(".5s", SECOND // 2, id="the-whole-part-may-be-missing"),
        pytest.param("1.s", SECOND, id="the-fraction-may-be-missing"),
        pytest.param("100ms", SECOND // 10, id="milliseconds"),
        pytest.param("1us", 1000, id="microseconds-in-ascii"),
        pytest.param("1\N{MICRO SIGN}s", 1000, id="microseconds-with-the-micro-sign"),
        pytest.param("1\N{GREEK SMALL LETTER MU}s", 1000, id="microseconds-with-the-greek-letter"),
        pytest.param("7ns", 7, id="nanoseconds"),
        pytest.param("0.9999999999ns", 0, id="parts-of-a-nanosecond-are-cut"),
        pytest.param("0", 0, id="a-bare-zero-needs-no-unit"),
        pytest.param("-0", 0, id="a-signed-zero-needs-no-unit"),
        pytest.param("9223372036s", 9223372036 * SECOND, id="the-largest-whole-second"),
        pytest.param("-9223372036854775808ns", -(2**63), id="the-smallest-duration"),
    ],
)
def test_a_duration_is_read_as_go_reads_it(text: str, nanoseconds: int) -> None:
    """Texts that Go accepts give Go's nanoseconds."""
    assert parse_duration_ns(text) == nanoseconds


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param("5", 'time: missing unit in duration "5"', id="a-number-needs-a-unit"),
        pytest.param(
            "5m30", 'time: missing unit in duration "5m30"', id="every-number-needs-a-unit"
        ),
        pytest.param("1d", 'time: unknown unit "d" in duration "1d"', id="days-are-unknown"),
        pytest.param("5S", 'time: unknown unit "S" in duration "5S"', id="units-are-lower-case"),
        pytest.param(
            "1h 30m", 'time: unknown unit "h " in duration "1h 30m"', id="blanks-belong-to-the-unit"
        ),
        pytest.param(" 5s", 'time: invalid duration " 5s"', id="a-leading-blank"),
        pytest.param("x", 'time: invalid duration "x"', id="no-number"),
        pytest.param("", 'time: invalid duration ""', id="nothing"),
        pytest.param("-", 'time: invalid duration "-"', id="only-a-sign"),
        pytest.param(".s", 'time: invalid duration ".s"', id="only-a-point"),
        pytest.param("1s.", 'time: invalid duration "1s."', id="a-point-at-the-end"),
        pytest.param("9223372037s", 'time: invalid duration "9223372037s"', id="beyond-64-bits"),
        pytest.param(
            "9223372036854775808ns",
            'time: invalid duration "9223372036854775808ns"',
            id="one-nanosecond-beyond-64-bits",
        ),
        pytest.param(
            "\N{LATIN SMALL LETTER E WITH ACUTE}s",
            r'time: invalid duration "\xc3\xa9s"',
            id="bytes-beyond-ascii-are-escaped",
        ),
        pytest.param('"\\', r'time: invalid duration "\"\\"', id="quotes-are-escaped"),
    ],
)
def test_a_bad_duration_is_refused_in_go_s_words(text: str, error: str) -> None:
    """Texts that Go refuses are refused with Go's text."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole text is compared below
        parse_duration_ns(text)
    assert str(caught.value) == error


def test_seconds_keep_their_fraction() -> None:
    """The same duration in seconds."""
    assert parse_duration_s("1m0.25s") == 60.25


@given(st.text(alphabet="0123456789.+-nusmhd \u00b5x", max_size=40))
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    """No text gives anything but 64-bit nanoseconds or a ValueError that begins as Go's."""
    try:
        nanoseconds = parse_duration_ns(text)
    except ValueError as error:
        assert str(error).startswith("time: ")
    else:
        assert -(2**63) <= nanoseconds < 2**63
