"""YAML as Kubernetes reads it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.documents import Syntax, read_documents
from gateway.errors import RequestInvalid


def contents(text: str) -> list[object]:
    """The contents of all documents of a text."""
    documents = read_documents(text.encode(), name="body", syntax=Syntax.YAML)
    return [document.content for document in documents]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("x", "x", id="text"),
        pytest.param("", None, id="nothing-is-null"),
        pytest.param("~", None, id="tilde-is-null"),
        pytest.param("Null", None, id="null-in-any-of-three-spellings"),
        pytest.param("nUll", "nUll", id="but-no-other"),
        pytest.param("true", True, id="true"),
        pytest.param("y", True, id="y-is-true-in-goyaml"),
        pytest.param("Off", False, id="off-is-false"),
        pytest.param("'true'", "true", id="quoted-is-text"),
        pytest.param('"5"', "5", id="double-quoted-is-text"),
        pytest.param("|-\n  a\n  b", "a\nb", id="block-is-text"),
        pytest.param("5", 5, id="integer"),
        pytest.param("-5", -5, id="negative"),
        pytest.param("+5", 5, id="plus"),
        pytest.param("0", 0, id="zero"),
        pytest.param("010", 8, id="leading-zero-is-octal"),
        pytest.param("0o10", 8, id="octal"),
        pytest.param("-010", -8, id="negative-octal"),
        pytest.param("08", 8, id="what-cannot-be-octal-is-a-float"),
        pytest.param("0x1F", 31, id="hexadecimal"),
        pytest.param("0b101", 5, id="binary"),
        pytest.param("1_000", 1000, id="underscores-separate"),
        pytest.param("1000", 1000, id="not-mistaken-for-octal"),
        pytest.param("1:30", "1:30", id="no-base-60"),
        pytest.param("0.90", 0.9, id="float"),
        pytest.param(".5", 0.5, id="float-without-a-zero"),
        pytest.param("3.0", 3, id="whole-float"),
        pytest.param("1e3", 1000, id="exponent-without-a-dot"),
        pytest.param("1e999", "1e999", id="what-no-float-holds-is-text"),
        pytest.param("99999999999999999999", 1e20, id="beyond-64-bits-a-float"),
        pytest.param("0x" + "f" * 17, "0x" + "f" * 17, id="hexadecimal-beyond-64-bits-is-text"),
        pytest.param("18446744073709551615", 18446744073709551615, id="unsigned-64-bits"),
        pytest.param("-x", "-x", id="a-dash-and-a-letter-is-text"),
        pytest.param("2024-01-01", "2024-01-01", id="date-is-text"),
        pytest.param("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z", id="timestamp-is-text"),
        pytest.param("!!str 5", "5", id="tag-str"),
        pytest.param("! 5", "5", id="the-tag-without-a-name-is-text"),
        pytest.param("!!int '5'", 5, id="tag-int"),
        pytest.param("!!float 0.5", 0.5, id="tag-float"),
        pytest.param("!!map {}", {}, id="tag-map"),
        pytest.param("!!seq []", [], id="tag-seq"),
        pytest.param("!!bool yes", True, id="tag-bool"),
        pytest.param("!!null ''", None, id="tag-null"),
    ],
)
def test_scalar(text: str, value: object) -> None:
    """Each plain text means what it would mean to kubectl."""
    (content,) = contents(f"a: {text}\n")
    assert content == {"a": value}
    assert isinstance(content, dict)
    assert type(content["a"]) is type(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a: 1\n---\nb: 2\n", [{"a": 1}, {"b": 2}], id="several-documents"),
        pytest.param("---\n---\n# nothing\n", [], id="empty-documents-are-left-out"),
        pytest.param("", [], id="nothing"),
        pytest.param("[]", [[]], id="a-list-is-a-document"),
        pytest.param("a: &x [1]\nb: *x\n", [{"a": [1], "b": [1]}], id="alias"),
        pytest.param("a: &x 1\nb: &x 2\nc: *x\n", [{"a": 1, "b": 2, "c": 2}], id="later-anchor"),
        pytest.param(
            "a: &x {k: 1, l: 2}\nb: {<<: *x, l: 3}\n",
            [{"a": {"k": 1, "l": 2}, "b": {"k": 1, "l": 3}}],
            id="merge-gives-way-to-own-keys",
        ),
        pytest.param(
            "b: {<<: [{k: 1}, {k: 2, m: 3}]}\n",
            [{"b": {"k": 1, "m": 3}}],
            id="of-merged-mappings-the-first-wins",
        ),
        pytest.param(
            "a: &a {k: 1}\nb: &b {k: 2, m: 3}\nc: {<<: [*a, *b], m: 4}\n",
            [{"a": {"k": 1}, "b": {"k": 2, "m": 3}, "c": {"k": 1, "m": 4}}],
            id="of-merged-aliases-the-first-wins-and-own-keys-over-all",
        ),
        pytest.param(
            "a: &a {k: 1}\nb: {l: 2, <<: *a}\n",
            [{"a": {"k": 1}, "b": {"k": 1, "l": 2}}],
            id="a-merge-behind-other-keys",
        ),
        pytest.param(
            "{<<: {k: 1}, '<<': 3}\n", [{"k": 1, "<<": 3}], id="a-merge-and-a-key-of-its-name"
        ),
        pytest.param("'<<': 1\n", [{"<<": 1}], id="a-quoted-merge-key-is-a-key"),
        pytest.param('{"a": {"b": [1.5]}}', [{"a": {"b": [1.5]}}], id="json-is-yaml"),
        pytest.param("\ufeffa: 1", [{"a": 1}], id="byte-order-mark"),
    ],
)
def test_documents(text: str, expected: list[object]) -> None:
    """Documents, aliases and merges."""
    assert contents(text) == expected


def test_lines_are_known_by_path() -> None:
    """Problems can point into the file."""
    (document,) = read_documents(
        b"a: 1\nb:\n  - c: 2\n  -\n    d: [3]\n", name="body", syntax=Syntax.YAML
    )
    assert document.lines == {
        "": 1, "a": 1, "b": 3, "b[0]": 3, "b[0].c": 3, "b[1]": 5, "b[1].d": 5, "b[1].d[0]": 5
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param(
            "a: 1\na: 2",
            "body: line 2, column 1: key 'a' stands twice in one mapping",
            id="duplicate-key",
        ),
        pytest.param(
            "a: {{args.n}}",
            "body: line 1, column 5: a key must be a text; quote a value that starts with {{",
            id="an-unquoted-tag-is-explained",
        ),
        pytest.param(
            "? [x]\n: 1",
            "body: line 1, column 3: a key must be a text; quote a value that starts with {{",
            id="a-list-is-no-key",
        ),
        pytest.param(
            "1: x",
            "body: line 1, column 1: key 1 must be a text; put it into quotes",
            id="a-number-is-no-key",
        ),
        pytest.param(
            "on: x",
            "body: line 1, column 1: key True must be a text; put it into quotes",
            id="a-boolean-is-no-key",
        ),
        pytest.param(
            "a: .nan",
            "body: line 1, column 4: .nan is no number that JSON knows; write it as a text",
            id="nan",
        ),
        pytest.param(
            "a: -.inf",
            "body: line 1, column 4: -.inf is no number that JSON knows; write it as a text",
            id="infinity",
        ),
        pytest.param(
            "a: *x", "body: line 1, column 4: alias *x has no anchor before it", id="unknown-alias"
        ),
        pytest.param(
            "a: &a [*a]",
            "body: line 1, column 8: alias *a has no anchor before it",
            id="an-alias-inside-itself",
        ),
        pytest.param(
            "a: &x 1\n---\nb: *x",
            "body: line 3, column 4: alias *x has no anchor before it",
            id="anchors-end-with-their-document",
        ),
        pytest.param(
            "a: !!python/object:os.system x",
            "body: line 1, column 4: tag tag:yaml.org,2002:python/object:os.system is not "
            "supported; leave it out",
            id="no-objects",
        ),
        pytest.param(
            "a: !mine {}",
            "body: line 1, column 4: tag !mine is not supported; leave it out",
            id="own-tag",
        ),
        pytest.param(
            "a: !!int x",
            "body: line 1, column 4: tag tag:yaml.org,2002:int is not supported; leave it out",
            id="a-tag-that-is-not-true",
        ),
        pytest.param(
            "a: !!map []",
            "body: line 1, column 4: tag tag:yaml.org,2002:map is not supported; leave it out",
            id="a-list-is-no-map",
        ),
        pytest.param(
            "a: {<<: 5}",
            "body: line 1, column 5: << must stand before a mapping or a list of mappings",
            id="merge-of-a-scalar",
        ),
        pytest.param(
            "a: &a {f: x}\nb: &b {g: y}\nc:\n  <<: *a\n  <<: *b\n",
            "body: line 5, column 3: << stands twice in one mapping; write one, with a list",
            id="two-merges",
        ),
        pytest.param(
            "a: {<<: {}, <<: {}}",
            "body: line 1, column 13: << stands twice in one mapping; write one, with a list",
            id="two-merges-of-nothing",
        ),
        pytest.param(
            "a: &a {f: x, g: y}\nb:\n  f: z\n  <<: *a\n",
            "body: line 4, column 3: << would replace 'f' before it; put << first",
            id="a-merge-behind-a-key-that-it-has",
        ),
        pytest.param(
            "a: {k: 0, m: 0, l: 0, <<: [{k: 1}, {l: 2}]}",
            "body: line 1, column 23: << would replace 'k', 'l' before it; put << first",
            id="a-list-of-merges-behind-keys-that-they-have",
        ),
        pytest.param(
            "a:\n\tb: 1",
            "body: line 2, column 1: while scanning for the next token, found character that "
            "cannot start any token (a tab; YAML indents with blanks)",
            id="tab",
        ),
        pytest.param(
            "a: 'x",
            "body: line 1, column 6: while scanning a quoted scalar, found unexpected "
            "end of stream",
            id="open-quote",
        ),
        pytest.param(
            "a: b: c",
            "body: line 1, column 5: mapping values are not allowed in this context",
            id="two-colons",
        ),
        pytest.param(
            "a: \x07", "body: line 1, column 4: YAML does not allow U+0007", id="control-character"
        ),
        pytest.param(
            "- [" + "[" * 100,
            "body: line 1, column 67: values are nested deeper than 64 levels",
            id="deep",
        ),
    ],
)
def test_bad_yaml_is_refused(text: str, complaint: str) -> None:
    """One sentence says what is wrong, with line and column."""
    with pytest.raises(RequestInvalid) as caught:
        contents(text)
    assert str(caught.value) == complaint


NINE_LEVELS_OF_NINE = "a0: &a0 [x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 10)
)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param(NINE_LEVELS_OF_NINE, "more than 20000 values", id="billion-laughs"),
        pytest.param(
            f"a: &a {'x' * 100_000}\nb: [{'*a, ' * 50}]",
            "more than 4194304 characters",
            id="one-long-text-many-times",
        ),
        pytest.param(
            f"a: &a {{? {'k' * 100_000} : 1}}\nb: [{'*a, ' * 50}]",
            "more than 4194304 characters",
            id="one-long-key-many-times",
        ),
        pytest.param("- x\n" * 20_001, "more than 20000 values", id="many-values"),
        pytest.param("[" * 1_000_000, "nested deeper", id="a-million-brackets"),
        pytest.param(
            # It depends on the parser's version which bound is met first.
            "{" * 1_000_000,
            "a key must be a text|nested deeper",
            id="a-million-braces",
        ),
        pytest.param("- " * 500_000, "nested deeper", id="half-a-million-dashes"),
        pytest.param("&a " * 300_000, "did not find expected", id="anchors-only"),
        pytest.param("? " * 300_000, "a key must be a text", id="question-marks-only"),
    ],
)
def test_hostile_yaml_costs_little(text: str, complaint: str) -> None:
    """Bounds hold while the text is read, not after."""
    before_s = time.process_time()
    with pytest.raises(RequestInvalid, match=complaint):
        contents(text)
    assert time.process_time() - before_s < 1.0


@given(st.text(alphabet="ab: -[]{}#&*!|>'\"%@`?\n\t,<~.0123456789exyn", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing but RequestInvalid ever leaves, and what is read is plain."""
    try:
        found = contents(text)
    except RequestInvalid as error:
        assert str(error).startswith("body: ")
    else:
        assert all(is_plain(content) for content in found)


def is_plain(value: object) -> bool:
    """Whether a value is what JSON could hold."""
    match value:
        case None | bool() | int() | float() | str():
            return True
        case dict():
            return all(isinstance(key, str) and is_plain(value[key]) for key in value)
        case list():
            return all(is_plain(item) for item in value)
        case _:
            return False
