"""What the rows of ``conformance/provider_vectors.json`` show, and where the gateway differs."""

import re
from collections.abc import Mapping
from typing import Any, Final

SHOWN_HEADERS: Final = (
    "Accept",
    "Api-Key",
    "Authorization",
    "Content-Type",
    "Dd-Api-Key",
    "Dd-Application-Key",
    "Newrelic-Requesting-Services",
    "X-Query-Source-Component-Id",
    "X-Scope-Orgid",
    "X-T",
)
"""Which headers of a request the rows tell."""
MEASURED: Final[Mapping[str, Mapping[str, Any]]] = {
    "CW11": {"metadata": {"messages": "MaxMetricsExceeded: too many"}},
    "D106": {"phase": "Failed", "value": "null"},
    "D209": {"phase": "Error", "value": "", "message": "There were errors in your query: nope"},
    "WF05": {"message": "No TimeSeries found in response from Wavefront: QuerySyntaxError: bad"},
    "WF07": {
        "phase": "Error",
        "value": "",
        "message": "a TimeSeries in response from Wavefront has no points",
        "metadata": {},
    },
}
"""Measurements that the gateway takes otherwise, on purpose, by the id of their row:
docs/differences.md"""


def expectation(row: Mapping[str, Any]) -> dict[str, Any]:
    """What is expected of a measurement that is taken at once."""
    return {**row["expect"], **MEASURED.get(row["id"], {})}


def undated(metadata: Mapping[str, str]) -> dict[str, str]:
    """Metadata without what the clock changes."""
    return {
        name: re.sub(r"-?\d+", "<drift>", text) if name == "drift" else text
        for name, text in metadata.items()
    }
