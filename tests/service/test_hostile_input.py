"""Whatever comes in, from callers or vendors: an answer in our shape, soon, and never a 500."""

import json
import string
import time
from typing import Any
from urllib.parse import urlencode

import requests
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from running import template

SOON_S = 5.0
FEW = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
TEXT = st.text(max_size=30)
SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
JSON = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4)
)
FIELDS = [
    *("name", "interval", "initialDelay", "count", "successCondition", "failureCondition"),
    *("failureLimit", "inconclusiveLimit", "consecutiveErrorLimit", "consecutiveSuccessLimit"),
    "provider",
]
TAGGED = st.sampled_from(["{{args.x}}", "{{", "}}", "{{args.y", "{{ args.x }}", "0", "-1", "5s"])
METRIC = st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, TAGGED | SCALAR | JSON))
SPEC = st.fixed_dictionaries(
    {},
    optional={
        "metrics": st.lists(METRIC | JSON, max_size=3) | JSON,
        "args": st.lists(
            st.fixed_dictionaries({"name": TEXT}, optional={"value": TEXT}), max_size=3
        )
        | JSON,
        "dryRun": JSON,
        "measurementRetention": JSON,
        "templates": JSON,
    },
)
WORDS = (
    "result [0] .a ?. ?? + - * / ** % .. == >= && || ! ( ) [ ] { } # | : ; , let x = 1 0.5 'a' nil"
    " true all any map filter reduce len max now() duration('1h') isNaN asInt matches in not"
    " __class__ __import__ open eval globals repeat"
)
CONDITION = st.text(alphabet=string.printable + "\u00e9\u2028\U0001f600", max_size=60) | st.lists(
    st.sampled_from(WORDS.split()), max_size=12
).map(" ".join)


def refused(word: str) -> None:
    """JSON knows no NaN."""
    raise AssertionError(word)


def checked(reply: requests.Response, started_s: float) -> Any:
    """The JSON of an answer that keeps all promises."""
    assert time.monotonic() - started_s < SOON_S
    assert reply.status_code in {200, 400, 404, 413, 415, 422}, reply.text
    assert "Traceback" not in reply.text
    kind = "application/json" if reply.status_code == 200 else "application/problem+json"
    assert reply.headers["Content-Type"] == kind
    body = json.loads(reply.content, parse_constant=refused)
    assert reply.status_code == 200 or (body["ok"] is False and body["reason"])
    return body


def posted(url: str, data: bytes, content_type: str = "application/yaml") -> Any:
    """A body's answer."""
    started_s = time.monotonic()
    reply = requests.post(url, data=data, headers={"Content-Type": content_type}, timeout=30)
    return checked(reply, started_s)


@given(st.binary(max_size=200), st.sampled_from(["application/json", "application/yaml"]))
@FEW
def test_any_bytes(stage: Any, data: bytes, content_type: str) -> None:
    """Verdict and lint read anything, or say why not."""
    posted(f"{stage.url}/v1/verdict", data, content_type)
    posted(f"{stage.url}/v1/lint", data, content_type)


@given(SPEC | JSON)
@FEW
def test_any_spec(stage: Any, spec: object) -> None:
    """Templates of any shape, as JSON, NaN and the like included."""
    manifest = {**template(), "spec": spec}
    for path in ("verdict", "lint"):
        posted(f"{stage.url}/v1/{path}", json.dumps(manifest).encode(), "application/json")


@given(st.dictionaries(TEXT, TEXT, max_size=3), TEXT)
@FEW
def test_any_argument(stage: Any, arguments: dict[str, str], value: str) -> None:
    """Names and values of any text, put into every kind of place."""
    stage.let_answer(b"1", 200)
    metric = {
        "name": "m",
        "successCondition": "result == 1 || '{{args.x}}' == ''",
        "provider": {
            "web": {
                "url": stage.upstream.url + "/{{args.x}}",
                "headers": [{"key": "X-{{args.x}}", "value": "{{args.x}}"}],
                "method": "POST",
                "jsonBody": {"{{args.x}}": "{{args.x}}"},
            }
        },
    }
    query = urlencode(
        {f"args.{name}": text for name, text in {**arguments, "x": value}.items()}, errors="replace"
    )
    data = yaml.safe_dump(template(metric, args=[{"name": "x"}])).encode()
    posted(f"{stage.url}/v1/verdict?maxAge=0&{query}", data)


@given(CONDITION, JSON)
@FEW
def test_any_condition(stage: Any, condition: str, result: object) -> None:
    """Conditions of any text, judged on any result."""
    stage.let_answer(json.dumps(result).encode(), 200)
    metric = {
        "name": "m",
        "successCondition": condition,
        "provider": {"web": {"url": stage.upstream.url}},
    }
    data = json.dumps(template(metric)).encode()
    posted(f"{stage.url}/v1/verdict?maxAge=0", data, "application/json")


@given(
    st.binary(max_size=200)
    | JSON.map(lambda value: json.dumps(value).encode())
    | JSON.map(
        lambda value: json.dumps(
            {"status": "success", "data": {"resultType": "vector", "result": value}}
        ).encode()
    ),
    st.sampled_from([200, 204, 400, 401, 422, 429, 500, 503]),
    st.sampled_from(["web", "prometheus"]),
)
@FEW
def test_any_answer_of_a_vendor(stage: Any, body: bytes, status: int, provider: str) -> None:
    """What a vendor says is a value or an Error."""
    stage.let_answer(b"" if status == 204 else body, status)
    block = {"web": {"url": stage.upstream.url}, "prometheus": {"address": stage.upstream.url}}
    metric = {
        "name": "m",
        "successCondition": "result == 1",
        "provider": {provider: block[provider]},
    }
    data = json.dumps(template(metric)).encode()
    answer = posted(f"{stage.url}/v1/verdict?maxAge=0", data, "application/json")
    assert answer["phase"] in {"Successful", "Failed", "Error"}
