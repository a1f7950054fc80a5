"""Small functions that lowered programs call for the language's control structures."""

from collections.abc import Callable

from gateway.expr.budget import allocate
from gateway.expr.faults import Fault
from gateway.expr.operators import add
from gateway.expr.values import GoFunction, as_string, go_type, is_nil


def coalesce(value: object, otherwise: Callable[[], object]) -> object:
    """``value ?? otherwise``."""
    return otherwise() if is_nil(value) else value


def coalesce_constant(value: object, otherwise: object) -> object:
    """``value ?? literal``."""
    return otherwise if is_nil(value) else value


def unless_nil(value: object, rest: Callable[[object], object]) -> object:
    """``value?.rest``."""
    return None if is_nil(value) else rest(value)


def bind(value: object, body: Callable[[object], object]) -> object:
    """``let name = value; body``."""
    return body(value)


def last_of(*values: object) -> object:
    """``a; b``."""
    return values[-1]


def make_list(*items: object) -> tuple[object, ...]:
    """``[a, b]``."""
    allocate(len(items))
    return items


def make_map(*keys_and_values: object) -> dict[str, object]:
    """``{a: b}``: of two equal keys, the first counts."""
    allocate(len(keys_and_values) // 2)
    found: dict[str, object] = {}
    for index in range(len(keys_and_values) - 2, -1, -2):
        found[as_string(keys_and_values[index])] = keys_and_values[index + 1]
    return found


def sum_from_right(*items: object) -> object:
    """``sum([a, b, c])``, which the reference adds up as ``a + (b + c)``."""
    total = items[-1]
    for item in reversed(items[:-1]):
        total = add(item, total)
    return total


def call(*arguments_and_callee: object) -> object:
    """A call of a value. Raises Fault if it is no function or does not take the arguments."""
    *arguments, callee = arguments_and_callee
    if callee is None:
        raise Fault("invalid operation: cannot call nil")
    if not isinstance(callee, GoFunction):
        raise Fault(f"invalid operation: cannot call non-function of type {go_type(callee)}")
    if len(arguments) != len(callee.parameters):
        raise Fault(
            f"invalid number of arguments: expected {len(callee.parameters)}, got {len(arguments)}"
        )
    for wanted, argument in zip(callee.parameters, arguments, strict=True):
        given = go_type(argument)
        if wanted not in {given, "interface {}"}:
            if argument is None:
                raise Fault(f"interface conversion: interface {{}} is nil, not {wanted}")
            raise Fault(f"reflect: Call using {given} as type {wanted}")
    return callee.call(*arguments)


def folded(*steps: Callable[[object, object], object]) -> Callable[..., object]:
    """``a + b - c``, for a chain too long to nest; all operands are worked out first."""

    def run(first: object, *rest: object) -> object:
        for step, operand in zip(steps, rest, strict=True):
            first = step(first, operand)
        return first

    return run


def negated(test: Callable[[object, object], bool]) -> Callable[[object, object], bool]:
    """The opposite of a comparison."""
    return lambda left, right: not test(left, right)


def wrong_arity(name: str) -> Callable[..., object]:
    """A function that is never called with what it needs."""

    def refuse(*arguments: object) -> object:
        raise Fault(f"invalid number of arguments for {name} (got {len(arguments)})")

    return refuse
