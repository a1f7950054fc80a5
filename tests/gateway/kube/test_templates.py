"""Templates of a cluster: what is found, what is heard, and what is asked when."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest
from manifests import WEB
from pretended_cluster import AWAY, PretendedCluster
from virtual_time import in_virtual_time, now_s

from gateway.errors import ClusterRefused, ClusterUnavailable, TemplateInvalid
from gateway.kube.resources import CLUSTER_ANALYSIS_TEMPLATES
from gateway.kube.templates import ClusterTemplates
from gateway.kubernetes_settings import Kubernetes
from gateway.template import Kind, Template, TemplateRef

FORBIDDEN = ClusterRefused("the gateway has no right to watch", status=403)
NOT_WATCHED = "the cluster's templates are not watched"


def spec(metric: str = "m", **fields: Any) -> dict[str, Any]:
    """A template's spec with one metric."""
    return {"metrics": [{"name": metric, "provider": WEB}], **fields}


def templates_of(cluster: PretendedCluster, **settings: Any) -> ClusterTemplates:
    """A source that nobody serves yet; ``settings`` in wire names."""
    chosen = Kubernetes.model_validate({"clusterTemplates": False, **settings})
    return ClusterTemplates(cluster, chosen, now_s=now_s)


@asynccontextmanager
async def followed(source: ClusterTemplates) -> AsyncIterator[ClusterTemplates]:
    """A source that keeps up with its cluster."""
    serving = asyncio.create_task(source.serve())
    await asyncio.sleep(0.01)
    try:
        yield source
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    assert serving.cancelled()


def found(source: ClusterTemplates, name: str, namespace: str = "shop") -> Template | None:
    """The AnalysisTemplate of that name."""
    return source.find(TemplateRef(templateName=name), namespace)


def listed(source: ClusterTemplates) -> dict[str, str]:
    """The name of the first metric by namespace and name."""
    return {
        f"{namespace}/{template.name}": template.spec.metrics[0].name
        for namespace, template in source.entries()
    }


def broken(source: ClusterTemplates) -> dict[str, list[str]]:
    """What is wrong by object."""
    return {name: [str(problem) for problem in problems] for name, problems in source.broken()}


async def moments() -> None:
    """As long as it takes to hear of a change."""
    await asyncio.sleep(0.01)


@in_virtual_time
async def test_templates_are_found_by_namespace() -> None:
    """A cluster template is found from everywhere, others only at home."""
    cluster = PretendedCluster()
    cluster.put("a", spec=spec("of-shop"))
    cluster.put("a", "bank", spec=spec("of-bank"))
    cluster.put("c", "", CLUSTER_ANALYSIS_TEMPLATES, spec=spec("of-all"))
    async with followed(templates_of(cluster, clusterTemplates=True)) as source:
        template = found(source, "a", "bank")
        everywhere = source.find(TemplateRef(templateName="c", clusterScope=True), "nowhere")
        assert found(source, "c", "shop") is None
        assert found(source, "a", "elsewhere") is None
        assert listed(source) == {"bank/a": "of-bank", "shop/a": "of-shop", "/c": "of-all"}
    assert template is not None
    assert (template.kind, template.metadata.namespace) == (Kind.NAMESPACED, "bank")
    assert everywhere is not None
    assert (everywhere.kind, everywhere.metadata.namespace) == (Kind.CLUSTER, None)


@in_virtual_time
async def test_changes_are_heard_at_once() -> None:
    """New, changed and deleted templates, without another list."""
    cluster = PretendedCluster()
    async with followed(templates_of(cluster)) as source:
        heard = [listed(source)]
        revisions = {source.revision}
        for metric in ("one", "two"):
            cluster.put("a", spec=spec(metric))
            await moments()
            heard.append(listed(source))
            revisions.add(source.revision)
        cluster.remove("a")
        await moments()
        revisions.add(source.revision)
        assert [*heard, listed(source)] == [{}, {"shop/a": "one"}, {"shop/a": "two"}, {}]
    assert len(revisions) == 4
    assert cluster.asked == ["0 list analysistemplates *", "0 watch 60s analysistemplates *"]


