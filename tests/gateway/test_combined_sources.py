"""A folder and a cluster as one source: which of them counts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from manifests import parsed

from gateway.args import MissingKey, MissingSecret, UnusableSecret
from gateway.combined_sources import (
    CombinedSecrets,
    CombinedSource,
    SecretsOfBrought,
    usable,
)
from gateway.errors import ClusterUnavailable, GatewayError, Problem, TemplateInvalid
from gateway.secrets import Secret
from gateway.template import Kind, SecretKeyRef, Template, TemplateRef


@dataclass
class Shelf:
    """Templates by namespace and name; a failure in the place of one is raised."""

    templates: dict[tuple[str, str], Template | GatewayError] = field(default_factory=dict)
    revision: int = 0
    problems: tuple[str, ...] = ()

    def find(self, ref: TemplateRef, namespace: str) -> Template | None:
        """The template of that name."""
        found = self.templates.get(("" if ref.cluster_scope else namespace, ref.template_name))
        if isinstance(found, GatewayError):
            raise found
        return found

    def entries(self) -> Iterator[tuple[str, Template]]:
        """All that are none of the failures, in order."""
        found = [
            (place, each) for (place, _), each in self.templates.items()
            if isinstance(each, Template)
        ]  # fmt: skip
        yield from sorted(found, key=lambda entry: (entry[1].kind, entry[0], entry[1].name))

    def broken(self) -> Iterator[tuple[str, tuple[Problem, ...]]]:
        """What is wrong."""
        for name in self.problems:
            yield name, (Problem("", "is broken"),)


def tagged(name: str, tag: str, kind: str = Kind.NAMESPACED) -> Template:
    """A template that says where it is from."""
    return parsed(name, kind, args=[{"name": tag}])


def tag(template: Template | None) -> str | None:
    """Where a template is from."""
    return None if template is None else template.spec.args[0].name


def shelf(content: str | GatewayError | None) -> Shelf:
    """What holds a template of that tag, or fails, under the name x."""
    held = tagged("x", content) if isinstance(content, str) else content
    return Shelf({("shop", "x"): held} if held else {})


BROKEN = TemplateInvalid((Problem("AnalysisTemplate shop/x: spec", "is required"),))
AWAY = ClusterUnavailable("away")


@pytest.mark.parametrize(
    ("folder", "cluster", "expected"),
    [
        pytest.param("folder", None, "folder", id="only-the-folder-has-it"),
        pytest.param(None, "cluster", "cluster", id="only-the-cluster-has-it"),
        pytest.param("folder", "cluster", "folder", id="both-have-it"),
        pytest.param("folder", BROKEN, "folder", id="the-cluster-has-it-broken"),
        pytest.param("folder", AWAY, "folder", id="the-cluster-is-away"),
        pytest.param(None, None, None, id="nobody-has-it"),
    ],
)
def test_the_folder_goes_first(
    folder: str | None, cluster: str | GatewayError | None, expected: str | None
) -> None:
    """Whoever mounts a template means it; the cluster's is asked for only without it."""
    combined = CombinedSource(shelf(folder), shelf(cluster))
    assert tag(combined.find(TemplateRef(templateName="x"), "shop")) == expected


@pytest.mark.parametrize("failure", [BROKEN, AWAY])
def test_what_the_cluster_says_of_its_own_is_passed_on(failure: GatewayError) -> None:
    """Except to who only looks around."""
    combined = CombinedSource(Shelf(), Shelf({("shop", "x"): failure}))
    ref = TemplateRef(templateName="x")
    with pytest.raises(type(failure)) as caught:
        combined.find(ref, "shop")
    assert caught.value is failure
    assert usable(combined, ref, "shop") is None


def test_who_looks_around_finds_what_there_is() -> None:
    """The same template."""
    combined = CombinedSource(Shelf({("shop", "x"): tagged("x", "folder")}), Shelf())
    assert tag(usable(combined, TemplateRef(templateName="x"), "shop")) == "folder"


def test_all_are_listed_in_order_and_once() -> None:
    """By kind, namespace and name."""
    folder = Shelf({("shop", "b"): tagged("b", "folder"), ("bank", "z"): tagged("z", "folder")})
    cluster = Shelf(
        {
            ("shop", "a"): tagged("a", "cluster"),
            ("shop", "b"): tagged("b", "cluster"),
            ("", "b"): tagged("b", "cluster", Kind.CLUSTER),
        }
    )
    found = [
        (template.kind.value, namespace, template.name, tag(template))
        for namespace, template in CombinedSource(folder, cluster).entries()
    ]
    assert found == [
        ("AnalysisTemplate", "bank", "z", "folder"),
        ("AnalysisTemplate", "shop", "a", "cluster"),
        ("AnalysisTemplate", "shop", "b", "folder"),
        ("ClusterAnalysisTemplate", "", "b", "cluster"),
    ]


