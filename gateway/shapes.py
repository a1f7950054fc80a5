"""What is wrong with the shape of a document, in words for the person who wrote it."""

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from difflib import get_close_matches
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gateway.bounds import at
from gateway.errors import Problem
from gateway.gotext import json_text

MAX_PROBLEMS: Final = 100
"""As many are told of one document; nobody mends more at once."""
_WORDS_BY_ERROR: Final[Mapping[str, str]] = {
    "string_type": "must be a text",
    "int_type": "must be an integer",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "missing": "is required",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
}
_KINDS: Final[Mapping[type, str]] = {bool: "boolean", int: "number", float: "number"}


def shape_problems(model: type[BaseModel], error: ValidationError) -> tuple[Problem, ...]:
    """What pydantic found while it validated a document as ``model``; a hundred are enough."""
    details = error.errors(include_url=False)
    problems = tuple(_problem(model, detail) for detail in details[:MAX_PROBLEMS])
    if len(details) > MAX_PROBLEMS:
        more = Problem("", f"there are {len(details) - MAX_PROBLEMS} more problems of this sort")
        return (*problems, more)
    return problems


def mended(content: object, error: ValidationError, stand_ins: Mapping[str, object]) -> object:
    """A copy of a document without the fields that pydantic refused; the document stays.

    Args:
        content: what was validated.
        error: what came of it.
        stand_ins: by field name, what takes the place of a required field.

    """
    places = [detail["loc"] for detail in error.errors(include_url=False)]
    if not all(places):
        return None
    rest: Any = deepcopy(content)
    for *parents, field in places:
        holder: Any = rest
        for step in parents:
            holder = holder[step]
        if isinstance(holder, dict):
            holder.pop(field, None)
            holder.update((name, stand_ins[name]) for name in stand_ins if name == field)
    return rest


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean successCondition?``, or nothing if no known word is close."""
    close = get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _problem(model: type[BaseModel], detail: ErrorDetails) -> Problem:
    *parents, last = detail["loc"] or ("",)
    path = ""
    for step in detail["loc"]:
        path = at(path, step)
    if detail["type"] == "extra_forbidden":
        known = _fields_at(model, parents)
        return Problem(path, f"unknown field{did_you_mean(str(last), known)}")
    words = _WORDS_BY_ERROR.get(detail["type"], detail["msg"])
    if detail["type"] == "too_long":
        words = f"must have at most {detail['ctx']['max_length']} items"
    if detail["type"] == "literal_error":
        words = f"must be {detail['ctx']['expected']}"
    if detail["type"] != "missing":
        words += _instead_of(detail["input"], detail["type"])
    return Problem(path, words if path else f"the document {words}")


def _instead_of(value: object, error: str) -> str:
    if value is None:
        return ", not null; leave it out"
    if error == "string_type" and isinstance(value, bool | int | float):
        # What was written is gone: 1.50 has become 1.5, and on has become true.
        return f", not the {_KINDS[type(value)]} {json_text(value)}; put it into quotes"
    return ""


def _fields_at(model: type[BaseModel], steps: Iterable[int | str]) -> list[str]:
    for step in steps:
        if isinstance(step, str):
            fields = {field.alias or name: field for name, field in model.model_fields.items()}
            (model,) = _models_in(fields[step].annotation)
    return [field.alias or name for name, field in model.model_fields.items()]


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)
