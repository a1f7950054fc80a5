"""prometheus: one instant or range query.

Sources: argo-rollouts metricproviders/prometheus/prometheus.go and headers_round_tripper.go
@ 9f8d111d8, and prometheus/client_golang v1.24.0 api/client.go and api/prometheus/v1/api.go, which
decide about the wire. Unlike Argo, a native histogram is an Error (Argo reads it as 0), and so is a
sample without a value.

No data: an empty vector or matrix is an empty list. ``result[0]`` on it is an Error, ``len(result)
== 0`` and ``all(result, ...)`` hold. 0/0 is NaN, which satisfies no comparison.
"""

import asyncio
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from urllib.parse import unquote

from gateway.durations import NANOSECONDS_PER_SECOND, parse_duration_ns
from gateway.errors import ConditionError, ProviderInvalid, ProviderUnreachable
from gateway.expr import evaluate_time
from gateway.gotext import plain_float
from gateway.model import Reading
from gateway.provider import (
    DEADLINE_EXCEEDED,
    Block,
    Context,
    HttpRequest,
    HttpResponse,
    Provider,
    ProviderType,
    Surroundings,
    Tls,
)
from gateway.upstreams.gourl import Url, UrlInvalid, basic_authorization, escape_path, parse_url
from providers import _aws, _shapes
from providers._echoes import without_echo
from providers._no_data import Question, explain
from providers._oauth2 import OAuth2, parse_oauth2
from providers._prometheus_answer import read_answer
from providers._requests import (
    FORM,
    Deadline,
    decode_form,
    encode_form,
    read_beside_the_loop,
    with_headers,
)
from providers._shapes import Authentication, BasicAuth, Header, Int64, Items, Shape
from providers._sigv4 import Sigv4

ADDRESS_VARIABLE = "ARGO_ROLLOUTS_PROMETHEUS_ADDRESS"
"""The environment variable that gives the address to blocks that have none."""
DEFAULT_TIMEOUT_S = 30
"""Source: argo-rollouts metricproviders/prometheus/prometheus.go:198-200 @ 9f8d111d8."""
EXPLANATION_S = 1.0
"""How long all questions together may take that find out why an answer was empty."""
_ASKED_AGAIN_AS_GET = {403, 405, 501}


class RangeQuery(Shape):
    """The bounds and the step of a range query; expressions until the query is made."""

    start: str = ""
    end: str = ""
    step: str = ""


class PrometheusSpec(Shape):
    """The block under ``provider.prometheus``."""

    address: str = ""
    query: str = ""
    timeout: Int64 | None = None
    insecure: bool = False
    headers: Items[Header] = ()
    authentication: Authentication = Authentication()
    range_query: RangeQuery | None = None


@dataclass(frozen=True, slots=True)
class PrometheusProvider:
    """One query to one server."""

    spec: PrometheusSpec
    server: Url
    timeout_s: int
    oauth2: OAuth2 | None
    sigv4: Sigv4 | None

    def resolved_query(self) -> str:
        """The query after argument substitution."""
        return self.spec.query

    async def measure(self, context: Context) -> Reading:
        """Ask the query once. Raises ProviderError and nothing else."""
        request = self.build_request(now_unix_s=context.now_unix_s())
        deadline = Deadline(self.timeout_s)
        response = await self._exchange(request, context, deadline)
        if response.status in _ASKED_AGAIN_AS_GET:
            response = await self._exchange(build_fallback(request), context, deadline)
        return await read_beside_the_loop(response, partial(read_answer, response), context.threads)

    async def explain_no_data(self, context: Context) -> str:
        """Why the query finds nothing, or not a number; never raises."""
        deadline = Deadline(EXPLANATION_S)

        async def ask(endpoint: str, query: str) -> HttpResponse:
            asked = endpoint_of(self.server, endpoint)
            url = replace(asked.url, query="&".join(filter(None, (asked.url.query, query))))
            request = HttpRequest("GET", url.text, asked.headers, tls=_tls(self.spec))
            return await self._exchange(request, context, deadline)

        try:
            at_unix_s = self._end_unix_s(context)
        except ProviderInvalid:
            return ""
        address = replace(endpoint_of(self.server, "").url, query=None).wire
        question = Question(self.spec.query, address, at_unix_s)
        return await explain(question, ask, context.threads, timeout_s=EXPLANATION_S)

    def build_request(self, *, now_unix_s: float) -> HttpRequest:
        """The query as a POST, without what ``measure`` adds to each request.

        Raises:
            ProviderInvalid: a bound or the step of the range cannot be read.

        """
        bounds = self.spec.range_query
        if bounds is None:
            path, fields = "/api/v1/query", {"time": plain_float(now_unix_s)}
        else:
            path, fields = "/api/v1/query_range", _range_fields(bounds, now_unix_s)
        endpoint = endpoint_of(self.server, path)
        fields["query"] = self.spec.query
        form = [pair for pair in endpoint.form if pair[0] not in fields]
        return HttpRequest(
            "POST",
            endpoint.text,
            {**endpoint.headers, "Content-Type": FORM},
            encode_form([*form, *fields.items()]).encode(),
            _tls(self.spec),
            is_repeatable=True,
        )

    def _end_unix_s(self, context: Context) -> float:
        now_unix_s = context.now_unix_s()
        bounds = self.spec.range_query
        return now_unix_s if bounds is None else _bound("end", bounds.end, now_unix_s)

    async def _exchange(
        self, request: HttpRequest, context: Context, deadline: Deadline
    ) -> HttpResponse:
        async def send(plain: HttpRequest) -> HttpResponse:
            signed = await self._signed(plain, context, deadline)
            whole = add_headers(signed, self.spec)
            sent = context.http.send(whole, timeout_s=deadline.remaining_s)
            return await without_echo(sent, _aws.session_of(signed))

        if self.oauth2 is None:
            return await send(request)
        return await self.oauth2.send(request, context.tokens, send)

    async def _signed(
        self, request: HttpRequest, context: Context, deadline: Deadline
    ) -> HttpRequest:
        if self.sigv4 is None:
            return request
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(deadline.remaining_s):
                return await loop.run_in_executor(context.threads, self.sigv4.sign, request)
        except TimeoutError as error:
            raise ProviderUnreachable(
                f"could not get SigV4 credentials: {DEADLINE_EXCEEDED}"
            ) from error


