"""Bytes of YAML or JSON to plain documents, read as the Kubernetes API server would read them.

A document holds only None, bool, int, float, str, list and dict with text keys. Its size, its depth
and what its aliases expand to are bounded, so that no input costs more than it weighs.
"""

import codecs
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Never

from gateway.bounds import MAX_BYTES, MAX_DEPTH, Bounds, at, place, whole
from gateway.errors import RequestInvalid
from gateway.yaml_reader import YamlReader

_SURROGATE = re.compile("[\ud800-\udfff]")
_INT64_DIGITS = 18


class Syntax(StrEnum):
    """How the bytes are to be read."""

    YAML = "yaml"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Document:
    """One document of an input, or one manifest of a list."""

    content: object
    lines: Mapping[str, int] = field(default_factory=dict)
    """Line of each value by its path, counted from 1; JSON has none."""
    place: str = ""
    """Path of ``content`` in its input, if it is a part of it: ``items[0]``."""

    def line_of(self, path: str) -> int | None:
        """The line of the value at ``path``, else of the closest value around it."""
        path = f"{self.place}.{path}".strip(".")
        while path and path not in self.lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.lines.get(path)


def read_documents(data: bytes, *, name: str, syntax: Syntax) -> tuple[Document, ...]:
    """All documents of an input, empty ones left out.

    Args:
        data: UTF-8, with or without a byte order mark.
        name: what errors call the input: ``body``, or a file's path.
        syntax: YAML may hold several documents, JSON holds exactly one.

    Raises:
        RequestInvalid: naming line and column, where there is such a place.

    """
    if len(data) > MAX_BYTES:
        raise RequestInvalid(f"{name}: holds {len(data)} bytes; at most {MAX_BYTES} are read")
    text = _decoded(data.removeprefix(codecs.BOM_UTF8), name)
    if syntax is Syntax.JSON:
        return (Document(_read_json(text, name)),)
    return tuple(
        Document(content, lines)
        for content, lines in YamlReader(text, name).documents()
        if content is not None
    )


def manifests(document: Document) -> tuple[Document, ...]:
    """The items of a ``List``, as ``kubectl get`` prints it; any other document as it is."""
    match document.content:
        case {"apiVersion": "v1", "kind": "List", "items": [*items]}:
            return tuple(
                Document(item, document.lines, at("items", index))
                for index, item in enumerate(items)
            )
        case _:
            return (document,)


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        raise RequestInvalid(f"{name}: {place(before, len(before))}: not valid UTF-8") from None


def _read_json(text: str, name: str) -> object:
    try:
        value: object = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_float,
            parse_int=_int,
        )
        Bounds().admit(value, 0)
        _refuse_surrogates(value)
    except json.JSONDecodeError as error:
        where = place(text, error.pos)
        raise RequestInvalid(f"{name}: {where}: not JSON: {error.msg}") from None
    except RecursionError:
        message = f"{name}: values are nested deeper than {MAX_DEPTH} levels"
        raise RequestInvalid(message) from None
    except ValueError as error:
        raise RequestInvalid(f"{name}: {error}") from None
    return value


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members: dict[str, object] = {}
    for key, value in pairs:
        if key in members:
            raise ValueError(f"key {key!r} stands twice in one object")
        members[key] = value
    return members


def _constant(text: str) -> Never:
    raise ValueError(f"{text} is no JSON number; write it as a text")


def _float(text: str) -> int | float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"number {text[:32]} is too large for 64 bits")
    return whole(number)


def _int(text: str) -> int | float:
    return int(text) if len(text) <= _INT64_DIGITS else _float(text)


def _refuse_surrogates(value: object) -> None:
    match value:
        case str():
            if _SURROGATE.search(value):
                raise ValueError(f"text {value[:32]!r} holds one half of a surrogate pair")
        case dict():
            for key, member in value.items():
                _refuse_surrogates(key)
                _refuse_surrogates(member)
        case list():
            for item in value:
                _refuse_surrogates(item)
