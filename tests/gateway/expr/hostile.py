"""Hostile conditions, and what they cost: a program of its own.

Nothing else runs in its process, so that times are not a coverage tool's, and files that are opened
are not a test runner's. It prints one JSON document.
"""

import json
import math
import random
import sys
import time
from contextlib import suppress
from types import MappingProxyType

from gateway.conditions import evaluate
from gateway.errors import ConditionError
from gateway.model import ResultType

COUNT = 10_000
LOUD_S = 0.03
"""Slower than this is measured again."""
RESULT = MappingProxyType(
    {"a": 1.0, "l": (1.0, 2.0, 3.0), "s": "x" * 200, "m": MappingProxyType({"k": "v"}), "n": None}
)
ATTRIBUTES = (
    "__class__",
    "__bases__",
    "__subclasses__()",
    "__globals__",
    "__builtins__",
    "__mro__",
    "__dict__",
    "__import__",
    "func_globals",
    "gi_frame",
    "f_back",
    "__init__.__globals__",
    "__reduce__()",
    "_fields",
    "keys()",
    "items()",
    "format",
    "__getattribute__('x')",
    "__code__",
    "symtable",
    "run",
    "eval",
)
NAMES = (
    "eval",
    "exec",
    "open",
    "__import__",
    "print",
    "globals",
    "locals",
    "getattr",
    "setattr",
    "compile",
    "input",
    "vars",
    "dir",
    "breakpoint",
    "os",
    "sys",
    "numpy",
    "math",
    "symtable",
    "self",
    "exit",
    "quit",
    "memoryview",
    "bytes",
    "object",
    "super",
    "help",
)
SOURCES = (
    "1..999998",
    "map(1..900000, #)",
    "map(1..5000, string(#))",
    "map(1..3000, [#])",
    "result.l",
    "1..1000",
    "split(repeat('a,', 100000), ',')",
    "reverse(1..90000)",
    "toPairs(result.m)",
    "[result, result]",
)
BODIES = (
    "# > 0",
    "# + 1",
    "string(#)",
    "[#]",
    "# in 1..1000",
    "# in result.l",
    "all(1..1000, # > 0)",
    "#index",
    "let x = #; x == x",
    "result.s contains string(#)",
    "repeat('x', 900)",
    "toJSON(result)",
    "# ** 2.5",
    "date('2024-01-01')",
    "'abc' matches string(#)",
    "{a: #} == {a: #}",
    "any(result.l, # == 9)",
    "uniq([#, #])",
    "sort(result.l)",
    "concat(result.l, result.l)",
    "upper(result.s)",
    "-#",
    "# % 7",
    "split(result.s, '')",
)
LOOPS = (
    "all",
    "any",
    "none",
    "one",
    "filter",
    "map",
    "find",
    "findIndex",
    "findLast",
    "count",
    "sum",
    "groupBy",
    "sortBy",
)
WHOLES = (
    "sort",
    "uniq",
    "reverse",
    "flatten",
    "max",
    "min",
    "mean",
    "median",
    "len",
    "toJSON",
    "string",
    "first",
    "last",
    "concat",
    "sum",
    "join",
)
PATTERNS = (
    "(a+)+$",
    "(a|aa)+$",
    "(.*)*b",
    "(x+x+)+y",
    "([a-z]+)*$",
    "(a?){30}a{30}",
    "((a{30}){30}){30}",
    "(?i)(x|X)*y",
    "\\\\w+\\\\w+\\\\w+\\\\w+!",
    "(.{1,900})+z",
)
TEXTS = (
    "repeat('a', 900000)",
    "repeat('xy', 400000)",
    "result.s",
    "repeat('日', 200000)",
    "reduce(1..60, #acc + #acc, 'xxxx')",
    "toBase64(repeat('a', 500000))",
    "upper(repeat('é', 300000))",
    "replace(repeat('a', 900000), 'a', repeat('b', 900))",
    "join(map(1..90000, string(#)), ',')",
)