def test_what_is_broken_is_told_of_both() -> None:
    """Files first."""
    combined = CombinedSource(Shelf(problems=("a.yaml",)), Shelf(problems=("AnalysisTemplate x",)))
    assert [name for name, _ in combined.broken()] == ["a.yaml", "AnalysisTemplate x"]


def test_the_revision_changes_with_either() -> None:
    """And never comes back to one that was."""
    folder, cluster = Shelf(), Shelf()
    combined = CombinedSource(folder, cluster)
    revisions = [combined.revision]
    for shelf in (folder, cluster, folder, cluster, cluster):
        shelf.revision += 1
        revisions.append(combined.revision)
    assert len(set(revisions)) == len(revisions)


@dataclass
class Vault:
    """Secrets by key."""

    values: Mapping[str, Secret | MissingSecret]
    asked: list[str] = field(default_factory=list)

    async def read(
        self, namespace: str, refs: Sequence[SecretKeyRef]
    ) -> Mapping[SecretKeyRef, Secret | MissingSecret]:
        """A value for every reference."""
        self.asked += (f"{namespace}/{ref.name}/{ref.key}" for ref in refs)
        return {ref: self.values[ref.key] for ref in refs}


NOT_FOUND = MissingSecret('secrets "s" not found')
NO_KEY = MissingKey("key 'k' does not exist in secret 's'")
NOT_ON = MissingSecret('secrets "s" not found: reading Secrets of ... is not switched on')
NO_RIGHT = MissingSecret("the gateway has no right to get secrets in namespace 'shop'")
NO_TEXT = UnusableSecret("key 'k' in secret 's' is not UTF-8")


@pytest.mark.parametrize(
    ("folder", "cluster", "expected", "is_asked"),
    [
        pytest.param(Secret("f"), Secret("c"), Secret("f"), False, id="the-folder-goes-first"),
        pytest.param(NOT_FOUND, Secret("c"), Secret("c"), True, id="the-folder-has-no-such-secret"),
        pytest.param(NO_KEY, Secret("c"), NO_KEY, False, id="the-folder-has-it-without-the-key"),
        pytest.param(NO_TEXT, Secret("c"), NO_TEXT, False, id="the-folders-cannot-be-used"),
        pytest.param(NOT_FOUND, NOT_FOUND, NOT_FOUND, True, id="nobody-has-it"),
        pytest.param(NOT_FOUND, NOT_ON, NOT_ON, True, id="the-cluster-says-more"),
        pytest.param(
            NOT_FOUND,
            NO_RIGHT,
            MissingSecret(f"{NOT_FOUND.message}; in the cluster: {NO_RIGHT.message}"),
            True,
            id="each-has-its-own-reason",
        ),
        pytest.param(NOT_FOUND, NO_TEXT, NO_TEXT, True, id="the-clusters-cannot-be-used"),
        pytest.param(NOT_FOUND, NO_KEY, NO_KEY, True, id="the-clusters-lacks-the-key"),
    ],
)
async def test_secrets(
    folder: Secret | MissingSecret,
    cluster: Secret | MissingSecret,
    expected: Secret | MissingSecret,
    is_asked: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """What a folder has is never asked of the cluster; what nobody has is told of both."""
    vaults = Vault({"k": folder, "other": Secret("o")}), Vault({"k": cluster})
    ref, other = SecretKeyRef(name="s", key="k"), SecretKeyRef(name="s", key="other")
    found = await CombinedSecrets(*vaults).read("shop", [ref, other])
    assert found == {ref: expected, other: Secret("o")}
    assert vaults[1].asked == (["shop/s/k"] if is_asked else [])


BROUGHT = "a template that comes with a request gets no Secret of the cluster"


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        pytest.param(Secret("f"), Secret("f"), id="the-folder-has-it"),
        pytest.param(
            NOT_FOUND, MissingSecret(f"{NOT_FOUND.message}; {BROUGHT}"), id="no-such-secret"
        ),
        pytest.param(NO_KEY, NO_KEY, id="no-such-key"),
        pytest.param(NO_TEXT, NO_TEXT, id="one-that-cannot-be-used"),
    ],
)
async def test_what_is_brought_gets_secrets_of_the_folder_only(
    folder: Secret | MissingSecret, expected: Secret | MissingSecret
) -> None:
    """And is told why it gets no other, unless the folder's is the one that counts."""
    vault = Vault({"k": folder})
    ref = SecretKeyRef(name="s", key="k")
    assert await SecretsOfBrought(vault).read("shop", [ref]) == {ref: expected}
    assert vault.asked == ["shop/s/k"]
