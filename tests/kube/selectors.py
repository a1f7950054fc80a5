"""Which objects a list or a watch is about."""

import re
from collections.abc import Mapping
from typing import Self

from kube.kinds import Kind, Object
from kube.refusals import bad_request

_TERM = re.compile(r"(?P<absent>!?)(?P<key>[\w./-]+)\s*(?:(?P<sign>!=|==?)\s*(?P<value>[\w.-]*))?")


class Selector:
    """Equality-based label selectors, and field selectors on the name."""

    def __init__(self, labels: str, fields: str) -> None:
        self._labels = [_term(part) for part in labels.split(",") if part.strip()]
        self._fields = [_term(part) for part in fields.split(",") if part.strip()]

    @classmethod
    def of(cls, params: Mapping[str, str]) -> Self:
        """What a request's query selects."""
        return cls(params.get("labelSelector", ""), params.get("fieldSelector", ""))

    def fits(self, found: Object) -> bool:
        """Whether an object is meant."""
        metadata = found["metadata"]
        fields = {f"metadata.{key}": metadata.get(key, "") for key in ("name", "namespace")}
        labels = metadata.get("labels") or {}
        return all(_fits(term, labels) for term in self._labels) and all(
            _fits(term, fields) for term in self._fields
        )


def listed(kind: Kind, found: Object) -> Object:
    """An object as lists show it: those of built-in kinds do not say what they are."""
    hidden = set() if kind.is_custom else {"kind", "apiVersion"}
    return {key: value for key, value in found.items() if key not in hidden}


def _term(text: str) -> re.Match[str]:
    term = _TERM.fullmatch(text.strip())
    if term is None:
        raise bad_request(f"unable to parse requirement: {text!r} is no equality")
    return term


def _fits(term: re.Match[str], values: Mapping[str, str]) -> bool:
    value = values.get(term["key"])
    if term["sign"] is None:
        return (value is None) == bool(term["absent"])
    return (value == term["value"]) == (term["sign"] != "!=")
