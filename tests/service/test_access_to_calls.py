"""Every call of the contract, by who asks: a new one must say here what right it takes."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

import pytest
import requests
import schemathesis
import yaml
from guarded import ALICE, EGRESS, EVERY_ACTION, access, bearer, digest, rule
from hypothesis import HealthCheck, settings
from running import template, web_metric
from schemathesis.specs.openapi import checks
from staged import Stage, staged

CONTRACT: Final = yaml.safe_load(files("gateway.api").joinpath("openapi.yaml").read_text())
METHODS: Final = {
    (method.upper(), path): call
    for path, calls in CONTRACT["paths"].items()
    for method, call in calls.items()
}
CALLS: Final = {call["operationId"]: place for place, call in METHODS.items()}
OPEN: Final = {call["operationId"] for call in METHODS.values() if call.get("security") == []}
RIGHTS: Final[Mapping[str, tuple[set[str], ...]]] = {
    "getVerdict": ({"verdict"},),
    "getClusterVerdict": ({"verdict"},),
    "postVerdict": ({"verdict", "inline"},),
    "postRun": ({"run", "inline"},),
    "getRuns": ({"run"}, {"admin"}),
    "getRun": ({"run", "inline"}, {"admin"}),
    "deleteRun": ({"run", "inline"}, {"admin"}),
    "getRunVerdict": ({"run", "inline"}, {"admin"}),
    "getRunEvents": ({"run", "inline"}, {"admin"}),
    "terminateRun": ({"run", "inline"}, {"admin"}),
    "getTemplates": ({"verdict"}, {"run"}, {"admin"}),
    "postLint": ({"verdict"}, {"run"}, {"inline"}, {"admin"}),
    "postCondition": ({"verdict"}, {"run"}, {"inline"}, {"admin"}),
    "getAudit": ({"admin"},),
    "getConnections": ({"verdict"}, {"run"}, {"admin"}),
    "getMetrics": ({"metrics"},),
    "getContract": (set(),),
}
"""The sets of actions of which one lets the call through, for a run whose metrics were brought."""
SOMEONE: Final = "token-of-someone-without-a-rule-1b2c"


def token_of(actions: set[str]) -> str:
    """The token of whoever may do just this."""
    return f"token-{hashlib.sha256(repr(sorted(actions)).encode()).hexdigest()[:20]}"


def sets() -> list[set[str]]:
    """All sets of actions that a caller of the tests has."""
    enough = [each for sets in RIGHTS.values() for each in sets if each]
    lacking = [set(EVERY_ACTION) - set().union(*sets) for sets in RIGHTS.values()]
    parts = [{each} for each in EVERY_ACTION]
    return list({token_of(each): each for each in (*enough, *lacking, *parts)}.values())


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A gateway that knows a caller for every set of actions, one for all, and one for none."""
    folder = tmp_path_factory.mktemp("access")
    chosen = access(
        folder,
        rule(*EVERY_ACTION, namespaces=["*"], connections=["*"]),
        *(
            rule(*sorted(each), callers=[f"token:{token_of(each)}"], namespaces=["default"])
            for each in sets()
        ),
    )
    tokens = Path(str(chosen["tokens"]))
    known = yaml.safe_load(tokens.read_text())["tokens"]
    known += [{"name": token_of(each), "sha256": digest(token_of(each))} for each in sets()]
    known.append({"name": "someone", "sha256": digest(SOMEONE)})
    tokens.write_text(yaml.safe_dump({"tokens": known}))
    with staged(tmp_path_factory.mktemp("state"), access=chosen, egress=EGRESS) as running:
        running.let_answer(b'"green"', 200)
        yield running


def call(
    stage: Stage, operation: str, token: str | None, *, run_id: str = "0", **headers: str
) -> requests.Response:
    """Make a call as its contract has it, or a HEAD instead."""
    method, path = CALLS[operation]
    place = path.format(namespace="default", name="nothing", id=run_id)
    body = template(web_metric(stage.upstream.url)) if method == "POST" else None
    if operation == "postCondition":
        body = {"condition": "result", "result": True}
    return requests.request(
        headers.pop("method", method),
        stage.url + place,
        data=None if body is None else json.dumps(body),
        headers={
            "Content-Type": "application/json",
            **({} if token is None else bearer(token)),
            **headers,
        },
        timeout=10,
    )


