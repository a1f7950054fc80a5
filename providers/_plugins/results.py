"""What a plugin hands over, made into what the gateway's own providers would hand over.

Nothing is taken that could not be judged, printed or stored, and nothing that the plugin still
holds can change it afterwards. Every function here raises ProviderUnreadable and says what is
wrong.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final, TypeVar

from gateway.errors import ProviderUnreadable
from gateway.expr.records import typed_list
from gateway.model import Judgement, Phase, Reading, ResultType, Typed
from gateway.provider import Progress, SecretOwner, SecretUse
from providers._plugins.values import (
    ResultCopy,
    expected,
    lag,
    message,
    moment,
    text,
    texts,
    whole_number,
)

T = TypeVar("T")
MAX_PROBLEMS: Final = 100
"""In the shape of one block."""
_RANGES: Final = {"int64": range(-(1 << 63), 1 << 63), "uint64": range(1 << 64)}
_Check = Callable[[object, str], object]


def reading(value: object) -> Reading:
    """A reading."""
    found = _checked(Reading, value, "what measure returns", _READING)
    if not _fits(found.result_type, found.result):
        raise ProviderUnreadable(
            f"the result is none of type ResultType.{found.result_type.name}; ResultType.JSON takes"
            " any other"
        )
    return found


def progress(value: object) -> Progress:
    """How a measurement that lasts stands."""
    found = _checked(Progress, value, "what advance returns", _PROGRESS)
    if found.phase is Phase.PENDING:
        raise ProviderUnreadable("Progress.phase is Pending; what has begun is Running")
    if found.phase is Phase.RUNNING and found.resume_at_unix_s is None:
        raise ProviderUnreadable("Progress.resume_at_unix_s must say when to look at it again")
    return found


def problems(value: object) -> list[tuple[str, str]]:
    """What is wrong with a block, as paths and messages."""
    found: list[tuple[str, str]] = []
    for each in expected(list | tuple, value, "what check returns")[:MAX_PROBLEMS]:
        match each:
            case (str(path), str(said)):
                found.append((message(path), message(said)))
            case _:
                raise ProviderUnreadable("check must return pairs of a path and a message")
    return found


def secret_use(value: object) -> SecretUse | None:
    """The Secret that is wanted, if any."""
    if value is None:
        return None
    use = expected(SecretUse, value, "what credentials returns")
    owner = expected(SecretOwner, use.owner, "SecretUse.owner")
    keys = expected(tuple, use.keys, "SecretUse.keys")
    return SecretUse(
        text(use.name, "SecretUse.name"), tuple(text(key, "SecretUse.keys") for key in keys), owner
    )


def _fits(kind: ResultType, result: object) -> bool:
    # None is each of them without data.
    match kind:
        case ResultType.FLOAT:
            return isinstance(result, float | None)
        case ResultType.FLOATS:
            return result is None or _is_float_list(result)
        case ResultType.TYPED:
            return result is None or _is_typed_list(result)
        case ResultType.METRIC_DATA:
            # CloudWatch's own records.
            return False
        case ResultType.JSON:
            return not _holds_typed(result)


def _is_float_list(result: object) -> bool:
    return isinstance(result, tuple) and all(isinstance(item, float) for item in result)


def _is_typed_list(result: object) -> bool:
    if not isinstance(result, tuple):
        return False
    try:
        typed_list(result)
    except Exception:  # noqa: BLE001 - many readers of many types
        return False
    if not all(_is_canonical(item) for item in result if isinstance(item, Typed)):
        return False
    return not any(_holds_typed(item) for item in result if not isinstance(item, Typed))


def _is_canonical(value: Typed) -> bool:
    """Whether Go would print it so, and could hold it: Python's own readers take more."""
    match value.go_type:
        case "int64" | "uint64":
            number = int(value.text)
            return str(number) == value.text and number in _RANGES[value.go_type]
        case "[]uint8":
            return b64encode(b64decode(value.text)).decode() == value.text
        case _:
            return True


def _holds_typed(value: object) -> bool:
    match value:
        case Typed():
            return True
        case tuple():
            return any(map(_holds_typed, value))
        case Mapping():
            return any(map(_holds_typed, value.values()))
        case _:
            return False


def _checked(kind: type[T], value: object, what: str, checks: Mapping[str, _Check]) -> T:
    """A dataclass with each of its fields checked."""
    given = expected(kind, value, what)
    parts: dict[str, Any] = {
        field.name: checks[field.name](getattr(given, field.name), f"{kind.__name__}.{field.name}")
        for field in fields(kind)  # type: ignore[arg-type] # both are dataclasses
    }
    return kind(**parts)


def _is(kind: type) -> _Check:
    return lambda value, what: expected(kind, value, what)


def _or_none(check: _Check) -> _Check:
    return lambda value, what: None if value is None else check(value, what)


def _judgement(value: object, what: str) -> Judgement:
    found = expected(Judgement, value, what)
    phase: Phase = expected(Phase, found.phase, f"{what}.phase")
    if not phase.is_completed:
        raise ProviderUnreadable(f"{what}.phase is {phase}, which is no outcome")
    return Judgement(phase, message(found.message), message(found.hint))


_READING: Final[Mapping[str, _Check]] = {
    "result": lambda value, _: ResultCopy().of(value),
    "result_type": _is(ResultType),
    "text": text,
    "metadata": texts,
    "value_metadata": texts,
    "is_empty": _is(bool),
    "is_partial": _is(bool),
    "lag_s": lag,
    "judgement": _or_none(_judgement),
    "outlives_error": _is(bool),
}
_PROGRESS: Final[Mapping[str, _Check]] = {
    "phase": _is(Phase),
    "message": message,
    "text": message,
    "value": _or_none(whole_number),
    "metadata": texts,
    "resume_at_unix_s": _or_none(moment),
    "began_at_unix_s": _or_none(moment),
}
