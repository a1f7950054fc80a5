"""What callers may do, and what they are not told."""

import logging
from pathlib import Path
from typing import Any

import pytest
import yaml
from backends import Play, backend
from guarded import ALICE, BOB, EVERY_ACTION, NOBODY, access, bearer, rule, write_policy
from run_calls import FAR, endless, run_manifest
from running import Reply, Service, service, template, web_metric

from gateway.access import kept_file

BOBS = ["token:bob"]
SHOP = "/v1/namespaces/shop/analysistemplates"
BANK = "/v1/namespaces/bank/analysistemplates"
OTHER_ID = "7e5f0c52-6a3f-4c85-9f0e-3c2f5d1f7b11"


def put(folder: Path, namespace: str, name: str, *metrics: Any, **spec: Any) -> None:
    """A template of the gateway's; of the cluster if its namespace is empty."""
    manifest: Any = template(*metrics, **spec)
    manifest["metadata"] = {"name": name, **({"namespace": namespace} if namespace else {})}
    manifest["kind"] = "AnalysisTemplate" if namespace else "ClusterAnalysisTemplate"
    folder.mkdir(exist_ok=True)
    (folder / f"{namespace}-{name}.yaml").write_text(yaml.safe_dump(manifest))


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    """Two namespaces with templates, and one of the cluster."""
    folder = tmp_path / "templates"
    for namespace, name in (("shop", "rate"), ("shop", "errors"), ("bank", "rate"), ("", "rate")):
        put(folder, namespace, name, web_metric(FAR, name=name))
    (folder / "broken.yaml").write_text("a: [")
    return folder


def guarded(tmp_path: Path, *rules: Any, **settings: Any) -> Any:
    """A gateway with this policy."""
    return service(tmp_path / "state", access=access(tmp_path / "access", *rules), **settings)


async def get(gateway: Service, path: str, token: str = ALICE) -> Reply:
    """GET something as somebody."""
    return await gateway.get(path, **bearer(token))


async def start(
    gateway: Service, content: object, query: str = "", token: str = ALICE, **headers: str
) -> Reply:
    """Start a run as somebody."""
    return await gateway.post(f"/v1/runs?{query}", content, **bearer(token), **headers)


def named(name: str, namespace: str = "shop") -> dict[str, object]:
    """A body that names a template."""
    return {"templates": [{"templateName": name}], "namespace": namespace}


def refused(reply: Reply) -> tuple[int, str, str]:
    """What a refusal says."""
    return reply.status, reply.body["error"], reply.body["detail"]


async def test_verdicts_are_given_where_a_rule_allows_it(tmp_path: Path, templates: Path) -> None:
    """A namespace and a template that a rule has, by path and by body."""
    rules = rule("verdict", templates=["rate"])
    async with guarded(tmp_path, rules, templates=templates, namespace="shop") as gateway:
        allowed = [
            await get(gateway, f"{SHOP}/rate/verdict"),
            await get(gateway, "/v1/clusteranalysistemplates/rate/verdict?namespace=shop"),
            await get(gateway, "/v1/clusteranalysistemplates/rate/verdict"),
            await gateway.post("/v1/verdict", named("rate"), **bearer(ALICE)),
        ]
        forbidden = [
            await get(gateway, f"{SHOP}/errors/verdict"),
            await get(gateway, f"{BANK}/rate/verdict"),
            await get(gateway, "/v1/clusteranalysistemplates/rate/verdict?namespace=bank"),
            await gateway.post("/v1/verdict", named("rate", "bank"), **bearer(ALICE)),
            await get(gateway, f"{SHOP}/rate/verdict", BOB),
        ]
    assert {each.status for each in allowed} == {200}
    denied = "no rule of the policy allows it"
    assert [refused(each) for each in forbidden] == [
        (403, "access_denied", f"caller {who} may not ask for verdicts{what}: {denied}")
        for who, what in (
            ("token:alice", " of template 'errors' in namespace 'shop'"),
            ("token:alice", " in namespace 'bank'"),
            ("token:alice", " in namespace 'bank'"),
            ("token:alice", " in namespace 'bank'"),
            ("token:bob", ""),
        )
    ]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/v1/namespaces/bank/analysistemplates/{}/verdict", id="in-another-namespace"),
        pytest.param("/v1/clusteranalysistemplates/{}/verdict?namespace=bank", id="of-the-cluster"),
        pytest.param("/v1/namespaces/bank/analysistemplates/{}/verdict?args.x=1", id="arguments"),
    ],
)
async def test_a_refusal_does_not_tell_what_is_there(
    tmp_path: Path, templates: Path, path: str
) -> None:
    """A template that is there and one that is not are refused alike."""
    async with guarded(tmp_path, rule("verdict", "run"), templates=templates) as gateway:
        there, nowhere = [await get(gateway, path.format(each)) for each in ("rate", "rats")]
    assert there.status == nowhere.status == 403
    assert there.text.replace("rate", "rats") == nowhere.text


