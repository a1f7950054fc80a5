"""Whatever comes in about runs: an answer in our shape, soon, and never a 500."""

import json
import string
import time
from typing import Any
from urllib.parse import quote, urlencode

import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from running import template, web_metric

from gateway.api import run_parameters

SOON_S = 5.0
FEW = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
NOBODY = "7e5f0c52-6a3f-4c85-9f0e-3c2f5d1f7b11"
TEXT = st.text(max_size=30)
SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
JSON = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4)
)
KNOWN = sorted(
    run_parameters.OF_LIST
    | run_parameters.OF_NEW
    | run_parameters.OF_VERDICT
    | run_parameters.OF_EVENTS
    | {"args.x", "labels.x", "labels.", "labels.a/b"}
)
HINTS = st.sampled_from(
    [
        *("true", "0s", "1ms", "-1s", "Failed", "a=b", "a/b=c", "=", "1", "500", "9" * 20),
        *("2026-11-23T15:00:00Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"),
        *("1790000000000:x", "1-1", "0-0", "99-99", "\u0661"),
    ]
)
QUERY = st.lists(st.tuples(st.sampled_from(KNOWN) | TEXT, HINTS | TEXT), max_size=4)
VISIBLE = st.text(alphabet=string.printable.strip(), max_size=300)
EXPECTED = {200, 202, 204, 400, 404, 413, 415, 422}


def refused(word: str) -> None:
    """JSON knows no NaN."""
    raise AssertionError(word)


def checked(method: str, url: str, **options: Any) -> requests.Response:
    """An answer that keeps all promises."""
    started_s = time.monotonic()
    reply = requests.request(method, url, timeout=30, **options)
    assert time.monotonic() - started_s < SOON_S
    assert reply.status_code in EXPECTED, reply.text
    assert b"Traceback" not in reply.content
    if reply.status_code >= 400:
        assert reply.headers["Content-Type"] == "application/problem+json"
        body = json.loads(reply.content.decode(), parse_constant=refused)
        assert body["ok"] is False
        assert body["reason"]
    return reply


def encoded(query: list[tuple[str, str]]) -> str:
    """A query string."""
    return urlencode(query, errors="replace")


@given(QUERY)
@FEW
def test_any_query(stage: Any, query: list[tuple[str, str]]) -> None:
    """Of a list, of a run, of its verdict and of its events."""
    for path in ("", f"/{NOBODY}", f"/{NOBODY}/verdict", f"/{NOBODY}/events"):
        checked("GET", f"{stage.url}/v1/runs{path}?{encoded(query)}")


@given(TEXT.filter(lambda text: text not in {"", ".", ".."}))
@FEW
def test_any_id(stage: Any, run_id: str) -> None:
    """There is no such run."""
    path = f"{stage.url}/v1/runs/{quote(run_id, safe='', errors='replace')}"
    assert checked("GET", path).status_code == 404
    assert checked("DELETE", path).status_code == 404
    assert checked("POST", f"{path}/terminate").status_code == 404


@given(
    JSON | JSON.map(lambda metric: {"metrics": [metric]}),
    st.dictionaries(st.sampled_from(["name", "namespace", "labels", "annotations"]) | TEXT, JSON),
    st.sampled_from(["AnalysisRun", "AnalysisTemplate", "AnalysisRunList"]),
)
@FEW
def test_any_manifest(stage: Any, spec: object, metadata: dict[str, object], kind: str) -> None:
    """Runs of any shape, as JSON, NaN and the like included."""
    manifest = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": kind,
        "metadata": metadata,
        "spec": spec,
    }
    headers = {"Content-Type": "application/json"}
    checked("POST", f"{stage.url}/v1/runs", data=json.dumps(manifest), headers=headers)


@given(VISIBLE, VISIBLE, QUERY)
@FEW
def test_any_header(stage: Any, key: str, last: str, query: list[tuple[str, str]]) -> None:
    """Keys and events of any text; a run that is started by chance can be read and followed."""
    stage.let_answer(b"1", 200)
    # A gate's status would be no refusal.
    query = [(name, value) for name, value in query if name != "gate"]
    reply = checked(
        "POST",
        f"{stage.url}/v1/runs?{encoded(query)}",
        data=json.dumps(template(web_metric(stage.upstream.url, "result == 1"))),
        headers={"Idempotency-Key": key, "Prefer": last},
    )
    if "Location" in reply.headers:
        path = stage.url + reply.headers["Location"]
        assert checked("GET", f"{path}?wait=5s").json()["status"]["phase"] == "Successful"
        checked("GET", f"{path}/verdict", headers={"Prefer": last})
        checked("GET", f"{path}/events", headers={"Last-Event-ID": last})