def parse(block: Block, surroundings: Surroundings) -> Provider:
    """A block as a provider.

    Raises:
        ProviderInvalid: with Argo's creation error.

    """
    spec = _shapes.parse(PrometheusSpec, block)
    address = spec.address or surroundings.environ.get(ADDRESS_VARIABLE)
    if address is None:
        raise ProviderInvalid("prometheus address is not configured")
    server = _server(address)
    identity = repr((spec.headers, spec.authentication.basic_auth, spec.authentication.sigv4))
    oauth2 = parse_oauth2(spec.authentication.oauth2, _tls(spec), identity)
    _check_basic_auth(spec.authentication.basic_auth)
    timeout_s = DEFAULT_TIMEOUT_S if spec.timeout is None else spec.timeout
    if timeout_s < 0:
        raise ProviderInvalid("prometheus timeout should not be negative")
    return PrometheusProvider(spec, server, timeout_s, oauth2, _sigv4(spec, address))


def build_fallback(request: HttpRequest) -> HttpRequest:
    """The same question as a GET, for servers that refuse a POST.

    Source: prometheus/client_golang v1.24.0 api/prometheus/v1/api.go:1550-1576.
    """
    url = replace(parse_url(request.url), query=(request.body or b"").decode())
    headers = {name: request.headers[name] for name in request.headers if name != "Content-Type"}
    return HttpRequest("GET", url.text, headers, tls=request.tls)


def add_headers(request: HttpRequest, spec: PrometheusSpec) -> HttpRequest:
    """Basic authentication where nothing else authenticates, then the template's own headers.

    Source: argo-rollouts metricproviders/prometheus/prometheus.go:257-312 @ 9f8d111d8.
    """
    headers = dict(request.headers)
    basic = spec.authentication.basic_auth
    if basic.username and "Authorization" not in headers:
        headers["Authorization"] = basic_authorization(basic.username, basic.password)
    own = [(header.key, header.value) for header in spec.headers]
    return replace(request, headers=with_headers(headers, own))


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call of a server's API, as far as it is the same for every query."""

    url: Url
    text: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    """Of credentials in the URL; they come first, as in Go: basicAuth does not replace them."""
    form: tuple[tuple[str, str], ...] = field(repr=False)
    """The pairs of the address's own query string."""


@lru_cache(maxsize=256)
def endpoint_of(server: Url, path: str) -> Endpoint:
    """Where an API path, such as ``/api/v1/query``, lies at a server.

    Source: prometheus/client_golang v1.24.0 api/client.go:99-130.
    """
    joined = posixpath.normpath(f"{unquote(server.path).rstrip('/')}{path}")
    # normpath keeps two leading slashes, and makes a dot of nothing.
    url = replace(server, path=escape_path(f"/{joined.lstrip('/')}" if joined != "." else ""))
    headers = {"Authorization": url.authorization} if url.authorization else {}
    return Endpoint(url, url.text, headers, tuple(decode_form(url.query or "")))


def _server(address: str) -> Url:
    try:
        server = parse_url(address)
    except UrlInvalid:
        server = None
    if server is None or not server.scheme or not server.host:
        raise ProviderInvalid("prometheus address is not is url format")
    return server


def _tls(spec: PrometheusSpec) -> Tls:
    return Tls.UNVERIFIED if spec.insecure else Tls.VERIFIED


def _check_basic_auth(basic: BasicAuth) -> None:
    for given, missing, name in (
        (basic.username, basic.password, "password"),
        (basic.password, basic.username, "username"),
    ):
        if given and not missing:
            raise ProviderInvalid(
                f"missing mandatory parameter in metric for basic auth setup: {name}"
            )


def _sigv4(spec: PrometheusSpec, address: str) -> Sigv4 | None:
    config = spec.authentication.sigv4
    is_wanted = bool(config.region or config.profile or config.role_arn)
    return Sigv4(config) if is_wanted and "aps-workspaces" in address else None


def _range_fields(bounds: RangeQuery, now_unix_s: float) -> dict[str, str]:
    fields = {
        name: plain_float(_bound(name, text, now_unix_s))
        for name, text in (("start", bounds.start), ("end", bounds.end))
    }
    try:
        step_ns = parse_duration_ns(bounds.step)
    except ValueError as error:
        outline = "failed to parse rangeQuery.step as duration"
        raise ProviderInvalid.quoting(
            bounds.step, outline=outline, message=f"{outline}: {error}"
        ) from error
    return {**fields, "step": plain_float(step_ns / NANOSECONDS_PER_SECOND)}


def _bound(name: str, text: str, now_unix_s: float) -> float:
    try:
        return evaluate_time(text, now_unix_s=now_unix_s)
    except ConditionError as error:
        outline = f"failed to parse rangeQuery.{name} as time"
        raise ProviderInvalid.quoting(
            text, outline=outline, message=f"{outline}: {error}"
        ) from error


def _check(block: Block) -> list[tuple[str, str]]:
    return _shapes.check(PrometheusSpec, block)


TYPE = ProviderType(check=_check, parse=parse, query_metadata="ResolvedPrometheusQuery")
