"""influxdb: one Flux query of InfluxDB 2.

Sources: argo-rollouts metricproviders/influxdb/influxdb.go @ 9f8d111d8, and influxdb-client-go
v2.14.0, which decides about the wire. Unlike Argo, which drops whatever ends the reading of an
answer early and judges the rows before it, an error table, a broken row and an answer that is cut
off are Errors; see ``providers/_flux_csv.py``. An address that is no URL is known before anything
is sent.

No data: an answer without records is an Error whatever the conditions say. A cell without a value
is nil, never 0 and never left out.
"""

import re
from dataclasses import dataclass, replace
from functools import partial
from posixpath import normpath
from urllib.parse import unquote

from gateway.errors import (
    ProviderInvalid,
    ProviderRejected,
    ProviderUnreadable,
)
from gateway.expr import typed_list
from gateway.expr.gotime import Time
from gateway.expr.layouts import STRING, format_time
from gateway.gotext import general_text, json_text
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
from gateway.upstreams.gourl import Url, escape_path
from providers import _shapes
from providers._flux_csv import read_values
from providers._json import NotJson, decode_first, member, mismatch, stream_words
from providers._requests import encode_form, exchange, shortened
from providers._shapes import Shape
from providers._vendor_secrets import credential, revealed, server_of

TIMEOUT_S = 20.0
"""The shorter one of two. Source: influxdb-client-go v2.14.0 api/http/options.go:138."""
DEFAULT_PROFILE = "influxdb"
_DIALECT = {"annotations": ["datatype", "group", "default"], "delimiter": ",", "header": True}
_SUCCESSES = range(200, 300)
_WORDS_BY_STATUS = {
    429: ("too many requests", "exceeded rate limit"),
    503: ("unavailable", "service temporarily unavailable"),
}
_ACTS = re.compile(r"\bimport\b|[tT]o\s*\(")
"""What a query has that may do more than read: functions of packages, and those that write."""


class InfluxdbSpec(Shape):
    """The block under ``provider.influxdb``."""

    query: str = ""
    profile: str = ""


@dataclass(frozen=True, slots=True)
class InfluxdbProvider:
    """One query to one server."""

    spec: InfluxdbSpec
    request: HttpRequest
    credential: Credential
    timeout_s: float = TIMEOUT_S

    def resolved_query(self) -> str:
        """The query after argument substitution."""
        return self.spec.query

    async def measure(self, context: Context) -> Reading:
        """Ask the query once. Raises ProviderError and nothing else."""
        return await exchange(context, self.request, read_response, timeout_s=self.timeout_s)


def parse(block: Block, surroundings: Surroundings) -> Provider:
    """A block as a provider.

    Raises:
        ProviderInvalid: with Argo's text.

    """
    spec = _shapes.parse(InfluxdbSpec, block)
    found = surroundings.found_secret()
    token, address, org = (revealed(found, key) for key in ("authToken", "address", "org"))
    if not (token and address and org):
        raise ProviderInvalid("authToken, org, or address not found")
    server = server_of(address, f"address in secret {found.name}")
    request = build_request(spec.query, server, token=token, org=org)
    return InfluxdbProvider(spec, request, credential(found, "authToken", server))


def build_request(query: str, server: Url, *, token: str, org: str) -> HttpRequest:
    """The query as a POST to the API of InfluxDB 2.

    Source: influxdb-client-go v2.14.0 client.go:115-125, api/http/service.go:58-69 and
    api/query.go:165-228.
    """
    path = normpath(f"/{unquote(server.path)}/api/v2/query").replace("//", "/")
    url = replace(server, path=escape_path(path), query=encode_form({"org": org}))
    return HttpRequest(
        "POST",
        url.text,
        {"Authorization": f"Token {token}", "Content-Type": "application/json"},
        json_text({"dialect": _DIALECT, "query": query, "type": "flux"}).encode(),
        # What writes must not be sent again.
        is_repeatable=_ACTS.search(query) is None,
    )


def read_response(response: HttpResponse) -> Reading:
    """The values of all records in an answer.

    Source: argo-rollouts metricproviders/influxdb/influxdb.go:90-107 @ 9f8d111d8.

    Raises:
        ProviderRejected: the status is none of success, or the answer holds an error.
        ProviderUnreadable: the answer is no annotated CSV, or holds no records.

    """
    if response.status not in _SUCCESSES:
        raise ProviderRejected(_refusal(response))
    values = tuple(read_values(response.body.decode("utf-8", "replace")))
    if not values:
        raise ProviderUnreadable("no results returned from flux query")
    text = f"[{' '.join(map(_printed, typed_list(values)))}]"
    is_empty = all(value is None for value in values)
    return Reading(values, ResultType.TYPED, text, is_empty=is_empty)


def _refusal(response: HttpResponse) -> str:
    """Why the server refused. Source: influxdb-client-go v2.14.0 api/http/service.go:141-187."""
    status = f"{response.status} {response.reason}"
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type == "application/json":
        try:
            document = decode_first(response.body)
        except NotJson as error:
            return stream_words(error, response.body)
        if not isinstance(document, dict | None):
            return str(mismatch(document, "value of type http.Error"))
        code, message = (_text(document or {}, name) for name in ("code", "message"))
    else:
        code, message = status, response.body.decode("utf-8", "replace")
    if not code and not message:
        told = response.headers.get("X-Influxdb-Error", "")
        code, message = _WORDS_BY_STATUS.get(response.status, (status, told))
    if code and message:
        return shortened(f"{code}: {message}")
    return f"Unexpected status code {response.status}"


def _text(document: dict[str, object], name: str) -> str:
    value = member(document, name)
    return value if isinstance(value, str) else ""


def _printed(value: object) -> str:
    """A value as Go prints it in a list. Source: Go fmt.Sprint."""
    match value:
        case Time():
            return format_time(value, STRING)
        case bytes():
            return f"[{' '.join(map(str, value))}]"
        case _:
            return general_text(value)


def _credentials(block: Block, environ: object) -> SecretUse:  # noqa: ARG001 - the port's shape
    profile = _shapes.parse(InfluxdbSpec, block).profile or DEFAULT_PROFILE
    return SecretUse(profile, ("address", "authToken", "org"))


def _check(block: Block) -> list[tuple[str, str]]:
    return _shapes.check(InfluxdbSpec, block)


TYPE = ProviderType(
    check=_check,
    parse=parse,
    credentials=_credentials,
    rules=partial(_shapes.parse, InfluxdbSpec),
)
