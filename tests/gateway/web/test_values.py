"""The numbers that are drawn of a value."""

import pytest

from gateway.web.values import MAX_SERIES, numbers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("0.25", (0.25,), id="a-number"),
        pytest.param("12", (12.0,), id="a-whole-number"),
        pytest.param("[0.25,1]", (0.25, 1.0), id="a-list"),
        pytest.param("NaN", (None,), id="no-number"),
        pytest.param("[NaN,+Inf,-Inf,1]", (None, None, None, 1.0), id="numbers-that-are-none"),
        pytest.param("null", (None,), id="null"),
        pytest.param(f"[{'1,' * 20}1]", (1.0,) * MAX_SERIES, id="more-than-can-be-told-apart"),
        pytest.param("1" + "0" * 400, (), id="beyond-all-bounds"),
        pytest.param("1e400", (), id="beyond-all-bounds-in-short"),
        pytest.param("[]", (), id="an-empty-list"),
        pytest.param("[[1]]", (), id="a-list-of-lists"),
        pytest.param('[1,"2"]', (), id="a-mixed-list"),
        pytest.param("true", (), id="a-truth-value"),
        pytest.param('"12"', (), id="a-text"),
        pytest.param('{"a":1}', (), id="an-object"),
        pytest.param("", (), id="nothing"),
        pytest.param("{", (), id="no-json"),
    ],
)
def test_what_is_drawn(text: str, expected: tuple[float | None, ...]) -> None:
    """Numbers in their order, gaps for what is not finite, nothing for the rest."""
    assert numbers(text) == expected
