"""Functions with known arguments become functions of one argument, and chains of those become one.

So ``result[0] >= 0.95`` is run as a single call, and ``# < 5`` is a plain function that a loop
calls without going through the interpreter.
"""

import operator
from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Any

from gateway.expr.access import fetch
from gateway.expr.faults import Fault
from gateway.expr.operators import (
    equal,
    less,
    less_or_equal,
    more,
    more_or_equal,
    unequal,
)
from gateway.expr.values import Floats

Function = Callable[..., object]
Unary = Callable[[object], object]
Stage = tuple[Unary, int]
"""A function, and where in the text its faults are."""


def bound(function: Function, arguments: Sequence[object], place: int) -> Unary:
    """The function with all arguments given except the one at ``place``."""
    before, after = tuple(arguments[:place]), tuple(arguments[place + 1 :])
    if not before and not after:
        return function
    if not before and len(after) == 1:
        (second,) = after
        if function in _WITH_SECOND:
            return _WITH_SECOND[function](second)
        return lambda value: function(value, second)
    return lambda value: function(*before, value, *after)


def chained(stages: Sequence[Stage]) -> Unary:
    """One function after the other; a fault is placed where the function that raised it stands."""
    if len(stages) == 1:
        return _single(*stages[0])
    if len(stages) == 2:  # noqa: PLR2004 - the shape of most conditions: fetch, then compare
        return _double(*stages)

    def run(value: object) -> object:
        at = 0
        try:
            for function, at in stages:  # noqa: B007 - of the stage that failed
                value = function(value)
        except Fault as fault:
            fault.located(at)
            raise
        return value

    return run


def _single(function: Unary, at: int) -> Unary:
    def run(value: object) -> object:
        try:
            return function(value)
        except Fault as fault:
            fault.located(at)
            raise

    return run


def _double(first: Stage, second: Stage) -> Unary:
    begin, first_at = first
    finish, second_at = second

    def run(value: object) -> object:
        try:
            between = begin(value)
        except Fault as fault:
            fault.located(first_at)
            raise
        try:
            return finish(between)
        except Fault as fault:
            fault.located(second_at)
            raise

    return run


def both(tests: Sequence[Unary]) -> Unary:
    """``and``: what the first test says that is not true, else what the last one says."""
    *others, last = tests

    def run(value: object) -> object:
        for test in others:
            if not test(value):
                return False
        return last(value)

    return run


def either(tests: Sequence[Unary]) -> Unary:
    """``or``: true as soon as one test is, else what the last one says."""
    *others, last = tests

    def run(value: object) -> object:
        for test in others:
            if test(value):
                return True
        return last(value)

    return run


def _fetched(key: object) -> Unary:
    if type(key) is str:

        def member(base: object) -> object:
            if type(base) is MappingProxyType:
                return base.get(key)
            return fetch(base, key)

        return member
    if type(key) is int and key >= 0:

        def element(base: object) -> object:
            if (type(base) is tuple or type(base) is Floats) and key < len(base):
                return base[key]
            return fetch(base, key)

        return element
    return lambda base: fetch(base, key)


Compare = Callable[[Any, Any], bool]


def _compared(general: Compare, compare: Compare) -> Callable[[object], Unary]:
    def with_limit(limit: object) -> Unary:
        if type(limit) is not float and type(limit) is not int:
            return lambda value: general(value, limit)
        number = float(limit)
        like_limit = type(limit)

        def run(value: object) -> object:
            if type(value) is float:
                return compare(value, number)
            if type(value) is like_limit:
                return compare(value, limit)
            return general(value, limit)

        return run

    return with_limit


_WITH_SECOND: dict[Function, Callable[[object], Unary]] = {
    fetch: _fetched,
    less: _compared(less, operator.lt),
    more: _compared(more, operator.gt),
    less_or_equal: _compared(less_or_equal, operator.le),
    more_or_equal: _compared(more_or_equal, operator.ge),
    equal: _compared(equal, operator.eq),
    unequal: _compared(unequal, operator.ne),
}
