"""Who may run Jobs."""

from collections.abc import Callable

import pytest
from manifests import manifest, plan_of

from gateway.args import Arguments
from gateway.errors import JobsForbidden, Problem
from gateway.flatten import flatten
from gateway.job_rights import JobRights, metrics_of
from gateway.plan import MetricPlan
from gateway.template import Template, parse
from providers import PROVIDERS

JOB: dict[str, object] = {"spec": {"template": {"spec": {"containers": []}}}}
ASKS = {"name": "asks", "provider": {"web": {"url": "http://h"}}}
RUNS = {"name": "runs", "provider": {"job": JOB}}
NOT_SWITCHED_ON = (
    "Jobs are not switched on for namespace 'shop' (kubernetes.jobs.namespaces; for the command"
    " run: --kubeconfig)"
)
NOT_BROUGHT = (
    "a request may not bring a Job: name a template that the gateway has, which GET /v1/templates"
    " lists"
)


def template(name: str, *metrics: object) -> Template:
    """A template with these metrics."""
    return parse(manifest(name, metrics=list(metrics)))


def plans(*templates: Template) -> tuple[MetricPlan, ...]:
    """What templates come to."""
    nobody: Callable[..., None] = lambda _ref: None  # noqa: E731 - templates that refer to none
    flat = flatten(templates, nobody)
    return plan_of(flat, Arguments({}, {}), PROVIDERS).metrics


@pytest.mark.parametrize(
    ("namespaces", "metrics", "paths"),
    [
        pytest.param((), [ASKS], [], id="who-runs-none-needs-no-right"),
        pytest.param((), [ASKS, RUNS], ["spec.metrics[1].provider.job"], id="nobody-may"),
        pytest.param(("bank",), [RUNS], ["spec.metrics[0].provider.job"], id="others-may"),
        pytest.param(("bank", "shop"), [RUNS], [], id="this-one-may"),
        pytest.param(("*",), [RUNS], [], id="all-may"),
        pytest.param(("sho",), [RUNS], ["spec.metrics[0].provider.job"], id="half-a-name"),
        pytest.param(
            (),
            [RUNS, ASKS, {**RUNS, "name": "again"}],
            ["spec.metrics[0].provider.job", "spec.metrics[2].provider.job"],
            id="every-job-is-told",
        ),
    ],
)
def test_a_namespace_may_run_jobs_if_the_deployer_says_so(
    namespaces: tuple[str, ...], metrics: list[object], paths: list[str]
) -> None:
    """Unset, none may."""
    told: tuple[Problem, ...] = ()
    try:
        JobRights(namespaces).check("shop", plans(template("t", *metrics)))
    except JobsForbidden as error:
        told = error.problems
    assert told == tuple(Problem(path, NOT_SWITCHED_ON) for path in paths)


@pytest.mark.parametrize(
    ("brought", "paths"),
    [
        pytest.param([], [], id="nothing-is-brought"),
        pytest.param([template("t", ASKS)], [], id="no-job-is-brought"),
        pytest.param([template("t", ASKS, RUNS)], ["spec.metrics[1].provider.job"], id="a-job"),
        pytest.param(
            [template("t", RUNS), template("u", ASKS, RUNS)],
            [
                "AnalysisTemplate t: spec.metrics[0].provider.job",
                "AnalysisTemplate u: spec.metrics[1].provider.job",
            ],
            id="jobs-in-two-templates",
        ),
        pytest.param(
            [template("t", {"name": "m", "provider": {"job": {}, "web": {}}})],
            ["spec.metrics[0].provider.job"],
            id="a-job-beside-another-provider",
        ),
    ],
)
def test_a_request_may_not_bring_a_job(brought: list[Template], paths: list[str]) -> None:
    """Code of who asks would run with the rights of a namespace."""
    told: tuple[Problem, ...] = ()
    try:
        JobRights(("*",)).check_brought(metrics_of(brought))
    except JobsForbidden as error:
        told = error.problems
    assert told == tuple(Problem(path, NOT_BROUGHT) for path in paths)


def test_who_runs_jobs_with_rights_of_their_own_may_bring_them() -> None:
    """As on the command line."""
    rights = JobRights(("*",), takes_brought=True)
    rights.check_brought(metrics_of([template("t", RUNS)]))
    rights.check("shop", plans(template("t", RUNS)))
