"""Gateways at work, and a Prometheus that watches them as its operator would have it."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import yaml
from backends import Play, backend
from guarded import access, get, named, put, rule
from kube.cluster import cluster_on
from kube.emulated import Emulated
from kube.gateways import gateway_on
from kube.polling import until
from prometheus_server import Prometheus, prometheus
from running import Service, service, web_metric

WORK_S: Final = 4.0
ROUNDS: Final = 5
"""At least: a counter tells nothing before it has been seen twice."""
NAMESPACE: Final = "shop"
TEMPLATE: Final = "release"
METRIC: Final = "rate"
_VERDICT: Final = f"/v1/namespaces/{NAMESPACE}/analysistemplates"
_GOOD: Final = Play("0.97", headers={"X-RateLimit-Remaining": "41", "X-RateLimit-Limit": "100"})
_NOBODY: Final = "http://127.0.0.1:1/"
_LATER: Final = Play("slow down", 429, {"Retry-After": "3600"})


@contextmanager
def watched(folder: Path) -> Iterator[tuple[Prometheus, float]]:
    """What Prometheus knows of gateways that were busy, and at which Unix time it does."""
    work = folder / "work"
    work.mkdir()
    with ExitStack() as lasting:

        def watch(addresses: list[str]) -> Prometheus:
            return lasting.enter_context(prometheus(folder, _config(addresses)))

        yield asyncio.run(_work(work, watch))


def _config(addresses: list[str]) -> str:
    # As the Prometheus operator writes it: targets have a namespace, and ours wins.
    scrape = {
        "job_name": "serviceMonitor/analysis/gw",
        "honor_labels": True,
        "static_configs": [{"targets": addresses, "labels": {"namespace": "analysis"}}],
    }
    times = {"scrape_interval": "500ms", "scrape_timeout": "500ms"}
    return yaml.safe_dump({"global": times, "scrape_configs": [scrape]})


async def _work(folder: Path, watch: Callable[[list[str]], Prometheus]) -> tuple[Prometheus, float]:
    async with AsyncExitStack() as stack:
        good = await stack.enter_async_context(backend(_GOOD))
        later = await stack.enter_async_context(backend(_LATER))
        templates = _templates(folder / "templates", good.url, later.url)
        told = await stack.enter_async_context(backend(Play()))
        cluster = await stack.enter_async_context(cluster_on(Emulated(), folder))
        namespace = await cluster.namespace()
        port = {"operations": {"port": 0}, "templates": templates}
        named_places = {"connections": _connections(good.url), "notifications": _notify(told.url)}
        well = await stack.enter_async_context(
            gateway_on(cluster, folder / "well", namespace, **port, **named_places)
        )
        impatient = access(folder / "access", rule("verdict", namespaces=["*"]))
        impatient["budget"] = {"perSecond": 1, "burst": 1, "queue": 0}
        lonely = await stack.enter_async_context(
            service(folder / "lonely", redis="redis://127.0.0.1:1/0", access=impatient, **port)
        )
        server = watch([urlsplit(each.operations_url).netloc for each in (well, lonely)])
        # Prometheus takes some seconds to its first scrape; what happened before is no increase.
        await until(partial(asyncio.to_thread, server.has, "count(up) == 2"))
        end_s = time.monotonic() + WORK_S
        rounds = 0
        while time.monotonic() < end_s or rounds < ROUNDS:
            await _ask(well, lonely)
            await asyncio.sleep(0.2)
            rounds += 1
        return server, time.time()


def _templates(folder: Path, good: str, later: str) -> str:
    metric = web_metric(
        good,
        "result >= {{args.at-least}}",
        name=METRIC,
        failureCondition="result < {{args.fails-below}}",
        count=1,
    )
    arguments = [{"name": "at-least", "value": "0.95"}, {"name": "fails-below", "value": "0.5"}]
    put(folder, NAMESPACE, TEMPLATE, metric, args=arguments)
    put(folder, NAMESPACE, "away", web_metric(_NOBODY, "result > 0"))
    put(folder, NAMESPACE, "later", web_metric(later, "result > 0"))
    (folder / "broken.yaml").write_text("a: [")
    return str(folder)


def _connections(good: str) -> list[object]:
    everybody = {"namespaces": ["*"], "breaker": {"failures": 1, "pause": "1s"}}
    places = {"good": good, "away": _NOBODY}
    return [{"name": name, "url": url, **everybody} for name, url in places.items()]


def _notify(url: str) -> list[object]:
    return [{"name": "deploys", "url": url}]


async def _ask(well: Service, lonely: Service) -> None:
    """Verdicts and runs of every phase, a hit, a reading without Redis, and one too many."""
    inconclusive, failed = "args.at-least=0.99", "args.at-least=0.99&args.fails-below=0.98"
    for query in ("maxAge=0", f"maxAge=0&{inconclusive}", f"maxAge=0&{failed}", ""):
        await well.get(f"{_VERDICT}/{TEMPLATE}/verdict?{query}")
    for name in ("away", "later"):
        await well.get(f"{_VERDICT}/{name}/verdict?maxAge=0")
    for arguments in ({}, {"at-least": "0.99", "fails-below": "0.98"}):
        given: dict[str, Any] = {"args": [{"name": k, "value": v} for k, v in arguments.items()]}
        await well.post("/v1/runs?wait=5s", {**named(TEMPLATE), **given})
    for _ in range(2):
        await get(lonely, f"{_VERDICT}/{TEMPLATE}/verdict?maxAge=0")
