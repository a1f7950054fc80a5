"""The values of a template's arguments.

Source: argo-rollouts utils/analysis/helpers.go:234-253, 292-328 and analysis/analysis.go:141-161,
263-309 @ 9f8d111d8. Unlike Argo, an argument that no template declares is a problem, and all
problems are reported.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.errors import Problem, TemplateInvalid
from gateway.gotext import quote
from gateway.secrets import Secret
from gateway.shapes import did_you_mean
from gateway.template import Argument, SecretKeyRef

UNRESOLVED: Final = "Unable to resolve metric arguments: "
"""What Argo says before every problem of this kind."""
PLACEHOLDER: Final = "temp-for-secret"
"""Stands for every secret wherever a metric is scheduled, counted, named or validated."""


@dataclass(frozen=True, slots=True)
class MissingSecret:
    """Why a secret has no value, in Argo's words."""

    message: str


class MissingKey(MissingSecret):
    """Why a secret that is there has no value: it lacks the key."""


class UnusableSecret(MissingSecret):
    """Why a secret that is there has no value; whoever else has one of that name is not asked."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """A value for every declared argument."""

    values: Mapping[str, str] = field(repr=False)
    """What provider blocks and conditions get: secrets in the clear."""
    open_values: Mapping[str, str]
    """What everything else gets: secrets are ``temp-for-secret``."""
    secrets: tuple[Secret, ...] = ()
    """What must be masked in all that leaves."""


def merge(declared: Sequence[Argument], given: Sequence[Argument]) -> tuple[Argument, ...]:
    """The declared arguments with the caller's values over their defaults; the last one given wins.

    A declared secret wins over a given value, which is then forgotten: nobody needs it, and its
    giver may have thought that it is kept secret. A given secret wins over a declared value.

    Raises:
        TemplateInvalid: arguments that are given but not declared, or that have no value.

    """
    names = [argument.name for argument in declared]
    problems = [_undeclared(each.name, names) for each in given if each.name not in names]
    given_by_name = {argument.name: argument for argument in given}
    merged = tuple(_over(each, given_by_name.get(each.name)) for each in declared)
    problems += [
        Problem(
            f"args.{each.name}",
            f"args.{each.name} was not resolved: it has no default and none was given",
        )
        for each in merged
        if each.value is None and each.value_from is None
    ]
    if problems:
        raise TemplateInvalid(tuple(problems))
    return merged


def secret_refs(merged: Iterable[Argument]) -> tuple[SecretKeyRef, ...]:
    """The secrets that ``resolve`` will want, each once."""
    found = (_secret_ref(argument) for argument in merged)
    return tuple(dict.fromkeys(ref for ref in found if ref is not None))


def resolve(
    merged: Sequence[Argument], secrets: Mapping[SecretKeyRef, Secret | MissingSecret]
) -> Arguments:
    """The value of every argument; a secret wins over a value.

    Args:
        merged: see ``merge``.
        secrets: an answer for each of ``secret_refs(merged)``.

    Raises:
        TemplateInvalid: secrets that are missing, sources that nothing resolves.

    """
    values: dict[str, str] = {}
    open_values: dict[str, str] = {}
    used: dict[Secret, None] = {}
    problems: list[Problem] = []
    for argument in merged:
        value = _value(argument, secrets)
        if isinstance(value, MissingSecret):
            problems.append(Problem(f"args.{argument.name}", UNRESOLVED + value.message))
        elif isinstance(value, Secret):
            used[value] = None
            values[argument.name] = value.reveal()
            open_values[argument.name] = PLACEHOLDER
        else:
            values[argument.name] = open_values[argument.name] = value
    problems += [
        Problem(f"args.{name}", "the value is not valid UTF-8")
        for name, text in values.items()
        if not _is_utf8(text)
    ]
    if problems:
        raise TemplateInvalid(tuple(problems))
    return Arguments(values, open_values, tuple(used))


def _undeclared(name: str, declared: Sequence[str]) -> Problem:
    known = f"declared are {', '.join(declared)}" if declared else "none is declared"
    hint = did_you_mean(name, declared)
    return Problem(f"args.{name}", f"no template declares this argument; {known}{hint}")


def _over(declared: Argument, given: Argument | None) -> Argument:
    if given is None:
        return declared
    if given.value is not None:
        is_used = _secret_ref(declared) is None
        return declared.model_copy(update={"value": given.value}) if is_used else declared
    if given.value_from is not None:
        return declared.model_copy(update={"value_from": given.value_from})
    return declared


def _secret_ref(argument: Argument) -> SecretKeyRef | None:
    return None if argument.value_from is None else argument.value_from.secret_key_ref


def _value(
    argument: Argument, secrets: Mapping[SecretKeyRef, Secret | MissingSecret]
) -> str | Secret | MissingSecret:
    ref = _secret_ref(argument)
    if ref is not None:
        return secrets[ref]
    if argument.value is not None:
        return argument.value
    # A fieldRef is known to the schema, but neither Argo nor the gateway resolves one here.
    return MissingSecret(f"argument {quote(argument.name)} was not supplied")


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
