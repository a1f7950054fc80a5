"""Runs in this process, without a store: real providers, real planning."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from time import time
from typing import Any

from running import template

from gateway.egress_parts import policies_of
from gateway.job_rights import JobRights
from gateway.judge_parts import Reach, open_judges
from gateway.planned import Question
from gateway.runs.local import LocalRun
from gateway.runs.plans import RunPlan, plan_run, wanted
from gateway.runs.runs import order_of_question
from gateway.runs.steps import Steps
from gateway.settings import Settings
from gateway.source_parts import open_sources
from gateway.telemetry import Telemetry
from gateway.template import parse


@dataclass(frozen=True)
class Local:
    """A plan, and what drives it."""

    plan: RunPlan
    steps: Steps

    def run(self, *, max_duration_s: float = 60.0) -> LocalRun:
        """A run that begins now."""
        return LocalRun(self.plan, self.steps, max_duration_s=max_duration_s, now_unix_s=time)


@asynccontextmanager
async def local(*metrics: Mapping[str, object], **spec: Any) -> AsyncIterator[Local]:
    """What is needed to run an inline template."""
    settings = Settings()

    async def key() -> bytes:
        return bytes(32)

    async with AsyncExitStack() as parts:
        sources = await open_sources(settings, None, parts)
        judges = await open_judges(
            settings,
            {},
            sources,
            None,
            key,
            Telemetry(),
            parts,
            reach=Reach(JobRights(), policies_of(settings)),
        )
        parts.push_async_callback(judges.readings.drain, 0.0)
        inline = (parse(template(*metrics, **spec)),)
        question = Question(namespace="default", inline=inline)
        plan = await plan_run(judges.planner, wanted(order_of_question(judges.planner, question)))
        yield Local(plan, Steps(judges.measuring, now_unix_s=time, max_age_s=0.0))
