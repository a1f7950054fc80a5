"""The answer of Prometheus' query API to a reading.

Sources: prometheus/client_golang v1.24.0 api/prometheus/v1/api.go:1484-1548, prometheus/common
v0.70.0 model/value.go, and argo-rollouts metricproviders/prometheus/prometheus.go:93-195
@ 9f8d111d8. Unlike there, what has no number is an Error: a native histogram, a sample without a
value.
"""

import math
from collections.abc import Iterator
from typing import cast

from gateway.errors import ProviderRejected, ProviderUnreadable
from gateway.gotext import plain_float, quote
from gateway.model import Reading, ResultType
from gateway.provider import HttpResponse
from providers._json import NotJson, decode
from providers._requests import shortened

_NO_CONTENT = 204
_DOCUMENTED_FAILURES = {400, 422}
_WORDS_BY_CLASS = {4: "client_error: client error:", 5: "server_error: server error:"}
_HISTOGRAM = (
    "the query answers native histograms, which are no numbers: ask for one, for instance with"
    " histogram_quantile(), histogram_avg() or histogram_count()"
)
_PAIR = 2
_NUMBER_LETTERS = set("0123456789+-.eEinfatyINFATY")


def read_answer(response: HttpResponse) -> Reading:
    """The reading in an answer.

    Raises:
        ProviderRejected: the server answered with an error.
        ProviderUnreadable: the answer is not what the API documents.

    """
    document = _document(response)
    warnings = document.get("warnings") or []
    if not isinstance(warnings, list) or not all(isinstance(text, str) for text in warnings):
        raise ProviderUnreadable("the warnings are no list of texts")
    data = document.get("data")
    if not isinstance(data, dict):
        raise ProviderUnreadable("the answer holds no data")
    metadata = {"warnings": ", ".join(f'"{text}"' for text in warnings)} if warnings else {}
    result, kind = data.get("result"), data.get("resultType")
    if kind == "scalar":
        number = _sample(result)
        return Reading(
            number, ResultType.FLOAT, plain_float(number), metadata, is_partial=bool(warnings)
        )
    numbers = tuple(_numbers(kind, result))
    return Reading(
        numbers,
        ResultType.FLOATS,
        f"[{','.join(map(plain_float, numbers))}]",
        metadata,
        is_empty=not numbers,
        is_partial=bool(warnings),
    )


def _document(response: HttpResponse) -> dict[str, object]:
    status = response.status
    if status // 100 != 2 and status not in _DOCUMENTED_FAILURES:  # noqa: PLR2004 - HTTP's own digit
        words = _WORDS_BY_CLASS.get(status // 100, "bad_response: bad response code")
        raise ProviderRejected(f"{words} {status}")
    if status == _NO_CONTENT:
        return {}
    try:
        document = decode(response.body)
    except NotJson as error:
        raise ProviderUnreadable(f"bad_response: the answer is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ProviderUnreadable("bad_response: the answer is no JSON object")
    if document.get("status") == "error":
        error_type, text = document.get("errorType"), document.get("error")
        raise ProviderRejected(f"{error_type or ''}: {text or ''}")
    if status in _DOCUMENTED_FAILURES and document.get("status") == "success":
        raise ProviderUnreadable("bad_response: inconsistent body for response code")
    return document


def _numbers(kind: object, result: object) -> Iterator[float]:
    if kind not in ("vector", "matrix"):
        shown = quote(kind) if isinstance(kind, str) else '""'
        raise ProviderUnreadable(f"unexpected value type {shown}")
    if not isinstance(result, list):
        raise ProviderUnreadable(f"the {kind} is no list")
    for series in result:
        if not isinstance(series, dict):
            raise ProviderUnreadable(f"the {kind} holds something other than series")
        if series.get("histogram") or series.get("histograms"):
            raise ProviderUnreadable(_HISTOGRAM)
        if kind == "vector":
            yield _sample(series.get("value"))
        else:
            samples = series.get("values")
            if not isinstance(samples, list):
                raise ProviderUnreadable("a series of the matrix has no values")
            yield from map(_sample, samples)


def _sample(pair: object) -> float:
    if not isinstance(pair, list) or len(pair) != _PAIR or not isinstance(pair[0], float):
        raise ProviderUnreadable("a sample is no pair of a time and a value")
    text = cast("object", pair[1])
    if not isinstance(text, str):
        raise ProviderUnreadable("sample value must be a quoted string")
    try:
        # Python would also take blanks, underscores and digits of other scripts.
        number = float(text) if _NUMBER_LETTERS.issuperset(text) else None
    except ValueError:
        number = None
    if number is None or (math.isinf(number) and "n" not in text.lower()):
        raise ProviderUnreadable(f"the sample value {quote(shortened(text, 40))} is no number")
    return number
