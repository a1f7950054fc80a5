"""Templates and arguments to plans."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manifests import (
    PROVIDER_TYPES,
    WEB,
    FakeProvider,
    argument,
    parsed,
    plan_of,
    secret_argument,
    values,
)

from gateway.args import Arguments, merge, resolve
from gateway.errors import GatewayError, ProviderInvalid, TemplateInvalid
from gateway.flatten import flatten
from gateway.plan import AnalysisPlan
from gateway.provider import Surroundings
from gateway.secrets import Secret
from gateway.template import SecretKeyRef, Template


def planned(template: Template, arguments: Arguments | None = None, **environ: str) -> AnalysisPlan:
    """The plan of one template, without references."""
    flat = flatten([template], {}.get)
    return plan_of(flat, arguments or values(), PROVIDER_TYPES, Surroundings(environ))


def complaints(template: Template, arguments: Arguments | None = None) -> list[str]:
    """Each problem as path and message."""
    with pytest.raises(TemplateInvalid) as caught:
        planned(template, arguments)
    return [str(problem) for problem in caught.value.problems]


def test_a_metric_is_planned() -> None:
    """Everything is resolved, the provider is made."""
    template = parsed(
        metrics=[
            {
                "name": "{{args.n}}",
                "count": "{{args.c}}",
                "interval": "{{args.c}}s",
                "initialDelay": "1m",
                "failureLimit": "{{args.c}}",
                "successCondition": "result > {{args.c}}",
                "failureCondition": "result <= {{args.c}}",
                "provider": {"web": {"url": "http://{{args.n}}", "headers": [{"{{args.n}}": 1}]}},
            },
            {"name": "plain", "provider": WEB},
        ],
        dryRun=[{"metricName": "^pl"}],
        measurementRetention=[{"metricName": "x", "limit": 3}],
    )
    first, second = planned(template, values(n="x", c="7")).metrics
    assert (first.name, first.path, first.provider_name) == ("x", "spec.metrics[0]", "web")
    assert first.block == {"url": "http://x", "headers": [{"x": 1}]}
    assert isinstance(first.provider, FakeProvider)
    assert first.provider.block == first.block
    assert (first.success_condition, first.failure_condition) == ("result > 7", "result <= 7")
    assert (first.metric.count, first.metric.interval) == ("7", "7s")
    assert (first.metric.failure_limit, first.metric.initial_delay) == ("7", "1m")
    assert (first.is_dry_run, second.is_dry_run) == (False, True)
    assert (second.name, second.block) == ("plain", {"url": "http://x"})


def test_what_cannot_be_made_is_a_measurement() -> None:
    """Argo makes an Error measurement out of a provider that it cannot create."""
    template = parsed(metrics=[{"name": "m", "provider": {"web": {}}}])
    (plan,) = planned(template).metrics
    assert isinstance(plan.provider, ProviderInvalid)
    assert str(plan.provider) == "web address is not configured"


def test_the_environment_reaches_providers() -> None:
    """Some of them find their address there."""
    template = parsed(metrics=[{"name": "m", "provider": {"web": {}}}])
    (plan,) = planned(template, URL="http://env").metrics
    assert isinstance(plan.provider, FakeProvider)
    assert plan.provider.block == {"url": "http://env"}


SECRETS = Arguments(
    values={"s": "hunter2", "n": "x"},
    open_values={"s": "temp-for-secret", "n": "x"},
    secrets=(Secret("hunter2"),),
)


def test_secrets_reach_conditions_and_providers_only() -> None:
    """What is named, counted or scheduled sees a placeholder, and no repr shows more."""
    template = parsed(
        metrics=[
            {
                "name": "{{args.s}}",
                "count": "{{args.s}}",
                "successCondition": 'result == "{{args.s}}"',
                "failureCondition": "{{args.n}}{{args.s}}",
                "provider": {"web": {"url": "http://{{args.s}}"}},
            }
        ]
    )
    plan = planned(template, SECRETS)
    (metric,) = plan.metrics
    assert plan.secrets == (Secret("hunter2"),)
    assert (metric.name, metric.metric.count) == ("temp-for-secret", "temp-for-secret")
    assert metric.metric.provider == {"web": {"url": "http://temp-for-secret"}}
    assert metric.block == {"url": "http://hunter2"}
    assert metric.success_condition == 'result == "hunter2"'
    assert metric.failure_condition == "xhunter2"
    assert "hunter2" not in repr(plan)


def test_a_secret_is_no_interval() -> None:
    """Argo's text shows the placeholder, not the secret."""
    template = parsed(metrics=[{"name": "m", "interval": "{{args.s}}", "provider": WEB}])
    assert complaints(template, SECRETS) == [
        (
            "spec.metrics[0].interval: invalid interval string: time: invalid duration "
            '"temp-for-secret"'
        )
    ]


