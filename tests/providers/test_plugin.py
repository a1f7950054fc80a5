"""The provider plugin: which plugin a block means, what it is given, what of it may be seen."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from backends import failure_text, world
from manifests import manifest

from gateway.documents import Document
from gateway.errors import ProviderError, ProviderInvalid
from gateway.lint import lint
from gateway.model import Reading, ResultType
from gateway.provider import (
    Block,
    Context,
    Credential,
    ExplainsNoData,
    FoundSecret,
    HasCredential,
    LastingProvider,
    NamesItsQuery,
    ProviderType,
    SecretOwner,
    SecretUse,
    Surroundings,
)
from gateway.secrets import Secret
from providers import JobRules, Plugins, provider_types

UNKNOWN = "this gateway does not have the plugin: its setting plugins lists"
USE = SecretUse("vendor", ("token",), SecretOwner.ANALYSIS)
FOUND = Surroundings({"A": "b"}, FoundSecret("shop/vendor", {"token": Secret("hush-hush")}))


@dataclass
class Made:
    """A provider of one plugin."""

    block: Block
    surroundings: Surroundings
    why: str | Exception = ""

    def resolved_query(self) -> str:
        """What the block asks for."""
        return str(self.block.get("q", ""))

    async def measure(self, _context: Context) -> Reading:
        """How many fields the block has."""
        return Reading(len(self.block), ResultType.FLOAT, "fields", is_empty=True)

    async def explain_no_data(self, _context: Context) -> str:
        """Why."""
        if isinstance(self.why, Exception):
            raise self.why
        return self.why


@dataclass
class Credentialed(Made):
    """One that says which credentials it uses."""

    credential: Any = field(default_factory=lambda: Credential("mine", (Secret("own-secret"),)))


def check(block: Block) -> list[tuple[str, str]]:
    """Two fields, and items, are known to be wrong."""
    return [
        (path, "is wrong") for path in ("no", "[1].x", "") if path in block or path == block.get("")
    ]


def refusing(block: Block) -> None:
    """Rules that refuse."""
    if "no" in block:
        raise ProviderInvalid("no is no")


KIND = ProviderType(check=check, parse=Made, query_metadata="ResolvedKpi")
STRICT = replace(KIND, rules=refusing, credentials=lambda _, environ: USE if environ else None)


def types(**kinds: ProviderType | ProviderInvalid) -> Mapping[str, ProviderType]:
    """All types of a gateway with plugins of acme's."""
    by_name = {f"acme/{name}": kind for name, kind in kinds.items()}
    return provider_types(JobRules(), Plugins(by_name))


def plugin(**kinds: ProviderType | ProviderInvalid) -> ProviderType:
    """The type ``plugin``."""
    return types(**kinds)["plugin"]


@pytest.mark.parametrize(
    ("block", "told"),
    [
        pytest.param({"acme/kpi": {}}, [], id="fine"),
        pytest.param({"acme/kpi": {"no": 1}}, [("acme/kpi.no", "is wrong")], id="a-field"),
        pytest.param({"acme/kpi": {"[1].x": 1}}, [("acme/kpi[1].x", "is wrong")], id="an-item"),
        pytest.param({"acme/kpi": {"": ""}}, [("acme/kpi", "is wrong")], id="the-whole"),
        pytest.param({"acme/kpi": "no"}, [("acme/kpi", "must be an object")], id="no-object"),
        pytest.param({"acme/{{args.which}}": {}}, [], id="not-known-yet"),
        pytest.param({"acme/gone": {"no": 1}}, [], id="one-that-cannot-be-used"),
        pytest.param({}, [], id="none-which-is-told-elsewhere"),
        pytest.param(
            {"acme/kip": {}, "kpi": {}},
            [
                ("acme/kip", f"{UNKNOWN} acme/kpi, acme/gone; did you mean acme/kpi?"),
                ("kpi", f"{UNKNOWN} acme/kpi, acme/gone"),
            ],
            id="unknown-ones",
        ),
    ],
)
def test_a_block_is_checked_by_the_plugin_that_it_names(
    block: Block, told: list[tuple[str, str]]
) -> None:
    """Paths begin with its name."""
    assert plugin(kpi=KIND, gone=ProviderInvalid("no")).check(block) == told


