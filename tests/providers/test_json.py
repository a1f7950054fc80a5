"""JSON as Go decodes it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ProviderUnreadable
from gateway.freeze import freeze
from gateway.gotext import json_text
from providers._json import MAX_DEPTH, NotJson, decode, member


@pytest.mark.parametrize(
    ("body", "value"),
    [
        pytest.param(b'{"a":[1,true,null,"x"]}', {"a": [1.0, True, None, "x"]}, id="all-kinds"),
        pytest.param(b"12345678901234567890", 12345678901234567000.0, id="a-large-number"),
        pytest.param(b'{"a":1,"a":2}', {"a": 2.0}, id="the-last-of-a-name-wins"),
        pytest.param(b'"\\ud83d\\ude00"', "😀", id="a-pair-of-surrogates"),
        pytest.param(
            b'{"\\ud800":["\\udc00",1]}', {"\ufffd": ["\ufffd", 1.0]}, id="lone-surrogates"
        ),
        pytest.param(b'"\xff"', "\ufffd", id="a-byte-that-is-no-utf-8"),
        pytest.param(b" 1 \n", 1.0, id="blanks-around"),
    ],
)
def test_a_body_is_decoded(body: bytes, value: object) -> None:
    """Numbers are doubles, broken characters are replaced."""
    assert decode(body) == value


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param(b"", "Expecting value: line 1 column 1 (char 0)", id="nothing"),
        pytest.param(b"NaN", "NaN is no JSON", id="nan"),
        pytest.param(b"[-Infinity]", "-Infinity is no JSON", id="infinity"),
        pytest.param(b"1e400", "the number 1e400 is beyond the range of a double", id="too-large"),
        pytest.param(
            b"1" * 400,
            f"the number {'1' * 40} is beyond the range of a double",
            id="too-many-digits",
        ),
        pytest.param(b"1 2", "Extra data: line 1 column 3 (char 2)", id="text-behind"),
        pytest.param(
            b'"\n"', "Invalid control character at: line 1 column 2 (char 1)", id="a-line-break"
        ),
        pytest.param(
            b"\xef\xbb\xbf1",
            "Expecting value: line 1 column 1 (char 0)",
            id="a-byte-order-mark",
        ),
    ],
)
def test_a_body_is_not_json(body: bytes, why: str) -> None:
    """What Go refuses is refused."""
    with pytest.raises(NotJson) as caught:
        decode(body)
    assert str(caught.value) == why


@pytest.mark.parametrize(
    ("document", "name", "value"),
    [
        pytest.param({"Series": 1, "sERIES": 2}, "series", 2, id="the-last-in-any-case"),
        pytest.param({"series": 1, "Series": None}, "series", 1, id="null-leaves-it-alone"),
        pytest.param({"series": None}, "series", None, id="null-alone"),
        pytest.param({"serie": 1}, "series", None, id="none"),
        pytest.param({"\u017feries": 1}, "series", 1, id="a-long-s"),
        pytest.param({"to\u212aen": 1}, "token", 1, id="the-kelvin-sign"),
        pytest.param({"cla\u00df": 1}, "class", None, id="a-sharp-s-is-no-two"),
        pytest.param({"t\u0130me": 1, "\ufb01eld": 1}, "time", None, id="other-letters"),
    ],
)
def test_a_member_is_found(document: dict[str, object], name: str, value: object) -> None:
    """As Go looks for it."""
    assert member(document, name) == value


def nested(depth: int) -> bytes:
    """Lists inside each other."""
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize("depth", [MAX_DEPTH + 2, 100_000])
def test_depth_is_bounded(depth: int) -> None:
    """A document that would exhaust the stack is an error, not a text."""
    with pytest.raises(ProviderUnreadable) as caught:
        decode(nested(depth))
    assert str(caught.value) == f"the answer is nested deeper than {MAX_DEPTH} levels"


def test_what_is_just_deep_enough_can_be_used() -> None:
    """The deepest document that is taken can be frozen and printed."""
    value = decode(nested(MAX_DEPTH + 1))
    assert json_text(freeze(value)) == nested(MAX_DEPTH + 1).decode()


@given(st.text(alphabet='[]{}",:0123456789.eE+-truefalsn \\ud8\n') | st.binary().map(repr))
def test_any_text_is_json_or_not(text: str) -> None:
    """Decoding raises NotJson and nothing else, and whole numbers are floats."""
    try:
        value = decode(text.encode("utf-8", "replace"))
    except NotJson:
        return
    assert not isinstance(value, int) or isinstance(value, bool)
