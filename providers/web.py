"""web: one HTTP request whose answer holds the value.

Source: argo-rollouts metricproviders/webmetric/webmetric.go @ 9f8d111d8. Of ``authentication`` only
``oauth2`` is used there, and so it is here. Unlike Argo, a body that is ``null`` as a whole is an
Error (Argo crashes), and the two bodies are checked when the block is read.

No data: a value of null or an empty list is handed to the conditions; a path that leads nowhere,
or selects nothing, is an Error.
"""

from dataclasses import dataclass
from functools import partial

from gateway.errors import (
    ProviderInvalid,
    ProviderRejected,
    ProviderUnreachable,
    ProviderUnreadable,
)
from gateway.freeze import freeze
from gateway.gotext import json_string, json_text, quote
from gateway.model import Reading, ResultType
from gateway.provider import (
    Block,
    Context,
    HttpRequest,
    HttpResponse,
    NoAnswer,
    Provider,
    ProviderType,
    Surroundings,
    Tls,
)
from gateway.upstreams.gourl import UrlInvalid, is_token, parse_url
from providers import _shapes
from providers._json import NotJson, decode
from providers._jsonpath import JsonPath, JsonPathInvalid, JsonPathNotFound
from providers._oauth2 import OAuth2, parse_oauth2
from providers._requests import (
    Deadline,
    as_received,
    read_beside_the_loop,
    with_headers,
)
from providers._shapes import Authentication, Header, Int64, Items, Shape

DEFAULT_TIMEOUT_S = 10
"""Source: argo-rollouts metricproviders/webmetric/webmetric.go:191-196 @ 9f8d111d8."""
_SUCCESS = range(200, 300)


class WebSpec(Shape):
    """The block under ``provider.web``."""

    url: str
    method: str = ""
    headers: Items[Header] = ()
    body: str = ""
    json_body: dict[str, object] | None = None
    timeout_seconds: Int64 = 0
    json_path: str = ""
    insecure: bool = False
    authentication: Authentication = Authentication()


@dataclass(frozen=True, slots=True)
class WebProvider:
    """One request to one server, and where in the answer the value stands."""

    spec: WebSpec
    path: JsonPath
    oauth2: OAuth2 | None

    def resolved_query(self) -> str:
        """Nothing: a request is no query."""
        return ""

    async def measure(self, context: Context) -> Reading:
        """Send the request once. Raises ProviderError and nothing else."""
        request = build_request(self.spec)
        try:
            response = await self._exchange(request, context)
        except NoAnswer as failure:
            raise ProviderUnreachable(as_received(failure)) from failure
        read = partial(read_response, response, self.path)
        return await read_beside_the_loop(response, read, context.threads)

    async def _exchange(self, request: HttpRequest, context: Context) -> HttpResponse:
        timeout_s = self.spec.timeout_seconds
        deadline = Deadline(timeout_s if timeout_s > 0 else DEFAULT_TIMEOUT_S)

        async def send(one: HttpRequest) -> HttpResponse:
            return await context.http.send(one, timeout_s=deadline.remaining_s)

        if self.oauth2 is None:
            return await send(request)
        return await self.oauth2.send(request, context.tokens, send)


def parse(block: Block, surroundings: Surroundings) -> Provider:  # noqa: ARG001 - the port's shape
    """A block as a provider.

    Raises:
        ProviderInvalid: with Argo's text.

    """
    spec = _shapes.parse(WebSpec, block)
    try:
        path = JsonPath(spec.json_path or "{$}")
    except JsonPathInvalid as error:
        raise ProviderInvalid.quoting(
            spec.json_path, outline="jsonPath is wrong", message=str(error)
        ) from error
    oauth2 = parse_oauth2(spec.authentication.oauth2, _tls(spec), "")
    build_request(spec)
    return WebProvider(spec, path, oauth2)


def build_request(spec: WebSpec) -> HttpRequest:
    """The request without its token.

    Source: argo-rollouts metricproviders/webmetric/webmetric.go:62-104 @ 9f8d111d8.

    Raises:
        ProviderInvalid: two bodies, a body for a GET, or a bad method or URL.

    """
    method = spec.method or "GET"
    if spec.body and spec.json_body is not None:
        raise ProviderInvalid(
            "use either Body or JSONBody; both cannot exists for WebMetric payload"
        )
    if (spec.body or spec.json_body is not None) and method == "GET":
        raise ProviderInvalid(
            "Body/JSONBody can only be used with POST or PUT WebMetric Method types"
        )
    if not is_token(method):
        raise ProviderInvalid(f"net/http: invalid method {quote(method)}")
    try:
        parse_url(spec.url)
    except UrlInvalid as error:
        raise ProviderInvalid(str(error)) from error
    headers = with_headers({}, [(header.key, header.value) for header in spec.headers])
    body = spec.body.encode("utf-8", "replace") if spec.body else None
    if spec.json_body is not None:
        headers = with_headers(headers, [("Content-Type", "application/json")])
        body = _json_body(spec.json_body)
    return HttpRequest(method, spec.url, headers, body, _tls(spec))


def read_response(response: HttpResponse, path: JsonPath) -> Reading:
    """The value in an answer.

    Source: argo-rollouts metricproviders/webmetric/webmetric.go:106-160 @ 9f8d111d8.

    Raises:
        ProviderRejected: the status is not 2xx.
        ProviderUnreadable: the path leads nowhere in the answer, or selects nothing.

    """
    if response.status not in _SUCCESS:
        raise ProviderRejected(f"received non 2xx response code: {response.status}")
    try:
        document = decode(response.body)
    except NotJson:
        text = response.body.decode("utf-8", "replace")
        return Reading(text, ResultType.JSON, text)
    try:
        value = path.first(document)
    except JsonPathNotFound as error:
        outline = "Could not find JSONPath in body"
        raise ProviderUnreadable.quoting(
            path.text, outline=outline, message=f"{outline}: {error}"
        ) from error
    except LookupError as error:
        raise ProviderUnreadable("result of web metric produced no value") from error
    if isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    return Reading(freeze(value), ResultType.JSON, json_text(value), is_empty=value in (None, []))


def _tls(spec: WebSpec) -> Tls:
    return Tls.UNVERIFIED if spec.insecure else Tls.VERIFIED


def _json_body(body: dict[str, object]) -> bytes:
    try:
        return _json(body).encode("utf-8", "replace")
    except ValueError as error:
        raise ProviderInvalid(f"jsonBody: {error}") from error


def _json(value: object) -> str:
    """JSON in the order of its keys: some receivers sign what they get."""
    match value:
        case dict():
            members = (f"{json_string(str(key))}:{_json(value[key])}" for key in value)
            return "{" + ",".join(members) + "}"
        case list():
            return "[" + ",".join(map(_json, value)) + "]"
        case _:
            return json_text(value)


def _check(block: Block) -> list[tuple[str, str]]:
    return _shapes.check(WebSpec, block)


TYPE = ProviderType(check=_check, parse=parse)