async def test_what_may_be_seen_may_be_missing(tmp_path: Path, templates: Path) -> None:
    """Who has the right to a name is told that nothing has it."""
    async with guarded(tmp_path, rule("verdict"), templates=templates) as gateway:
        reply = await get(gateway, f"{SHOP}/nothing/verdict")
    assert (reply.status, reply.body["error"]) == (404, "template_not_found")


async def test_who_brings_templates_needs_a_right_of_its_own(tmp_path: Path) -> None:
    """In the namespace of what it brings, and for verdicts and runs apart."""
    rules = (
        rule("verdict", "run"),
        rule("verdict", "inline", callers=BOBS),
        rule("run", namespaces=["bank"], callers=BOBS),
    )
    content = template(web_metric(FAR))
    async with guarded(tmp_path, *rules) as gateway:
        denied = [
            await gateway.post("/v1/verdict?namespace=shop", content, **bearer(ALICE)),
            await start(gateway, content, "namespace=shop"),
            await start(gateway, run_manifest(web_metric(FAR))),
            await gateway.post("/v1/verdict?namespace=bank", content, **bearer(BOB)),
            await start(gateway, content, "namespace=shop", BOB),
            await start(gateway, content, "namespace=bank", BOB),
        ]
        allowed = await gateway.post("/v1/verdict?namespace=shop", content, **bearer(BOB))
    assert [each.body["detail"].partition(" may not ")[2] for each in denied] == [
        f"{what}: no rule of the policy allows it"
        for what in (
            "bring templates in namespace 'shop'",
            "bring templates in namespace 'shop'",
            "bring templates in namespace 'shop'",
            "ask for verdicts in namespace 'bank'",
            "run analyses in namespace 'shop'",
            "bring templates in namespace 'bank'",
        )
    ]
    assert {each.status for each in denied} == {403}
    assert allowed.status == 200


async def test_who_brings_a_template_may_not_use_those_of_others(
    tmp_path: Path, templates: Path
) -> None:
    """A reference is a name, too: it takes the right to what it names."""
    mine = template(templates=[{"templateName": "errors"}])
    ours = template(templates=[{"templateName": "rate"}])
    rules = rule("verdict", "inline", templates=["rate"])
    async with guarded(tmp_path, rules, templates=templates) as gateway:
        denied = await gateway.post("/v1/verdict?namespace=shop", mine, **bearer(ALICE))
        allowed = await gateway.post("/v1/verdict?namespace=shop", ours, **bearer(ALICE))
    assert (denied.status, "of template 'errors'" in denied.text) == (403, True)
    assert allowed.status == 200


async def test_settings_go_before_the_policy(tmp_path: Path) -> None:
    """Where the deployer takes no templates from requests, no rule brings them back."""
    async with guarded(
        tmp_path, rule(*EVERY_ACTION), verdicts={"inlineTemplates": "deny"}
    ) as gateway:
        reply = await gateway.post(
            "/v1/verdict?namespace=shop", template(web_metric(FAR)), **bearer(ALICE)
        )
    assert (reply.status, reply.body["error"]) == (403, "request_refused")