def test_a_gateway_without_plugins_says_so() -> None:
    """And which setting lists them."""
    assert plugin().check({"acme/kpi": {}}) == [("acme/kpi", f"{UNKNOWN} none")]


async def test_the_plugin_that_is_named_is_asked() -> None:
    """With its own block, and what is around."""
    other = replace(KIND, parse=lambda _, __: pytest.fail("not this one"))
    provider: Any = plugin(other=other, kpi=STRICT).parse(
        {"acme/kpi": {"q": "a", "n": 1}}, Surroundings()
    )
    async with world() as context:
        reading = await provider.measure(context)
    assert reading == Reading(2.0, ResultType.FLOAT, "fields", is_empty=True)
    assert provider.resolved_query() == "a"
    assert isinstance(provider, NamesItsQuery)
    assert provider.query_metadata == "ResolvedKpi"
    assert not isinstance(provider, LastingProvider)


def test_one_that_cannot_be_used_says_why() -> None:
    """As an error of whoever measures with it."""
    gone = plugin(gone=ProviderInvalid("plugin acme/gone: no"))
    with pytest.raises(ProviderInvalid, match=r"^plugin acme/gone: no$"):
        gone.parse({"acme/gone": {}}, Surroundings())
    assert gone.credentials({"acme/gone": {}}, {"A": "b"}) is None


def test_a_plugin_may_change_its_block() -> None:
    """It is a copy: what a template says stays, and so does the key of its readings."""

    def emptied(block: Any, *_: object) -> Any:
        block["list"].clear()
        block.clear()
        return []

    def made(block: Any, surroundings: Surroundings) -> Made:
        emptied(block)
        return Made(block, surroundings)

    kind = ProviderType(
        check=emptied, parse=made, rules=emptied, credentials=lambda block, _: emptied(block) or USE
    )
    block: dict[str, object] = {"acme/kpi": {"list": [1]}}
    own = plugin(kpi=kind)
    own.check(block)
    own.rules(block) if own.rules else pytest.fail("no rules")
    own.credentials(block, {})
    own.parse(block, Surroundings())
    assert block == {"acme/kpi": {"list": [1]}}


def test_a_secret_is_asked_for_and_handed_over() -> None:
    """As by any provider."""
    assert plugin(kpi=STRICT).credentials({"acme/kpi": {}}, {"A": "b"}) == USE
    provider: Any = plugin(kpi=STRICT).parse({"acme/kpi": {}}, FOUND)
    assert provider.inner.surroundings == FOUND


@pytest.mark.parametrize(
    ("parse", "surroundings", "credential"),
    [
        pytest.param(Made, Surroundings(), Credential(""), id="none"),
        pytest.param(
            Made, FOUND, Credential("shop/vendor", (Secret("hush-hush"),)), id="that-it-got"
        ),
        pytest.param(
            Credentialed, Surroundings(), Credential("", (Secret("own-secret"),)), id="that-it-has"
        ),
        pytest.param(
            Credentialed,
            FOUND,
            Credential("shop/vendor", (Secret("hush-hush"), Secret("own-secret"))),
            id="that-it-got-and-that-it-has",
        ),
    ],
)
def test_what_a_plugin_got_is_masked(
    parse: Any, surroundings: Surroundings, credential: Credential
) -> None:
    """Whether it says so or not; and its repr shows nothing.

    The name is that of the Secret: a label of metrics, where a text of the plugin's could be one.
    """
    provider = plugin(kpi=replace(KIND, parse=parse)).parse(
        {"acme/kpi": {"q": "hush-query"}}, surroundings
    )
    assert isinstance(provider, HasCredential)
    assert provider.credential == credential
    assert "hush" not in repr(provider)
    assert "own-secret" not in repr(provider)


def test_an_error_of_parse_shows_no_secret() -> None:
    """There is no provider yet that could tell of it."""

    def parse(_: Block, surroundings: Surroundings) -> Made:
        raise ValueError(surroundings.found_secret().keys["token"].reveal())

    with pytest.raises(ProviderInvalid, match=r"^plugin acme/kpi: ValueError: \*{5}$"):
        plugin(kpi=replace(KIND, parse=parse)).parse({"acme/kpi": {}}, FOUND)


