"""Plugins that do everything wrong, over HTTP: each is one metric's Error, and says whose."""

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from backends import Play, backend
from plugins import PREAMBLE, TYPE, distribution
from running import service, template, web_metric

LONG = "longer than 1,048,576 characters"
MAY_HOLD = (
    "it may hold None, bool, int, float, str, Typed, list, tuple, and mappings with text keys"
)


def fine(code: str) -> str:
    """A plugin that is fine, but for some code."""
    return PREAMBLE + code + TYPE


def checking(code: str) -> str:
    """One with another check."""
    return fine(f"def check(block):\n    {code}\n")


def parsing(code: str) -> str:
    """One with another parse."""
    return fine(f"def parse(block, surroundings):\n    {code}\n")


def measuring(code: str) -> str:
    """One with another measure."""
    return fine(f"async def measure(self, context):\n    {code}\nMade.measure = measure\n")


def answering(result: str, kind: str = "JSON", text: str = "'1'", **fields: str) -> str:
    """One that measures this."""
    more = "".join(f", {name}={value}" for name, value in fields.items())
    return measuring(f"return Reading({result}, ResultType.{kind}, {text}{more})")


BAD = {
    # It cannot be had.
    "import-raises": ("raise RuntimeError('boom')", "RuntimeError: boom"),
    "import-exits": ("import sys; sys.exit(3)", "SystemExit: 3"),
    "import-fails": ("import nowhere_at_all", "ModuleNotFoundError: No module named"),
    "import-is-no-python": ("a b", "SyntaxError: invalid syntax"),
    "no-such-name": ("", "AttributeError: module 'plugin_bad_no_such_name' has no attribute"),
    "no-type": ("TYPE = 5", "plugin_bad_no_type:TYPE must be ProviderType, not int"),
    "factory-raises": ("def TYPE():\n    raise OSError('no')", "OSError: no"),
    "factory-of-nonsense": (
        "TYPE = dict",
        "plugin_bad_factory_of_nonsense:TYPE must be ProviderType, not dict",
    ),
    "odd-query-metadata": (
        f"{PREAMBLE}TYPE = ProviderType(check, parse, query_metadata=5)",
        "ProviderType.query_metadata must be str, not int",
    ),
    # Its block.
    "check-raises": (checking("1 / 0"), "ZeroDivisionError: division by zero"),
    "check-exits": (checking("sys.exit()"), "SystemExit"),
    "check-gives-nothing": (checking("pass"), "what check returns must be list | tuple, not None"),
    "check-gives-texts": (checking("return ['no']"), "check must return pairs of a path and a"),
    "parse-raises": (parsing("return block['no']"), "KeyError: 'no'"),
    "parse-exits": (parsing("sys.exit('bye')"), "SystemExit: bye"),
    "parse-gives-nothing": (parsing("pass"), "parse must return a provider, not NoneType"),
    "parse-refuses": (parsing("raise ProviderInvalid('not so')"), "not so"),
    "query-raises": (
        fine("def query(self): raise OSError('q')\nMade.resolved_query = query"),
        "OSError: q",
    ),
    "query-is-a-number": (
        fine("def query(self): return 5\nMade.resolved_query = query"),
        "what resolved_query returns must be str, not int",
    ),
    "credentials-raise": (
        PREAMBLE
        + "def parse(block, surroundings): return surroundings.found_secret()\n"
        + "def credentials(block, environ): raise ValueError('which?')\n"
        + "TYPE = ProviderType(check, parse, credentials=credentials)",
        "ValueError: which?",
    ),
    "credentials-raise-and-nobody-looks": (
        fine("")
        + "def credentials(block, environ): raise ValueError('which?')\n"
        + "TYPE = ProviderType(check, parse, credentials=credentials)",
        "ValueError: which?",
    ),
    "credentials-are-nonsense-and-nobody-looks": (
        fine("") + "TYPE = ProviderType(check, parse, credentials=lambda block, environ: 'mine')",
        "what credentials returns must be SecretUse, not str",
    ),
    "credentials-are-nonsense": (
        PREAMBLE
        + "def parse(block, surroundings): return surroundings.found_secret()\n"
        + "TYPE = ProviderType(check, parse, credentials=lambda block, environ: 'mine')",
        "what credentials returns must be SecretUse, not str",
    ),
    "credential-is-nonsense": (
        fine("Made.credential = 'mine'"),
        "credential must be Credential, not str",
    ),
    # Its measurement.
    "raises": (measuring("1 / 0"), "ZeroDivisionError: division by zero"),
    "raises-silently": (measuring("raise ValueError"), "ValueError"),
    "raises-what-cannot-be-printed": (
        fine(
            "class Odd(Exception):\n    def __str__(self): raise SystemExit\n"
            "async def measure(self, context): raise Odd\nMade.measure = measure"
        ),
        "Odd",
    ),
    "raises-half-a-character": (measuring("raise ValueError('\\ud800')"), "ValueError: ?"),
    "raises-at-length": (measuring("raise ValueError('x' * 10**6)"), f"ValueError: {'x' * 4084}"),
    "exits": (measuring("sys.exit(1)"), "SystemExit: 1"),
    "interrupts": (measuring("raise KeyboardInterrupt"), "KeyboardInterrupt"),
    "recurs": (
        fine("def f(): return f()\nasync def measure(self, context): f()\nMade.measure = measure"),
        "RecursionError: maximum recursion depth exceeded",
    ),
    "cancels-itself": (measuring("raise asyncio.CancelledError"), "CancelledError"),
    "cancels-its-own-task": (
        measuring("asyncio.current_task().cancel(); await asyncio.sleep(3600)"),
        "CancelledError",
    ),
    "leaves-like-a-generator": (
        measuring("raise GeneratorExit"),
        "RuntimeError: coroutine raised GeneratorExit",
    ),
    "leaves-while-it-awaits": (
        measuring("await asyncio.sleep(0); raise GeneratorExit"),
        "RuntimeError: coroutine raised GeneratorExit",
    ),
    "groups": (
        measuring("raise ExceptionGroup('two', [ValueError(), OSError()])"),
        "ExceptionGroup: two (2 sub-exceptions)",
    ),
    "refuses": (measuring("raise ProviderRejected('who are you?')"), "who are you?"),
    "refuses-with-nonsense": (
        measuring("raise ProviderRejected('no', metadata={1: 2})"),
        "no",
    ),
    "refuses-with-metadata-that-exit": (
        fine(
            "class Odd(ProviderRejected):\n"
            "    def fail(self): raise SystemExit\n"
            "    metadata = property(fail, lambda self, value: None)\n"
            "async def measure(self, context): raise Odd('no')\nMade.measure = measure"
        ),
        "no",
    ),
    "is-not-async": (
        fine("def measure(self, context): return 5\nMade.measure = measure"),
        "TypeError: object int can't be used in 'await' expression",
    ),
    "hangs": (
        measuring("await asyncio.sleep(3600)"),
        "measure has not ended within 3.8s (verdicts.measurementTimeout is 4s)",
    ),
    "hangs-on": (
        measuring(
            "for _ in range(3):\n        try: await asyncio.sleep(3)\n"
            "        except BaseException: pass"
        ),
        "measure has not ended within 3.8s",
    ),
    # What it answers.
    "nothing": (measuring("pass"), "what measure returns must be Reading, not NoneType"),
    "a-dict": (measuring("return {}"), "what measure returns must be Reading, not dict"),
    "an-object": (answering("object()"), f"the result holds a value of type object; {MAY_HOLD}"),
    "a-set-inside": (answering("[{'a': {1, 2}}]"), "the result holds a value of type set; "),
    "a-key-that-is-no-text": (answering("{1: 2}"), "a text in the result must be str, not int"),
    "itself": (
        measuring("x = []; x.append(x); return Reading(x, ResultType.JSON, '')"),
        "the result is nested deeper than 64 levels",
    ),
    "itself-many-times": (
        measuring(
            "x = 1\n    for _ in range(40): x = [x, x]\n    return Reading(x, ResultType.JSON, '')"
        ),
        "the result holds more than 100,000 values",
    ),
    "no-end": (
        fine(
            "class Endless(dict):\n    def items(self):\n        while True: yield 'a', 1\n"
            "async def measure(self, context):\n"
            "    return Reading(Endless(), ResultType.JSON, '')\nMade.measure = measure"
        ),
        "the result holds more than 100,000 values",
    ),
    "a-huge-result": (answering("'x' * 2**21"), f"a text in the result is {LONG}"),
    "huge-results": (
        answering("['x' * 2**19] * 3"),
        "the texts in the result have more than 1,048,576 chars",
    ),
    "a-huge-number": (answering("10**400"), "the result holds an integer beyond 64-bit floats"),
    "a-huge-text": (answering("1.0", text="'x' * 2**21"), f"Reading.text is {LONG}"),
    "a-text-that-is-none": (answering("1.0", text="1.0"), "Reading.text must be str, not float"),
    "metadata-of-numbers": (
        answering("1.0", metadata="{'a': 1}"),
        "Reading.metadata['a'] must be str, not int",
    ),
    "metadata-that-is-none": (
        answering("1.0", metadata="[]"),
        "Reading.metadata must be Mapping, not list",
    ),
    "value-metadata-of-numbers": (
        answering("1.0", value_metadata="{'a': 1}"),
        "Reading.value_metadata['a'] must be str, not int",
    ),
    "much-metadata": (
        answering("1.0", metadata="{str(n): 'x' * 1000 for n in range(100)}"),
        "Reading.metadata is longer than 65,536 characters",
    ),
    "an-unknown-type": (
        measuring("return Reading(1.0, 'float', '1')"),
        "Reading.result_type must be ResultType, not str",
    ),
    "a-text-for-a-number": (answering("'1'", "FLOAT"), "the result is none of type ResultType.FLO"),
    "texts-for-numbers": (answering("['1']", "FLOATS"), "the result is none of type ResultType.FL"),
    "a-time-that-is-none": (
        answering("[Typed('time.Time', 'noon')]", "TYPED"),
        "the result is none of type ResultType.TYPED",
    ),
    "a-text-for-typed": (answering("'1'", "TYPED"), "the result is none of type ResultType.TYPED"),
    "a-type-without-its-kind": (
        answering("[Typed('int64', '1')]"),
        "the result is none of type ResultType.JSON",
    ),
    "records": (answering("[]", "METRIC_DATA"), "the result is none of type ResultType.METRIC_"),
    "a-phase-that-is-no-outcome": (
        answering("1.0", judgement="Judgement(Phase.RUNNING)"),
        "Reading.judgement.phase is Running, which is no outcome",
    ),
    "a-judgement-that-is-none": (
        answering("1.0", judgement="'Successful'"),
        "Reading.judgement must be Judgement, not str",
    ),
    "a-lag-without-end": (
        answering("1.0", lag_s="float('inf')"),
        "Reading.lag_s must be a finite number",
    ),
    "a-lag-into-the-future": (
        answering("1.0", lag_s="-1e9"),
        "Reading.lag_s must be from 0 to 86,400 seconds",
    ),
    "a-lag-of-ages": (
        answering("1.0", lag_s="1e300"),
        "Reading.lag_s must be from 0 to 86,400 seconds",
    ),
    "an-integer-beyond-64-bits": (
        answering("[Typed('int64', '9' * 400)]", "TYPED"),
        "the result is none of type ResultType.TYPED",
    ),
    "an-integer-just-beyond": (
        answering("[Typed('int64', str(2**63))]", "TYPED"),
        "the result is none of type ResultType.TYPED",
    ),
    "an-unsigned-integer-just-beyond": (
        answering("[Typed('uint64', str(2**64))]", "TYPED"),
        "the result is none of type ResultType.TYPED",
    ),
    "an-unsigned-integer-with-a-sign": (
        answering("[Typed('uint64', '-5')]", "TYPED"),
        "the result is none of type ResultType.TYPED",
    ),
    "an-integer-as-python-writes-it": (
        answering("[Typed('int64', ' 5_0 ')]", "TYPED"),
        "the result is none of type ResultType.TYPED",
    ),
    "bytes-that-are-no-base64": (
        answering("[Typed('[]uint8', 'a!b@c#d=')]", "TYPED"),
        "the result is none of type ResultType.TYPED",
    ),
}
"""Each with its module, and how its message begins."""
GOOD = {
    "an-int": (answering("1"), 1.0),
    "plain-json": (answering("{'a': [1, True, None, 'x']}"), {"a": [1.0, True, None, "x"]}),
    "half-a-character": (answering("'\\ud800'"), "?"),
    "a-factory": (PREAMBLE + "def TYPE(): return ProviderType(check, parse)", 1.0),
    "no-data-typed": (answering("None", "FLOATS"), None),
    "typed": (answering("[Typed('int64', '7'), 1.5, None]", "TYPED"), [7, 1.5, None]),
    "typed-at-its-limits": (
        answering(
            "[Typed('int64', str(-2**63)), Typed('int64', str(2**63 - 1)),"
            " Typed('uint64', str(2**64 - 1)), Typed('[]uint8', 'aGk=')]",
            "TYPED",
        ),
        [-(2**63), 2**63 - 1, 2**64 - 1, "aGk="],
    ),
    "the-longest-lag": (answering("1.0", lag_s="86_400"), 1.0),
    "its-own-block": (parsing("block.clear(); return Made()"), 1.0),
    "its-own-judge": (
        answering("1.0", judgement="Judgement(Phase.SUCCESSFUL, 'as I say')"),
        1.0,
    ),
}
"""Those that an author may well write, with what is measured."""


