"""Expressions, compiled once per type of ``result`` and run many times."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from gateway.errors import ConditionError
from gateway.expr import budget, machine
from gateway.expr.checker import check
from gateway.expr.environment import OF_TIME, Root, environment_of, of_condition
from gateway.expr.faults import Fault
from gateway.expr.gotime import NANOSECONDS, Time
from gateway.expr.gotypes import Nature
from gateway.expr.lowering import Lowered, lower
from gateway.expr.parser import parse
from gateway.expr.rewrites import optimized
from gateway.expr.strings import utf8
from gateway.expr.values import go_type

MAX_LENGTH = 65_536
"""Characters of an expression."""
_SHORT = 1_024
_KEPT_SHORT_PROGRAMS = 1_024
_KEPT_LONG_PROGRAMS = 8
"""Long programs take megabytes, and nobody writes many."""
_KEPT_TIME_PROGRAMS = 64
_KEPT_PARTS = 1_024
_LONGEST_MESSAGE = 4_096
_TOO_DEEP = "expression nests too deeply for the value that it works on"


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled expression."""

    text: str
    lowered: Lowered
    names: frozenset[str]
    """What it may name."""

    def run(self, result: object) -> object:
        """The value over a result, which is left as it is.

        Raises:
            ConditionError: an operation fails, or costs too much.

        """
        budget.start(result, None)
        return self._run(result)

    def run_on(self, result: object) -> object:
        """The same within what the evaluation before it, in this thread, has left of its budget.

        Raises:
            ConditionError: an operation fails, or too little is left for it.

        """
        return self._run(result)

    def run_at(self, now_unix_s: float) -> object:
        """The value of an expression without result. Raises ConditionError as ``run`` does."""
        whole_s = math.floor(now_unix_s)
        rest_ns = round((now_unix_s - whole_s) * NANOSECONDS)
        budget.start(None, whole_s * NANOSECONDS + rest_ns)
        return self._run(None)

    def _run(self, result: object) -> object:
        symbols = dict(self.lowered.symbols)
        symbols["result"] = result
        try:
            if self.lowered.uses_environment:
                symbols["$env"] = environment_of(result, self.names)
            return machine.run(self.lowered.tree, symbols)
        except Fault as fault:
            raise _error(fault, self.text) from None
        except RecursionError:
            raise ConditionError(_TOO_DEEP, expression=self.text) from None


def compile_expression(text: str, root: Root) -> Program:
    """The program of a condition over results of one type; programs are kept.

    Raises:
        ConditionError: the text is no expression, or cannot fit the type.

    """
    return (_short_program if len(text) <= _SHORT else _long_program)(text, root)


def _condition(text: str, root: Root) -> Program:
    return _compiled(text, of_condition(root))


_short_program = lru_cache(maxsize=_KEPT_SHORT_PROGRAMS)(_condition)
_long_program = lru_cache(maxsize=_KEPT_LONG_PROGRAMS)(_condition)
_kept_part = lru_cache(maxsize=_KEPT_PARTS)(_condition)


def compile_part(text: str, root: Root) -> Program:
    """As ``compile_expression``, for pieces of conditions: they displace no whole ones."""
    return (_kept_part if len(text) <= _SHORT else _condition)(text, root)


@lru_cache(maxsize=_KEPT_TIME_PROGRAMS)
def _compile_time(text: str) -> Program:
    return _compiled(text, OF_TIME)


def _compiled(text: str, declared: Mapping[str, Nature]) -> Program:
    if len(text) > MAX_LENGTH:
        message = f"expression has {len(text)} characters, more than {MAX_LENGTH}: shorten it"
        raise ConditionError(message, expression=text[:100])
    try:
        tree = parse(text, frozenset(declared))
        check(tree, declared)
        return Program(text, lower(optimized(tree)), frozenset(declared))
    except Fault as fault:
        raise _error(fault, text) from None
    except RecursionError:
        raise ConditionError("expression nests too deeply: split it up", expression=text) from None


def _error(fault: Fault, text: str) -> ConditionError:
    """The fault as the rest of the gateway knows it: of bounded length, and all of it UTF-8."""
    message = utf8(str(fault)[:_LONGEST_MESSAGE]).decode("utf-8", "replace")
    return ConditionError(message, expression=text, offset=fault.at)


def evaluate_time(text: str, *, now_unix_s: float) -> float:
    """The instant, in Unix seconds, that an expression such as ``now() - duration("1h")`` gives.

    Source: argo-rollouts utils/evaluate/evaluate.go:82-113 @ 9f8d111d8.

    Raises:
        ConditionError: the text is no expression, fails, or gives something else than a time.

    """
    value = _compile_time(text).run_at(now_unix_s)
    if not isinstance(value, Time):
        raise ConditionError(f"expected time.Time, but got {go_type(value)}", expression=text)
    return value.unix_ns / NANOSECONDS