def harmless(source: random.Random) -> str:
    """A condition that means harm and comes to nothing."""
    pick = source.choice
    match source.randrange(4):
        case 0:
            holder = pick(("result", "result.a", "result.s", "{}", "[]", "(1)"))
            return f"{holder}.{pick(ATTRIBUTES)}"
        case 1:
            argument = pick(("", "1", "result", "'/etc/passwd'"))
            return f"{pick(NAMES)}({argument})"
        case 2:
            opening = pick(("(", "[", "-", "!", "not ", "all(result.l, ", "{a: ", "1 ? ", "#"))
            return opening * source.randrange(1, 3_000)
        case _:
            size = source.randrange(1, 400)
            return "".join(chr(source.randrange(1, 0x3000)) for _ in range(size))


def greedy(source: random.Random) -> str:
    """A condition that would be worked on for long."""
    pick = source.choice
    items, body = pick(SOURCES), pick(BODIES)
    match source.randrange(6):
        case 0:
            return f"{pick(TEXTS)} matches '{pick(PATTERNS)}'"
        case 1:
            return f"{pick(WHOLES)}({pick(TEXTS)} | split('a')) == {pick(('1', 'nil', '[]'))}"
        case 2:
            inner = f"{pick(LOOPS)}({pick(SOURCES)}, {{{body}}})"
            return f"{pick(LOOPS)}({items}, {inner} == 1) == 1"
        case 3:
            step = pick(("#acc + #", "[#acc]", "concat(#acc, [#])", body))
            return f"reduce({items}, {step}, {pick(('0', '[]'))}) == 1"
        case 4:
            return f"{pick(WHOLES)}({pick(LOOPS)}({items}, {{{body}}})) == 1"
        case _:
            part = pick(("1+", "result.a<", "true&&", "'a'+", "1,", "x|", "a.", "1 ?? "))
            return part * source.randrange(1, 400) + "1"


LONG = {
    "a sum of thousands": " + ".join(["result.a"] * 3_000) + " > 1",
    "comparisons by the thousand": "result.a<" * 1_100 + "1",
    "a list of thousands": "len([" + "1, " * 5_000 + "1]) > 1",
    "alternatives by the thousand": "result.s in [" + "'a', " * 4_000 + "'a']",
    "a long text": "'" + "x" * 60_000 + "' == 'a'",
    "escapes by the thousand": "'" + r"\n" * 30_000 + "' == 'a'",
    "parentheses by the thousand": "(" * 60_000,
    "pointers by the thousand": "#" * 60_000,
    "an endless comment": "/*" + "x" * 60_000,
    "blanks by the thousand": " " * 60_000 + "1 == 1",
    "a huge pattern": "result.s matches '" + "(a{900})" * 900 + "'",
}
"""Each is read and compiled anew when it is measured."""


def main() -> None:
    """Evaluate all of them, and report what was slow, opened or changed."""
    before = repr(RESULT)
    opened: list[str] = []

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if event in {"open", "os.system", "subprocess.Popen", "socket.connect"}:
            opened.append(f"{event} {arguments}")

    sys.addaudithook(watch)
    source = random.Random(20240315)
    corpus = [greedy(source) if number % 10 == 0 else harmless(source) for number in range(COUNT)]
    spent_s = sorted(((cpu_s(text), text[:200]) for text in corpus), reverse=True)
    report = {
        "count": len(spent_s),
        "slowest": spent_s[:5],
        "long": {name: cpu_s(text) for name, text in LONG.items()},
        "opened": opened,
        "changed": repr(RESULT) != before,
    }
    sys.stdout.write(json.dumps(report))


def cpu_s(text: str) -> float:
    """Processor time of compiling and running; a loud neighbour gets two more chances."""
    spent_s = math.inf
    for attempt in range(3):
        # Blanks at the end keep a program from being remembered.
        text += " " * attempt
        start = time.process_time()
        with suppress(ConditionError):
            evaluate(text, RESULT, ResultType.JSON)
        spent_s = min(spent_s, time.process_time() - start)
        if spent_s < LOUD_S:
            break
    return spent_s


if __name__ == "__main__":
    main()
