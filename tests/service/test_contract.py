"""The contract, tried by schemathesis: no input breaks it, none gives a 500."""

import json
from importlib.resources import files
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from running import template, web_metric
from schemathesis.specs.openapi import checks

schema = schemathesis.openapi.from_path(str(files("gateway.api").joinpath("openapi.yaml")))


@schema.parametrize()
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_call_keeps_its_contract(case: schemathesis.Case, stage: Any) -> None:
    """Status, content type and body of every answer are as the contract says."""
    # What the schema allows may still be no duration or no template: those refusals are checked
    # by other tests, here it counts that every answer is one that the contract knows.
    case.call_and_validate(
        base_url=stage.url,
        excluded_checks=[
            checks.positive_data_acceptance,
            checks.negative_data_rejection,
            # This gateway is open; tests/service/test_access_to_calls.py has one that is not.
            checks.ignored_auth,
        ],
    )


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        pytest.param("GET", "/v1/runs/{id}", {}, id="a-run"),
        pytest.param("GET", "/v1/runs/{id}", {"wait": "10s"}, id="its-end"),
        pytest.param("GET", "/v1/runs/{id}/verdict", {}, id="its-verdict"),
        pytest.param("GET", "/v1/runs/{id}/verdict", {"gate": "true"}, id="its-gate"),
        pytest.param("GET", "/v1/runs/{id}/events", {}, id="its-events"),
        pytest.param("GET", "/v1/runs", {"limit": 1, "label": ["team=a"]}, id="a-list"),
        pytest.param("POST", "/v1/runs/{id}/terminate", {}, id="nothing-to-be-done"),
        pytest.param("DELETE", "/v1/runs/{id}", {}, id="no-run-any-more"),
    ],
)
def test_a_real_run_keeps_the_contract(
    stage: Any, method: str, path: str, query: dict[str, Any]
) -> None:
    """What random input never makes: a run that measures, fails once and ends."""
    stage.let_answer(b'"green"', 200)
    metric = web_metric(stage.upstream.url, 'result == "green"', count=2, interval="50ms")
    started = requests.post(
        f"{stage.url}/v1/runs?labels.team=a&wait=5s",
        data=json.dumps(template(metric)),
        headers={"Content-Type": "application/json"},
        timeout=10,
    )
    assert started.status_code == 200, started.text
    run_id = started.json()["metadata"]["uid"]
    schema["/v1/runs"]["POST"].validate_response(started)
    case = schema[path][method].Case(
        path_parameters={"id": run_id} if "{id}" in path else {}, query=query
    )
    reply = case.call(base_url=stage.url)
    assert reply.status_code in {200, 204}
    case.operation.validate_response(reply)
