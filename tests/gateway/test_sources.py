"""Templates from a real folder, with a real watcher."""

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from manifests import WEB, manifest

from gateway import sources
from gateway.sources import FolderSource, TemplateIndex
from gateway.template import Kind, TemplateRef

OWN = "analysis"


def text(name: str, *, namespace: str = "", metric: str = "m", kind: str = Kind.NAMESPACED) -> str:
    """A template's manifest; JSON is YAML."""
    content = manifest(name, kind, metrics=[{"name": metric, "provider": WEB}])
    if namespace:
        content["metadata"]["namespace"] = namespace
    return json.dumps(content)


def listed(source: FolderSource) -> dict[str, str]:
    """The name of the first metric by namespace and name."""
    return {
        f"{namespace}/{template.name}": template.spec.metrics[0].name
        for namespace, template in source.entries()
    }


def broken(source: FolderSource) -> dict[str, list[str]]:
    """What is wrong by file."""
    return {file: [str(problem) for problem in problems] for file, problems in source.broken()}


@pytest.fixture
def source(tmp_path: Path) -> FolderSource:
    """A source over an empty folder."""
    return FolderSource(tmp_path, own_namespace=OWN)


async def test_every_template_file_is_read(tmp_path: Path, source: FolderSource) -> None:
    """YAML and JSON, one level deep, other kinds and hidden names left alone."""
    (tmp_path / "a.yaml").write_text(text("a"))
    (tmp_path / "b.json").write_text(text("b", namespace="shop"))
    (tmp_path / "c.yml").write_text(text("c", kind=Kind.CLUSTER, namespace="ignored"))
    (tmp_path / "two.yaml").write_text(f"{text('d')}\n---\n{text('e')}\n")
    (tmp_path / "list.yaml").write_text(
        f'{{"apiVersion": "v1", "kind": "List", "items": [{text("f")}, {text("g")}]}}'
    )
    (tmp_path / "others.yaml").write_text("apiVersion: v1\nkind: ConfigMap\n")
    (tmp_path / "README.md").write_text("# not a template")
    (tmp_path / ".hidden.yaml").write_text("{")
    (tmp_path / "team").mkdir()
    (tmp_path / "team/h.yaml").write_text(text("h"))
    (tmp_path / "team/deeper").mkdir()
    (tmp_path / "team/deeper/i.yaml").write_text("{")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/j.yaml").write_text("{")
    await source.load()
    assert broken(source) == {}
    assert listed(source) == dict.fromkeys(
        ["analysis/a", "analysis/d", "analysis/e", "analysis/f", "analysis/g", "analysis/h",
         "shop/b", "/c"], "m",
    )  # fmt: skip


async def test_templates_are_found_by_namespace(tmp_path: Path, source: FolderSource) -> None:
    """A cluster template is found from everywhere, others only at home."""
    (tmp_path / "a.yaml").write_text(text("a"))
    (tmp_path / "b.yaml").write_text(text("b", namespace="shop"))
    (tmp_path / "c.yaml").write_text(text("a", kind=Kind.CLUSTER, metric="cluster"))
    await source.load()

    def found(namespace: str, name: str, *, cluster_scope: bool = False) -> str | None:
        ref = TemplateRef(templateName=name, clusterScope=cluster_scope)
        template = source.find(ref, namespace)
        return None if template is None else template.spec.metrics[0].name

    assert found(OWN, "a") == "m"
    assert found("shop", "a") is None
    assert found("shop", "b") == "m"
    assert found("shop", "a", cluster_scope=True) == "cluster"
    assert found("shop", "b", cluster_scope=True) is None


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        pytest.param(
            "{",
            [
                (
                    "b.yaml: line 1, column 2: while parsing a flow node, did not find "
                    "expected node content"
                )
            ],
            id="not-yaml",
        ),
        pytest.param(
            text("b").replace("metrics", "metric"),
            ["spec.metric: unknown field; did you mean metrics?"],
            id="not-a-template",
        ),
        pytest.param(
            f"{text('b')}\n---\n{text('b2').replace('name', 'nam', 1)}",
            [
                "document 2: metadata.name: is required",
            ],
            id="one-document-of-two",
        ),
        pytest.param(
            "apiVersion: argoproj.io/v1alpha1\nkind: AnalysisTemplat\n",
            ["kind: must be AnalysisTemplate or ClusterAnalysisTemplate, not 'AnalysisTemplat'"],
            id="a-kind-that-is-surely-a-typo",
        ),
        pytest.param("x" * ((1 << 20) + 1), ["is larger than 1048576 bytes"], id="too-large"),
    ],
)
async def test_a_broken_file_keeps_its_last_good_version(
    tmp_path: Path, source: FolderSource, content: str, problems: list[str]
) -> None:
    """It is reported, and everything else goes on."""
    file = tmp_path / "b.yaml"
    file.write_text(f"{text('b')}\n---\n{text('b2')}\n")
    (tmp_path / "a.yaml").write_text(text("a"))
    await source.load()
    revision = source.revision
    file.write_text(content)
    (tmp_path / "a.yaml").write_text(text("a", metric="new"))
    await source.load()
    assert broken(source) == {"b.yaml": problems}
    assert listed(source) == {"analysis/a": "new", "analysis/b": "m", "analysis/b2": "m"}
    assert source.revision != revision
    file.write_text(text("b", metric="mended"))
    await source.load()
    assert broken(source) == {}
    assert listed(source) == {"analysis/a": "new", "analysis/b": "mended"}


