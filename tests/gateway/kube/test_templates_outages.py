"""Templates of a cluster that is away, forgets its history, or refuses to be watched."""

import asyncio
import logging
from itertools import pairwise
from typing import Any

import pytest
from followed_templates import (
    details_of,
    followed,
    found,
    listed,
    moments,
    spec,
    templates_of,
)
from pretended_cluster import AWAY, PretendedCluster
from virtual_time import in_virtual_time

from gateway.errors import ClusterRefused, ClusterUnavailable
from gateway.template import TemplateRef

FORBIDDEN = ClusterRefused("the gateway has no right to watch", status=403)
NOT_WATCHED = "the cluster's templates are not watched"


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
