"""Paths, places and numbers that the readers share; their limits are tested with the readers."""

import pytest

from gateway.bounds import at, below, place, whole


@pytest.mark.parametrize(
    ("path", "step", "expected"),
    [
        pytest.param("", "spec", "spec", id="first-member"),
        pytest.param("spec", "metrics", "spec.metrics", id="member"),
        pytest.param("spec.metrics", 0, "spec.metrics[0]", id="item"),
        pytest.param("", 1, "[1]", id="item-of-a-document-that-is-a-list"),
    ],
)
def test_at(path: str, step: str | int, expected: str) -> None:
    """Paths read as they are written in templates."""
    assert at(path, step) == expected


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        pytest.param("url", "provider.web.url", id="a-field"),
        pytest.param("[0].key", "provider.web[0].key", id="an-item"),
        pytest.param("", "provider.web", id="the-whole"),
    ],
)
def test_below(rest: str, expected: str) -> None:
    """Paths of a part become paths of the whole."""
    assert below("provider.web", rest) == expected


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        pytest.param(0, "line 1, column 1", id="start"),
        pytest.param(2, "line 1, column 3", id="the-line-break-belongs-to-its-line"),
        pytest.param(3, "line 2, column 1", id="behind-a-line-break"),
        pytest.param(5, "line 2, column 3", id="end"),
    ],
)
def test_place(offset: int, expected: str) -> None:
    """Lines and columns count from one."""
    assert place("ab\ncd", offset) == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        pytest.param(3.0, 3, id="whole"),
        pytest.param(3.5, 3.5, id="fraction"),
        pytest.param(2.0**53, 2.0**53, id="not-exact-any-more"),
    ],
)
def test_whole(number: float, expected: float) -> None:
    """A float stays one only if it must."""
    assert whole(number) == expected
    assert type(whole(number)) is type(expected)
