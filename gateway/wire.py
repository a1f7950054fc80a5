"""How Argo's manifests become frozen values: names, numbers and lists as Kubernetes takes them."""

from typing import Annotated, Final, Never, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from gateway.int_or_string import INT32, IntOrString
from gateway.names import is_label_key, is_label_value, is_namespace, is_object_name

API_VERSION: Final = "argoproj.io/v1alpha1"
MAX_ITEMS: Final = 200
"""Metrics, arguments, rules or references in one template."""
MAX_LABELS: Final = 64
"""On one run. Unlike Kubernetes: lists look at the labels of a thousand runs in one turn."""

Item = TypeVar("Item")


def refuse(message: str) -> Never:
    """Tell pydantic what is wrong with a value, in our own words."""
    raise PydanticCustomError("refused", "{message}", {"message": message})


def _int_or_string(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | str):
        refuse("must be an integer or a text")
    if isinstance(value, int) and value not in INT32:
        refuse("must fit into 32 bits")
    return value


def check_int32(value: int) -> int:
    """The number itself, if it fits into 32 bits."""
    if value not in INT32:
        refuse("must fit into 32 bits")
    return value


def check_object_name(value: str) -> str:
    """The name itself, if Kubernetes would take it."""
    if not is_object_name(value):
        refuse(f"{value[:260]!r} must be a DNS name: lower case letters, digits, '-' and '.'")
    return value


def check_namespace(value: str) -> str:
    """The namespace itself, if Kubernetes would take it."""
    if not is_namespace(value):
        refuse(f"{value[:260]!r} must be a DNS label: lower case letters, digits and '-'")
    return value


def check_labels(labels: dict[str, str]) -> dict[str, str]:
    """The labels themselves, if Kubernetes would take them and they are not too many."""
    if len(labels) > MAX_LABELS:
        refuse(f"has {len(labels)} labels; at most {MAX_LABELS} are kept")
    for key, value in labels.items():
        if not is_label_key(key):
            refuse(
                f"key {quoted(key)} must be up to 63 letters, digits, '-', '_' and '.', with a"
                " letter or a digit at both ends; a DNS name and '/' may stand before it"
            )
        if not is_label_value(value):
            refuse(
                f"{key}: {quoted(value)} must be up to 63 letters, digits, '-', '_' and '.', with"
                " a letter or a digit at both ends"
            )
    return labels


Items = Annotated[tuple[Item, ...], Field(strict=False, max_length=MAX_ITEMS)]
Limit = Annotated[IntOrString | None, BeforeValidator(_int_or_string)]


class WireModel(BaseModel):
    """Frozen, camelCase on the outside, unknown fields refused, types taken as they come."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, alias_generator=to_camel)


def check_api_version(value: object) -> object:
    """The version itself, if it is Argo's."""
    if value != API_VERSION:
        refuse(f"must be {API_VERSION}, not {quoted(value)}")
    return value


def quoted(value: object) -> str:
    """What was written, as far as an error may repeat it."""
    return repr(value[:80]) if isinstance(value, str) else "something else"
