"""Patterns of names."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.globs import fits, fits_any


@pytest.mark.parametrize(
    ("pattern", "text", "is_fit"),
    [
        pytest.param("shop", "shop", True, id="itself"),
        pytest.param("shop", "shops", False, id="not-a-part"),
        pytest.param("shop", "Shop", False, id="case-matters"),
        pytest.param("*", "", True, id="anything-is-nothing-too"),
        pytest.param("", "", True, id="nothing"),
        pytest.param("", "x", False, id="nothing-is-not-something"),
        pytest.param("shop-*", "shop-", True, id="star-may-be-nothing"),
        pytest.param("shop-*", "shop", False, id="prefix-must-be-whole"),
        pytest.param("*-shop", "a-shop", True, id="suffix"),
        pytest.param("ab*ba", "aba", False, id="ends-may-not-overlap"),
        pytest.param("ab*ba", "abba", True, id="ends-may-touch"),
        pytest.param("a*b*c", "a-b-b-c", True, id="two-stars"),
        pytest.param("a*bb*c", "a-b-b-c", False, id="the-middle-must-be-there"),
        pytest.param("a*x*x*c", "a-x-c", False, id="the-middle-counts-once"),
        pytest.param("a*b", "a\nb", True, id="a-line-end-is-text"),
        pytest.param("a/*/c", "a/b/b/c", True, id="a-slash-is-text"),
        pytest.param("[ab]?", "a1", False, id="brackets-are-text"),
        pytest.param("[ab]?", "[ab]?", True, id="brackets-are-themselves"),
        pytest.param("a.c", "abc", False, id="a-dot-is-a-dot"),
    ],
)
def test_a_pattern(pattern: str, text: str, is_fit: bool) -> None:  # noqa: FBT001 - a table column
    """A star is any text, all else is itself."""
    assert fits(pattern, text) is is_fit


@given(st.text("ab*", max_size=8), st.text("ab", max_size=10))
def test_a_pattern_is_the_expression_that_it_stands_for(pattern: str, text: str) -> None:
    """Python's own engine, which takes longer the worse the pattern is, agrees."""
    expression = ".*".join(map(re.escape, pattern.split("*")))
    assert fits(pattern, text) is (re.fullmatch(expression, text, re.DOTALL) is not None)


def test_one_of_several_is_enough() -> None:
    """And none of none."""
    assert fits_any(("a", "b*"), "bc")
    assert not fits_any((), "bc")
