"""How Go prints numbers, JSON and quoted texts."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.gotext import (
    general_float,
    general_text,
    json_float,
    json_string,
    json_text,
    plain_float,
    quote,
    quote_bytes,
)

NAN = math.nan
INF = math.inf


@pytest.mark.parametrize(
    ("number", "plain", "in_json"),
    [
        pytest.param(1234567.0, "1234567", "1234567", id="a-whole-number-has-no-point"),
        pytest.param(0.5, "0.5", "0.5", id="a-fraction"),
        pytest.param(-0.0, "-0", "-0", id="a-negative-zero-keeps-its-sign"),
        pytest.param(1e20, "100000000000000000000", "100000000000000000000", id="below-1e21"),
        pytest.param(1e21, "1000000000000000000000", "1e+21", id="json-has-exponents-from-1e21"),
        pytest.param(1e-6, "0.000001", "0.000001", id="one-millionth"),
        pytest.param(1e-7, "0.0000001", "1e-7", id="json-has-exponents-below-1e-6"),
        pytest.param(1.5e-10, "0.00000000015", "1.5e-10", id="two-digits-of-exponent"),
        pytest.param(
            12345678901234567890.0,
            "12345678901234567000",
            "12345678901234567000",
            id="digits-beyond-a-double-are-zeros",
        ),
    ],
)
def test_a_number_is_printed_as_go_prints_it(number: float, plain: str, in_json: str) -> None:
    """The plain form never has an exponent, the JSON form has one at the ends."""
    assert (plain_float(number), json_float(number)) == (plain, in_json)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        pytest.param(999_999.0, "999999", id="six-digits"),
        pytest.param(1e6, "1e+06", id="an-exponent-from-a-million"),
        pytest.param(-1234567.0, "-1.234567e+06", id="with-all-its-digits"),
        pytest.param(0.0001, "0.0001", id="a-small-number"),
        pytest.param(0.00001, "1e-05", id="an-exponent-below-a-ten-thousandth"),
        pytest.param(1e-300, "1e-300", id="three-digits-of-exponent"),
        pytest.param(-0.0, "-0", id="a-negative-zero"),
        pytest.param(INF, "+Inf", id="infinity"),
        pytest.param(NAN, "NaN", id="no-number"),
    ],
)
def test_a_number_among_others_is_printed_as_go_prints_it(number: float, text: str) -> None:
    """With the verb that prints whatever comes."""
    assert general_float(number) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(None, "<nil>", id="nothing"),
        pytest.param(True, "true", id="true"),
        pytest.param(False, "false", id="false"),
        pytest.param(1e21, "1e+21", id="a-number"),
        pytest.param("a b", "a b", id="a-text-has-no-marks"),
        pytest.param([1.5, "x", [None]], "[1.5 x [<nil>]]", id="a-list"),
        pytest.param({"b": 1.0, "a": {}}, "map[a:map[] b:1]", id="a-map-is-sorted"),
    ],
)
def test_decoded_json_is_printed_as_go_prints_it(value: object, text: str) -> None:
    """As fmt's %v has it."""
    assert general_text(value) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        pytest.param(NAN, "NaN", id="not-a-number"),
        pytest.param(INF, "+Inf", id="infinity-has-a-plus"),
        pytest.param(-INF, "-Inf", id="negative-infinity"),
    ],
)
def test_a_special_number_has_a_name_and_no_place_in_json(number: float, text: str) -> None:
    """Special numbers print as Go prints them, and JSON refuses them."""
    assert plain_float(number) == text
    with pytest.raises(ValueError, match="json: unsupported value: "):
        json_text(number)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(None, "null", id="nothing"),
        pytest.param(True, "true", id="true-is-no-number"),
        pytest.param(False, "false", id="false-is-no-number"),
        pytest.param(7, "7", id="an-integer"),
        pytest.param(range(3), "[0,1,2]", id="a-range-is-a-list"),
        pytest.param((1.0, "a"), '[1,"a"]', id="a-tuple-is-a-list"),
        pytest.param({"b": 1.5, "a": []}, '{"a":[],"b":1.5}', id="keys-are-sorted"),
        pytest.param(
            "<a>&\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}",
            r'"\u003ca\u003e\u0026\u2028\u2029"',
            id="html-is-escaped",
        ),
        pytest.param("\ud800x", '"\N{REPLACEMENT CHARACTER}x"', id="half-a-pair-is-replaced"),
    ],
)
def test_json_is_compact_sorted_and_escaped(value: object, text: str) -> None:
    """JSON comes out as Go's encoding/json writes it."""
    assert json_text(value) == text


def test_what_json_does_not_know_is_refused() -> None:
    """A value of a foreign type is a ValueError."""
    with pytest.raises(ValueError, match="json: unsupported type: object"):
        json_text(object())


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        pytest.param('a"b\\', r'"a\"b\\"', id="quotes-and-backslashes"),
        pytest.param("\a\b\f\n\r\t\v", r'"\a\b\f\n\r\t\v"', id="the-letters-that-go-knows"),
        pytest.param("\x00\x7f", r'"\x00\x7f"', id="other-controls-as-two-digits"),
        pytest.param("\xa0\u2028", r'"\u00a0\u2028"', id="unprintable-ones-as-four-digits"),
        pytest.param("\U000e0001", r'"\U000e0001"', id="far-ones-as-eight-digits"),
        pytest.param("\N{PILE OF POO}\xe9", '"\N{PILE OF POO}\xe9"', id="what-prints-stays"),
    ],
)
def test_a_text_is_quoted_as_go_quotes_it(text: str, quoted: str) -> None:
    """A Go string literal."""
    assert quote(text) == quoted


def test_package_time_escapes_every_byte_beyond_ascii() -> None:
    """Durations in errors are quoted byte by byte."""
    assert quote_bytes("\xb5s\n") == r'"\xc2\xb5s\x0a"'


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_reads_back(number: float) -> None:
    """No digit is lost in any form."""
    assert float(plain_float(number)) == number
    assert float(general_float(number)) == number
    assert float(json_float(number)) == number


@given(st.text())
def test_every_string_reads_back(text: str) -> None:
    """A JSON string of ours is JSON."""
    assert json.loads(json_string(text)) == text