async def test_a_file_that_was_never_good_gives_nothing(
    tmp_path: Path, source: FolderSource, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told once in the log, and always in the list."""
    (tmp_path / "b.yaml").write_text("{")
    with caplog.at_level(logging.WARNING):
        await source.load()
        await source.load()
    (record,) = caplog.records
    assert record.getMessage() == "a template file is broken"
    assert vars(record)["file"] == "b.yaml"
    assert "did not find expected node content" in vars(record)["reason"]
    assert listed(source) == {}
    assert list(broken(source)) == ["b.yaml"]


async def test_a_deleted_file_takes_its_templates_along(
    tmp_path: Path, source: FolderSource
) -> None:
    """Unlike a broken one."""
    (tmp_path / "a.yaml").write_text(text("a"))
    await source.load()
    (tmp_path / "a.yaml").unlink()
    await source.load()
    assert (listed(source), broken(source)) == ({}, {})


async def test_of_two_files_with_one_template_the_first_counts(
    tmp_path: Path, source: FolderSource
) -> None:
    """By path, so that every replica decides alike; the other's templates stay in force."""
    (tmp_path / "a.yaml").write_text(f"{text('x', metric='a')}\n---\n{text('x', metric='a2')}")
    (tmp_path / "b.yaml").write_text(f"{text('x', metric='b')}\n---\n{text('y')}\n")
    await source.load()
    assert listed(source) == {"analysis/x": "a", "analysis/y": "m"}
    message = "AnalysisTemplate 'x' is already defined in a.yaml, which is used"
    assert broken(source) == {"a.yaml": [message], "b.yaml": [message]}
    (tmp_path / "a.yaml").unlink()
    await source.load()
    assert (listed(source), broken(source)) == ({"analysis/x": "b", "analysis/y": "m"}, {})


async def test_what_is_no_file_is_reported(tmp_path: Path, source: FolderSource) -> None:
    """A pipe that nobody writes to, and a link that leads nowhere."""
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "link.yaml").symlink_to("nowhere")
    await source.load()
    assert broken(source) == {
        "link.yaml": ["No such file or directory"],
        "pipe.yaml": ["is not a regular file"],
    }


async def test_unchanged_files_are_not_read_again(tmp_path: Path, source: FolderSource) -> None:
    """Neither the templates nor the revision move."""
    (tmp_path / "a.yaml").write_text(text("a"))
    await source.load()
    before = dict(source.entries())
    revision = source.revision
    await source.load()
    assert source.revision == revision
    assert all(template is before[name] for name, template in source.entries())


async def test_a_folder_that_is_gone_keeps_everything(tmp_path: Path) -> None:
    """An unmounted volume says nothing about its files."""
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "a.yaml").write_text(text("a"))
    source = FolderSource(folder, own_namespace=OWN)
    await source.load()
    folder.rename(tmp_path / "elsewhere")
    await source.load()
    assert listed(source) == {"analysis/a": "m"}
    assert broken(source) == {".": ["cannot be listed: No such file or directory"]}


