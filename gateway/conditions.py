"""Conditions: from a reading and two texts to a phase.

Source: argo-rollouts utils/evaluate/evaluate.go @ 9f8d111d8.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from gateway.errors import ConditionError
from gateway.evidence import ConditionEvidence, Evidence
from gateway.expr import (
    Floats,
    Root,
    compile_expression,
    dissected,
    go_type,
    metric_data,
    typed_list,
)
from gateway.freeze import freeze
from gateway.model import Judgement, Phase, Reading, ResultType
from gateway.secrets import NOT_TOLD, Redaction

_NO_SECRETS: Final = Redaction(())
_NO_DATA = "metric result is nil or empty: no data returned from the metric provider"


def judge(
    reading: Reading,
    *,
    success_condition: str,
    failure_condition: str,
    redaction: Redaction = _NO_SECRETS,
) -> Judgement:
    """The phase of a measurement.

    Both conditions are always evaluated; failure wins over success, and neither is Inconclusive.
    An empty text is no condition. Source: utils/evaluate/evaluate.go:18-58 @ 9f8d111d8. Unlike
    there, what is wrong with a condition in which one of the secrets stands is not told.
    """
    values: dict[str, bool | None] = {}
    for which, text in (
        ("successCondition", success_condition),
        ("failureCondition", failure_condition),
    ):
        try:
            values[which] = evaluate(text, reading.result, reading.result_type) if text else None
        except ConditionError as error:
            return _error(which, text, error, reading, redaction)
    return Judgement(_phase(values["successCondition"], values["failureCondition"]))


def _phase(success: bool | None, failure: bool | None) -> Phase:  # noqa: FBT001 - two results
    if failure or (failure is None and success is False):
        return Phase.FAILED
    if success or success is None:
        return Phase.SUCCESSFUL
    return Phase.INCONCLUSIVE


def _error(
    which: str, text: str, error: ConditionError, reading: Reading, redaction: Redaction
) -> Judgement:
    shown = redaction.text(text)
    prefix = f'could not evaluate {which} "{shown}"'
    if reading.result is None or reading.result == ():
        return Judgement(Phase.ERROR, f"{prefix}: {_NO_DATA}")
    if shown != text:
        return Judgement(Phase.ERROR, f"{prefix}: {NOT_TOLD}")
    return Judgement(Phase.ERROR, f"{prefix}: {error}", error.pointed())


def evaluate(text: str, result: object, result_type: ResultType) -> bool:
    """Whether a condition holds for a frozen result.

    Raises:
        ConditionError: the condition is wrong or fails, or gives something else than a bool.

    """
    root, value = _as_go_has_it(result, result_type)
    found = compile_expression(text, root).run(value)
    if found is True or found is False:
        return found
    raise ConditionError(f"expected bool, but got {go_type(found)}", expression=text)


def evidence_of(
    reading: Reading, phase: Phase, *, success_condition: str, failure_condition: str
) -> Evidence | None:
    """What led from a reading to the phase that ``judge`` gave it; runs the conditions once more.

    None where no condition was asked, and where the conditions do not lead to that phase: then the
    reading is not what was judged, but what may be shown of it.
    """
    if reading.judgement is not None:
        return None
    evidence = Evidence(
        samples=_samples(reading.result),
        success=_dissected(success_condition, reading),
        failure=_dissected(failure_condition, reading),
    )
    return evidence if _phase_of(evidence) is phase else None


def _samples(result: object) -> int:
    if isinstance(result, tuple):
        return len(result)
    return 0 if result is None else 1


def _dissected(text: str, reading: Reading) -> ConditionEvidence | None:
    return dissected(text, *_as_go_has_it(reading.result, reading.result_type)) if text else None


def _phase_of(evidence: Evidence) -> Phase:
    asked = [each for each in (evidence.success, evidence.failure) if each is not None]
    if any(each.value is None for each in asked):
        return Phase.ERROR
    success, failure = evidence.success, evidence.failure
    return _phase(
        None if success is None else success.value, None if failure is None else failure.value
    )


def _as_go_has_it(result: object, result_type: ResultType) -> tuple[Root, object]:
    if result_type in _LISTS and isinstance(result, tuple):
        root, convert = _LISTS[result_type]
        return root, convert(result)
    return _root(result), result


_LISTS: Mapping[ResultType, tuple[Root, Callable[[Iterable[Any]], object]]] = {
    ResultType.FLOATS: (Root.FLOATS, Floats),
    ResultType.TYPED: (Root.LIST, typed_list),
    ResultType.METRIC_DATA: (Root.METRIC_DATA, metric_data),
}
"""Lists whose elements have a type that Python's values do not show."""


def _root(result: object) -> Root:
    match result:
        case None:
            return Root.NIL
        case bool():
            return Root.BOOL
        case float():
            return Root.FLOAT
        case str():
            return Root.STRING
        case tuple():
            return Root.LIST
        case Mapping():
            return Root.MAP
    raise TypeError(f"{type(result).__name__} is no value of a reading")


def check_syntax(text: str) -> None:
    """Find what is wrong with a condition whatever the result is.

    Raises:
        ConditionError: it is no expression, names what does not exist, or calls wrongly.

    """
    compile_expression(text, Root.UNKNOWN)


_SPECIAL = ("NaN", "+Inf", "-Inf")


def decoded(result: object, kind: str) -> tuple[object, ResultType]:
    """A result as plain JSON spells it, frozen, and its type.

    ``kind`` is ``float``, ``floats`` or ``json``; the first two may spell numbers as texts:
    ``NaN``, ``+Inf``, ``-Inf``. Every number becomes a float, as Go decodes JSON.

    Raises:
        ValueError: the kind is unknown, or the result is not of it.

    """
    if kind == "json":
        return freeze(_floats_inside(result)), ResultType.JSON
    if kind == "float":
        return _number(result), ResultType.FLOAT
    if kind == "floats" and isinstance(result, list | tuple):
        return tuple(_number(item) for item in result), ResultType.FLOATS
    raise ValueError(f"result type {kind!r} does not fit: use float, floats or json")


def _number(value: object) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number or value in _SPECIAL:
        return float(value)  # type: ignore[arg-type] # a number or one of the words
    raise ValueError(f"{value!r} is no number")


def _floats_inside(value: object) -> object:
    match value:
        case bool():
            return value
        case int():
            return float(value)
        case list() | tuple():
            return [_floats_inside(item) for item in value]
        case dict():
            return {key: _floats_inside(item) for key, item in value.items()}
        case _:
            return value