async def test_jobs_of_named_templates_take_a_right(tmp_path: Path) -> None:
    """For verdicts and for runs; who has it comes to what the settings say of the namespace."""
    pod = {"spec": {"template": {"spec": {"containers": [{"name": "a", "image": "b"}]}}}}
    folder = tmp_path / "templates"
    put(folder, "shop", "smoke", {"name": "m", "provider": {"job": pod}})
    rules = (rule("verdict", "run"), rule("verdict", "run", "jobs", callers=BOBS))
    async with guarded(tmp_path, *rules, templates=folder) as gateway:
        without = [
            await get(gateway, f"{SHOP}/smoke/verdict"),
            await start(gateway, named("smoke")),
        ]
        with_it = await get(gateway, f"{SHOP}/smoke/verdict", BOB)
    assert [refused(each) for each in without] == [
        (
            403,
            "jobs_forbidden",
            (
                "spec.metrics[0].provider.job: the caller may not run Jobs in namespace 'shop': no"
                " rule of the policy with the action jobs allows it"
            ),
        )
    ] * 2
    assert "are not switched on for namespace 'shop'" in with_it.body["detail"]


async def test_a_run_of_others_is_not_there(tmp_path: Path, templates: Path) -> None:
    """Whatever is asked about it, the answer is that to an id that never was."""
    rules = (rule(*EVERY_ACTION), rule("run", namespaces=["bank"], callers=BOBS))
    async with guarded(tmp_path, *rules, templates=templates) as gateway:
        run_id = (await start(gateway, named("rate"))).body["metadata"]["uid"]
        found = []
        for each in (run_id, OTHER_ID):
            replies = [
                await get(gateway, f"/v1/runs/{each}", BOB),
                await get(gateway, f"/v1/runs/{each}?wait=1s", BOB),
                await get(gateway, f"/v1/runs/{each}/verdict", BOB),
                await get(gateway, f"/v1/runs/{each}/events", BOB),
                await gateway.send("POST", f"/v1/runs/{each}/terminate", headers=bearer(BOB)),
                await gateway.send("DELETE", f"/v1/runs/{each}", headers=bearer(BOB)),
            ]
            found.append([(reply.status, reply.text.replace(each, "ID")) for reply in replies])
        own = await get(gateway, f"/v1/runs/{run_id}?wait=5s")
    assert found[0] == found[1]
    assert {status for status, _ in found[0]} == {404}
    assert own.status == 200


async def test_runs_are_listed_for_whom_they_are(tmp_path: Path, templates: Path) -> None:
    """By namespace and by template; what was brought, for who may bring; all of it, for admins."""
    rules = (
        rule(*EVERY_ACTION, namespaces=["*"]),
        rule("run", callers=BOBS, templates=["rate"]),
    )
    wanted = [
        ("rate", named("rate")),
        ("errors", named("errors")),
        (
            "both",
            {**named("rate"), "templates": [{"templateName": each} for each in ("rate", "errors")]},
        ),
        ("bank", named("rate", "bank")),
        ("brought", endless(FAR)),
        ("manifest", run_manifest(web_metric(FAR))),
    ]
    async with guarded(tmp_path, *rules, templates=templates, namespace="shop") as gateway:
        for label, content in wanted:
            query = f"labels.is={label}&namespace={'bank' if label == 'bank' else 'shop'}"
            started = await start(gateway, content, query)
            assert started.status == 202, started.text

        async def listed(token: str, query: str = "") -> list[str]:
            reply = await get(gateway, f"/v1/runs?{query}", token)
            assert reply.status == 200, reply.text
            return sorted(each["metadata"]["labels"]["is"] for each in reply.body["items"])

        assert await listed(ALICE) == ["bank", "both", "brought", "errors", "manifest", "rate"]
        assert await listed(BOB) == ["rate"]
        assert await listed(BOB, "namespace=shop&limit=1") == ["rate"]
        elsewhere = await get(gateway, "/v1/runs?namespace=bank", BOB)
        assert refused(elsewhere)[::2] == (
            403,
            (
                "caller token:bob may not run analyses in namespace 'bank': no rule of the policy"
                " allows it"
            ),
        )


