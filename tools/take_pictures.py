"""Take the pictures of the page that the documentation shows: ``make pictures``."""

import asyncio
import math
import random
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from browsing import Looking, chromium, looking  # noqa: E402 - it is in the folder of the tests
from running import Service, service  # noqa: E402
from shown_runs import keep, measured, result  # noqa: E402

from gateway.model import Phase  # noqa: E402
from gateway.run_status import MetricResult  # noqa: E402

IMAGES = ROOT / "docs" / "images"
NOW = datetime(2026, 11, 27, 14, 20, 5, tzinfo=UTC)
START_UNIX_S = datetime(2026, 11, 27, 14, 8, 0, tzinfo=UTC).timestamp()
WIDTH, HEIGHT = 1100, 900
BROKEN = """\
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata:
  name: success-rate
spec:
  args:
    - name: service
  metrics:
    - name: success-rate
      interval: 30s
      successCondition: result[0] >= 0.95 && reslt[0] <= 1
      provider:
        prometheus:
          address: http://prometheus.monitoring:9090
          query: sum(rate(http_requests_total{service="{{args.service}}",code!~"5.."}[1m]))
"""


def metric(name: str, success: str, query: str, **fields: object) -> dict[str, Any]:
    """A metric that asks Prometheus."""
    provider = {"prometheus": {"address": "http://prometheus.monitoring:9090", "query": query}}
    return {"name": name, "interval": "30s", "successCondition": success, **fields} | {
        "provider": provider
    }


Shown = tuple[dict[str, Any], MetricResult]
"""A metric and its result."""


def falling_success_rate(dice: random.Random) -> Shown:
    """One that began well, and fails in the end."""
    asked = metric(
        "success-rate",
        "result[0] >= 0.97",
        'sum(rate(http_requests_total{service="checkout",code!~"5.."}[1m]))'
        ' / sum(rate(http_requests_total{service="checkout"}[1m]))',
        count=30,
        failureLimit=2,
    )
    rates = [
        0.994 + dice.uniform(-0.004, 0.004) - 0.018 * max(0, number - 13) ** 0.6
        for number in range(18)
    ]
    phases = [Phase.SUCCESSFUL if rate >= 0.97 else Phase.FAILED for rate in rates]  # noqa: PLR2004
    return asked, result(
        "success-rate",
        Phase.FAILED,
        measured([f"[{each:.4f}]" for each in rates], phases, start_unix_s=START_UNIX_S),
        message="",
        metadata={"ResolvedPrometheusQuery": asked["provider"]["prometheus"]["query"]},
    )


def wavering_latency(dice: random.Random) -> Shown:
    """One that stays within its limit."""
    asked = metric(
        "latency",
        "all(result, # < 400)",
        "histogram_quantile(0.95, …)",
        count=30,
        failureLimit=3,
    )
    latencies = [
        [180 + 40 * math.sin(number / 3) + dice.uniform(-9, 9), 310 + dice.uniform(-40, 70)]
        for number in range(18)
    ]
    return asked, result(
        "latency",
        Phase.SUCCESSFUL,
        measured(
            [f"[{one:.1f},{two:.1f}]" for one, two in latencies],
            [Phase.SUCCESSFUL if two < 400 else Phase.FAILED for _, two in latencies],  # noqa: PLR2004
            start_unix_s=START_UNIX_S + 4,
        ),
    )


async def failed_release(gateway: Service) -> str:
    """A release that began well."""
    dice = random.Random(3)  # noqa: S311 - a picture
    metrics, results = zip(falling_success_rate(dice), wavering_latency(dice), strict=True)
    return await keep(
        gateway.gateway,
        "release",
        metrics,
        results,
        phase=Phase.FAILED,
        message='Metric "success-rate" assessed Failed due to failed (3) > failureLimit (2)',
        start_unix_s=START_UNIX_S,
        took_s=540,
        labels={"team": "shop"},
        args=[{"name": "service", "value": "checkout"}],
    )


async def others(gateway: Service) -> None:
    """What else went on."""
    for number, (name, namespace, phase, message) in enumerate(
        (
            ("smoke", "shop", Phase.SUCCESSFUL, ""),
            ("release", "bank", Phase.SUCCESSFUL, ""),
            ("canary", "search", Phase.INCONCLUSIVE, "Run Terminated"),
            (
                "error-budget",
                "bank",
                Phase.ERROR,
                'Metric "burn" assessed Error due to consecutiveErrors (5) > limit',
            ),
        )
    ):
        checked = metric("up", "result[0] == 1", "up")
        measurements = measured(["[1]"], [phase], start_unix_s=START_UNIX_S)
        await keep(
            gateway.gateway,
            name,
            [checked],
            [result("up", phase, measurements)],
            phase=phase,
            message=message,
            start_unix_s=START_UNIX_S - 400 * (number + 1),
            took_s=60 + 77 * number,
            namespace=namespace,
            made_by=("token:argo-rollouts", "jwt:github:repo:acme/bank")[number % 2],
        )


async def shoot(seen: Looking, name: str, url: str, height: int = HEIGHT) -> None:
    """A picture of what is there."""
    await seen.page.set_viewport_size({"width": WIDTH, "height": height})
    await seen.at(url)
    await asyncio.sleep(1)
    await seen.page.mouse.move(0, 0)
    path = IMAGES / f"{name}.png"
    await seen.page.screenshot(path=path)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1024} KiB")  # noqa: T201


async def shoot_playground(seen: Looking, url: str) -> None:
    """A picture of a template that is wrong."""
    await seen.at(f"{url}/playground")
    await seen.page.locator("#template").fill(BROKEN)
    await seen.until("document.querySelector('#findings .finding.error')")
    await seen.page.set_viewport_size({"width": WIDTH, "height": 800})
    await seen.page.evaluate("document.activeElement.blur()")
    await seen.page.screenshot(path=IMAGES / "playground.png")


async def main() -> None:
    """All pictures."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as state:
        async with service(Path(state), templates=str(ROOT / "examples/templates")) as gateway:
            await others(gateway)
            run_id = await failed_release(gateway)
            async with (
                chromium() as browser,
                looking(browser, color_scheme="light", timezone_id="UTC", locale="en-GB") as day,
                looking(browser, color_scheme="dark", timezone_id="UTC", locale="en-GB") as night,
            ):
                for seen in (day, night):
                    await seen.page.clock.set_fixed_time(NOW)
                await shoot(day, "run", f"{gateway.url}/runs/{run_id}", 1000)
                await shoot(night, "run-dark", f"{gateway.url}/runs/{run_id}", 1000)
                await shoot(day, "runs", f"{gateway.url}/", 620)
                await shoot_playground(day, gateway.url)


if __name__ == "__main__":
    asyncio.run(main())
