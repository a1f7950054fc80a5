"""What a measurement of each provider costs, against a bare client doing the same exchange.

The bare client sends the very bytes that the provider sends, and reads the answer to its end; it
neither builds the request nor understands the answer. Processor time of this process alone.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any, cast

import aiohttp
import orjson
from harness import reference, table
from yarl import URL

from gateway.provider import (
    Context,
    FoundSecret,
    HttpRequest,
    HttpResponse,
    Provider,
    Surroundings,
)
from gateway.secrets import Secret
from gateway.upstreams.http_client import HttpClient
from gateway.upstreams.tokens import TokenCache
from providers import PROVIDERS

ROUNDS = 5
EXCHANGES = 300
WARM_UP = 50


@dataclass(frozen=True, slots=True)
class Subject:
    """A provider with the answer that its vendor always gives."""

    name: str
    block: Callable[[str], Mapping[str, object]]
    answer: object
    secret: Mapping[str, str] = field(default_factory=dict)
    """Its keys; ``URL`` stands for the vendor's address."""


def _json(document: object) -> bytes:
    return document.encode() if isinstance(document, str) else orjson.dumps(document)


CLOUDWATCH = {
    "MetricDataResults": [
        {"Id": "a", "Label": "a", "StatusCode": "Complete", "Timestamps": [1.7e9], "Values": [0.5]}
    ]
}
METRIC_STAT = {"metric": {"namespace": "shop", "metricName": "Errs"}, "period": 60, "stat": "Sum"}
AMAZON = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "eu-west-1"}
SUBJECTS = [
    Subject(
        "prometheus",
        lambda url: {"address": url, "query": "up"},
        {"status": "success", "data": {"resultType": "scalar", "result": [1.7e9, "0.97"]}},
    ),
    Subject("web", lambda url: {"url": f"{url}/m", "jsonPath": "{$.a}"}, {"a": 1}),
    Subject(
        "graphite",
        lambda url: {"address": url, "query": "target=a"},
        [{"target": "a", "datapoints": [[4, 1], [6.5, 2]]}],
    ),
    Subject(
        "skywalking",
        lambda url: {"address": url, "query": "{ a }", "interval": "3m"},
        {"data": {"a": 1}},
    ),
    Subject(
        "cloudWatch",
        lambda _: {"metricDataQueries": [{"id": "a", "metricStat": METRIC_STAT}]},
        CLOUDWATCH,
    ),
    Subject(
        "datadog",
        lambda _: {"query": "avg:shop.lat{*}"},
        {"series": [{"pointlist": [[1.7e12, 0.4], [1.7e12, 0.2]]}]},
        {"api-key": "AK", "app-key": "PK", "address": "URL"},
    ),
    Subject(
        "newRelic",
        lambda _: {"query": "SELECT count(*) FROM Transaction"},
        {"data": {"actor": {"account": {"nrql": {"results": [{"count": 5}]}}}}},
        {"personal-api-key": "NRAK", "account-id": "4711", "base-url-nerdgraph": "URL/graphql"},
    ),
    Subject(
        "influxdb",
        lambda _: {"query": 'from(bucket: "b")'},
        "#datatype,string,long,double\n#group,false,false,false\n#default,_result,,\n"
        ",result,table,_value\n,,0,0.004\n,,0,0.02\n",
        {"address": "URL", "authToken": "IT", "org": "shop"},
    ),
    Subject(
        "wavefront",
        lambda _: {"address": "vendor", "query": "ts(a)"},
        {"timeseries": [{"data": [[1.7e9, 0.976]]}]},
        {"vendor": "WT"},
    ),
]


class Rerouted:
    """The way out, to the stand-in whatever the address; remembers what was sent last."""

    def __init__(self, client: HttpClient, url: str) -> None:
        self._client = client
        self._url = url
        self.last: HttpRequest | None = None

    async def send(self, request: HttpRequest, *, timeout_s: float) -> HttpResponse:
        """Send it on; Wavefront's address knows no port and no plain HTTP."""
        plain = replace(request, url=request.url.replace("https://vendor", self._url))
        self.last = plain
        return await self._client.send(plain, timeout_s=timeout_s)


async def _cpu_ms(exchange: Callable[[], Awaitable[object]]) -> float:
    started_s = time.process_time()
    for _ in range(EXCHANGES):
        await exchange()
    return (time.process_time() - started_s) * 1000 / EXCHANGES


async def _compared(subject: Subject, url: str) -> tuple[float, float]:
    """Milliseconds of a measurement and of the bare exchange; medians of alternating rounds."""
    keys = {key: Secret(value.replace("URL", url)) for key, value in subject.secret.items()}
    surroundings = Surroundings(secret=FoundSecret("own/vendor", keys) if keys else None)
    made = PROVIDERS[subject.name].parse(dict(subject.block(url)), surroundings)
    provider = cast("Provider", made)
    with ThreadPoolExecutor(1) as threads:
        async with HttpClient() as client, aiohttp.ClientSession() as session:
            http = Rerouted(client, url)
            context = Context(http=http, now_unix_s=time.time, tokens=TokenCache(), threads=threads)

            async def measure() -> object:
                return await provider.measure(context)

            async def bare() -> object:
                request = cast("HttpRequest", http.last)
                options: dict[str, Any] = {"headers": request.headers, "data": request.body}
                target = URL(request.url, encoded=True)
                async with session.request(request.method, target, **options) as response:
                    return await response.read()

            for _ in range(WARM_UP):
                await measure()
                await bare()
            rounds = [(await _cpu_ms(measure), await _cpu_ms(bare)) for _ in range(ROUNDS)]
    ours, theirs = zip(*rounds, strict=True)
    return median(ours), median(theirs)


def _row(subject: Subject, folder: Path) -> list[str]:
    answer = folder / subject.name
    answer.write_bytes(_json(subject.answer))
    with reference("replay", str(answer)) as server:
        os.environ["AWS_ENDPOINT_URL_CLOUDWATCH"] = server.url
        ours, theirs = asyncio.run(_compared(subject, server.url))
    return [subject.name, f"{ours:.3f}", f"{theirs:.3f}", f"{ours / theirs:.1f}x"]


def main(chosen: list[str]) -> None:
    """Print one row for each provider, or for those that are named."""
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_REGION": "eu-west-1",
    }
    wanted = [subject for subject in SUBJECTS if not chosen or subject.name in chosen]
    with tempfile.TemporaryDirectory() as folder:
        rows = [_row(subject, Path(folder)) for subject in wanted if subject.name in PROVIDERS]
    table(
        "One measurement, CPU ms, median of 5 rounds of 300",
        ["provider", "measurement", "bare client", "ratio"],
        rows,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
