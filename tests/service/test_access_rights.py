"""What callers may do, and what they are not told."""

from pathlib import Path

import pytest
from guarded import (
    ALICE,
    BOB,
    EVERY_ACTION,
    bearer,
    get,
    guarded,
    named,
    put,
    put_templates,
    refused,
    rule,
    start,
)
from run_calls import FAR, run_manifest
from running import template, web_metric

BOBS = ["token:bob"]
SHOP = "/v1/namespaces/shop/analysistemplates"
BANK = "/v1/namespaces/bank/analysistemplates"


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    """Two namespaces with templates, and one of the cluster."""
    return put_templates(tmp_path / "templates")


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
