"""Counts and limits as Argo reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.int_or_string import IntOrString, int_value, number_text


@pytest.mark.parametrize(
    ("number", "value"),
    [
        pytest.param(None, 0, id="absent-is-zero"),
        pytest.param(7, 7, id="integer"),
        pytest.param(-1, -1, id="negative-integer"),
        pytest.param("7", 7, id="text"),
        pytest.param("+3", 3, id="plus"),
        pytest.param("-3", -3, id="minus"),
        pytest.param("007", 7, id="no-octal-here"),
        pytest.param("0", 0, id="zero"),
        pytest.param("abc", 0, id="letters-read-as-zero"),
        pytest.param("3.5", 0, id="a-fraction-reads-as-zero"),
        pytest.param("50%", 0, id="a-percentage-reads-as-zero"),
        pytest.param("", 0, id="empty-reads-as-zero"),
        pytest.param(" 3", 0, id="a-blank-spoils-it"),
        pytest.param("1_000", 0, id="underscores-spoil-it"),
        pytest.param("\N{ARABIC-INDIC DIGIT THREE}", 0, id="only-ascii-digits-count"),
        pytest.param("temp-for-secret", 0, id="the-placeholder-reads-as-zero"),
        pytest.param("9223372036854775807", 2**63 - 1, id="largest"),
        pytest.param("99999999999999999999", 2**63 - 1, id="too-large-is-the-largest"),
        pytest.param("9" * 10_000, 2**63 - 1, id="much-too-large-is-the-largest"),
        pytest.param("-99999999999999999999", -(2**63), id="too-small-is-the-smallest"),
    ],
)
def test_int_value(number: IntOrString | None, value: int) -> None:
    """Rows of Go's intstr over strconv.Atoi."""
    assert int_value(number) == value


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_64_bit_integer_survives(number: int) -> None:
    """As text or as number."""
    assert int_value(str(number)) == int_value(number) == number


@pytest.mark.parametrize(
    ("number", "text"),
    [
        pytest.param(None, "<nil>", id="absent"),
        pytest.param(3, "3", id="integer"),
        pytest.param("x", "x", id="text-verbatim"),
    ],
)
def test_number_text(number: IntOrString | None, text: str) -> None:
    """What Argo's messages show."""
    assert number_text(number) == text