async def test_a_folder_inside_that_cannot_be_listed_keeps_its_own(
    tmp_path: Path, source: FolderSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others go on. Root may list everything, so the system's refusal is played."""
    (tmp_path / "team").mkdir()
    (tmp_path / "team/a.yaml").write_text(text("a"))
    await source.load()
    scandir = os.scandir

    def refuse(path: Path) -> object:
        if path.name == "team":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    (tmp_path / "b.yaml").write_text(text("b"))
    await source.load()
    assert listed(source) == {"analysis/a": "m", "analysis/b": "m"}
    assert broken(source) == {"team": ["cannot be listed: Permission denied"]}


async def test_the_number_of_files_is_bounded(
    tmp_path: Path, source: FolderSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left out is told."""
    monkeypatch.setattr(sources, "MAX_FILES", 2)
    for name in "cab":
        (tmp_path / f"{name}.yaml").write_text(text(name))
    await source.load()
    assert listed(source) == {"analysis/a": "m", "analysis/b": "m"}
    assert broken(source) == {".": ["holds 3 files; only the first 2 by name are read"]}


def test_an_index_alone_is_an_empty_source() -> None:
    """For a gateway without a folder."""
    index = TemplateIndex(OWN)
    assert index.find(TemplateRef(templateName="a"), OWN) is None
    assert (list(index.entries()), list(index.broken()), index.revision) == ([], [], 0)


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[FolderSource]:
    """A source that is being watched, over a mounted ConfigMap; it would look by itself rarely."""
    (tmp_path / "..1").mkdir()
    (tmp_path / "..1/a.yaml").write_text(text("a", metric="one"))
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "a.yaml").symlink_to("..data/a.yaml")
    source = FolderSource(tmp_path, own_namespace=OWN, resync_s=60.0)
    await source.load()
    task = asyncio.create_task(source.watch())
    yield source
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def until(condition: Callable[[], bool], poke: Callable[[], object] = lambda: None) -> None:
    """Wait for what a watcher does; ``poke`` is repeated, for the watch may just be starting."""
    async with asyncio.timeout(10):
        while not condition():
            poke()
            await asyncio.sleep(0.05)


async def test_a_swapped_config_map_is_noticed(tmp_path: Path, watched: FolderSource) -> None:
    """Kubernetes writes a new folder and swaps a link."""
    (tmp_path / "..2").mkdir()
    (tmp_path / "..2/a.yaml").write_text(text("a", metric="two"))

    def swap() -> None:
        (tmp_path / "..data_tmp").symlink_to("..2")
        (tmp_path / "..data_tmp").rename(tmp_path / "..data")

    await until(lambda: listed(watched) == {"analysis/a": "two"}, swap)


async def test_new_changed_and_deleted_files_are_noticed(
    tmp_path: Path, watched: FolderSource
) -> None:
    """Within moments, without being asked."""
    file = tmp_path / "b.yaml"
    await until(lambda: "analysis/b" in listed(watched), lambda: file.write_text(text("b")))
    file.write_text(text("b", metric="changed"))
    await until(lambda: listed(watched).get("analysis/b") == "changed")
    file.unlink()
    await until(lambda: "analysis/b" not in listed(watched))


async def test_what_no_watch_reports_is_found_by_looking(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A folder that comes later cannot be watched before; changes are found all the same."""
    folder = tmp_path / "later"
    source = FolderSource(folder, own_namespace=OWN, resync_s=0.05)
    task = asyncio.create_task(source.watch())
    await until(lambda: "the template folder is not watched" in caplog.messages)
    await asyncio.sleep(0.2)
    assert caplog.messages.count("the template folder is not watched") == 1, "told once"
    folder.mkdir()
    (folder / "a.yaml").write_text(text("a"))
    await until(lambda: listed(source) == {"analysis/a": "m"})
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_folder_that_is_replaced_is_watched_anew(tmp_path: Path) -> None:
    """A link to a folder may be swapped as a whole."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.yaml").write_text(text("a", metric=name))
    (tmp_path / "templates").symlink_to("one")
    source = FolderSource(tmp_path / "templates", own_namespace=OWN, resync_s=0.2)
    await source.load()
    task = asyncio.create_task(source.watch())
    first = tmp_path / "one/first.yaml"
    await until(lambda: "analysis/f" in listed(source), lambda: first.write_text(text("f")))
    (tmp_path / "new").symlink_to("two")
    (tmp_path / "new").rename(tmp_path / "templates")
    await until(lambda: listed(source) == {"analysis/a": "two"})
    (tmp_path / "two/b.yaml").write_text(text("b"))
    await until(lambda: listed(source) == {"analysis/a": "two", "analysis/b": "m"})
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_silent_changes_are_found_by_looking(tmp_path: Path) -> None:
    """A watch that reports nothing, as on a network file system, is looked after."""
    outside = tmp_path / "outside.yaml"
    outside.write_text(text("a", metric="one"))
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "a.yaml").symlink_to(outside)
    source = FolderSource(folder, own_namespace=OWN, resync_s=0.05)
    await source.load()
    task = asyncio.create_task(source.watch())
    outside.write_text(text("a", metric="two-longer"))
    await until(lambda: listed(source) == {"analysis/a": "two-longer"})
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
