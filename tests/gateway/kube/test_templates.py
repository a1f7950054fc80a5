"""Templates of a cluster: what is found, what is heard, and what is asked when."""

import asyncio
from typing import Any

import pytest
from followed_templates import (
    broken,
    followed,
    found,
    listed,
    moments,
    spec,
    templates_of,
)
from pretended_cluster import PretendedCluster
from virtual_time import in_virtual_time

from gateway.errors import TemplateInvalid
from gateway.kube.resources import CLUSTER_ANALYSIS_TEMPLATES
from gateway.template import Kind, TemplateRef


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