def test_a_secret_that_is_not_there_is_told_once() -> None:
    """Its error, which the plugin hands on, has the plugin's name one time."""
    kind = replace(KIND, parse=lambda _, around: around.found_secret())
    around = Surroundings(secret=ProviderInvalid("plugin acme/kpi: no such secret"))
    with pytest.raises(ProviderInvalid, match=r"^plugin acme/kpi: no such secret$"):
        plugin(kpi=kind).parse({"acme/kpi": {}}, around)


@pytest.mark.parametrize(
    ("why", "told"),
    [
        pytest.param("it is Sunday", "it is Sunday", id="why"),
        pytest.param("", "", id="no-idea"),
        pytest.param(ProviderError("no"), "", id="an-error"),
        pytest.param(KeyError("no"), "", id="a-bug"),
        pytest.param(5, "", id="nonsense"),
    ],
)
async def test_an_empty_answer_is_explained(why: Any, told: str) -> None:
    """If the plugin can, and without ever failing."""
    kind = replace(KIND, parse=lambda block, around: Made(block, around, why))
    provider = plugin(kpi=kind).parse({"acme/kpi": {}}, Surroundings())
    assert isinstance(provider, ExplainsNoData)
    async with world() as context:
        assert await provider.explain_no_data(context) == told


async def test_who_cannot_explain_is_silent() -> None:
    """That is most of them."""

    class Silent:
        def resolved_query(self) -> str:
            return ""

        async def measure(self, _context: Context) -> Reading:
            raise ProviderError("no")

    kind = replace(KIND, parse=lambda _, __: Silent())
    provider: Any = plugin(kpi=kind).parse({"acme/kpi": {}}, Surroundings())
    async with world() as context:
        assert await provider.explain_no_data(context) == ""
        assert await failure_text(provider.measure(context)) == "ProviderError: plugin acme/kpi: no"


@pytest.mark.parametrize(
    ("kind", "block", "told"),
    [
        pytest.param(KIND, {"acme/kpi": {}}, [], id="fine"),
        pytest.param(
            replace(KIND, parse=lambda _, around: around.found_secret()),
            {"acme/kpi": {}},
            [
                "error: spec.metrics[0].provider.plugin: plugin acme/kpi: no Secret was asked for",
            ],
            id="without-rules-it-is-parsed",
        ),
        pytest.param(
            replace(STRICT, check=lambda _: []),
            {"acme/kpi": {"no": 1}},
            ["error: spec.metrics[0].provider.plugin: plugin acme/kpi: no is no"],
            id="with-rules-those-are-asked",
        ),
        pytest.param(
            STRICT,
            {"acme/kpi": {"no": 1}},
            ["error: spec.metrics[0].provider.plugin.acme/kpi.no: is wrong"],
            id="its-shape",
        ),
        pytest.param(
            KIND, {}, ["error: spec.metrics[0].provider: no provider specified"], id="none"
        ),
        pytest.param(
            KIND,
            {"acme/kpi": {}, "acme/other": {}},
            ["error: spec.metrics[0].provider: multiple providers specified"],
            id="two",
        ),
    ],
)
def test_a_plugin_is_linted(kind: ProviderType, block: Block, told: list[str]) -> None:
    """Before anybody measures with it."""
    content = manifest(
        metrics=[{"name": "m", "successCondition": "result > 1", "provider": {"plugin": block}}]
    )
    found = lint(
        [Document(content)],
        provider_types=types(kpi=kind, other=kind),
        environ={},
        lookup=lambda _: None,
    )
    assert [f"{each.severity}: {each.path}: {each.message}" for each in found] == told


def test_lint_knows_that_a_plugin_may_judge() -> None:
    """So a missing condition need not be a mistake."""
    content = manifest(metrics=[{"name": "m", "provider": {"plugin": {"acme/kpi": {}}}}])
    (found,) = lint(
        [Document(content)], provider_types=types(kpi=KIND), environ={}, lookup=lambda _: None
    )
    assert found.message == (
        "without a condition every answer is Successful, unless the plugin judges by itself"
    )
