"""``{{args.x}}`` in texts and keys."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.bounds import MAX_CHARS
from gateway.errors import Problem
from gateway.substitution import Substitution, arguments_in


def filled(value: object, **by_name: str) -> object:
    """A value with arguments in place; there must be no complaint."""
    substitution = Substitution(by_name)
    result = substitution.fill(value, "p")
    assert substitution.problems == []
    return result


def complaints(value: object, **by_name: str) -> list[str]:
    """What is said about a value, each with its path."""
    substitution = Substitution(by_name)
    substitution.fill(value, "p")
    return [str(problem) for problem in substitution.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("test-{{ args.var }}", "test-foo", id="blanks-are-trimmed"),
        pytest.param("{{args.var}}{{args.var}}", "foofoo", id="several-tags"),
        pytest.param("{{\N{NO-BREAK SPACE}args.var}}", "foo", id="no-break-spaces-are-trimmed"),
        pytest.param("{{args.a-b.c d}}", "odd", id="names-may-be-odd"),
        pytest.param("x{{args.nested}}y", "x{{args.var}}y", id="values-are-not-filled-again"),
        pytest.param("a}}b", "a}}b", id="a-closing-pair-alone-is-text"),
        pytest.param("{args.var}", "{args.var}", id="single-braces-are-text"),
        pytest.param("all(result, {# > 1})", "all(result, {# > 1})", id="a-predicate-is-text"),
        pytest.param("{{args.var}}}", "foo}", id="the-nearest-closing-pair-counts"),
        pytest.param("{{args.empty}}", "", id="an-empty-value"),
        pytest.param(
            '<&>\N{LINE SEPARATOR}{{args.var}}\\"\t\b',
            '<&>\N{LINE SEPARATOR}foo\\"\t\b',
            id="what-is-escaped-on-the-way-comes-back",
        ),
        pytest.param("", "", id="nothing"),
    ],
)
def test_text_is_filled(text: str, expected: str) -> None:
    """Tags give way to values; everything else stays."""
    values = {"var": "foo", "a-b.c d": "odd", "nested": "{{args.var}}", "empty": ""}
    assert filled(text, **values) == expected


@pytest.mark.parametrize(
    "value",
    [
        pytest.param('double "q"', id="quotes"),
        pytest.param("a\nb\tc\r\b\f\\", id="line-breaks-and-tabs"),
        pytest.param("\N{GRINNING FACE}\N{LATIN SMALL LETTER E WITH ACUTE}", id="unicode"),
        pytest.param("\N{NO-BREAK SPACE}\N{LINE SEPARATOR}\u200b", id="unprintable-but-short"),
        pytest.param("<a href='&'>", id="html"),
        pytest.param("}}{{args.x}}", id="braces"),
    ],
)
def test_value_comes_through(value: str) -> None:
    """Values land unchanged."""
    assert filled("<{{args.x}}>", x=value) == f"<{value}>"


@pytest.mark.parametrize(
    ("value", "letter"),
    [
        pytest.param("\a", "a", id="bell"),
        pytest.param("\v", "v", id="vertical-tab"),
        pytest.param("\x1b", "x", id="escape"),
        pytest.param("\x00", "x", id="nul"),
        pytest.param("\x7f", "x", id="delete"),
        pytest.param("\U000e0001", "U", id="unprintable-and-long"),
        pytest.param("\\\a", "a", id="behind-an-escaped-backslash"),
    ],
)
def test_value_that_json_cannot_hold(value: str, letter: str) -> None:
    """Go quotes what JSON has no escape for; Argo ends such a run in Error."""
    assert complaints("{{args.x}}", x=value) == [
        f"p: invalid character '{letter}' in string escape code"
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("test-{{args.var}}", ["failed to resolve {{args.var}}"], id="no-such-arg"),
        pytest.param("{{ args.b }}", ["failed to resolve {{ args.b }}"], id="blanks-are-kept"),
        pytest.param(
            "{{args.b}}-{{args.c}}",
            ["failed to resolve {{args.b}}", "failed to resolve {{args.c}}"],
            id="every-unknown-tag-is-named",
        ),
        pytest.param(
            "{{inputs.a}}{{a}}{{args. a}}{{args.A}}{{.args.a}}{{}}",
            [
                "failed to resolve {{inputs.a}}",
                "failed to resolve {{a}}",
                "failed to resolve {{args. a}}",
                "failed to resolve {{args.A}}",
                "failed to resolve {{.args.a}}",
                "failed to resolve {{}}",
            ],
            id="only-args-and-only-exactly",
        ),
        pytest.param("{{{args.a}}}", ["failed to resolve {{{args.a}}"], id="three-braces"),
        pytest.param(
            "all(result, {{# > 1}})",
            [r"failed to resolve {{# \u003e 1}}"],
            id="a-doubled-brace-is-a-tag-as-it-is-serialised",
        ),
        pytest.param(
            "{{\nargs.a}}", [r"failed to resolve {{\nargs.a}}"], id="line-breaks-are-not-trimmed"
        ),
        pytest.param(
            "{{\targs.a}}", [r"failed to resolve {{\targs.a}}"], id="tabs-are-not-trimmed"
        ),
        pytest.param(
            '{{args."a"}}', [r"failed to resolve {{args.\"a\"}}"], id="a-name-with-quotes"
        ),
        pytest.param(
            "test-{{args.var",
            ['Cannot find end tag="}}" in the template="test-{{args.var" starting from "args.var"'],
            id="an-open-tag",
        ),
        pytest.param(
            "{{args.b}}{{args.a",
            [
                "failed to resolve {{args.b}}",
                (
                    'Cannot find end tag="}}" in the template="{{args.b}}{{args.a" '
                    'starting from "args.a"'
                ),
            ],
            id="an-open-tag-after-an-unknown-one",
        ),
        pytest.param(
            "{{" + "x" * 5_000 + "}}",
            ["failed to resolve {{" + "x" * 1_000 + "...}}"],
            id="a-long-tag-is-cut",
        ),
    ],
)
def test_text_cannot_be_filled(text: str, expected: list[str]) -> None:
    """Argo's words for every tag."""
    assert complaints(text, a="1", **{'"a"': "2"}) == [f"p: {each}" for each in expected]


