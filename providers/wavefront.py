"""wavefront: one ts() query of the chart API, and the point of each series that is closest to now.

Sources: argo-rollouts metricproviders/wavefront/wavefront.go @ 9f8d111d8, and go-wavefront v1.8.1
client.go and query.go, which decide about the wire. Unlike Argo, there is a time limit, what the
answer says of its errors is told, and fields that are not used may hold anything.

No data: no series is an Error, whatever the conditions say, and so is a series without points or
with a closest point that has no value (Argo reads both as 0).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from gateway.errors import (
    ProviderInvalid,
    ProviderRejected,
    ProviderUnreadable,
)
from gateway.model import Reading, ResultType
from gateway.provider import (
    Block,
    Context,
    Credential,
    HttpRequest,
    HttpResponse,
    Provider,
    ProviderType,
    SecretUse,
    Surroundings,
)
from gateway.secrets import Secret
from gateway.upstreams.gourl import Url, UrlInvalid, parse_url
from providers import _shapes
from providers._json import NotJson, decode, fitting, member, mismatch
from providers._requests import encode_form, exchange, shortened
from providers._shapes import Shape

TIMEOUT_S = 30.0
"""Argo sets none."""
TOKENS = "wavefront-api-tokens"
"""The Secret with a token for each address."""
_OK = 200
_FIELDS = {
    "autoEvents": "false",
    "g": "s",
    "i": "true",
    "includeObsoleteMetrics": "false",
    "listmode": "false",
    "p": "1",
    "strict": "false",
}
_NO_ERROR = "N/A"
_NO_SERIES = "No TimeSeries found in response from Wavefront"
_PAIR = 2
_Point = tuple[float, float | None]
"""A time in seconds since 1970, and a value; None is JSON's null."""
_ALIAS = "struct field .Alias."
_DATA = "struct field TimeSeries.Alias.timeseries.data of type"


class WavefrontSpec(Shape):
    """The block under ``provider.wavefront``."""

    address: str = ""
    query: str = ""


@dataclass(frozen=True, slots=True)
class WavefrontProvider:
    """One query to one server."""

    spec: WavefrontSpec
    url: Url
    token: Secret
    secret_name: str
    timeout_s: float = TIMEOUT_S

    @property
    def credential(self) -> Credential:
        """The token of the server."""
        return Credential(self.secret_name, (self.token,))

    def resolved_query(self) -> str:
        """The query after argument substitution."""
        return self.spec.query

    async def measure(self, context: Context) -> Reading:
        """Ask the query once. Raises ProviderError and nothing else."""
        now_unix_s = int(context.now_unix_s())
        request = self.build_request(now_unix_s=now_unix_s)
        read = partial(read_response, now_unix_s=now_unix_s)
        return await exchange(context, request, read, timeout_s=self.timeout_s)

    def build_request(self, *, now_unix_s: int) -> HttpRequest:
        """The query as a GET, for this second.

        Source: argo-rollouts metricproviders/wavefront/wavefront.go:83-97 @ 9f8d111d8, and
        go-wavefront v1.8.1 client.go:97-122, query.go:147-166.
        """
        instant = str(now_unix_s * 1000)
        asked = {"q": self.spec.query} if self.spec.query else {}
        query = encode_form(_FIELDS | {"s": instant, "e": instant} | asked)
        headers = {"Accept": "application/json", "Authorization": f"Bearer {self.token.reveal()}"}
        return HttpRequest("GET", replace(self.url, query=query).text, headers)


def parse(block: Block, surroundings: Surroundings) -> Provider:
    """A block as a provider.

    Raises:
        ProviderInvalid: with Argo's text.

    """
    spec = _shapes.parse(WavefrontSpec, block)
    found = surroundings.found_secret()
    token = found.keys.get(spec.address)
    if token is None:
        raise ProviderInvalid("API token not found")
    return WavefrontProvider(spec, _url(spec.address), token, found.name)


