"""What Kayenta answers: a list of configurations, the beginning of an execution, its state.

Sources: argo-rollouts metricproviders/kayenta/kayenta.go:81-105, 157-244 @ 9f8d111d8; Go
encoding/json; k8s.io/apimachinery pkg/apis/meta/v1/unstructured/helpers.go for nested fields.
"""

import re
from collections.abc import Mapping
from typing import Final

from gateway.errors import ProviderError, ProviderRejected, ProviderUnreadable
from gateway.gotext import json_text, quote
from gateway.provider import HttpResponse
from providers._json import NotJson, decode, decode_first, member, mismatch, stream_words
from providers._requests import shortened

_OK: Final = 200
_INT64: Final = range(-(2**63), 2**63)
_BEYOND_INT64: Final = -(2**63)
_TYPES: Final[Mapping[type, str]] = {
    type(None): "<nil>",
    bool: "bool",
    float: "float64",
    str: "string",
    list: "[]interface {}",
}
_OBJECT: Final = "map[string]interface {}"
_TEXTS: Final = ("id", "name", "updatedTimestampIso")
_MAX_ID_CHARS: Final = 256
_ID: Final = re.compile(rf"[!-~]{{0,{_MAX_ID_CHARS}}}")
"""Printable, without blanks, and not longer than anything that is called an id."""
_SCORE: Final = ("result", "judgeResult", "score", "score")


def read_config_id(response: HttpResponse, *, name: str) -> str:
    """The id of the first canary configuration with a name.

    Source: argo-rollouts metricproviders/kayenta/kayenta.go:81-105 @ 9f8d111d8.

    Raises:
        ProviderRejected: a status other than 200, or no such configuration.
        ProviderUnreadable: the answer is no list of configurations.

    """
    if response.status != _OK:
        raise ProviderRejected(f"Invalid Response: HTTP {response.status}")
    try:
        document = decode_first(response.body)
    except NotJson as error:
        raise ProviderUnreadable(stream_words(error, response.body)) from error
    if not isinstance(document, list | None):
        raise mismatch(document, "value of type []kayenta.canaryConfig")
    found = [_config(entry) for entry in document or []]
    for config_id, config_name in found:
        if config_name == name:
            return _as_id(config_id, "id of the canary config")
    raise ProviderRejected("Canary config not found")


def read_execution_id(response: HttpResponse) -> str:
    """The id of the execution that has begun.

    Source: argo-rollouts metricproviders/kayenta/kayenta.go:140-165 @ 9f8d111d8. Unlike Argo, which
    goes on with the text ``<nil>``, an answer without an id is an Error.

    Raises:
        ProviderRejected: a status other than 200.
        ProviderUnreadable: there is no id in the answer.

    """
    match _object(response).get("canaryExecutionId"):
        case "":
            raise ProviderUnreadable("Invalid canaryExecutionId")
        case str(execution_id):
            return _as_id(execution_id, "canaryExecutionId")
        case None:
            raise ProviderUnreadable("Invalid canaryExecutionId: the answer has none")
        case other:
            raise ProviderUnreadable(
                f"Invalid canaryExecutionId: it is of the type {_type_of(other)}, expected string"
            )


def _as_id(text: str, what: str) -> str:
    """An id as it may become a part of a URL, and be kept."""
    if not _ID.fullmatch(text):
        raise ProviderUnreadable(f"Invalid {what}: {quote(shortened(text, _MAX_ID_CHARS))}")
    return text


def read_score(response: HttpResponse) -> int | None:
    """The score of an execution without its fraction; None while it goes on.

    Source: argo-rollouts metricproviders/kayenta/kayenta.go:177-244 @ 9f8d111d8. A score beyond 64
    bits is the smallest number there is, as on x86-64.

    Raises:
        ProviderRejected: a status other than 200.
        ProviderUnreadable: it is not told whether it is complete, or what the score is.

    """
    execution = _object(response)
    is_complete = _nested(execution, ("complete",), "Missing Complete Status")
    if not isinstance(is_complete, bool):
        raise _accessor_error(("complete",), is_complete, "bool")
    if not is_complete:
        return None
    score = _nested(execution, _SCORE, "Missing Score")
    if not isinstance(score, float):
        raise _accessor_error(_SCORE, score, "float64")
    return int(score) if int(score) in _INT64 else _BEYOND_INT64


def _config(entry: object) -> tuple[str, str]:
    """Id and name of a configuration; what Go would not take is an Error."""
    if not isinstance(entry, dict | None):
        raise mismatch(entry, "value of type kayenta.canaryConfig")
    config = entry or {}
    texts = {field: member(config, field.casefold()) for field in _TEXTS}
    for field, text in texts.items():
        if not isinstance(text, str | None):
            raise _field_mismatch(text, field, "string")
    applications = member(config, "applications")
    if not isinstance(applications, list | None):
        raise _field_mismatch(applications, "applications", "[]string")
    for application in applications or []:
        if not isinstance(application, str | None):
            raise _field_mismatch(application, "applications", "string")
    updated = member(config, "updatedtimestamp")
    if updated is not None and not (isinstance(updated, float) and updated.is_integer()):
        raise _field_mismatch(updated, "updatedTimestamp", "int")
    return str(texts["id"] or ""), str(texts["name"] or "")


def _field_mismatch(value: object, field: str, kind: str) -> ProviderUnreadable:
    name = f"{field[0].upper()}{field[1:]}"
    return mismatch(value, f"struct field canaryConfig.{name} of type {kind}")


def _object(response: HttpResponse) -> Mapping[str, object]:
    if response.status != _OK:
        raise ProviderRejected("Invalid Response")
    try:
        document = decode(response.body)
    except NotJson as error:
        raise ProviderUnreadable(error.go_words) from error
    if not isinstance(document, dict | None):
        raise mismatch(document, f"value of type {_OBJECT}")
    return document or {}


def _nested(document: Mapping[str, object], path: tuple[str, ...], missing: str) -> object:
    """What stands at a path. Raises ProviderUnreadable if there is nothing, or no way to it."""
    value: object = document
    for depth, name in enumerate(path, start=1):
        if value is None:
            raise ProviderUnreadable(missing)
        if not isinstance(value, Mapping):
            raise _accessor_error(path[:depth], value, _OBJECT.replace(" ", ""))
        if name not in value:
            raise ProviderUnreadable(missing)
        value = value[name]
    return value


def _accessor_error(path: tuple[str, ...], value: object, wanted: str) -> ProviderError:
    # Go writes lists and maps without quotes and commas.
    shown = "<nil>" if value is None else value if isinstance(value, str) else json_text(value)
    return ProviderUnreadable(
        f".{'.'.join(path)} accessor error: {shortened(shown)} is of the type {_type_of(value)},"
        f" expected {wanted}"
    )


def _type_of(value: object) -> str:
    return _TYPES.get(type(value), _OBJECT)
