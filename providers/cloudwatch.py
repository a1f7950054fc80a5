"""cloudWatch: one GetMetricData call with any number of queries.

Sources: argo-rollouts metricproviders/cloudwatch/cloudwatch.go @ 9f8d111d8; aws-sdk-go-v2
aws/retry/standard.go for retries; botocore's model of the service for its wire format, JSON 1.0.
Unlike Argo, a call has a time limit, and the messages of an answer are told as texts, not as
addresses of memory.

No data: a query without data has an empty list of values: ``result[0].Values[0]`` is an Error on
it, ``all(result[0].Values, ...)`` holds.
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

import orjson

from gateway.durations import parse_duration_s
from gateway.errors import (
    ProviderInvalid,
    ProviderRejected,
    ProviderUnreachable,
)
from gateway.int_or_string import int_value
from gateway.model import Reading
from gateway.provider import (
    DEADLINE_EXCEEDED,
    Block,
    Context,
    Credential,
    HttpRequest,
    HttpResponse,
    NoAnswer,
    Provider,
    ProviderType,
    Surroundings,
)
from gateway.wire import Limit
from providers import _aws, _shapes
from providers._cloudwatch_answer import OPERATION, read_refusal, read_results
from providers._echoes import masked_errors
from providers._requests import Deadline, exchange
from providers._shapes import Items, Shape

TIMEOUT_S: Final = 30.0
"""For all attempts together. Argo has no limit."""
DEFAULT_INTERVAL_S: Final = 300.0
"""Source: argo-rollouts metricproviders/cloudwatch/cloudwatch.go:66-73 @ 9f8d111d8."""
MAX_ATTEMPTS: Final = 3
"""Source: aws-sdk-go-v2 aws/retry/standard.go, DefaultMaxAttempts."""
_SERVICE: Final = "monitoring"
"""In a signature; botocore calls the service ``cloudwatch``."""
_HEADERS: Final = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Target": "GraniteServiceVersion20100801.GetMetricData",
}
_OK: Final = 200
_ACCOUNT: Final = _aws.Account()
_CREDENTIAL: Final = Credential("aws")
_NO_PACKAGE: Final = (
    "cloudWatch needs the extra package botocore, which is not installed:"
    " install analysis-gateway[aws]"
)


class MayPass(ProviderRejected):
    """AWS refuses for now: it is busy, or asked too often."""


class Dimension(Shape):
    """One label of a metric."""

    name: str = ""
    value: str = ""


class CloudWatchMetric(Shape):
    """A metric by its name and labels."""

    dimensions: Items[Dimension] = ()
    metric_name: str = ""
    namespace: str = ""


class MetricStat(Shape):
    """A metric and how its samples become one value for each period."""

    metric: CloudWatchMetric = CloudWatchMetric()
    period: Limit = None
    stat: str = ""
    unit: str = ""


class MetricDataQuery(Shape):
    """A metric, or an expression over other queries."""

    id: str = ""
    expression: str | None = None
    label: str | None = None
    metric_stat: MetricStat | None = None
    period: Limit = None
    return_data: bool | None = None


class CloudWatchSpec(Shape):
    """The block under ``provider.cloudWatch``."""

    interval: str = ""
    metric_data_queries: Items[MetricDataQuery]


@dataclass(frozen=True, slots=True)
class CloudWatchProvider:
    """One set of queries, about the time since an interval ago."""

    queries: tuple[Mapping[str, object], ...] = field(repr=False)
    interval_s: float
    timeout_s: float = TIMEOUT_S
    credential: Credential = _CREDENTIAL

    def resolved_query(self) -> str:
        """Empty: Argo does not report these queries."""
        return ""

    async def measure(self, context: Context) -> Reading:
        """Ask once, and again where that may help. Raises ProviderError and nothing else."""
        deadline = Deadline(self.timeout_s)
        for retries in range(MAX_ATTEMPTS - 1):
            pause_s = random.random() * 2**retries  # noqa: S311 - so that not all come at once
            try:
                return await self._attempt(context, deadline)
            except (ProviderUnreachable, MayPass):
                if pause_s >= deadline.remaining_s:
                    raise
            await asyncio.sleep(pause_s)
        return await self._attempt(context, deadline)

    async def _attempt(self, context: Context, deadline: Deadline) -> Reading:
        body = build_body(self.queries, self.interval_s, context.now_unix_s())
        request = await _signed(body, context, deadline)
        # A wrong signature is answered with all that was signed, the session's token included.
        session = _aws.session_of(request)
        with masked_errors(session):
            reading = await exchange(
                context,
                request,
                _read,
                timeout_s=deadline.remaining_s,
                told=_without_answer,
            )
        return replace(
            reading,
            result=session.value(reading.result),
            metadata={name: session.text(text) for name, text in reading.metadata.items()},
        )


def parse(block: Block, surroundings: Surroundings) -> Provider:  # noqa: ARG001 - credentials are found by botocore
    """A block as a provider.

    Raises:
        ProviderInvalid: the interval is no duration.

    """
    spec = _shapes.parse(CloudWatchSpec, block)
    try:
        interval_s = parse_duration_s(spec.interval) if spec.interval else DEFAULT_INTERVAL_S
    except ValueError as error:
        raise ProviderInvalid.quoting(
            spec.interval, outline="interval is no duration", message=str(error)
        ) from error
    return CloudWatchProvider(tuple(map(_query, spec.metric_data_queries)), interval_s)


def build_body(
    queries: Sequence[Mapping[str, object]], interval_s: float, now_unix_s: float
) -> bytes:
    """The call's parameters as JSON; instants are Unix seconds.

    Source: argo-rollouts metricproviders/cloudwatch/cloudwatch.go:64-90, 137-184 @ 9f8d111d8.
    """
    return orjson.dumps(
        {
            "EndTime": now_unix_s,
            "MetricDataQueries": queries,
            "StartTime": now_unix_s - interval_s,
        }
    )


async def _signed(body: bytes, context: Context, deadline: Deadline) -> HttpRequest:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(deadline.remaining_s):
            return await loop.run_in_executor(context.threads, partial(_request, body))
    except TimeoutError as error:
        raise ProviderUnreachable(f"{OPERATION}, get credentials: {DEADLINE_EXCEEDED}") from error


def _request(body: bytes) -> HttpRequest:
    """The signed request; blocks while credentials are read or renewed."""
    try:
        url = f"{_aws.endpoint(_ACCOUNT, 'cloudwatch').rstrip('/')}/"
        request = HttpRequest("POST", url, _HEADERS, body, is_repeatable=True)
        return _aws.signed(request, _ACCOUNT, _SERVICE)
    except _aws.NoPackage as error:
        raise ProviderInvalid(_NO_PACKAGE) from error
    except _aws.NoRegion as error:
        message = f"{OPERATION}, no region is configured: set AWS_REGION, or region in a profile"
        raise ProviderInvalid(message) from error
    except _aws.AwsError as error:
        raise ProviderInvalid(f"{OPERATION}, get credentials: {error}") from error


def _read(response: HttpResponse) -> Reading:
    if response.status != _OK:
        raise _refused(response)
    return read_results(response)


def _without_answer(failure: NoAnswer) -> str:
    if failure.cause == DEADLINE_EXCEEDED:
        return f"{OPERATION}, canceled, {DEADLINE_EXCEEDED}"
    no_answer = f"{OPERATION}, https response error StatusCode: 0, RequestID: "
    return f"{no_answer}, request send failed, {failure}"


def _refused(response: HttpResponse) -> ProviderRejected:
    refusal = read_refusal(response)
    if refusal.is_about_credentials:
        _aws.forget()
    return (MayPass if refusal.may_pass else ProviderRejected)(refusal.message)


def _query(query: MetricDataQuery) -> Mapping[str, object]:
    stat = query.metric_stat
    return _without_nothing(
        {
            "Id": query.id,
            "Expression": query.expression,
            "Label": query.label,
            "MetricStat": None if stat is None else _stat(stat),
            "Period": None if query.period is None else int_value(query.period),
            "ReturnData": query.return_data,
        }
    )


def _stat(stat: MetricStat) -> Mapping[str, object]:
    metric = stat.metric
    dimensions = [{"Name": each.name, "Value": each.value} for each in metric.dimensions]
    return _without_nothing(
        {
            "Metric": _without_nothing(
                {
                    "Dimensions": dimensions or None,
                    "MetricName": metric.metric_name,
                    "Namespace": metric.namespace,
                }
            ),
            "Period": int_value(stat.period),
            "Stat": stat.stat,
            "Unit": stat.unit or None,
        }
    )


def _without_nothing(fields: Mapping[str, object]) -> Mapping[str, object]:
    return {name: value for name, value in fields.items() if value is not None}


def _check(block: Block) -> list[tuple[str, str]]:
    return _shapes.check(CloudWatchSpec, block)


TYPE = ProviderType(check=_check, parse=parse)
