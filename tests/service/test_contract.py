"""The contract, tried by schemathesis: no input breaks it, none gives a 500."""

from importlib.resources import files
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
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
        excluded_checks=[checks.positive_data_acceptance, checks.negative_data_rejection],
    )
