"""Programs: kept, repeatable, bounded, and the time expressions of a range query."""

import threading
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType

import pytest

from gateway.conditions import evaluate
from gateway.errors import ConditionError
from gateway.expr import Floats, Root, compile_expression, evaluate_time
from gateway.expr.program import MAX_LENGTH
from gateway.model import ResultType

TOO_MUCH = "evaluation takes too many steps: work on less, or nest fewer predicates"
NOW = 1_700_000_000.25


def test_a_program_is_compiled_once_per_text_and_type() -> None:
    """The second caller gets the first one's program."""
    first = compile_expression("result != nil", Root.FLOAT)
    assert compile_expression("result != nil", Root.FLOAT) is first
    assert compile_expression("result != nil", Root.STRING) is not first


def test_an_evaluation_leaves_nothing_for_the_next() -> None:
    """Neither a failure nor the names of a closure are remembered."""
    program = compile_expression("let x = result[0]; all(result, # >= x)", Root.LIST)
    with pytest.raises(ConditionError):
        program.run(())
    assert [program.run((1.0, 2.0)), program.run((2.0, 1.0))] == [True, False]


def test_an_evaluation_leaves_the_result_as_it_is() -> None:
    """Sorting, reversing and the like work on copies."""
    inner = MappingProxyType({"k": (3.0, 1.0)})
    result = MappingProxyType({"a": (3.0, 1.0, 2.0), "m": inner})
    text = "sort(result.a) != reverse(result.a) && sortBy(result.m.k, -#)[0] == 3"
    assert evaluate(text, result, ResultType.JSON) is True
    assert dict(result) == {"a": (3.0, 1.0, 2.0), "m": inner}


def test_an_error_is_of_bounded_length_and_can_be_sent() -> None:
    """Whatever bytes and however many the value has that it quotes."""
    with pytest.raises(ConditionError) as caught:
        evaluate("int('h\u00e9'[1:2] + repeat('x', 9000)) == 1", 1.0, ResultType.FLOAT)
    assert str(caught.value) == "invalid operation: int(\N{REPLACEMENT CHARACTER}" + "x" * 4_072


def test_threads_do_not_meet() -> None:
    """One program, run by many threads at once, each with a result of its own."""
    program = compile_expression(
        "let x = result; sum(map(1..20, {let y = #; y * x + # * 0 * x})) == 210 * result",
        Root.FLOAT,
    )
    start = threading.Barrier(4)

    def repeatedly(number: int) -> set[object]:
        start.wait()
        return {program.run(float(number)) for _ in range(300)}

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(repeatedly, range(4))) == [{True}] * 4


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("all(1..999998, # > 0)", id="a-huge-range"),
        pytest.param("all(1..1000, all(1..1000, # > 0))", id="loops-in-loops"),
        pytest.param("uniq(map(1..3000, [#])) == []", id="comparing-each-with-each"),
        pytest.param("reduce(1..100000, #acc + 'xxxxxxxx', '') == ''", id="a-growing-text"),
    ],
)
def test_work_is_bounded(text: str) -> None:
    """The reference would go on for as long as it takes."""
    with pytest.raises(ConditionError) as caught:
        evaluate(text, 1.0, ResultType.FLOAT)
    assert str(caught.value) == TOO_MUCH


@pytest.mark.parametrize(
    ("text", "result"),
    [
        pytest.param("all(result, # < 5)", (1.0,) * 200_000, id="a-long-vector"),
        pytest.param("max(result) == 1", (1.0,) * 1_000_000, id="a-very-long-one"),
        pytest.param("sum(result, # + # * 2) > 0", (1.0,) * 100_000, id="a-body-that-computes"),
    ],
)
def test_much_data_may_take_much_work(text: str, result: tuple[float, ...]) -> None:
    """The budget grows with the result, not with the condition."""
    assert evaluate(text, result, ResultType.FLOATS) is True


def test_texts_and_nested_values_count_as_data() -> None:
    """A large document may be walked, whatever its shape."""
    rows = tuple(MappingProxyType({"v": (1.0,), "s": "x" * 64}) for _ in range(3_000))
    text = "all(result, len(.v) == 1 && len(.s) == 64 ? .v[0] == 1 : false)"
    assert evaluate(text, rows, ResultType.JSON) is True
    with pytest.raises(ConditionError) as caught:
        evaluate(
            "all(result, {let row = #; all(result, all(result, # != nil))})", rows, ResultType.JSON
        )
    assert str(caught.value) == TOO_MUCH


