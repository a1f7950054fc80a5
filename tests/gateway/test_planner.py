"""What is remembered of a plan."""

import pytest

from gateway.job_rights import JobRights
from gateway.planner import Planner, Question
from gateway.secret_files import SecretsFolder
from gateway.sources import TemplateIndex
from gateway.template import parse
from providers import PROVIDERS

TEMPLATE = parse(
    {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        "metadata": {"name": "t"},
        "spec": {
            "args": [{"name": "path"}],
            "metrics": [
                {"name": "m", "provider": {"web": {"url": "http://127.0.0.1:1/{{args.path}}"}}}
            ],
        },
    }
)


async def hash_key() -> bytes:
    """The key of this process."""
    return bytes(32)


@pytest.mark.parametrize(
    ("path", "is_remembered"),
    [
        pytest.param("short", True, id="a-short-question"),
        pytest.param("x" * 20_000, False, id="a-question-that-would-fill-the-memory"),
    ],
)
async def test_a_plan_is_remembered_if_its_question_is_short(
    path: str,
    is_remembered: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """Callers choose how long an argument is, and thousands of plans are remembered."""
    planner = Planner(
        templates=TemplateIndex("n"),
        secrets=SecretsFolder(None),
        provider_types=PROVIDERS,
        environ={},
        job_rights=JobRights(),
        hash_key=hash_key,
        ttl_s=10,
        now_s=lambda: 0.0,
    )
    question = Question(namespace="n", inline=(TEMPLATE,), arguments=(("path", path),))
    first, second = await planner.plan(question), await planner.plan(question)
    assert (first is second) is is_remembered
