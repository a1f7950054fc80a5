"""Any status survives being written down."""

import orjson
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import Phase
from gateway.run_document import parse_status, status_json
from gateway.run_status import Measurement, MetricResult, RunStatus, Summary

TIMES = st.integers(0, 250_000_000_000_000).map(lambda milliseconds: milliseconds / 1000)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
METADATA = st.dictionaries(TEXTS, TEXTS, max_size=2)
UNKNOWN = st.dictionaries(
    TEXTS.map("x-{}".format), TEXTS | st.lists(st.booleans(), max_size=2), max_size=2
)
COUNTERS = st.integers(0, 1 << 31)
PHASES = st.sampled_from(Phase)
MEASUREMENTS = st.builds(
    Measurement,
    phase=PHASES,
    started_at_unix_s=TIMES,
    finished_at_unix_s=st.none() | TIMES,
    message=TEXTS,
    value=TEXTS,
    metadata=METADATA,
    resume_at_unix_s=st.none() | TIMES,
    unknown=UNKNOWN,
)
SUMMARIES = st.builds(
    Summary,
    count=COUNTERS,
    successful=COUNTERS,
    failed=COUNTERS,
    inconclusive=COUNTERS,
    error=COUNTERS,
)
RESULTS = st.builds(
    MetricResult,
    name=TEXTS,
    phase=PHASES,
    message=TEXTS,
    measurements=st.lists(MEASUREMENTS, max_size=3).map(tuple),
    count=COUNTERS,
    successful=COUNTERS,
    failed=COUNTERS,
    inconclusive=COUNTERS,
    error=COUNTERS,
    consecutive_error=COUNTERS,
    consecutive_success=COUNTERS,
    is_dry_run=st.booleans(),
    metadata=METADATA,
    unknown=UNKNOWN,
)
STATUSES = st.builds(
    RunStatus,
    phase=PHASES,
    message=TEXTS,
    metric_results=st.lists(RESULTS, max_size=2).map(tuple),
    started_at_unix_s=st.none() | TIMES,
    completed_at_unix_s=st.none() | TIMES,
    run_summary=SUMMARIES,
    dry_run_summary=st.none() | SUMMARIES,
    unknown=UNKNOWN,
)


@given(STATUSES)
def test_what_is_written_comes_back(status: RunStatus) -> None:
    """Through JSON, with nothing lost and nothing rounded."""
    assert parse_status(orjson.loads(orjson.dumps(status_json(status)))) == status
