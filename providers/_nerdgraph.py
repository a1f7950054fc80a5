"""What NerdGraph answers to an NRQL query: rows, or why there are none.

Sources: newrelic-client-go v2.93.1 internal/http/client.go:269-492, retry.go:29-83 and graphql.go,
and argo-rollouts metricproviders/newrelic/newrelic.go:137-163 @ 9f8d111d8. Unlike there, where an
error without a text is none, all that stands under ``errors`` is one.
"""

from collections.abc import Mapping

from gateway.errors import (
    ProviderError,
    ProviderRejected,
    ProviderUnreachable,
    ProviderUnreadable,
)
from gateway.freeze import freeze
from gateway.gotext import json_text
from gateway.model import Reading, ResultType
from gateway.provider import HttpResponse
from providers._json import NotJson, decode, member, mismatch
from providers._requests import shortened

_SUCCESSES = range(200, 300)
_UNAUTHORIZED, _PAYMENT_REQUIRED, _NOT_FOUND, _TOO_MANY = 401, 402, 404, 429
_BROKEN, _BROKEN_FROM = 500, 502
_TOO_MANY_REQUESTS = "TOO_MANY_REQUESTS"
_PASSING_CLASSES = {"TIMEOUT", "INTERNAL_SERVER_ERROR", "SERVER_ERROR"}
_DEPRECATION = "This field is deprecated!"
_REFUSED_KEY = (
    "401 response returned: Invalid credentials provided."
    " Missing API key or an invalid API key was provided."
)
_PATH = ("data", "Actor", "Account", "NRQL", "Results")
"""Where the rows are; names count in any case of letters."""
_UNTOLD = "NerdGraph answers with an error, and does not say which"
NO_RESULTS = "no results returned from NRQL query"


class Passing(ProviderError):
    """Another attempt may do better; the text is the cause."""

    outcome: type[ProviderError] = ProviderRejected

    def __init__(self, cause: str, *, answer: HttpResponse | None = None) -> None:
        super().__init__(cause)
        self.answer = answer
        """Its headers may tell when."""

    def ended(self, request_line: str, attempts: int) -> ProviderError:
        """The error after the last attempt."""
        return self.outcome(f"{request_line} giving up after {attempts} attempt(s): {self}")


class Unanswered(Passing):
    """No whole answer came."""

    outcome = ProviderUnreachable


class PassingErrors(Passing):
    """NerdGraph itself told errors that pass."""

    def ended(self, request_line: str, attempts: int) -> ProviderError:  # noqa: ARG002 - the base's
        """The error after the last attempt."""
        return self.outcome(f"maximum retries reached: {self}")


def read_response(response: HttpResponse) -> Reading:
    """The only row of an answer, or the list of all its rows.

    Raises:
        Passing: what is wrong with it may pass.
        ProviderRejected: the status is none of success, or the answer tells errors.
        ProviderUnreadable: the answer is not what NerdGraph documents, or has no rows.

    """
    status = response.status
    if status in {_TOO_MANY, _BROKEN} or status >= _BROKEN_FROM:
        raise Passing(f"{status} response returned", answer=response)
    try:
        document = decode(response.body)
    except NotJson as error:
        _check(status, [])
        raise ProviderUnreadable(error.go_words) from error
    _check(status, _errors(document))
    return _reading(_rows(document))


def _check(status: int, errors: list[Mapping[str, object]]) -> None:
    """Raise what status and errors of an answer amount to, if to anything."""
    classes = [_extension(error, "errorclass") for error in errors]
    if classes[:1] == [_TOO_MANY_REQUESTS]:
        raise Passing(_TOO_MANY_REQUESTS)
    if status == _NOT_FOUND:
        raise ProviderRejected("resource not found")
    if status == _PAYMENT_REQUIRED:
        raise ProviderRejected("Payment Required")
    messages = [_text(error, "message") for error in errors]
    told = shortened(", ".join(filter(None, messages)))
    if not _PASSING_CLASSES.isdisjoint(classes):
        raise PassingErrors(told)
    if status not in _SUCCESSES:
        codes = [_extension(error, "error_code") for error in errors]
        if errors and (status == _UNAUTHORIZED or "BAD_API_KEY" in codes):
            raise ProviderRejected(_REFUSED_KEY)
        raise ProviderRejected(f"{status} response returned{': ' * bool(told)}{told}")
    if errors and not any(message.startswith(_DEPRECATION) for message in messages):
        raise ProviderRejected(told or _UNTOLD)


def _reading(rows: list[object]) -> Reading:
    if not rows or rows in ([{}], [None]):
        raise ProviderUnreadable(NO_RESULTS)
    result = rows[0] if len(rows) == 1 else rows
    return Reading(freeze(result), ResultType.JSON, json_text(result), is_empty=not any(rows))


def _errors(document: object) -> list[Mapping[str, object]]:
    errors = (member(document, "errors") if isinstance(document, dict) else None) or []
    found = errors if isinstance(errors, list) else [errors]
    # What is no record is at most a text.
    return [error if isinstance(error, dict) else {"message": error} for error in found]


def _rows(document: object) -> list[object]:
    value, place = document, "value"
    for depth, name in enumerate(_PATH, 1):
        if not isinstance(value, dict | None):
            raise mismatch(value, f"{place} of type struct")
        value, place = member(value or {}, name.lower()), f"struct field .{'.'.join(_PATH[:depth])}"
    if not isinstance(value, list | None):
        raise mismatch(value, f"{place} of type []nrdb.NRDBResult")
    for row in value or []:
        if not isinstance(row, dict | None):
            raise mismatch(row, f"{place} of type nrdb.NRDBResult")
    return value or []


def _extension(error: Mapping[str, object], name: str) -> str:
    extensions = member(error, "extensions")
    return _text(extensions, name) if isinstance(extensions, dict) else ""


def _text(content: Mapping[str, object], name: str) -> str:
    value = member(content, name)
    return value if isinstance(value, str) else ""