def read_response(response: HttpResponse, *, now_unix_s: int) -> Reading:
    """The value of each series that is closest in time to ``now_unix_s``.

    Source: argo-rollouts metricproviders/wavefront/wavefront.go:134-196 @ 9f8d111d8.

    Raises:
        ProviderRejected: the status is not 200, or the answer tells an error.
        ProviderUnreadable: the answer is not what Wavefront documents, or holds no value.

    """
    if response.status != _OK:
        status = f"{response.status} {response.reason}".rstrip()
        body = shortened(response.body.decode("utf-8", "replace"))
        raise ProviderRejected(f"server returned {status}\n{body}\n")
    document = _document(response.body)
    warnings = fitting(member(document, "warnings"), str, f"{_ALIAS}warnings of type string")
    metadata = {"warnings": warnings} if warnings else {}
    series = [_points(entry) for entry in _entries(document)]
    told = _told_error(document)
    if told:
        what = "Error" if series else "No TimeSeries found"
        raise ProviderRejected(f"{what} in response from Wavefront: {told}", metadata=metadata)
    if not series:
        raise ProviderUnreadable(_NO_SERIES, metadata=metadata)
    try:
        found = [_closest(points, now_unix_s) for points in series]
    except ProviderUnreadable as error:
        raise ProviderUnreadable(str(error), metadata=metadata) from error
    epochs = [str(int(epoch_s)) for epoch_s, _ in found]
    drifts = [str(int(epoch_s - now_unix_s)) for epoch_s, _ in found]
    numbers = tuple(number for _, number in found)
    return Reading(
        numbers if len(numbers) > 1 else numbers[0],
        ResultType.FLOATS if len(numbers) > 1 else ResultType.FLOAT,
        _shown([f"{number:.2f}" for number in numbers]),
        metadata,
        {"timestamps": _shown(epochs), "drift": _shown(drifts)},
        is_partial=bool(warnings),
    )


def _url(address: str) -> Url:
    try:
        base = parse_url(f"https://{address}/api/v2/")
    except UrlInvalid as error:
        raise ProviderInvalid("API token not found") from error
    return replace(base, path="/api/v2/chart/api", query=None)


def _document(body: bytes) -> Mapping[str, object]:
    try:
        document = decode(body)
    except NotJson as error:
        raise ProviderUnreadable(error.go_words) from error
    return fitting(document, dict, "value of type struct { *wavefront.Alias }")


def _entries(document: Mapping[str, object]) -> Sequence[object]:
    wanted = f"{_ALIAS}timeseries of type []wavefront.TimeSeries"
    return fitting(member(document, "timeseries"), list, wanted)


def _points(entry: object) -> Sequence[_Point]:
    wanted = f"{_ALIAS}timeseries of type wavefront.TimeSeries"
    data = member(fitting(entry, dict, wanted), "data")
    return [_point(pair) for pair in fitting(data, list, f"{_DATA} []wavefront.DataPoint")]


def _point(pair: object) -> _Point:
    numbers = [_number(each) for each in fitting(pair, list, f"{_DATA} wavefront.DataPoint")]
    if len(numbers) < _PAIR or numbers[0] is None:
        raise ProviderUnreadable("a point in response from Wavefront is no time with a value")
    return numbers[0], numbers[1]


def _number(value: object) -> float | None:
    if not isinstance(value, float | None):
        raise mismatch(value, f"{_DATA} float64")
    return value


def _told_error(document: Mapping[str, object]) -> str:
    kind, message = (member(document, name) for name in ("errortype", "errormessage"))
    if kind == _NO_ERROR:
        return ""
    words = [part for part in (kind, message) if isinstance(part, str)]
    return shortened(": ".join(word for word in words if word not in {"", _NO_ERROR}))


def _closest(points: Sequence[_Point], now_unix_s: int) -> tuple[float, float]:
    """Time and value of a point; the first one of two that are as close."""
    if not points:
        raise ProviderUnreadable("a TimeSeries in response from Wavefront has no points")
    epoch_s, number = min(points, key=lambda point: abs(point[0] - now_unix_s))
    if number is None:
        raise ProviderUnreadable("the closest point in response from Wavefront has no value")
    return epoch_s, number


def _shown(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f"[{','.join(texts)}]"


def _credentials(block: Block, environ: Mapping[str, str]) -> SecretUse:  # noqa: ARG001 - the port's shape
    return SecretUse(TOKENS, (_shapes.parse(WavefrontSpec, block).address,))


def _rules(block: Block) -> None:
    spec = _shapes.parse(WavefrontSpec, block)
    if not spec.address:
        raise ProviderInvalid("API token not found")
    _url(spec.address)


def _check(block: Block) -> list[tuple[str, str]]:
    return _shapes.check(WavefrontSpec, block)


TYPE = ProviderType(check=_check, parse=parse, credentials=_credentials, rules=_rules)
