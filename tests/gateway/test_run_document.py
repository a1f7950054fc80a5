"""A run's status as Argo writes it, and back."""

import json
from typing import Any

import orjson
import pytest

from gateway.model import Phase
from gateway.run_document import StatusUnreadable, parse_status, run_json, status_json
from gateway.run_status import Measurement, MetricResult, RunStatus, Summary

FULL = RunStatus(
    phase=Phase.FAILED,
    message="why",
    metric_results=(
        MetricResult(
            name="success-rate",
            phase=Phase.INCONCLUSIVE,
            message="why this one",
            measurements=(
                Measurement(
                    phase=Phase.ERROR,
                    started_at_unix_s=1_700_000_000.001,
                    finished_at_unix_s=1_700_000_001.25,
                    message="refused",
                    value="[0.97]",
                    metadata={"warnings": "slow"},
                ),
                Measurement(
                    phase=Phase.RUNNING,
                    started_at_unix_s=1_700_000_011.0,
                    resume_at_unix_s=1_700_000_026.999,
                ),
            ),
            count=6,
            successful=1,
            failed=2,
            inconclusive=3,
            error=4,
            consecutive_error=5,
            consecutive_success=7,
            is_dry_run=True,
            metadata={"ResolvedPrometheusQuery": "up"},
        ),
    ),
    started_at_unix_s=1_700_000_002.0,
    completed_at_unix_s=1_700_000_099.5,
    run_summary=Summary(count=10, successful=1, failed=2, inconclusive=3, error=4),
    dry_run_summary=Summary(count=1),
)
FULL_DOCUMENT: dict[str, Any] = {
    "phase": "Failed",
    "message": "why",
    "startedAt": "2023-11-14T22:13:22.000Z",
    "completedAt": "2023-11-14T22:14:59.500Z",
    "runSummary": {"count": 10, "successful": 1, "failed": 2, "inconclusive": 3, "error": 4},
    "dryRunSummary": {"count": 1},
    "metricResults": [
        {
            "name": "success-rate",
            "phase": "Inconclusive",
            "message": "why this one",
            "count": 6,
            "successful": 1,
            "failed": 2,
            "inconclusive": 3,
            "error": 4,
            "consecutiveError": 5,
            "consecutiveSuccess": 7,
            "dryRun": True,
            "metadata": {"ResolvedPrometheusQuery": "up"},
            "measurements": [
                {
                    "phase": "Error",
                    "startedAt": "2023-11-14T22:13:20.001Z",
                    "finishedAt": "2023-11-14T22:13:21.250Z",
                    "message": "refused",
                    "value": "[0.97]",
                    "metadata": {"warnings": "slow"},
                },
                {
                    "phase": "Running",
                    "startedAt": "2023-11-14T22:13:31.000Z",
                    "resumeAt": "2023-11-14T22:13:46.999Z",
                },
            ],
        }
    ],
}


@pytest.mark.parametrize(
    ("status", "document"),
    [
        pytest.param(RunStatus(), {"phase": "Pending", "runSummary": {}}, id="a-new-run"),
        pytest.param(
            RunStatus(
                phase=Phase.RUNNING,
                metric_results=(MetricResult(name="m"),),
                started_at_unix_s=0.0,
                dry_run_summary=Summary(),
            ),
            {
                "phase": "Running",
                "metricResults": [{"name": "m", "phase": "Running"}],
                "startedAt": "1970-01-01T00:00:00.000Z",
                "runSummary": {},
                "dryRunSummary": {},
            },
            id="what-is-zero-or-empty-is-left-out",
        ),
        pytest.param(FULL, FULL_DOCUMENT, id="every-field"),
    ],
)
def test_a_status_has_argos_fields(status: RunStatus, document: dict[str, Any]) -> None:
    """There and back; the values are plain, whatever writes them."""
    written = status_json(status)
    assert written == document
    assert json.loads(json.dumps(written)) == written
    assert type(written["phase"]) is str
    assert parse_status(document) == status


@pytest.mark.parametrize(
    ("is_terminated", "spec"),
    [
        pytest.param(False, {"metrics": []}, id="goes-on"),
        pytest.param(True, {"metrics": [], "terminate": True}, id="is-to-end"),
    ],
)
def test_a_run_is_its_manifest_with_a_status(
    spec: dict[str, object], *, is_terminated: bool
) -> None:
    """Of the spec only ``terminate`` changes, and the manifest that was given does not."""
    manifest = {"kind": "AnalysisRun", "spec": {"metrics": []}}
    written = run_json(manifest, RunStatus(), is_terminated=is_terminated)
    status = {"phase": "Pending", "runSummary": {}}
    assert written == {"kind": "AnalysisRun", "spec": spec, "status": status}
    assert manifest == {"kind": "AnalysisRun", "spec": {"metrics": []}}