def a_run(stage: Stage) -> str:
    """The id of a run that has ended, of what somebody brought."""
    started = requests.post(
        f"{stage.url}/v1/runs?wait=5s",
        data=json.dumps(template(web_metric(stage.upstream.url))),
        headers={"Content-Type": "application/json", **bearer(ALICE)},
        timeout=10,
    )
    assert started.status_code == 200, started.text
    return str(started.json()["metadata"]["uid"])


def test_every_call_says_what_right_it_takes() -> None:
    """Those of the table, and those that the contract lets everybody make: health, no more."""
    assert {*RIGHTS} | OPEN == {*CALLS}
    assert {CALLS[each][1] for each in OPEN} == {"/healthz", "/readyz"}


@pytest.mark.parametrize("operation", sorted(RIGHTS))
@pytest.mark.parametrize(
    ("authorization", "slug"),
    [
        pytest.param(None, "credential_missing", id="nothing"),
        pytest.param("Bearer not-a-token-of-ours", "credential_refused", id="an-unknown-token"),
        pytest.param(f"Bearer {digest(ALICE)}", "credential_refused", id="a-hash"),
        pytest.param(f"Basic {ALICE}", "credential_refused", id="another-scheme"),
        pytest.param("", "credential_refused", id="an-empty-header"),
    ],
)
def test_who_is_not_known_gets_nothing(
    guarded: Stage, operation: str, authorization: str | None, slug: str
) -> None:
    """401 with a challenge, in our shape, whatever the call is and whether the run is there."""
    headers = {} if authorization is None else {"Authorization": authorization}
    for run_id in ("0", a_run(guarded)):
        reply = call(guarded, operation, None, run_id=run_id, **headers)
        assert (reply.status_code, reply.json()["error"]) == (401, slug)
        assert reply.headers["WWW-Authenticate"].startswith('Bearer realm="analysis-gateway"')
        assert ("invalid_token" in reply.headers["WWW-Authenticate"]) is (authorization is not None)
        assert (reply.json()["phase"], reply.json()["ok"]) == ("Error", False)


@pytest.mark.parametrize(
    "operation", sorted(each for each, (method, _) in CALLS.items() if method == "GET")
)
def test_a_head_is_guarded_as_its_get_is(guarded: Stage, operation: str) -> None:
    """405 where there is none; never an answer."""
    reply = call(guarded, operation, None, method="HEAD")
    assert (reply.status_code < 300) is (operation in OPEN)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("GET", "/", id="the-root"),
        pytest.param("GET", "/v1/nothing", id="no-such-path"),
        pytest.param("POST", "/healthz", id="no-such-method"),
        pytest.param("GET", "//healthz", id="two-slashes"),
        pytest.param("GET", "/healthz/", id="a-slash-behind"),
        pytest.param("GET", "/healthz/../metrics", id="dots"),
        pytest.param("GET", "/healthz%2f..%2fmetrics", id="encoded-dots"),
        pytest.param("GET", "/readyz;/../metrics", id="a-parameter"),
        pytest.param("OPTIONS", "/v1/runs", id="options"),
    ],
)
def test_what_is_not_there_is_guarded_too(guarded: Stage, method: str, path: str) -> None:
    """Who has no credential does not learn what there is."""
    session = requests.Session()
    request = requests.Request(method, guarded.url).prepare()
    request.url = guarded.url + path
    assert session.send(request, timeout=10).status_code == 401


@pytest.mark.parametrize("operation", sorted(RIGHTS))
def test_who_has_no_rule_is_refused(guarded: Stage, operation: str) -> None:
    """403, before anything is looked for; the contract alone is for all who are known."""
    answers = [call(guarded, operation, SOMEONE, run_id=run_id) for run_id in ("0", a_run(guarded))]
    if operation == "getContract":
        assert {each.status_code for each in answers} == {200}
        return
    assert {(each.status_code, each.json()["error"]) for each in answers} == {
        (403, "access_denied")
    }
    # Nothing in it depends on what there is.
    assert len({each.text for each in answers}) == 1