def test_a_text_that_is_too_long_is_refused_unread() -> None:
    """Compiling takes time, too."""
    with pytest.raises(ConditionError) as caught:
        compile_expression("1" * (MAX_LENGTH + 1), Root.NIL)
    assert str(caught.value) == "expression has 65537 characters, more than 65536: shorten it"


def test_a_value_that_nests_too_deeply_is_refused() -> None:
    """Python's own limit never shows."""
    deep: object = 1.0
    for _ in range(5_000):
        deep = (deep,)
    with pytest.raises(ConditionError) as caught:
        evaluate("string(result) == ''", deep, ResultType.JSON)
    assert str(caught.value) == "expression nests too deeply for the value that it works on"


def test_an_expression_too_deep_for_its_caller_is_refused() -> None:
    """Where the caller is itself deep down, even a modest expression can be too much."""
    text = "(" * 150 + "result" + ")" * 150 + " == 1"

    def descend(levels: int) -> ConditionError:
        if levels:
            return descend(levels - 1)
        with pytest.raises(ConditionError) as caught:
            compile_expression(text, Root.FLOAT)
        return caught.value

    assert str(descend(750)) == "expression nests too deeply: split it up"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{}.x[len():]", id="a-function-without-argument"),
        pytest.param("{}.x[isNil():]", id="argos-function-without-argument"),
        pytest.param("{}.x[asInt(1, 2):]", id="argos-function-with-too-many"),
        pytest.param("{x: 'abc'}.x[now(1):]", id="a-function-with-a-wrong-argument"),
        pytest.param("{x: 'abc'}.x[foo(1):]", id="a-name-that-does-not-exist"),
        pytest.param("{x: 'abc'}.x[keys(1, 2):]", id="a-function-with-too-many"),
        pytest.param("let f = [isNaN, 1][0]; f([nil, 1][0])", id="nil-is-not-the-zero-of-a-number"),
        pytest.param("fromJSON(repeat('[', 101)) == 1", id="deep-json"),
        pytest.param("toJSON(reduce(1..200, [#acc], 0)) == ''", id="a-deep-value"),
    ],
)
def test_what_the_types_do_not_tell_fails_at_run_time(text: str) -> None:
    """Unlike the reference, whose checker does not look there, with a word of its own."""
    with pytest.raises(ConditionError):
        evaluate(text, 1.0, ResultType.FLOAT)


def test_a_function_prints_as_an_address() -> None:
    """Go prints one; it is never the same, so ours is none."""
    assert compile_expression("string(asInt)", Root.NIL).run(None) == "0x1"


@pytest.mark.parametrize(
    ("text", "unix_s"),
    [
        pytest.param("now()", NOW, id="the-instant-is-an-argument"),
        pytest.param("now() - duration('1h')", NOW - 3_600, id="an-hour-earlier"),
        pytest.param("date('2024-03-15T10:00:00Z')", 1_710_496_800.0, id="a-date"),
        pytest.param("isNaN(1) ? date('2024-01-01') : now()", NOW, id="argos-tests-for-numbers"),
    ],
)
def test_a_time_expression_gives_unix_seconds(text: str, unix_s: float) -> None:
    """As the start and end of a range query are written."""
    assert evaluate_time(text, now_unix_s=NOW) == unix_s


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("'now'", "expected time.Time, but got string", id="a-text"),
        pytest.param("nil", "expected time.Time, but got <nil>", id="nothing"),
        pytest.param(
            "now() - duration('1q')",
            'time: unknown unit "q" in duration "1q"',
            id="an-unknown-unit",
        ),
        pytest.param("result", "unknown name result", id="there-is-no-result"),
        pytest.param("now(", "unexpected token EOF", id="half-a-call"),
    ],
)
def test_what_gives_no_time_is_refused(text: str, message: str) -> None:
    """With the inner text, which the provider wraps."""
    with pytest.raises(ConditionError) as caught:
        evaluate_time(text, now_unix_s=NOW)
    assert (str(caught.value), caught.value.expression) == (message, text)


def test_a_typed_vector_stays_one() -> None:
    """Parts of a []float64 are one, too."""
    assert compile_expression("result[1:]", Root.FLOATS).run(Floats((1.0, 2.0))) == Floats((2.0,))
    value = compile_expression("take(result, 1)", Root.FLOATS).run(Floats((1.0, 2.0)))
    assert type(value) is Floats