@in_virtual_time
async def test_a_broken_template_is_not_found_as_what_it_was(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Argo would use what is in the cluster now, so nobody may get the older one."""
    cluster = PretendedCluster()
    cluster.put("rate", spec=spec())
    async with followed(templates_of(cluster)) as source:
        before = source.revision
        cluster.put("rate", spec=spec(metrik=[]))
        await moments()
        with pytest.raises(TemplateInvalid) as caught:
            found(source, "rate")
        path = "AnalysisTemplate shop/rate: spec.metrik"
        assert str(caught.value) == f"{path}: unknown field; did you mean metrics?"
        assert broken(source) == {
            "AnalysisTemplate shop/rate": ["spec.metrik: unknown field; did you mean metrics?"]
        }
        assert (listed(source), source.revision > before) == ({}, True)
        cluster.put("rate", spec=spec(metrik=[]), status={})
        cluster.put("rate", spec=spec("mended"))
        await moments()
        assert (listed(source), broken(source)) == ({"shop/rate": "mended"}, {})
    (record,) = caplog.records
    assert record.getMessage() == "a template of the cluster is broken"
    assert vars(record)["template"] == "AnalysisTemplate shop/rate"
    assert vars(record)["reason"] == "spec.metrik: unknown field; did you mean metrics?"


def deep(levels: int) -> object:
    """Lists inside each other."""
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        pytest.param({}, ["spec: is required"], id="no-spec"),
        pytest.param({"spec": 7}, ["spec: must be an object"], id="a-spec-that-is-none"),
        pytest.param({"spec": {}, "speck": {}}, ["speck: unknown field; did you mean spec?"],
                     id="an-unknown-field-at-the-top"),
        pytest.param(
            {"spec": {"metrics": [{"name": "m", "provider": {"job": {"deep": deep(2_000)}}}]}},
            ["values are nested deeper than 64 levels"],
            id="deeper-than-anybody-needs",
        ),
        pytest.param(
            {"spec": {"metrics": [{"name": "m", "provider": {"job": {"long": [0] * 20_000}}}]}},
            ["there are more than 20000 values, aliases expanded"],
            id="more-values-than-anybody-needs",
        ),
    ],
)  # fmt: skip
@in_virtual_time
async def test_whatever_a_cluster_holds_is_read(
    content: dict[str, Any], problems: list[str]
) -> None:
    """One odd object is told of, and stops none of the others."""
    cluster = PretendedCluster()
    cluster.put("odd", **content)
    cluster.put("z", spec=spec())
    async with followed(templates_of(cluster)) as source:
        assert broken(source) == {"AnalysisTemplate shop/odd": problems}
        assert listed(source) == {"shop/z": "m"}


@in_virtual_time
async def test_an_object_without_a_name_is_left_alone() -> None:
    """No API server has one; a proxy may answer anything."""
    cluster = PretendedCluster()
    cluster.put("a", spec=spec())
    cluster._objects[next(iter(cluster._objects))]["metadata"] = None
    async with followed(templates_of(cluster)) as source:
        assert (listed(source), broken(source), source.is_synced()) == ({}, {}, True)


@in_virtual_time
async def test_what_kubernetes_adds_is_not_held_against_a_template() -> None:
    """A status, managed fields, and lists whose items do not say what they are."""
    cluster = PretendedCluster()
    cluster.put("a", spec=spec(), status={"observedGeneration": 1})
    item = cluster._objects[next(iter(cluster._objects))]
    item["metadata"] |= {"managedFields": [{}], "labels": {"x": None}, "finalizers": [7]}
    async with followed(templates_of(cluster)) as source:
        assert (listed(source), broken(source)) == ({"shop/a": "m"}, {})


@in_virtual_time
async def test_a_resync_of_what_is_known_changes_nothing() -> None:
    """Plans are remembered by revision: the templates are the very same ones."""
    cluster = PretendedCluster()
    for name in ("a", "b"):
        cluster.put(name, spec=spec())
    async with followed(templates_of(cluster, resync="100s")) as source:
        before, revision = found(source, "a"), source.revision
        await asyncio.sleep(250)
        assert (found(source, "a") is before, source.revision) == (True, revision)
    assert cluster.asked == [
        "0 list analysistemplates *",
        "0 watch 60s analysistemplates *",
        "60 watch 40s analysistemplates *",
        "100 list analysistemplates *",
        "100 watch 60s analysistemplates *",
        "160 watch 40s analysistemplates *",
        "200 list analysistemplates *",
        "200 watch 60s analysistemplates *",
    ]


@in_virtual_time
async def test_a_change_beside_the_spec_changes_nothing() -> None:
    """Controllers and people touch labels and annotations all the time."""
    cluster = PretendedCluster()
    cluster.put("a", spec=spec())
    async with followed(templates_of(cluster)) as source:
        before, revision = found(source, "a"), source.revision
        cluster.put("a", spec=spec(), status={"touched": True})
        await moments()
        assert (found(source, "a") is before, source.revision) == (True, revision)


@in_virtual_time
async def test_what_was_never_heard_is_not_taken_for_missing() -> None:
    """Neither known nor unknown: whoever asks is told to come again, and why."""
    cluster = PretendedCluster()
    cluster.is_silent = True
    source = templates_of(cluster, templates=["shop"])
    with pytest.raises(ClusterUnavailable) as at_first:
        found(source, "a")
    async with followed(source):
        await asyncio.sleep(11)
        with pytest.raises(ClusterUnavailable) as later:
            found(source, "a")
        assert source.find(TemplateRef(templateName="a"), "not-switched-on") is None
        assert source.find(TemplateRef(templateName="a", clusterScope=True), "shop") is None
        assert not source.is_synced()
        cluster.is_silent = False
        await asyncio.sleep(15)
        assert (source.is_synced(), found(source, "a")) == (True, None)
    begins = "AnalysisTemplate 'a': whether the cluster has it is not known:"
    assert str(at_first.value) == f"{begins} the API server has not answered yet; ask again"
    assert str(later.value) == f"{begins} {AWAY}; ask again"


@in_virtual_time
async def test_while_the_cluster_is_away_what_is_known_stays(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Told once; tried again, later each time; what was missed is found when it is back."""
    caplog.set_level(logging.INFO)
    cluster = PretendedCluster()
    cluster.put("a", spec=spec("one"))
    cluster.put("b", spec=spec())
    async with followed(templates_of(cluster)) as source:
        cluster.list_fails = cluster.watch_fails = AWAY
        cluster.cut()
        await asyncio.sleep(600)
        cluster.put("a", spec=spec("two"))
        cluster.remove("b")
        assert listed(source) == {"shop/a": "one", "shop/b": "m"}
        assert 599 < source.age_s() < 601
        assert source.is_synced()
        assert details_of(source)["problem"] == str(AWAY)
        cluster.list_fails = cluster.watch_fails = None
        await asyncio.sleep(31)
        assert listed(source) == {"shop/a": "two"}
        assert details_of(source)["problem"] == ""
        await asyncio.sleep(60)
    tries = [int(each.partition(" ")[0]) for each in cluster.asked if " list " in each]
    gaps = [later - earlier for earlier, later in pairwise(tries)]
    assert len(tries) < 40
    assert gaps[1] <= 2
    assert all(14 <= gap <= 31 for gap in gaps[7:])
    assert [(each.getMessage(), vars(each).get("reason")) for each in caplog.records] == [
        (NOT_WATCHED, str(AWAY)),
        ("the cluster's templates are watched again", None),
    ]


def details_of(source: ClusterTemplates) -> Any:
    """What is told of the first place."""
    scopes: Any = source.details()["scopes"]
    return scopes[0]


@in_virtual_time
async def test_an_outage_of_days_ends_like_any_other() -> None:
    """No pause grows without end, and no number overflows."""
    cluster = PretendedCluster()
    cluster.list_fails = AWAY
    async with followed(templates_of(cluster)) as source:
        await asyncio.sleep(200_000)
        cluster.list_fails = None
        cluster.put("a", spec=spec())
        await asyncio.sleep(31)
        assert listed(source) == {"shop/a": "m"}


@in_virtual_time
async def test_a_line_that_is_cut_is_soon_up_again(caplog: pytest.LogCaptureFixture) -> None:
    """A load balancer cuts every line after 50 s: each time a second is lost, not more."""
    cluster = PretendedCluster()
    async with followed(templates_of(cluster)) as source:
        for number in range(20):
            await asyncio.sleep(50)
            cluster.cut()
            await asyncio.sleep(1)
            cluster.put("a", spec=spec(f"m{number}"))
            await moments()
            assert listed(source) == {"shop/a": f"m{number}"}
    assert caplog.messages == [NOT_WATCHED] * 20


@in_virtual_time
async def test_a_version_that_is_too_old_is_listed_anew_at_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is no failure, and nobody has to wait."""
    caplog.set_level(logging.INFO)
    cluster = PretendedCluster()
    cluster.put("a", spec=spec())
    async with followed(templates_of(cluster)) as source:
        await asyncio.sleep(30)
        cluster.remove("a")
        cluster.forget_history()
        await moments()
        assert listed(source) == {}
        assert details_of(source)["problem"] == ""
    assert cluster.asked[2:] == ["30 list analysistemplates *", "30 watch 60s analysistemplates *"]
    assert caplog.messages == []


@in_virtual_time
async def test_a_server_that_contradicts_itself_is_asked_once_a_second() -> None:
    """It lists, and calls what it has listed too old."""
    cluster = PretendedCluster()
    cluster.watch_fails = ClusterRefused("too old resource version", status=410)
    async with followed(templates_of(cluster)):
        await asyncio.sleep(100)
    assert len(cluster.asked) in range(195, 206)


@in_virtual_time
async def test_without_the_right_to_watch_templates_are_looked_at_now_and_then(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Twice a minute, and the missing right is named once."""
    cluster = PretendedCluster()
    cluster.watch_fails = FORBIDDEN
    async with followed(templates_of(cluster)) as source:
        cluster.put("a", spec=spec())
        await asyncio.sleep(600)
        assert listed(source) == {"shop/a": "m"}
        assert details_of(source)["problem"] == str(FORBIDDEN)
    assert 20 < sum(" list " in each for each in cluster.asked) < 50
    assert [vars(each)["reason"] for each in caplog.records] == [str(FORBIDDEN)]


@in_virtual_time
async def test_bookmarks_say_how_far_the_history_has_gone() -> None:
    """The next watch begins there, and misses nothing although what was before is forgotten."""
    cluster = PretendedCluster()
    async with followed(templates_of(cluster)):
        await asyncio.sleep(30)
        cluster.bookmark()
        await moments()
        cluster._oldest = cluster._version
        await asyncio.sleep(40)
    assert [each for each in cluster.asked if " list " in each] == ["0 list analysistemplates *"]


@in_virtual_time
async def test_an_answer_that_cannot_be_read_ends_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The log gets the kind and the places, not the text, which may hold anything."""
    cluster = PretendedCluster()
    cluster.list_fails = RecursionError("hunter2")
    async with followed(templates_of(cluster)) as source:
        await asyncio.sleep(60)
        cluster.list_fails = None
        await asyncio.sleep(31)
        assert source.is_synced()
    (record,) = caplog.records
    assert vars(record)["reason"] == "the gateway cannot read the answer (RecursionError)"
    assert "pretended_cluster.py" in vars(record)["places"]
    assert "hunter2" not in str(vars(record))


@in_virtual_time
async def test_a_cluster_without_argos_definitions_says_what_to_do() -> None:
    """The API server's own words are of no help."""
    cluster = PretendedCluster()
    words = "the server could not find the requested resource"
    cluster.list_fails = ClusterRefused(words, status=404)
    async with followed(templates_of(cluster, clusterTemplates=True)) as source:
        scopes: Any = source.details()["scopes"]
    begins = "the cluster does not know"
    ends = "install the definitions of Argo Rollouts, or go without"
    assert [scope["problem"] for scope in scopes] == [
        f"{begins} analysistemplates.argoproj.io: {ends}: kubernetes.templates: []",
        (
            f"{begins} clusteranalysistemplates.argoproj.io: {ends}:"
            " kubernetes.clusterTemplates: false"
        ),
    ]


@pytest.mark.parametrize(
    ("settings", "places"),
    [
        pytest.param({}, ["* AnalysisTemplate", " ClusterAnalysisTemplate"], id="all-by-default"),
        pytest.param(
            {"templates": ["shop", "bank", "shop"], "clusterTemplates": False},
            ["shop AnalysisTemplate", "bank AnalysisTemplate"],
            id="each-namespace-by-itself",
        ),
        pytest.param(
            {"templates": ["shop", "*"]},
            ["* AnalysisTemplate", " ClusterAnalysisTemplate"],
            id="all-hold-each",
        ),
        pytest.param({"templates": [], "clusterTemplates": False}, [], id="none"),
    ],
)
@in_virtual_time
async def test_what_is_watched_is_what_is_switched_on(
    settings: dict[str, Any], places: list[str]
) -> None:
    """A watch for each namespace, or one for all of them, and one for the cluster's own."""
    source = templates_of(PretendedCluster(), **{"clusterTemplates": True, **settings})
    scopes: Any = source.details()["scopes"]
    assert [f"{scope['namespace']} {scope['kind']}" for scope in scopes] == places
    if not places:
        await source.serve()
        await source.synced()
        assert (source.is_synced(), source.age_s()) == (True, 0.0)


@in_virtual_time
async def test_the_age_is_that_of_the_last_word() -> None:
    """A list, an event, or the end of a watch; each place has its own."""
    cluster = PretendedCluster()
    async with followed(templates_of(cluster, templates=["shop", "bank"])) as source:
        await source.synced()
        await asyncio.sleep(20)
        cluster.put("a", spec=spec())
        await asyncio.sleep(5)
        assert source.details() == {
            "synced": True,
            "ageSeconds": 25.0,
            "scopes": [
                {"kind": "AnalysisTemplate", "namespace": "shop", "ageSeconds": 5.0, "problem": ""},
                {
                    "kind": "AnalysisTemplate",
                    "namespace": "bank",
                    "ageSeconds": 25.0,
                    "problem": "",
                },
            ],
        }
        await asyncio.sleep(40)
        assert source.age_s() < 6


@in_virtual_time
async def test_thousands_of_templates_leave_others_their_turn() -> None:
    """While they are read, whoever waits for something else goes on."""
    cluster = PretendedCluster()
    for number in range(200):
        cluster.put(f"t{number}", spec=spec())
    turns = 0
    source = templates_of(cluster)

    async def count() -> None:
        nonlocal turns
        while not source.is_synced():
            turns += 1
            await asyncio.sleep(0)

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(count())
        serving = group.create_task(source.serve())
        await source.synced()
        serving.cancel()
    assert turns > 4
