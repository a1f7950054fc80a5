"""The values of arguments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manifests import argument, secret_argument

from gateway.args import Arguments, MissingSecret, merge, resolve, secret_refs
from gateway.errors import TemplateInvalid
from gateway.secrets import Secret
from gateway.template import Argument, SecretKeyRef

S_K = SecretKeyRef(name="s", key="k")
S_K2 = SecretKeyRef(name="s", key="k2")


def both(name: str, value: str) -> Argument:
    """An argument with a value and a secret."""
    return secret_argument(name, value)


@pytest.mark.parametrize(
    ("declared", "given_args", "merged"),
    [
        pytest.param(
            [argument("a", "1"), argument("b", "2")],
            [argument("b", "3")],
            (argument("a", "1"), argument("b", "3")),
            id="a-given-value-replaces-a-default",
        ),
        pytest.param(
            [argument("a", "1")],
            [argument("a", "")],
            (argument("a", ""),),
            id="an-empty-value-is-a-value",
        ),
        pytest.param(
            [argument("a")],
            [argument("a", "1"), argument("a", "2")],
            (argument("a", "2"),),
            id="the-last-one-given-wins",
        ),
        pytest.param(
            [secret_argument("a")],
            [argument("a", "1")],
            (secret_argument("a"),),
            id="of-a-secret-a-given-value-is-not-even-kept",
        ),
        pytest.param(
            [argument("a", "1")],
            [secret_argument("a")],
            (both("a", "1"),),
            id="a-given-secret-leaves-the-value-in-place",
        ),
        pytest.param(
            [argument("a", "1")],
            [argument("a")],
            (argument("a", "1"),),
            id="given-nothing-the-default-stays",
        ),
        pytest.param(
            [argument("a", None, valueFrom={})],
            [],
            (argument("a", None, valueFrom={}),),
            id="an-empty-source-passes-here",
        ),
    ],
)
def test_merge(
    declared: list[Argument], given_args: list[Argument], merged: tuple[Argument, ...]
) -> None:
    """The caller's values over the defaults."""
    assert merge(declared, given_args) == merged


@pytest.mark.parametrize(
    ("declared", "given_args", "complaints"),
    [
        pytest.param(
            [argument("a"), argument("b")],
            [],
            [
                "args.a: args.a was not resolved: it has no default and none was given",
                "args.b: args.b was not resolved: it has no default and none was given",
            ],
            id="every-missing-argument-is-named",
        ),
        pytest.param(
            [argument("service", "x")],
            [argument("servic", "y"), argument("zzz", "y")],
            [
                (
                    "args.servic: no template declares this argument; declared are service; did "
                    "you mean service?"
                ),
                "args.zzz: no template declares this argument; declared are service",
            ],
            id="every-unknown-argument-is-named",
        ),
        pytest.param(
            [],
            [argument("a", "y")],
            ["args.a: no template declares this argument; none is declared"],
            id="nothing-is-declared",
        ),
        pytest.param(
            [argument("a")],
            [argument("b", "y")],
            [
                "args.b: no template declares this argument; declared are a",
                "args.a: args.a was not resolved: it has no default and none was given",
            ],
            id="unknown-and-missing-at-once",
        ),
    ],
)
def test_merge_complains(
    declared: list[Argument], given_args: list[Argument], complaints: list[str]
) -> None:
    """All problems at once."""
    with pytest.raises(TemplateInvalid) as caught:
        merge(declared, given_args)
    assert [str(problem) for problem in caught.value.problems] == complaints


def test_secret_refs_are_each_once() -> None:
    """What has to be read, in order."""
    merged = [
        secret_argument("a"),
        argument("b", "1"),
        secret_argument("c", key="k2"),
        secret_argument("d"),
        argument("e", None, valueFrom={}),
    ]
    assert secret_refs(merged) == (S_K, S_K2)


def test_secrets_are_kept_apart() -> None:
    """The engine's own fields never see them, and they are collected to be masked."""
    merged = [both("a", "plain"), argument("b", "2"), secret_argument("c", key="k2")]
    resolved = resolve(merged, {S_K: Secret("SEKRET"), S_K2: Secret("other")})
    assert resolved == Arguments(
        values={"a": "SEKRET", "b": "2", "c": "other"},
        open_values={"a": "temp-for-secret", "b": "2", "c": "temp-for-secret"},
        secrets=(Secret("SEKRET"), Secret("other")),
    )
    assert "SEKRET" not in repr(resolved)


@pytest.mark.parametrize(
    ("merged", "complaints"),
    [
        pytest.param(
            [secret_argument("a"), secret_argument("b", key="k2")],
            [
                'args.a: Unable to resolve metric arguments: secrets "s" not found',
                "args.b: Unable to resolve metric arguments: key 'k2' does not exist in secret 's'",
            ],
            id="secrets-that-are-missing",
        ),
        pytest.param(
            [argument("z", None, valueFrom={"fieldRef": {"fieldPath": "metadata.name"}})],
            [
                'args.z: Unable to resolve metric arguments: argument "z" was not supplied',
            ],
            id="nothing-resolves-a-field-ref",
        ),
        pytest.param(
            [argument("z", None, valueFrom={})],
            ['args.z: Unable to resolve metric arguments: argument "z" was not supplied'],
            id="an-empty-source",
        ),
        pytest.param(
            [argument("a", "\ud800")],
            ["args.a: the value is not valid UTF-8"],
            id="half-a-character",
        ),
    ],
)
def test_resolve_complains(merged: list[Argument], complaints: list[str]) -> None:
    """Argo's words, and the argument's name."""
    answers: dict[SecretKeyRef, Secret | MissingSecret] = {
        S_K: MissingSecret('secrets "s" not found'),
        S_K2: MissingSecret("key 'k2' does not exist in secret 's'"),
    }
    with pytest.raises(TemplateInvalid) as caught:
        resolve(merged, answers)
    assert [str(problem) for problem in caught.value.problems] == complaints


def test_a_given_value_makes_up_for_an_empty_source() -> None:
    """A field that nothing resolves matters only if nothing else gives a value."""
    merged = merge([argument("z", None, valueFrom={})], [argument("z", "1")])
    assert resolve(merged, {}) == Arguments({"z": "1"}, {"z": "1"})


ARGUMENTS = st.builds(
    argument,
    st.sampled_from("abc"),
    st.none() | st.text(max_size=5),
)


@given(st.lists(ARGUMENTS, max_size=4), st.lists(ARGUMENTS, max_size=4))
def test_any_arguments_are_resolved_or_refused(
    declared: list[Argument], given_args: list[Argument]
) -> None:
    """Either every declared argument has a value, or every reason why not is told."""
    try:
        resolved = resolve(merge(declared, given_args), {})
    except TemplateInvalid as error:
        assert error.problems
    else:
        assert resolved.values.keys() == {each.name for each in declared}