def test_argos_own_status_is_read() -> None:
    """Whole seconds, other time zones, and fields that are newer than this gateway, which stay."""
    document = {
        "phase": "Successful",
        "startedAt": "2023-11-14T23:13:20+01:00",
        "runSummary": {"count": 1, "another": 2},
        "another": {"field": True},
    }
    assert parse_status(document) == RunStatus(
        phase=Phase.SUCCESSFUL,
        started_at_unix_s=1_700_000_000.0,
        run_summary=Summary(count=1),
        unknown={"another": {"field": True}},
    )


def changed(path: str, value: object) -> dict[str, Any]:
    """The full document with one field replaced, or left out if the value is ``...``."""
    document: dict[str, Any] = orjson.loads(orjson.dumps(FULL_DOCUMENT))
    *parents, field = path.split(".")
    holder: Any = document
    for step in parents:
        holder = holder[int(step)] if step.isdigit() else holder[step]
    if value is ...:
        del holder[field]
    else:
        holder[field] = value
    return document


RESULT = "metricResults.0"
MEASUREMENT = "metricResults.0.measurements.0"


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        pytest.param("phase", ..., "phase must be a phase, not 'None'", id="no-phase"),
        pytest.param("phase", "Fine", "phase must be a phase, not 'Fine'", id="another-phase"),
        pytest.param("phase", ["x"], "phase must be a text, not \"['x']\"", id="a-list-of-phases"),
        pytest.param("message", 7, "message must be a text, not '7'", id="a-number-for-a-text"),
        pytest.param(
            "runSummary", ..., "runSummary must be an object, not 'None'", id="no-summary"
        ),
        pytest.param(
            "dryRunSummary",
            None,
            "dryRunSummary must be an object, not 'None'",
            id="null-for-a-summary",
        ),
        pytest.param(
            "runSummary.count", "1", "count must be an integer, not '1'", id="a-text-for-a-number"
        ),
        pytest.param(
            f"{RESULT}.failed",
            True,
            "failed must be an integer, not 'True'",
            id="a-yes-for-a-number",
        ),
        pytest.param(
            "startedAt", "soon", "startedAt must be an RFC 3339 time, not 'soon'", id="no-time"
        ),
        pytest.param(
            "startedAt",
            "2023-11-14T22:13:20",
            "startedAt must be an RFC 3339 time, not '2023-11-14T22:13:20'",
            id="a-time-without-a-zone",
        ),
        pytest.param(
            "completedAt",
            17,
            "completedAt must be an RFC 3339 time, not '17'",
            id="a-number-for-a-time",
        ),
        pytest.param(
            "metricResults",
            {"a": 1},
            "metricResults must be a list of objects, not \"{'a': 1}\"",
            id="an-object-for-a-list",
        ),
        pytest.param(
            "metricResults",
            ["a"],
            "metricResults must be a list of objects, not \"['a']\"",
            id="a-list-of-texts",
        ),
        pytest.param(f"{RESULT}.name", ..., "name must be a text, not 'None'", id="no-name"),
        pytest.param(
            f"{RESULT}.metadata",
            {"a": 1},
            "metadata must be an object of texts, not \"{'a': 1}\"",
            id="metadata-with-a-number",
        ),
        pytest.param(
            f"{RESULT}.metadata",
            "a",
            "metadata must be an object of texts, not 'a'",
            id="a-text-for-metadata",
        ),
        pytest.param(
            f"{RESULT}.dryRun",
            "yes",
            "dryRun must be true or false, not 'yes'",
            id="a-text-for-a-yes",
        ),
        pytest.param(
            f"{MEASUREMENT}.startedAt",
            ...,
            "startedAt must be an RFC 3339 time, not 'None'",
            id="a-measurement-without-a-beginning",
        ),
    ],
)
def test_a_damaged_status_is_no_status(path: str, value: object, complaint: str) -> None:
    """It says which field is wrong, and what stands there."""
    with pytest.raises(StatusUnreadable) as caught:
        parse_status(changed(path, value))
    assert str(caught.value) == complaint