@pytest.mark.parametrize("operation", sorted({*RIGHTS} - {"getContract"}))
def test_who_has_all_other_rights_is_refused(guarded: Stage, operation: str) -> None:
    """No right stands for another."""
    lacking = set(EVERY_ACTION) - set().union(*RIGHTS[operation])
    reply = call(guarded, operation, token_of(lacking), run_id=a_run(guarded))
    assert (reply.status_code, reply.json()["error"]) == (403, "access_denied")


@pytest.mark.parametrize(
    ("operation", "part"),
    [
        pytest.param(operation, {part}, id=f"{operation}-{part}")
        for operation, every in sorted(RIGHTS.items())
        for enough in every
        for part in sorted(enough)
        if len(enough) > 1
    ],
)
def test_a_part_of_the_rights_is_not_enough(guarded: Stage, operation: str, part: set[str]) -> None:
    """403, or as if the run were not there."""
    reply = call(guarded, operation, token_of(part), run_id=a_run(guarded))
    expected = 404 if "{id}" in CALLS[operation][1] and part == {"run"} else 403
    assert reply.status_code == expected


@pytest.mark.parametrize(
    ("operation", "actions"),
    [
        pytest.param(operation, each, id="-".join([operation, *sorted(each)]))
        for operation, every in sorted(RIGHTS.items())
        for each in every
        if each
    ],
)
def test_who_has_the_right_is_let_through(
    guarded: Stage, operation: str, actions: set[str]
) -> None:
    """To whatever comes of it: 404 of a template that is not there is an answer."""
    reply = call(guarded, operation, token_of(actions), run_id=a_run(guarded))
    assert reply.status_code in {200, 202, 204, 404}
    assert reply.status_code != 404 or CALLS[operation][1].endswith("{name}/verdict")


@pytest.mark.parametrize("operation", sorted(OPEN))
def test_health_is_for_everybody(guarded: Stage, operation: str) -> None:
    """A token that is worth nothing does no harm, and who is no admin is told no details."""
    for token in (None, "not-a-token-of-ours", SOMEONE):
        reply = call(guarded, operation, token)
        assert (reply.status_code, len(reply.json())) == (200, 1)
    assert {*call(guarded, "getReadyz", ALICE).json()["access"]} == {"policy", "tokens"}


schema = schemathesis.openapi.from_dict(CONTRACT)
EXCLUDED: Final = [checks.positive_data_acceptance, checks.negative_data_rejection]


@schema.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_without_a_credential_nothing_is_answered(case: schemathesis.Case, guarded: Stage) -> None:
    """Whatever is sent: 401, and nothing else."""
    case.headers.pop("Authorization", None)
    reply = case.call(base_url=guarded.url)
    assert case.operation.definition.raw["operationId"] in OPEN or reply.status_code == 401
    case.operation.validate_response(reply)


LIMITED: Final = token_of({"verdict"})
"""Of who may ask for verdicts of the namespace default, and for nothing else."""
_FOR_ALL: Final = {*OPEN, "getContract", "postLint", "getTemplates"}


@pytest.fixture(scope="module")
def somebodys_run(guarded: Stage) -> str:
    """The id of a run that others may see."""
    return a_run(guarded)


@schema.parametrize()
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_a_limited_caller_sends(
    case: schemathesis.Case, guarded: Stage, somebodys_run: str
) -> None:
    """No call that its right is not for does anything or tells anything, and none fails."""
    case.headers.pop("Authorization", None)
    if "id" in case.path_parameters:
        case.path_parameters["id"] = somebodys_run
    reply = case.call(base_url=guarded.url, headers=bearer(LIMITED))
    case.operation.validate_response(reply)
    assert reply.status_code < 500 or reply.headers.get("Retry-After"), reply.text
    operation = case.operation.definition.raw["operationId"]
    if {"verdict"} not in RIGHTS.get(operation, ()) and operation not in _FOR_ALL:
        assert reply.status_code in {400, 403, 404, 405, 413, 415, 422}, reply.text
    elif operation == "getTemplates" and reply.status_code == 200:
        assert reply.json()["broken"] == []
    elif reply.status_code == 200 and operation == "getVerdict":
        assert reply.json()["namespace"] == "default"


@schema.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_with_a_credential_every_call_keeps_its_contract(
    case: schemathesis.Case, guarded: Stage
) -> None:
    """As it does in the open gateway; without or with a wrong one it does not answer."""
    case.call_and_validate(base_url=guarded.url, headers=bearer(ALICE), excluded_checks=EXCLUDED)
