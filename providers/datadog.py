"""datadog: one query of the timeseries API (v1), or one scalar query, maybe by groups (v2).

Source: argo-rollouts metricproviders/datadog/datadog.go @ 9f8d111d8.

No data: a typed null, for v2 also where the query is by groups. Ordering it is an Error, ``isNil``
and ``default`` work. A last point of v1 without a value is no data, too, and never 0; groups of v2
without a value are left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from pydantic import Field

from gateway.durations import parse_duration_s
from gateway.errors import ProviderInvalid
from gateway.gotext import json_text
from gateway.model import Reading
from gateway.provider import (
    Block,
    Context,
    Credential,
    HttpRequest,
    Provider,
    ProviderType,
    SecretUse,
    Surroundings,
)
from providers import _shapes
from providers._datadog_account import Account, SecretRef, find_account, secret_use
from providers._datadog_answer import read_v1, read_v2
from providers._requests import as_received, decode_form, encode_form, exchange
from providers._shapes import Shape

DEFAULT_TIMEOUT_S = 10.0
"""Source: argo-rollouts metricproviders/datadog/datadog.go:308 @ 9f8d111d8."""
_ROUTES = {"v1": "/api/v1/query", "v2": "/api/v2/query/scalar"}
_READ = {"v1": read_v1, "v2": read_v2}
_REVIEW = "Please review the Analysis Template."
_NO_QUERY_OF_V1 = (
    "Query is empty. API Version v1 only supports using the query parameter in your Analysis"
    " Template."
)


class DatadogSpec(Shape):
    """The block under ``provider.datadog``, with the defaults of Argo's CRD."""

    api_version: Literal["v1", "v2"] = "v1"
    interval: str = "5m"
    query: str = ""
    queries: dict[str, str] = Field(default_factory=dict)
    formula: str = ""
    aggregator: Literal[
        "avg", "min", "max", "sum", "last", "percentile", "mean", "l2norm", "area"
    ] = "last"
    secret_ref: SecretRef = SecretRef()
    request_timeout: str = ""


@dataclass(frozen=True, slots=True)
class DatadogProvider:
    """One query to one account, about the time since an interval ago."""

    spec: DatadogSpec
    account: Account = field(repr=False)
    timeout_s: float

    @property
    def credential(self) -> Credential:
        """The keys of the account."""
        return self.account.credential

    def resolved_query(self) -> str:
        """The query after argument substitution; nothing if there are several."""
        return self.spec.query

    async def measure(self, context: Context) -> Reading:
        """Ask once. Raises ProviderError and nothing else."""
        request = self.build_request(now_unix_s=int(context.now_unix_s()))
        read = _READ[self.spec.api_version]
        return await exchange(context, request, read, timeout_s=self.timeout_s, told=as_received)

    def build_request(self, *, now_unix_s: int) -> HttpRequest:
        """A GET (v1), or a POST that only reads (v2).

        Source: argo-rollouts metricproviders/datadog/datadog.go:244-376 @ 9f8d111d8.

        Raises:
            ProviderInvalid: the address is no URL, or the interval no duration.

        """
        url = self.account.url(_ROUTES[self.spec.api_version])
        began_unix_s = now_unix_s - _interval_s(self.spec)
        headers = {
            "Content-Type": "application/json",
            "Dd-Api-Key": self.account.api_key.reveal(),
            "Dd-Application-Key": self.account.app_key.reveal(),
        }
        if self.spec.api_version == "v1":
            span = {"from": str(began_unix_s), "to": str(now_unix_s)}
            fields = dict(decode_form(url.query or "")) | {"query": self.spec.query} | span
            return HttpRequest("GET", replace(url, query=encode_form(fields)).text, headers)
        body = scalar_body(self.spec, from_ms=began_unix_s * 1000, to_ms=now_unix_s * 1000)
        return HttpRequest("POST", url.text, headers, body.encode(), is_repeatable=True)


def parse(block: Block, surroundings: Surroundings) -> Provider:
    """A block as a provider.

    Raises:
        ProviderInvalid: with Argo's text.

    """
    spec = _shapes.parse(DatadogSpec, block)
    account = find_account(spec.secret_ref, surroundings)
    return DatadogProvider(spec, account, _checked_timeout_s(spec))


def scalar_body(spec: DatadogSpec, *, from_ms: int, to_ms: int) -> str:
    """The body of a question of v2, as JSON; several queries in the order of their names."""
    queries = spec.queries or {"query": spec.query}
    asked = [
        {
            "aggregator": spec.aggregator,
            "data_source": "metrics",
            "name": name,
            "query": queries[name],
        }
        for name in sorted(queries)
    ]
    formulas = [{"formula": spec.formula}] if spec.formula else []
    return (
        f'{{"data":{{"attributes":{{"from":{from_ms},"to":{to_ms},"queries":{json_text(asked)},'
        f'"formulas":{json_text(formulas)}}},"type":"scalar_request"}}}}'
    )


def _checked_timeout_s(spec: DatadogSpec) -> float:
    """The time limit of a spec that is sound.

    Source: argo-rollouts metricproviders/datadog/datadog.go:556-601 @ 9f8d111d8, whose order it is.
    """
    is_v1 = spec.api_version == "v1"
    for is_wrong, words in (
        (not spec.query and not spec.queries, f"Must have either a query or queries. {_REVIEW}"),
        (spec.query and spec.queries, f"Cannot have both a query and queries. {_REVIEW}"),
        (is_v1 and not spec.query, _NO_QUERY_OF_V1),
        (
            spec.formula and not spec.queries,
            f"Formula are only valid when queries are set. {_REVIEW}",
        ),
        (
            len(spec.queries) > 1 and not spec.formula,
            "When multiple queries are provided you must include a formula.",
        ),
        (
            is_v1 and "aggregator" in spec.model_fields_set,
            f"Aggregator is not supported in v1. {_REVIEW}",
        ),
    ):
        if is_wrong:
            raise ProviderInvalid(words)
    return _timeout_s(spec.request_timeout) if spec.request_timeout else DEFAULT_TIMEOUT_S


def _timeout_s(text: str) -> float:
    try:
        timeout_s = parse_duration_s(text)
    except ValueError as error:
        outline = "Could not parse the request timeout"
        raise ProviderInvalid.quoting(
            text, outline=outline, message=f"{outline}: {error}. {_REVIEW}"
        ) from error
    if timeout_s <= 0:
        raise ProviderInvalid(f"Request timeout must be a positive duration (e.g. 30s). {_REVIEW}")
    return timeout_s


def _interval_s(spec: DatadogSpec) -> int:
    try:
        # Datadog takes whole seconds.
        return int(parse_duration_s(spec.interval))
    except ValueError as error:
        raise ProviderInvalid.quoting(
            spec.interval, outline="interval is no duration", message=str(error)
        ) from error


def _credentials(block: Block, environ: Mapping[str, str]) -> SecretUse | None:
    return secret_use(_shapes.parse(DatadogSpec, block).secret_ref, environ)


def _rules(block: Block) -> None:
    spec = _shapes.parse(DatadogSpec, block)
    secret_use(spec.secret_ref, {})
    _checked_timeout_s(spec)
    _interval_s(spec)


def _check(block: Block) -> list[tuple[str, str]]:
    return _shapes.check(DatadogSpec, block)


TYPE = ProviderType(check=_check, parse=parse, credentials=_credentials, rules=_rules)
