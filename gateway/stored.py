"""A reading as it is kept: with its time, and as bytes that carry their own key."""

import math
from dataclasses import dataclass
from typing import Final

import orjson

from gateway.freeze import freeze, thaw
from gateway.gotext import special_float
from gateway.model import Reading, ResultType

SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Stored:
    """A reading and when it was taken."""

    reading: Reading
    measured_at_unix_s: float
    is_unclaimed: bool = False
    """Whether nobody waited for it any more when it came."""


class StoredUnreadable(Exception):
    """Bytes that are no stored reading, or one of another question."""


def dump(key: str, stored: Stored) -> bytes:
    """A stored reading as bytes."""
    reading = stored.reading
    return orjson.dumps(
        {
            "v": SCHEMA_VERSION,
            "key": key,
            "at": stored.measured_at_unix_s,
            "unclaimed": stored.is_unclaimed,
            "type": reading.result_type,
            "result": _texts_for_specials(reading),
            "text": reading.text,
            "metadata": dict(reading.metadata),
        }
    )


def load(key: str, data: bytes) -> Stored:
    """The stored reading of ``key``.

    Raises:
        StoredUnreadable: the bytes are damaged, of another version, or of another question: a
            client that mixed up two answers must not mix up two releases.

    """
    try:
        parts = orjson.loads(data)
        if (parts["v"], parts["key"]) != (SCHEMA_VERSION, key):
            raise StoredUnreadable("another version, or another question")
        result_type = ResultType(parts["type"])
        result = parts["result"]
        if result_type is ResultType.FLOAT:
            result = float(result)
        elif result_type is ResultType.FLOATS:
            result = [float(item) for item in result]
        reading = Reading(freeze(result), result_type, str(parts["text"]), dict(parts["metadata"]))
        return Stored(reading, float(parts["at"]), bool(parts["unclaimed"]))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StoredUnreadable(str(error)) from error


def _texts_for_specials(reading: Reading) -> object:
    match reading.result_type, reading.result:
        case ResultType.FLOATS, tuple(items):
            return [_text_if_special(item) for item in items]
        case ResultType.FLOAT, item:
            return _text_if_special(item)
        case _:
            return thaw(reading.result)


def _text_if_special(item: object) -> object:
    return special_float(item) if isinstance(item, float) and not math.isfinite(item) else item