def test_a_secret_that_json_cannot_hold_is_not_shown() -> None:
    """Only the letter of its escape is told."""
    template = parsed(metrics=[{"name": "m", "successCondition": "{{args.s}}", "provider": WEB}])
    arguments = Arguments({"s": "hunt\aer2"}, {"s": "temp-for-secret"}, (Secret("hunt\aer2"),))
    assert complaints(template, arguments) == [
        "spec.metrics[0].successCondition: invalid character 'a' in string escape code"
    ]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param({}, ["spec.metrics: no metrics specified"], id="no-metrics"),
        pytest.param(
            {"metrics": [{"name": "m", "provider": {"datadog": {}}}]},
            [
                (
                    "spec.metrics[0].provider.datadog: this gateway does not have it; available "
                    "are web, job"
                )
            ],
            id="a-provider-of-argo-that-is-not-here",
        ),
        pytest.param(
            {"metrics": [{"name": "m", "provider": {"promethues": {}}}]},
            ["spec.metrics[0].provider.promethues: unknown provider; did you mean prometheus?"],
            id="a-provider-that-nobody-knows",
        ),
        pytest.param(
            {"metrics": [{"name": "m", "provider": {"web": {"urll": "x", "headers": 1}}}]},
            [
                "spec.metrics[0].provider.web.urll: unknown field",
                "spec.metrics[0].provider.web.headers: must be a list",
            ],
            id="the-shape-of-a-block",
        ),
        pytest.param(
            {"metrics": [{"name": "m", "provider": {"job": {"x": 1}}}]},
            [
                "spec.metrics[0].provider.job: is never right",
                "spec.metrics[0].provider.job[0].x: neither",
            ],
            id="places-at-and-below-a-block",
        ),
        pytest.param(
            {
                "metrics": [
                    {"name": "x", "provider": WEB},
                    {"name": "{{args.n}}", "provider": WEB},
                ]
            },
            ["spec.metrics[1].name: duplicate name 'x'"],
            id="names-are-compared-after-substitution",
        ),
        pytest.param(
            {
                "metrics": [{"name": "{{args.n}}", "provider": WEB}],
                "dryRun": [{"metricName": "{{args.n}}"}, {"metricName": "^x$"}],
                "measurementRetention": [{"metricName": "*", "limit": 1}],
            },
            [
                "spec.dryRun[0]: Rule didn't match any metric name(s)",
                "spec.measurementRetention[0]: Rule didn't match any metric name(s)",
            ],
            id="rules-are-literal-names-are-not",
        ),
        pytest.param(
            {
                "metrics": [
                    {
                        "name": "m",
                        "count": "{{args.zz}}",
                        "failureLimit": 3,
                        "inconclusiveLimit": -1,
                        "successCondition": "{{args.yy}}",
                        "provider": {"web": {"urll": "{{args.xx}}"}},
                    },
                    {"name": "{{args.zz}}", "provider": {"web": {"url": "{{args.xx}}"}}},
                ],
                "dryRun": [{"metricName": "nothing"}],
            },
            [
                "spec.metrics[0].count: failed to resolve {{args.zz}}",
                "spec.metrics[0].successCondition: failed to resolve {{args.yy}}",
                "spec.metrics[0].provider.web.urll: failed to resolve {{args.xx}}",
                "spec.metrics[1].name: failed to resolve {{args.zz}}",
                "spec.metrics[1].provider.web.url: failed to resolve {{args.xx}}",
                "spec.metrics[0].inconclusiveLimit: inconclusiveLimit must be >= 0",
                "spec.metrics[0].provider.web.urll: unknown field",
            ],
            id="what-does-not-depend-on-an-unknown-argument-is-told-as-well",
        ),
    ],
)
def test_complaints(spec: dict[str, object], expected: list[str]) -> None:
    """Everything that template and arguments alone can tell."""
    assert complaints(parsed(**spec), values(n="x")) == expected


ARGS_IN_TEXTS = st.sampled_from(
    ["", "m", "{{args.a}}", "{{args.s}}", "{{ args.b }}", "{{args.a", "}}", "5s", "1", "-1", "*"]
)
METRICS = st.fixed_dictionaries(
    {"name": ARGS_IN_TEXTS, "provider": st.sampled_from([WEB, {}, {"web": {}}, {"job": {"x": 1}}])},
    optional=dict.fromkeys(
        ("interval", "initialDelay", "count", "failureLimit", "successCondition"), ARGS_IN_TEXTS
    ),
)


@given(
    st.lists(METRICS, max_size=3),
    st.lists(ARGS_IN_TEXTS, max_size=2),
    st.text(max_size=5),
    st.text(max_size=5),
)
def test_any_template_is_planned_or_refused(
    metrics: Sequence[dict[str, object]], rules: Sequence[str], value: str, secret: str
) -> None:
    """Nothing but TemplateInvalid ever leaves."""
    template = parsed(metrics=metrics, dryRun=[{"metricName": rule} for rule in rules])
    merged = merge([argument("a"), secret_argument("s")], [argument("a", value)])
    try:
        arguments = resolve(merged, {SecretKeyRef(name="s", key="k"): Secret(secret)})
        plan = planned(template, arguments)
    except GatewayError as error:
        assert isinstance(error, TemplateInvalid)
        assert error.problems
    else:
        assert len(plan.metrics) == len(metrics)
