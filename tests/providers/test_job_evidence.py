"""job: a Job whose end would say nothing, or never come, is refused."""

from typing import Any

import pytest
from job_api import Document, block

from gateway.errors import ProviderInvalid
from gateway.provider import Surroundings
from providers import JobRules
from providers.job import provider_type

NO_POD = "must not be 0: without a pod there is nothing to judge by"
SUSPENDED = "is refused: a Job that is suspended has no deadline"
MANAGED = "is refused: nobody knows when its conditions mean its end"
OF_OTHERS = "is refused: pods of others would be taken for the Job's"
SELECTOR = {"matchLabels": {"app": "shop"}}


@pytest.mark.parametrize(
    ("spec", "problems"),
    [
        pytest.param({"completions": 0}, [("completions", NO_POD)], id="complete-at-once"),
        pytest.param({"completions": "0"}, [("completions", NO_POD)], id="a-text-that-becomes-0"),
        pytest.param({"parallelism": 0}, [("parallelism", NO_POD)], id="never-started"),
        pytest.param({"parallelism": "0"}, [("parallelism", NO_POD)], id="a-text-that-is-0"),
        pytest.param(
            {"parallelism": 0, "completions": 0}, [("completions", NO_POD)], id="told-once-of-both"
        ),
        pytest.param({"suspend": True}, [("suspend", SUSPENDED)], id="suspended"),
        pytest.param({"suspend": "{{args.x}}"}, [("suspend", SUSPENDED)], id="perhaps-suspended"),
        pytest.param(
            {"managedBy": "kueue.x-k8s.io/multikueue"}, [("managedBy", MANAGED)], id="others-manage"
        ),
        pytest.param(
            {"managedBy": "{{args.x}}"}, [("managedBy", MANAGED)], id="perhaps-others-manage"
        ),
        pytest.param(
            {"manualSelector": True}, [("manualSelector", OF_OTHERS)], id="selects-by-hand"
        ),
        pytest.param({"selector": SELECTOR}, [("selector", OF_OTHERS)], id="selects-others"),
        pytest.param(
            {
                "suspend": True,
                "parallelism": 0,
                "managedBy": "x",
                "selector": SELECTOR,
                "manualSelector": True,
            },
            [
                ("parallelism", NO_POD),
                ("suspend", SUSPENDED),
                ("managedBy", MANAGED),
                ("manualSelector", OF_OTHERS),
                ("selector", OF_OTHERS),
            ],
            id="all-of-it-is-told",
        ),
    ],
)
def test_a_job_that_proves_nothing_is_refused(
    spec: dict[str, Any], problems: list[tuple[str, str]]
) -> None:
    """By a check, and, as a value may have been filled in only then, when it is to be run."""
    told = [(f"spec.{field}", message) for field, message in problems]
    kind = provider_type(JobRules())
    assert kind.check(block(**spec)) == told
    with pytest.raises(ProviderInvalid) as caught:
        kind.parse(block(**spec), Surroundings())
    assert str(caught.value) == "; ".join(f"{path}: {message}" for path, message in told)


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({}, id="nothing-is-said"),
        pytest.param({"completions": 1, "parallelism": 1}, id="one-pod"),
        pytest.param({"completions": 5, "parallelism": 2}, id="several-pods"),
        pytest.param({"completions": None, "parallelism": None}, id="null"),
        pytest.param({"completions": "{{args.n}}"}, id="a-number-to-be-filled-in"),
        pytest.param({"suspend": False}, id="not-suspended"),
        pytest.param({"suspend": None, "managedBy": None, "selector": None}, id="nothing-is-meant"),
        pytest.param({"managedBy": "kubernetes.io/job-controller"}, id="the-job-controller"),
        pytest.param({"managedBy": ""}, id="nobody-by-name"),
        pytest.param({"manualSelector": False, "selector": {}}, id="kubernetes-selects"),
    ],
)
def test_a_job_that_proves_something_passes(spec: Document) -> None:
    """Who runs it, and how often, is its author's business."""
    kind = provider_type(JobRules())
    assert kind.check(block(**spec)) == []
    assert kind.parse(block(**spec), Surroundings())


def test_what_proves_nothing_is_told_beside_what_lets_a_pod_out() -> None:
    """All problems of a Job at once."""
    pod = {"hostPID": True, "containers": []}
    found = provider_type(JobRules()).check(block(pod, suspend=True))
    assert [path for path, _ in found] == ["spec.suspend", "spec.template.spec.hostPID"]