def test_structures_are_filled() -> None:
    """Every text and every key, however deep; numbers and the like stay."""
    value = {
        "url": "{{args.x}}",
        "{{args.x}}": [1, 2.5, True, None, {"deep": ["{{args.x}}"]}],
    }
    assert filled(value, x="v") == {"url": "v", "v": [1, 2.5, True, None, {"deep": ["v"]}]}


def test_of_equal_keys_the_alphabetically_last_stays() -> None:
    """Go prints maps sorted and reads the last of equal keys."""
    assert filled({"{{args.x}}": 2, "v": 1}, x="v") == {"v": 2}


def test_paths_lead_to_the_text() -> None:
    """The place of a key is the object that it stands in."""
    substitution = Substitution({})
    substitution.fill({"a": ["", "{{b}}"], "{{c}}": 1}, "spec")
    assert substitution.problems == [
        Problem("spec.a[1]", "failed to resolve {{b}}"),
        Problem("spec", "failed to resolve {{c}}"),
    ]


def test_growth_has_an_end() -> None:
    """A long value many times over must not fill the memory."""
    before_s = time.process_time()
    assert complaints("{{args.x}}" * 50_000, x="x" * 100_000) == [
        f"p: values make the metrics longer than {MAX_CHARS} characters"
    ]
    assert time.process_time() - before_s < 2.0


def test_complaints_of_many_texts_have_an_end() -> None:
    """Texts that are wrong in few places each are not answered with as many complaints, either."""
    assert len(complaints(["{{}}"] * 200)) == 100


def test_complaints_have_an_end() -> None:
    """A text of tags alone is not answered with as many complaints."""
    before_s = time.process_time()
    assert len(complaints("{{}}" * 200_000)) == 100
    assert time.process_time() - before_s < 2.0


@pytest.mark.parametrize(
    ("value", "names"),
    [
        pytest.param("{{args.a}} {{ args.b }} {{c}} {{args.d", {"a", "b", "d"}, id="text"),
        pytest.param("plain", set(), id="no-tags"),
        pytest.param({"{{args.a}}": ["{{args.b}}", 1]}, {"a", "b"}, id="keys-and-items"),
        pytest.param({}, set(), id="empty-object"),
        pytest.param([], set(), id="empty-list"),
        pytest.param(None, set(), id="null"),
    ],
)
def test_arguments_in(value: object, names: set[str]) -> None:
    """What a template uses."""
    assert arguments_in(value) == names


TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20)
BENIGN = st.text(
    alphabet=st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co", "Cf"]), max_size=20
)


@given(BENIGN, BENIGN.filter(lambda text: "{" not in text))
def test_any_printable_value_round_trips(value: str, around: str) -> None:
    """What surrounds a tag and what replaces it come through unchanged."""
    assert filled(f"{around}{{{{args.x}}}}{around}", x=value) == f"{around}{value}{around}"


@given(st.text(alphabet='{}args.x "\\\n<>', max_size=40), TEXT)
def test_any_text_is_filled_or_refused(text: str, value: str) -> None:
    """Nothing is ever raised, and without a complaint the result is a text."""
    substitution = Substitution({"x": value})
    assert isinstance(substitution.fill(text, "p"), str)
