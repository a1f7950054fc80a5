"""A reading as bytes that say which question they answer."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import orjson

from gateway.gotext import special_float
from gateway.model import Judgement, Phase, Reading, ResultType, Typed

SCHEMA_VERSION: Final = 1
_SPECIAL: Final = "\x00number"
"""An object with this one key stands for a number that JSON does not know."""
_TYPED: Final = "\x00typed"
"""And one with this key for a value whose Go type JSON cannot say."""


class Unstorable(Exception):
    """A reading that cannot be written down: text that is not Unicode, or nesting without end."""


class StoredUnreadable(Exception):
    """Bytes that are no stored reading, or one of another question."""


def dump(key: str, reading: Reading) -> bytes:
    """A reading as bytes.

    Raises:
        Unstorable: it holds what JSON cannot say.

    """
    try:
        return orjson.dumps(
            {
                "schema": SCHEMA_VERSION,
                "key": key,
                "type": reading.result_type,
                "result": _plain(reading.result),
                "text": reading.text,
                "metadata": dict(reading.metadata),
                **({"about": dict(reading.value_metadata)} if reading.value_metadata else {}),
                **_judgement(reading),
                **({"outlivesError": True} if reading.outlives_error else {}),
            }
        )
    except (TypeError, RecursionError) as error:
        raise Unstorable(str(error)) from error


def load(key: str, data: bytes) -> Reading:
    """The reading of the question ``key``.

    Raises:
        StoredUnreadable: the bytes are damaged, of another version, or of another question: a
            client that mixes up two answers must not mix up two releases.

    """
    try:
        parts = orjson.loads(data)
        if (parts["schema"], parts["key"]) != (SCHEMA_VERSION, key):
            raise StoredUnreadable("another version, or another question")
        return Reading(
            result=_frozen(parts["result"]),
            result_type=ResultType(parts["type"]),
            text=str(parts["text"]),
            metadata=_texts(parts["metadata"]),
            value_metadata=_texts(parts.get("about", {})),
            judgement=_judged(parts.get("judgement")),
            outlives_error=parts.get("outlivesError") is True,
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise StoredUnreadable(str(error)) from error


def _texts(parts: Mapping[str, object]) -> dict[str, str]:
    return {str(name): str(value) for name, value in parts.items()}


def _judgement(reading: Reading) -> dict[str, list[str]]:
    judgement = reading.judgement
    return {} if judgement is None else {"judgement": [judgement.phase, judgement.message]}


def _judged(parts: object) -> Judgement | None:
    match parts:
        case None:
            return None
        case [str(phase), str(message)]:
            return Judgement(Phase(phase), message)
        case _:
            raise StoredUnreadable("the judgement is none")


def _plain(value: object) -> object:
    match value:
        case float() if not math.isfinite(value):
            return {_SPECIAL: special_float(value)}
        case Typed(go_type, text):
            return {_TYPED: [go_type, text]}
        case tuple():
            return [_plain(item) for item in value]
        case Mapping():
            if not value.keys().isdisjoint({_SPECIAL, _TYPED}):
                raise Unstorable("an object looks like a value that JSON does not know")
            return {name: _plain(item) for name, item in value.items()}
        case _:
            return value


def _frozen(value: object) -> object:
    match value:
        case list():
            return tuple(_frozen(item) for item in value)
        case {"\x00number": str(number)}:
            return float(number)
        case {"\x00typed": [str(go_type), str(text)]}:
            return Typed(go_type, text)
        case dict():
            return MappingProxyType({name: _frozen(item) for name, item in value.items()})
        case _:
            return value
