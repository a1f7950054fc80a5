"""skywalking: one GraphQL query about the last minutes.

Sources: argo-rollouts metricproviders/skywalking/skywalking.go @ 9f8d111d8, and machinebox/graphql
v0.2.2 graphql.go, which decides about the wire. As there, the HTTP status counts for nothing, and
the interval is told in the local time of this process. Unlike Argo, a body that is ``null`` as a
whole is an Error (Argo crashes), and a URL that is none is known when the block is read.

No data: ``data`` that is null or absent is an Error. ``{}``, empty lists and null further inside
are handed to the conditions. SkyWalking itself answers 0 for minutes without data: its
``isEmptyValue`` tells them from a measured 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gateway.durations import parse_duration_s
from gateway.errors import (
    ProviderInvalid,
    ProviderRejected,
    ProviderUnreadable,
)
from gateway.freeze import freeze
from gateway.gotext import json_string, json_text
from gateway.model import Reading, ResultType
from gateway.provider import (
    Block,
    Context,
    HttpRequest,
    HttpResponse,
    NoAnswer,
    Provider,
    ProviderType,
    Stage,
    Surroundings,
)
from gateway.upstreams.gourl import UrlInvalid, parse_url
from providers import _shapes
from providers._json import NotJson, decode_first, member, mismatch, stream_words
from providers._requests import exchange, shortened
from providers._shapes import Shape

TIMEOUT_S = 30.0
"""Source: argo-rollouts metricproviders/skywalking/skywalking.go:28,42 @ 9f8d111d8."""
_JSON = "application/json; charset=utf-8"


class SkyWalkingSpec(Shape):
    """The block under ``provider.skywalking``."""

    address: str = ""
    query: str = ""
    interval: str = ""


@dataclass(frozen=True, slots=True)
class SkyWalkingProvider:
    """One query to one server, about the time since an interval ago."""

    spec: SkyWalkingSpec
    url: str = field(repr=False)
    interval_s: float
    timeout_s: float = TIMEOUT_S

    def resolved_query(self) -> str:
        """The query after argument substitution."""
        return self.spec.query

    async def measure(self, context: Context) -> Reading:
        """Ask the query once. Raises ProviderError and nothing else."""
        request = self.build_request(now_unix_s=context.now_unix_s())
        return await exchange(
            context, request, read_response, timeout_s=self.timeout_s, told=_without_answer
        )

    def build_request(self, *, now_unix_s: float) -> HttpRequest:
        """The query as a POST, with its variable ``duration``.

        Source: argo-rollouts metricproviders/skywalking/skywalking.go:41-54 @ 9f8d111d8.
        """
        duration = ",".join(
            f'"{name}":{json_string(text)}'
            for name, text in (
                ("start", _local_minute(now_unix_s - self.interval_s)),
                ("end", _local_minute(now_unix_s)),
                ("step", "MINUTE"),
            )
        )
        query = self.spec.query
        body = f'{{"query":{json_string(query)},"variables":{{"duration":{{{duration}}}}}}}\n'
        return HttpRequest(
            "POST",
            self.url,
            {"Content-Type": _JSON, "Accept": _JSON},
            body.encode(),
            # What changes something must not be sent again.
            is_repeatable="mutation" not in query,
        )


def parse(block: Block, surroundings: Surroundings) -> Provider:  # noqa: ARG001 - the port's shape
    """A block as a provider.

    Raises:
        ProviderInvalid: with Argo's text.

    """
    spec = _shapes.parse(SkyWalkingSpec, block)
    url = f"{spec.address}/graphql"
    try:
        interval_s = parse_duration_s(spec.interval)
    except ValueError as error:
        raise ProviderInvalid.quoting(
            spec.interval, outline="interval is no duration", message=str(error)
        ) from error
    try:
        parse_url(url)
    except UrlInvalid as error:
        raise ProviderInvalid(str(error)) from error
    return SkyWalkingProvider(spec, url, interval_s)


def read_response(response: HttpResponse) -> Reading:
    """The data in an answer, whatever its status.

    Source: machinebox/graphql v0.2.2 graphql.go:131-143, and argo-rollouts
    metricproviders/skywalking/skywalking.go:92-104 @ 9f8d111d8.

    Raises:
        ProviderRejected: the answer tells errors; the first one is shown.
        ProviderUnreadable: the answer is no GraphQL, or holds no data.

    """
    document = _document(response.body)
    messages = [_message(entry) for entry in _errors(document)]
    if messages:
        raise ProviderRejected(f"graphql: {shortened(messages[0])}")
    data = member(document, "data")
    if data is None:
        raise ProviderUnreadable("no results returned from SkyWalking query")
    return Reading(freeze(data), ResultType.JSON, json_text(data), is_empty=data in ([], {}))


def _without_answer(failure: NoAnswer) -> str:
    is_begun = failure.stage is Stage.READING_BODY
    return f"{'reading body: ' * is_begun}{failure}"


def _local_minute(unix_s: float) -> str:
    return f"{datetime.fromtimestamp(unix_s, UTC).astimezone():%Y-%m-%d %H%M}"


def _document(body: bytes) -> Mapping[str, object]:
    try:
        document = decode_first(body)
    except NotJson as error:
        raise _undecoded(stream_words(error, body)) from error
    if document is None:
        raise _undecoded("the answer is null")
    if not isinstance(document, dict):
        raise _undecoded(str(mismatch(document, "value of type graphql.graphResponse")))
    return document


def _errors(document: Mapping[str, object]) -> list[object]:
    errors = member(document, "errors")
    if not isinstance(errors, list | None):
        wanted = "struct field graphResponse.Errors of type []graphql.graphErr"
        raise _undecoded(str(mismatch(errors, wanted)))
    return errors or []


def _message(entry: object) -> str:
    if not isinstance(entry, dict | None):
        wanted = "struct field graphResponse.Errors of type graphql.graphErr"
        raise _undecoded(str(mismatch(entry, wanted)))
    message = member(entry or {}, "message")
    if not isinstance(message, str | None):
        wanted = "struct field graphErr.Errors.Message of type string"
        raise _undecoded(str(mismatch(message, wanted)))
    return message or ""


def _undecoded(reason: str) -> ProviderUnreadable:
    return ProviderUnreadable(f"decoding response: {reason}")


def _check(block: Block) -> list[tuple[str, str]]:
    return _shapes.check(SkyWalkingSpec, block)


TYPE = ProviderType(check=_check, parse=parse)