async def test_a_run_tells_who_made_it(tmp_path: Path) -> None:
    """By name; what a manifest claims of its maker is dropped."""
    manifest = run_manifest(web_metric(FAR))
    manifest["metadata"]["annotations"] = {"analysis-gateway/made-by": "token:bob", "note": "mine"}
    async with guarded(tmp_path, rule(*EVERY_ACTION)) as gateway:
        run = (await start(gateway, manifest)).body
    async with service(tmp_path / "open") as gateway:
        opened = (await gateway.post("/v1/runs", manifest)).body
    for each, maker in ((run, "token:alice"), (opened, "anonymous")):
        assert each["metadata"]["annotations"]["analysis-gateway/made-by"] == maker
        assert each["metadata"]["annotations"]["note"] == "mine"


async def test_keys_of_repeats_are_every_callers_own(tmp_path: Path) -> None:
    """Who guesses another one's key gets a run of its own, and learns nothing."""
    rules = (rule(*EVERY_ACTION, callers=["token:*"]),)
    key = {"Idempotency-Key": "build-1"}
    async with guarded(tmp_path, *rules) as gateway:
        mine, again = [await start(gateway, run_manifest(web_metric(FAR)), **key) for _ in "12"]
        theirs = await start(gateway, run_manifest(web_metric(FAR)), token=BOB, **key)
        other = await start(gateway, run_manifest(web_metric(f"{FAR}/2")), token=BOB, **key)
    assert again.body["metadata"]["uid"] == mine.body["metadata"]["uid"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert theirs.body["metadata"]["uid"] != mine.body["metadata"]["uid"]
    assert "Idempotency-Replayed" not in theirs.headers
    assert mine.body["metadata"]["uid"] not in other.text


async def test_a_repeat_gives_no_right_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has lost the right to its run does not find it by its key."""
    monkeypatch.setattr(kept_file, "POLL_S", 0.02)
    key = {"Idempotency-Key": "build-1"}
    manifest = run_manifest(web_metric(FAR))
    async with guarded(tmp_path, rule(*EVERY_ACTION)) as gateway:
        run_id = (await start(gateway, manifest, **key)).body["metadata"]["uid"]
        write_policy(tmp_path / "access", rule("run"))
        await lasting(gateway, f"/v1/runs/{run_id}", 404)
        reply = await start(gateway, manifest, **key)
    assert (reply.status, reply.body["error"]) == (404, "run_not_found")


async def lasting(gateway: Service, path: str, status: int, token: str = ALICE) -> Reply:
    """The first answer with this status."""
    found: list[Reply] = []
    while not found or found[-1].status != status:
        found.append(await get(gateway, path, token))
        assert len(found) < 10_000
    return found[-1]


async def test_templates_are_listed_for_whom_they_are(tmp_path: Path, templates: Path) -> None:
    """Broken files only for who is admin everywhere: they may hold anything."""
    rules = (
        rule("verdict", templates=["errors"]),
        rule("run", namespaces=["bank"], callers=BOBS),
        rule("admin", namespaces=["bank"], callers=BOBS),
    )
    everything = rule("admin", namespaces=["*"])
    async with guarded(tmp_path, *rules, templates=templates) as gateway:
        replies = [(await get(gateway, "/v1/templates", each)).body for each in (ALICE, BOB)]
    async with guarded(tmp_path, everything, templates=templates) as gateway:
        replies.append((await get(gateway, "/v1/templates")).body)
    shown = [[(each["namespace"], each["name"]) for each in one["templates"]] for one in replies]
    assert shown == [
        [("shop", "errors")],
        [("bank", "rate"), (None, "rate")],
        [("bank", "rate"), ("shop", "errors"), ("shop", "rate"), (None, "rate")],
    ]
    assert [len(each["broken"]) for each in replies] == [0, 0, 1]


async def test_lint_knows_no_more_than_its_caller(tmp_path: Path, templates: Path) -> None:
    """What a template refers to is found for who may use it; else it might not be there."""
    content = template(templates=[{"templateName": "errors"}])
    nothing = template(templates=[{"templateName": "nothing"}])
    rules = (rule("verdict"), rule("inline", callers=BOBS))
    async with guarded(tmp_path, *rules, templates=templates, namespace="shop") as gateway:
        known = await gateway.post("/v1/lint", content, **bearer(ALICE))
        hidden = await gateway.post("/v1/lint", content, **bearer(BOB))
        absent = await gateway.post("/v1/lint", nothing, **bearer(BOB))
    assert known.body["findings"] == []
    assert hidden.text.replace("errors", "nothing") == absent.text
    assert "not found" in absent.text


async def test_a_changed_policy_counts_without_a_restart(
    tmp_path: Path, templates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A right that comes, one that goes, a token that goes; a broken file changes nothing."""
    monkeypatch.setattr(kept_file, "POLL_S", 0.02)
    folder = tmp_path / "access"
    admin = rule("admin", namespaces=["*"], callers=BOBS)
    async with guarded(tmp_path, rule("verdict"), admin, templates=templates) as gateway:
        path = f"{SHOP}/rate/verdict"
        assert (await get(gateway, path)).status == 200
        write_policy(folder, admin)
        await lasting(gateway, path, 403)
        write_policy(folder, rule("verdict"), admin)
        await lasting(gateway, path, 200)
        (folder / "policy.yaml").write_text("rules: 3")

        async def problems() -> list[str]:
            state = (await get(gateway, "/readyz", BOB)).body["access"]
            return [problem for each in state.values() for problem in each["problems"]]

        while not await problems():
            pass
        assert await problems() == ["line 1: rules: must be a list"]
        assert (await get(gateway, path)).status == 200
        (folder / "tokens.yaml").write_text("tokens: []")
        assert (await lasting(gateway, path, 401)).body["error"] == "credential_refused"


async def test_no_token_comes_out_anywhere(
    tmp_path: Path, templates: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither a good one nor a bad one: in no answer, log line, metric or state."""
    caplog.set_level(logging.DEBUG)
    rules = rule(*EVERY_ACTION, namespaces=["*"])
    async with (
        backend(Play('"green"')) as upstream,
        guarded(tmp_path, rules, templates=templates) as gateway,
    ):
        content = run_manifest(web_metric(upstream.url))
        run = await start(gateway, content, "wait=5s")
        replies = [
            run,
            await get(gateway, f"/v1/runs/{run.body['metadata']['uid']}/events"),
            await get(gateway, "/v1/runs"),
            await get(gateway, f"{SHOP}/rate/verdict"),
            await get(gateway, f"{SHOP}/nothing/verdict"),
            await get(gateway, f"{SHOP}/rate/verdict", NOBODY),
            await gateway.get(f"{SHOP}/rate/verdict", Authorization=f"Token {NOBODY}"),
            await get(gateway, "/metrics"),
            await get(gateway, "/metrics", BOB),
            await get(gateway, "/readyz"),
        ]
        requests = [str(each) for each in upstream.requests]
    told = [each.text + str(each.headers) for each in replies]
    told += [str(vars(record)) for record in caplog.records] + requests
    assert caplog.records
    assert requests
    for text in told:
        for token in (ALICE, BOB, NOBODY):
            assert token not in text


async def test_an_open_gateway_says_so(tmp_path: Path) -> None:
    """Nobody needs a credential there, and one does no harm."""
    async with service(tmp_path) as gateway:
        replies = [await gateway.get("/v1/runs"), await get(gateway, "/v1/runs", NOBODY)]
        state = await gateway.get("/readyz")
    assert {each.status for each in replies} == {200}
    assert "access" not in state.body