@dataclass
class Asked:
    """What a gateway with all these plugins says."""

    metrics: dict[str, Any]
    after: Any
    """The verdict of a metric that is none of theirs, asked afterwards."""
    health: Any


def metric(name: str) -> dict[str, Any]:
    """A metric of one plugin."""
    return {"name": name, "provider": {"plugin": {f"bad/{name}": {}}}}


async def asked(state: Path, names: list[str]) -> Asked:
    """Ask about all plugins at once."""
    limits = {"measurementTimeout": "4s", "wait": "20s"}
    plugins = [f"bad/{name}" for name in names]
    async with (
        backend(Play('"green"')) as upstream,
        service(state, plugins=plugins, verdicts=limits) as gateway,
    ):
        reply = await gateway.post("/v1/verdict", template(*map(metric, names)))
        other = web_metric(upstream.url, 'result == "green"')
        after = await gateway.post("/v1/verdict", template(other))
        health = await gateway.get("/readyz")
    return Asked(reply.body["metrics"], after.body, health.body)


@pytest.fixture(scope="module", name="said")
def _said(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    folder = tmp_path_factory.mktemp("plugins")
    for name, (source, _) in {**BAD, **GOOD}.items():
        distribution(folder, f"bad/{name}", source)
    sys.path.append(str(folder))
    state = tmp_path_factory.mktemp("state")
    yield asyncio.run(asked(state, [*BAD, *GOOD, "not-installed"]))
    sys.path.remove(str(folder))


@pytest.mark.parametrize("name", BAD)
def test_a_bad_plugin_is_an_error_with_its_name(said: Asked, name: str) -> None:
    """Whatever it does, its metric says what, and no other metric is harmed."""
    found = said.metrics[name]
    assert found["phase"] == "Error"
    assert found["message"].startswith(f"plugin bad/{name}: {BAD[name][1]}")
    assert len(found["message"]) < 5_000


@pytest.mark.parametrize("name", GOOD)
def test_what_an_author_may_well_write_is_taken(said: Asked, name: str) -> None:
    """Plain Python values are as good as frozen ones."""
    found = said.metrics[name]
    assert (found["phase"], found["value"], found["provider"]) == (
        "Successful",
        GOOD[name][1],
        "plugin",
    )


def test_one_that_is_not_installed_is_an_error(said: Asked) -> None:
    """It is listed: the template is not to blame."""
    assert said.metrics["not-installed"]["message"] == (
        "plugin bad/not-installed: no distribution that is installed has it in"
        " analysis_gateway.providers"
    )


def test_the_service_goes_on(said: Asked) -> None:
    """It was ready all the time, and still answers."""
    assert said.after["phase"] == "Successful"
    assert said.health["ready"]


def test_the_health_tells_which_plugins_cannot_be_used(said: Asked) -> None:
    """One that fails only when it measures is loaded."""
    plugins = said.health["plugins"]
    assert plugins["bad/an-int"] == plugins["bad/raises"] == "loaded"
    assert plugins["bad/import-raises"] == "plugin bad/import-raises: RuntimeError: boom"
