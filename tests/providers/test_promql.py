"""Which series a query asks for, and what it divides by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers._promql import (
    MAX_CHARACTERS,
    Matcher,
    NotUnderstood,
    Selector,
    divisors,
    selectors,
)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param("up", [Selector("up", ())], id="a-metric"),
        pytest.param("job:errors:rate5m", [Selector("job:errors:rate5m", ())], id="a-rule"),
        pytest.param(
            'x{a="1", b!=\'2\', c=~`\\d+`, d!~"e\\n\\"f",}',
            [
                Selector(
                    "x",
                    (
                        Matcher("a", "=", "1"),
                        Matcher("b", "!=", "2"),
                        Matcher("c", "=~", "\\d+"),
                        Matcher("d", "!~", 'e\n"f'),
                    ),
                )
            ],
            id="all-matchers-and-quotes",
        ),
        pytest.param(
            'sum by (job) (rate(a{b="c"}[5m])) / on(job) group_left(team) sum(d) by (job)',
            [Selector("a", (Matcher("b", "=", "c"),), "5m"), Selector("d", ())],
            id="labels-in-lists-are-no-metrics",
        ),
        pytest.param(
            "max_over_time(rate(a[1m])[1h:5m])", [Selector("a", (), "1m")], id="a-subquery"
        ),
        pytest.param("a[5m:1m]", [Selector("a", ())], id="a-subquery-of-a-selector-has-no-window"),
        pytest.param(
            "a[5m] offset 1h + b @ 1609746000 + c offset -5m",
            [
                Selector("a", (), "5m", is_shifted=True),
                Selector("b", (), is_shifted=True),
                Selector("c", (), is_shifted=True),
            ],
            id="selectors-at-another-time",
        ),
        pytest.param(
            '{__name__="a",b="c"}', [Selector("a", (Matcher("b", "=", "c"),))], id="a-name-as-label"
        ),
        pytest.param(
            '{"a.b", "c.d"="e"}',
            [Selector("a.b", (Matcher("c.d", "=", "e"),))],
            id="names-in-quotes",
        ),
        pytest.param(
            '{__name__=~"a.*"}',
            [Selector("", (Matcher("__name__", "=~", "a.*"),))],
            id="a-pattern-of-names-is-no-name",
        ),
        pytest.param("a or a", [Selector("a", ())], id="once-is-enough"),
        pytest.param(
            'a == bool 1 and "text" # and b\nunless Inf',
            [Selector("a", ())],
            id="words-and-comments",
        ),
        pytest.param("1e3 + .5 + 0x1F + 5m", [], id="numbers"),
        pytest.param("vector(1)", [], id="a-function"),
        pytest.param("sum by", [], id="an-aggregation-cut-short"),
        pytest.param("rate(a[1m", [Selector("a", (), "1m")], id="a-window-that-stays-open"),
    ],
)
def test_selectors_are_found(query: str, found: list[Selector]) -> None:
    """Name, matchers, window, and whether another time is asked for."""
    assert list(selectors(query)) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param("a / b", ["b"], id="a-ratio"),
        pytest.param("a / sum(rate(b[1m])) * 100", ["sum(rate(b[1m]))"], id="a-percentage"),
        pytest.param("(a / (b + c)) > 0.5", ["(b + c)"], id="a-bracketed-ratio"),
        pytest.param("1 - (a / b)", ["b"], id="the-divisor-ends-with-its-bracket"),
        pytest.param('a / on(x) group_left (y) b{c="/"}', ['b{c="/"}'], id="label-lists"),
        pytest.param("a / ignoring (x) b or c", ["b"], id="a-word-ends-it"),
        pytest.param("a / b / c / b", ["b", "c"], id="several-divisions"),
        pytest.param("a / -b ^ 2 + 1", ["-b ^ 2"], id="a-sign-and-a-power-belong-to-it"),
        pytest.param("a * b", [], id="no-division"),
        pytest.param("a /", [], id="nothing-to-divide-by"),
        pytest.param("(a / )", [], id="a-bracket-too-early"),
        pytest.param("a / on", [], id="a-list-cut-short"),
    ],
)  # fmt: skip
def test_divisors_are_found(query: str, found: list[str]) -> None:
    """The operand on the right of each division, as it is written."""
    assert list(divisors(query)) == found


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("a ~ b", id="an-unknown-character"),
        pytest.param('a{b="c}', id="a-quote-that-stays-open"),
        pytest.param("a{b}", id="a-label-without-a-value"),
        pytest.param("a{b=c}", id="a-value-without-quotes"),
        pytest.param("a{=}", id="no-label"),
        pytest.param("a{", id="a-brace-that-stays-open"),
        pytest.param("a{b=", id="a-matcher-cut-short"),
        pytest.param("a" * (MAX_CHARACTERS + 1), id="a-query-that-is-too-long"),
    ],
)
def test_what_is_not_understood_is_left_alone(query: str) -> None:
    """No guess is made."""
    with pytest.raises(NotUnderstood):
        selectors(query)


def test_a_label_list_that_stays_open_is_not_understood() -> None:
    """Nor is what it would divide by."""
    with pytest.raises(NotUnderstood):
        divisors("a / on(b")


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        pytest.param(Selector("a", ()), "a", id="a-name"),
        pytest.param(
            Selector("a", (Matcher("b", "=", 'c"\\\n'),), "5m"),
            'a{b="c\\"\\\\\\n"}',
            id="a-value-with-quotes",
        ),
        pytest.param(
            Selector("a.b", (Matcher("c", "=", "d"),)),
            '{__name__="a.b", c="d"}',
            id="a-name-that-needs-quotes",
        ),
        pytest.param(Selector("", (Matcher("b", "=", "c"),)), '{b="c"}', id="no-name"),
    ],
)
def test_a_selector_can_be_asked_for(selector: Selector, text: str) -> None:
    """Its text is PromQL that finds the same series."""
    assert str(selector) == text
    assert str(selectors(text)[0]) == text


PIECES = st.sampled_from(
    [
        *("a", "sum", "by", "on", "(", ")", "{", "}", "[", "]", "5m", ":", "/", "*", "-", ","),
        *('b="c"', "=", "!~", "offset", "@", "or", "bool", " ", "\n", "#", '"', "`", "1", ".", "é"),
    ]
)


@given(st.lists(PIECES, max_size=20).map("".join) | st.text())
def test_any_text_is_understood_or_not(query: str) -> None:
    """The scanner ends, and raises nothing of its own but that it gave up."""
    for scan in (selectors, divisors):
        try:
            scan(query)
        except NotUnderstood:
            continue
