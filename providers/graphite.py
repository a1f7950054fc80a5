"""graphite: one query of the render API.

Sources: argo-rollouts metricproviders/graphite/api.go and graphite.go @ 9f8d111d8. Unlike Argo, the
body of an error is cut after 4,096 characters, and a query that cannot be sent is known when the
block is read.

No data: points without a value are left out, never read as 0. If none has one, the result is an
empty list: ``result[0]`` on it is an Error, ``len(result) == 0`` and ``all(result, ...)`` hold. No
series, or one without points, is an Error whatever the conditions say.
"""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import unquote

from gateway.errors import (
    ProviderInvalid,
    ProviderRejected,
    ProviderUnreadable,
)
from gateway.expr.faults import Fault
from gateway.expr.strconv import parse_float, parse_int
from gateway.gotext import special_float
from gateway.model import Reading, ResultType
from gateway.provider import (
    Block,
    Context,
    HttpRequest,
    HttpResponse,
    Provider,
    ProviderType,
    Surroundings,
)
from gateway.upstreams.gourl import Url, UrlInvalid, escape_path, parse_url
from providers import _shapes
from providers._json import NotJson, decode, member, mismatch
from providers._jsonpath.values import printed
from providers._requests import (
    decode_form,
    encode_form,
    exchange,
    shortened,
)
from providers._shapes import Shape

TIMEOUT_S = 10.0
"""Source: argo-rollouts metricproviders/graphite/graphite.go:33-35 @ 9f8d111d8."""
_FIRST_ERROR_STATUS = 400
_PAIR = 2
_BLANKS = re.compile(r"[\t\n\f\r ]+")
_FIELD = "struct field graphiteTargetResp"


class GraphiteSpec(Shape):
    """The block under ``provider.graphite``."""

    address: str = ""
    query: str = ""


@dataclass(frozen=True, slots=True)
class GraphiteProvider:
    """One query to one server."""

    spec: GraphiteSpec
    request: HttpRequest
    timeout_s: float = TIMEOUT_S

    def resolved_query(self) -> str:
        """The query after argument substitution."""
        return self.spec.query

    async def measure(self, context: Context) -> Reading:
        """Ask the query once. Raises ProviderError and nothing else."""
        return await exchange(context, self.request, read_response, timeout_s=self.timeout_s)


def parse(block: Block, surroundings: Surroundings) -> Provider:  # noqa: ARG001 - the port's shape
    """A block as a provider.

    Raises:
        ProviderInvalid: with Argo's text.

    """
    spec = _shapes.parse(GraphiteSpec, block)
    return GraphiteProvider(spec, build_request(spec))


def build_request(spec: GraphiteSpec) -> HttpRequest:
    """The query as a GET, its fields sorted and with ``format=json`` for any other format.

    Source: argo-rollouts metricproviders/graphite/api.go:33-50, 80-82 @ 9f8d111d8.

    Raises:
        ProviderInvalid: the address is no URL, or the query cannot be part of one.

    """
    address = _address(spec.address)
    try:
        query = parse_url(f"./render?{_BLANKS.sub('', spec.query)}").query
    except UrlInvalid as error:
        raise ProviderInvalid(str(error)) from error
    fields = [pair for pair in decode_form(query or "") if pair[0] != "format"]
    path = posixpath.normpath(f"/{unquote(address.path)}/render").lstrip("/")
    url = replace(
        address,
        path=escape_path(f"/{path}"),
        query=encode_form([*fields, ("format", "json")]),
        opaque="",
    )
    return HttpRequest("GET", url.text)


def read_response(response: HttpResponse) -> Reading:
    """The numbers of the first series in an answer.

    Source: argo-rollouts metricproviders/graphite/api.go:58-147 and graphite.go:64-123 @ 9f8d111d8.

    Raises:
        ProviderRejected: the status is 400 or above.
        ProviderUnreadable: the answer is not what the render API documents, or has no points.

    """
    if response.status >= _FIRST_ERROR_STATUS:
        body = response.body.decode("utf-8", "replace")
        raise ProviderRejected(f"error response: {shortened(body)}")
    try:
        document = decode(response.body)
    except NotJson as error:
        raise ProviderUnreadable(error.go_words) from error
    # One broken point fails the measurement, in whichever series it stands.
    points, *_ = [*_series(document), []]
    if not points:
        raise ProviderUnreadable("no values found")
    numbers = tuple(number for number in points if number is not None)
    text = f"[{','.join(map(_six_decimals, numbers))}]"
    return Reading(numbers, ResultType.FLOATS, text, is_empty=not numbers, outlives_error=True)


def _address(text: str) -> Url:
    try:
        address = parse_url(text)
    except UrlInvalid:
        address = None
    if address is None or not text:
        raise ProviderInvalid(f"Graphite address {text} is not a valid URL")
    return address


def _series(document: object) -> Iterator[list[float | None]]:
    if document is None:
        return
    if not isinstance(document, list):
        raise mismatch(document, "value of type graphite.graphiteResponse")
    misfits: list[ProviderUnreadable] = []
    for target in document:
        yield [_point(pair) for pair in _pairs(target, misfits)]
    # As in Go, a broken point anywhere is told first.
    for misfit in misfits:
        raise misfit


def _pairs(target: object, misfits: list[ProviderUnreadable]) -> list[object]:
    if target is None:
        return []
    if not isinstance(target, dict):
        misfits.append(mismatch(target, "value of type graphite.graphiteTargetResp"))
        return []
    name, pairs = member(target, "target"), member(target, "datapoints")
    if not isinstance(name, str | None):
        misfits.append(mismatch(name, f"{_FIELD}.target of type string"))
    if isinstance(pairs, list):
        return pairs
    if pairs is not None:
        misfits.append(mismatch(pairs, f"{_FIELD}.datapoints of type []graphite.dataPoint"))
    return []


def _point(pair: object) -> float | None:
    if not isinstance(pair, list | None):
        raise mismatch(pair, f"{_FIELD}.datapoints of type []interface {{}}")
    if pair is None or len(pair) != _PAIR:
        raise ProviderUnreadable(f"error unmarshaling data point: {printed(pair or [])}")
    value, instant = pair
    try:
        number = _number(value)
        _check_instant(instant, value)
    except Fault as fault:
        raise ProviderUnreadable(shortened(str(fault))) from fault
    return number


def _number(value: object) -> float | None:
    match value:
        case None | float():
            return value
        case str():
            return parse_float(value)
        case _:
            raise ProviderUnreadable(f"error unmarshaling value: {printed(value)}")


def _check_instant(instant: object, value: object) -> None:
    if isinstance(instant, str):
        parse_int(instant)
    elif not isinstance(instant, float | None):
        # Argo shows the value there, not the time.
        raise ProviderUnreadable(f"error unmarshaling timestamp: {printed(value)}")


def _six_decimals(number: float) -> str:
    return special_float(number) or f"{number:.6f}"


def _check(block: Block) -> list[tuple[str, str]]:
    return _shapes.check(GraphiteSpec, block)


TYPE = ProviderType(check=_check, parse=parse)
