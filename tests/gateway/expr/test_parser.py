"""Syntax: what is refused, with which words, and where the caret points."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ConditionError
from gateway.expr import Root, compile_expression

MIXED = "Operator (==) and coalesce expressions (??) cannot be mixed. Wrap either by parentheses."
TOO_DEEP = "expression nests more than 160 levels deep: split it up"
TOO_LARGE = "compilation failed: expression exceeds maximum allowed nodes"


def refusal(text: str, root: Root = Root.UNKNOWN) -> tuple[str, str]:
    """The message, and what stands at and after the place that it points at."""
    with pytest.raises(ConditionError) as caught:
        compile_expression(text, root)
    assert caught.value.expression == text
    offset = caught.value.offset
    return str(caught.value), "" if offset is None else text[offset:]


@pytest.mark.parametrize(
    ("text", "message", "rest"),
    [
        pytest.param("", "unexpected token EOF", "", id="nothing"),
        pytest.param("result >= 0.95 &&", "unexpected token EOF", "&", id="half-an-and"),
        pytest.param(
            "result >= >= 1", 'unexpected token Operator(">=")', ">= 1", id="two-operators"
        ),
        pytest.param("result = 5", 'unexpected token Operator("=")', "= 5", id="an-assignment"),
        pytest.param(
            "result === 5", 'unexpected token Operator("=")', "= 5", id="three-equals-signs"
        ),
        pytest.param("1 2", 'unexpected token Number("2")', "2", id="two-operands"),
        pytest.param("(1", "unexpected token EOF", "1", id="an-open-parenthesis"),
        pytest.param("1)", 'unexpected token Bracket(")")', ")", id="a-closed-one"),
        pytest.param("[1 2]", 'unexpected token Number("2")', "2]", id="a-list-without-comma"),
        pytest.param("{a: 1,, b: 2}", 'unexpected token Operator(",")', ", b: 2}", id="two-commas"),
        pytest.param("{a 1}", 'unexpected token Number("1")', "1}", id="a-key-without-colon"),
        pytest.param(
            "{[1]: 1}",
            "a map key must be a quoted string, a number, a identifier, or an expression enclosed "
            'in parentheses (unexpected token Bracket("["))',
            "[1]: 1}",
            id="a-list-as-a-key",
        ),
        pytest.param("result.'a'", "expected name", "'a'", id="a-quoted-member"),
        pytest.param(
            "result[1:2:3]", 'unexpected token Operator(":")', ":3]", id="a-slice-with-step"
        ),
        pytest.param("a not b", 'unexpected token Identifier("b")', "b", id="not-without-in"),
        pytest.param("result ?? 0 == 0", MIXED, "== 0", id="a-mixed-coalescing"),
        pytest.param("1 ? 2", "unexpected token EOF", "2", id="a-ternary-without-else"),
        pytest.param("if true { 1 }", "unexpected token EOF", "}", id="an-if-without-else"),
        pytest.param("let x 1; x", 'unexpected token Number("1")', "1; x", id="let-without-value"),
        pytest.param("let 1 = 2; 3", 'unexpected token Number("1")', "1 = 2; 3", id="let-a-number"),
        pytest.param("result | 1", 'unexpected token Number("1")', "1", id="a-pipe-into-a-number"),
        pytest.param("# > 1", 'unexpected token Operator("#")', "# > 1", id="no-predicate-here"),
        pytest.param("all(result)", "expected at least 2 arguments", ")", id="no-predicate"),
        pytest.param(
            "map(result, #; 1)",
            "wrap predicate with brackets { and }",
            "; 1)",
            id="a-sequence-needs-braces",
        ),
        pytest.param("map(result, {#)", 'unexpected token Bracket(")")', ")", id="an-open-brace"),
        pytest.param("result @ 1", "unrecognized character: U+0040 '@'", "@ 1", id="an-at-sign"),
        pytest.param(
            "result \u200b 1", "unrecognized character: U+200B", "\u200b 1", id="an-invisible-blank"
        ),
        pytest.param("1 /* open", "unclosed comment", "", id="an-open-comment"),
        pytest.param("'open", "literal not terminated", "", id="an-open-text"),
        pytest.param("'a\nb'", "literal not terminated", "\nb'", id="a-text-over-two-lines"),
        pytest.param("`open", "literal not terminated", "", id="an-open-raw-text"),
        pytest.param(r"'\d'", "invalid char escape", r"\d'", id="an-unknown-escape"),
        pytest.param(r"'\u12'", "invalid char escape", r"\u12'", id="half-an-escape"),
        pytest.param(r"'\777'", "unable to unescape string", r"\777'", id="an-octal-above-a-byte"),
        pytest.param(
            r"'\U00110000'", "unable to unescape string", r"\U00110000'", id="beyond-unicode"
        ),
        pytest.param(
            r"b'\u0041'", "unable to unescape string", r"\u0041'", id="bytes-have-no-runes"
        ),
        pytest.param("12kb", 'bad number syntax: "12k"', "kb", id="a-unit"),
        pytest.param(
            "1 + 0x",
            'invalid hex literal: strconv.ParseInt: parsing "0x": invalid syntax',
            "0x",
            id="no-digits-after-the-prefix",
        ),
        pytest.param(
            "9223372036854775808",
            'invalid integer literal: strconv.ParseInt: parsing "9223372036854775808": '
            "value out of range",
            "9223372036854775808",
            id="more-than-64-bits",
        ),
        pytest.param(
            "1e309",
            'invalid float literal: strconv.ParseFloat: parsing "1e309": value out of range',
            "1e309",
            id="more-than-a-double",
        ),
        pytest.param(
            "0b2", 'bad number syntax: "0b2"', "2", id="a-digit-that-the-base-does-not-have"
        ),
        pytest.param("(" * 161 + "1", TOO_DEEP, "(1", id="too-many-parentheses"),
        pytest.param("!" * 400 + "true", TOO_DEEP, "!" * 240 + "true", id="too-many-negations"),
        pytest.param("result" + ".a" * 170, TOO_DEEP, "a" + ".a" * 10, id="too-many-members"),
        pytest.param("1+" * 5_000 + "1", TOO_LARGE, "+1", id="too-many-nodes"),
        pytest.param(
            "1 < (" * 14 + "1" + ") < 2" * 14,
            TOO_LARGE,
            "< 2) < 2) < 2) < 2",
            id="comparisons-that-double-what-they-share",
        ),
    ],
)
def test_a_syntax_error_says_what_and_where(text: str, message: str, rest: str) -> None:
    """Unlike the reference, always at the character that is wrong, never after it."""
    assert refusal(text) == (message, rest)


@pytest.mark.parametrize(
    ("root", "text", "message", "rest"),
    [
        pytest.param(
            Root.FLOAT,
            "result > 'a'",
            "invalid operation: > (mismatched types float64 and string)",
            "> 'a'",
            id="a-number-and-a-text",
        ),
        pytest.param(
            Root.FLOATS,
            "true || result >= 0.95",
            "invalid operation: >= (mismatched types []float64 and float64)",
            ">= 0.95",
            id="a-vector-even-behind-a-short-cut",
        ),
        pytest.param(Root.NIL, "result.a", "type nil has no field a", "a", id="a-member-of-nil"),
        pytest.param(
            Root.FLOATS,
            "result.value > 1",
            "array elements can only be selected using an integer (got string)",
            "value > 1",
            id="a-member-of-a-vector",
        ),
        pytest.param(
            Root.FLOATS,
            "result[0.5]",
            "array elements can only be selected using an integer (got float64)",
            "0.5]",
            id="half-an-index",
        ),
        pytest.param(
            Root.STRING,
            "result[0]",
            "type string[int] is undefined",
            "[0]",
            id="an-element-of-a-text",
        ),
        pytest.param(
            Root.STRING,
            "result.startsWith('a')",
            "type string has no method startsWith",
            "startsWith('a')",
            id="a-method-of-a-text",
        ),
        pytest.param(
            Root.MAP,
            "result[1]",
            "cannot use int to get an element from map[string]interface {}",
            "1]",
            id="a-number-as-a-key",
        ),
        pytest.param(
            Root.FLOAT,
            "result ? 1 : 2",
            "non-bool expression (type float64) used as condition",
            "result ? 1 : 2",
            id="a-number-is-no-condition",
        ),
        pytest.param(
            Root.FLOATS,
            "result['a':1]",
            "non-integer slice index string",
            "'a':1]",
            id="a-text-as-a-bound",
        ),
        pytest.param(
            Root.FLOAT, "result[1:]", "cannot slice float64", "[1:]", id="a-part-of-a-number"
        ),
        pytest.param(
            Root.FLOAT,
            "all(result, # > 1)",
            "builtin all takes only array (got float64)",
            "result, # > 1)",
            id="all-of-a-number",
        ),
        pytest.param(
            Root.FLOATS,
            "all(result, # + 1)",
            "predicate should return boolean (got float64)",
            "# + 1)",
            id="a-predicate-that-gives-a-number",
        ),
        pytest.param(
            Root.FLOATS, "all(result, #acc)", "unknown pointer #acc", "#acc)", id="no-accumulator"
        ),
        pytest.param(
            Root.FLOAT,
            "len(result)",
            "invalid argument for len (type float64)",
            "len(result)",
            id="the-length-of-a-number",
        ),
        pytest.param(
            Root.FLOAT,
            "isNaN('x')",
            "cannot use string as argument (type float64) to call isNaN ",
            "'x')",
            id="a-text-is-never-nan",
        ),
        pytest.param(
            Root.FLOAT,
            "upper(nil)",
            "cannot use nil as argument (type string) to call upper",
            "nil)",
            id="nil-as-a-text",
        ),
        pytest.param(
            Root.FLOAT,
            "split('a')",
            "not enough arguments to call split",
            "split('a')",
            id="the-last-variant-is-named",
        ),
        pytest.param(
            Root.FLOAT,
            "let result = 1; true",
            "cannot redeclare result",
            "result = 1; true",
            id="the-result-stays",
        ),
        pytest.param(
            Root.FLOAT,
            "let len = 1; true",
            "cannot redeclare builtin len",
            "len = 1; true",
            id="so-do-functions",
        ),
        pytest.param(
            Root.FLOAT,
            "let x = 1; let x = 2; true",
            "cannot redeclare variable x",
            "x = 2; true",
            id="a-name-is-given-once",
        ),
        pytest.param(
            Root.FLOAT,
            "$env()",
            "map[string]interface {} is not callable",
            "$env()",
            id="no-function",
        ),
        pytest.param(
            Root.FLOAT, "$env.foo", "unknown name foo", "foo", id="a-name-that-is-not-there"
        ),
        pytest.param(
            Root.FLOAT, "1 > 2 || 1 % 0 == 1", "integer divide by zero", "% 0 == 1", id="by-zero"
        ),
    ],
)
def test_a_type_error_says_what_and_where(root: Root, text: str, message: str, rest: str) -> None:
    """Nothing has run yet: the types alone do not fit."""
    assert refusal(text, root) == (message, rest)


@pytest.mark.parametrize(
    ("text", "message", "rest"),
    [
        pytest.param(
            "result.a.b > 1", "invalid operation: string > int", "> 1", id="the-last-of-a-chain"
        ),
        pytest.param("result.n.x.y == 1", "cannot fetch x from <nil>", "x.y == 1", id="a-member"),
        pytest.param(
            "result.l[7] == 1", "index out of range: 7 (array length is 2)", "[7] == 1", id="index"
        ),
        pytest.param(
            "all(result.l, # > 0 && #.x == 1)",
            "cannot fetch x from float64",
            "x == 1)",
            id="inside-a-predicate",
        ),
        pytest.param(
            "true && upper(result.a) == 'x' ",
            "interface conversion: interface {} is map[string]interface {}, not string",
            "upper(result.a) == 'x' ",
            id="a-function",
        ),
        pytest.param(
            "result.l[0] + result.l[1] + result.a == 3",
            "invalid operation: float64 + map[string]interface {}",
            "+ result.a == 3",
            id="one-of-several-sums",
        ),
    ],
)
def test_a_run_time_error_points_at_the_operation(text: str, message: str, rest: str) -> None:
    """However many operations are run as one."""
    result = {"a": {"b": "x"}, "n": None, "l": (1.0, 2.0)}
    with pytest.raises(ConditionError) as caught:
        compile_expression(text, Root.MAP).run(result)
    assert (str(caught.value), text[caught.value.offset or 0 :]) == (message, rest)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("-2 ** 2", -4.0, id="powers-bind-tighter-than-signs"),
        pytest.param("2 ** 3 ** 2", 512.0, id="powers-associate-to-the-right"),
        pytest.param("1 + 2 * 3 - 4 / 2", 5.0, id="products-before-sums"),
        pytest.param("1 < 2 < 3", True, id="comparisons-chain"),
        pytest.param("1 < 3 < 2", False, id="and-mean-and"),
        pytest.param("true || false && false", True, id="and-before-or"),
        pytest.param("not (1 in [2])", True, id="not-binds-tightly"),
        pytest.param("1 not in [2]", True, id="not-in"),
        pytest.param("'abc' not contains 'x' and 'abc' not matches 'x'", True, id="not-contains"),
        pytest.param("false ? 1 : true ? 2 : 3", 2, id="ternaries-nest-to-the-right"),
        pytest.param("true ?: 5", True, id="a-ternary-without-middle"),
        pytest.param("if 1 > 2 { 3 } else if 2 > 1 { 4; 5 } else { 6 }", 5, id="if-and-else-if"),
        pytest.param("let a = 1; let b = a + 1; b", 2, id="let"),
        pytest.param("1; 2; 3;", 3, id="the-last-of-a-sequence"),
        pytest.param("[1, 2,][1] + {a: 3,}.a", 5, id="trailing-commas"),
        pytest.param("{'a b': 1, 2: 3, (\"c\" + \"d\"): 4}['cd']", 4, id="keys-of-all-kinds"),
        pytest.param("[1, 2, 3] | map(# + 1) | sum()", 9, id="pipes"),
        pytest.param("map([1, 2], {let x = #; x * #index})", (0, 2), id="a-predicate-with-let"),
        pytest.param("filter([{a: 1}, {a: 2}], .a > 1)[0].a", 2, id="a-dot-is-the-element"),
        pytest.param("0x1F + 0b11 + 0o17 + 017 + 1_0", 31 + 3 + 15 + 17 + 10, id="bases"),
        pytest.param("[.5, 1., 1e2, 1.5E-1]", (0.5, 1.0, 100.0, 0.15), id="floats"),
        pytest.param("[1..3, 0x1..3]", (range(1, 4), range(1, 4)), id="ranges"),
        pytest.param(r"'\x41\101\u0042\U00000043\u{44}\n\''", "AABCD\n'", id="escapes"),
        pytest.param(r"'\ud800'", "\N{REPLACEMENT CHARACTER}", id="half-a-pair-is-no-character"),
        pytest.param(r"b'\x41\101\nz'", b"AA\nz", id="bytes"),
        pytest.param("`a``b\\n`", "a`b\\n", id="raw-texts"),
        pytest.param("'a\rb'", "a\nb", id="a-carriage-return-becomes-a-line-feed"),
        pytest.param("1 /* c */ + // d\n 2", 3, id="comments"),
        pytest.param("::len([1])", 1, id="a-function-of-the-language-for-sure"),
        pytest.param("{'not': 1, 'in': 2}.in", 2, id="words-are-names-after-a-dot"),
    ],
)
def test_expressions_mean_what_the_reference_means(text: str, value: object) -> None:
    """Precedence, literals and structure."""
    assert compile_expression(text, Root.UNKNOWN).run(None) == value


WORDS = st.sampled_from(
    [
        "result",
        ".",
        "?",
        "[",
        "]",
        "(",
        ")",
        "{",
        "}",
        "#",
        ",",
        ";",
        ":",
        "+",
        "-",
        "*",
        "/",
        "%",
        "**",
        "^",
        "==",
        "!=",
        "<",
        ">",
        "<=",
        ">=",
        "&&",
        "||",
        "and",
        "or",
        "not",
        "in",
        "??",
        "?.",
        "..",
        "|",
        "let",
        "if",
        "else",
        "=",
        "a",
        "b",
        "all",
        "map",
        "filter",
        "reduce",
        "sum",
        "len",
        "sort",
        "true",
        "false",
        "nil",
        "0",
        "1",
        "2.5",
        "'x'",
        "`y`",
        "b'z'",
        "#acc",
        "#index",
        "$env",
        "matches",
        "contains",
        "//",
        "/*",
        "*/",
        "1e9",
        "0x",
        "99999999999999999999",
        "\\",
    ]
)


@given(text=st.text() | st.lists(WORDS, max_size=25).map(" ".join))
def test_no_text_does_anything_but_compile_or_be_refused(text: str) -> None:
    """Whatever it is, the answer is a program or a ConditionError that points into the text."""
    for root in (Root.UNKNOWN, Root.FLOATS):
        try:
            compile_expression(text, root)
        except ConditionError as error:
            assert error.offset is None or 0 <= error.offset <= len(text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text("abk", max_size=2), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(words=st.lists(WORDS, max_size=12), result=VALUES)
def test_no_expression_does_anything_but_give_a_value_or_fail(
    words: list[str], result: object
) -> None:
    """Whatever the result is, evaluation ends in a value or in a ConditionError."""
    try:
        compile_expression(" ".join(words), Root.UNKNOWN).run(result)
    except ConditionError as error:
        assert str(error)
