"""What rights it takes, by what is asked for; nothing is looked up to find it out.

So a refusal tells nobody whether there is such a template.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.access.caller import Caller
from gateway.access.policy import Action, Wanted
from gateway.access.rights import Rights
from gateway.planned import Question


@dataclass(frozen=True, slots=True)
class Needs:
    """The rights that a question takes."""

    ever: tuple[Wanted, ...]
    for_jobs: Wanted
    """If there are Jobs in its templates, which is not known yet."""


def of_question(action: Action, question: Question) -> Needs:
    """What a verdict on, or a run of, these templates takes.

    Who brings templates needs the right to every template of the gateway's that those refer to.
    What templates of the gateway's refer to is their author's business.
    """
    namespace = question.namespace
    brought = {template.ref for template in question.inline}
    used = [ref for template in question.inline for ref in template.spec.templates]
    refs = [*question.refs, *(ref for ref in used if ref not in brought)]
    names = tuple(ref.template_name for ref in refs)
    ever = [Wanted(action, namespace, names)]
    if question.inline:
        ever.append(Wanted(Action.INLINE, namespace))
    return Needs(tuple(ever), Wanted(Action.JOBS, namespace, names))


def granted(
    rights: Rights,
    caller: Caller,
    question: Question,
    needed: Needs,
    connections: Sequence[str] = (),
) -> Question:
    """The question as far as the caller may ask it. Raises AccessDenied.

    Args:
        rights: in force.
        caller: who asks.
        question: what it asks.
        needed: the rights that the question takes.
        connections: the names of all that there are.

    """
    rights.check(caller, *needed.ever)
    asked = question if rights.may(caller, needed.for_jobs) else question.without_jobs
    if not connections:
        return asked
    return replace(asked, connections=usable(rights, caller, needed.ever, connections))


def usable(
    rights: Rights, caller: Caller, wanted: Sequence[Wanted], connections: Sequence[str]
) -> tuple[str, ...]:
    """The connections with which a caller may do all that it wants."""
    return tuple(
        name
        for name in connections
        if rights.may(caller, *(replace(each, connections=(name,)) for each in wanted))
    )


def with_explanation(needed: Needs) -> Needs:
    """What it takes beside that to be shown requests and answers."""
    first, *others = needed.ever
    return replace(needed, ever=(first, replace(first, action=Action.EXPLAIN), *others))


def of_brought_run(namespace: str) -> tuple[Wanted, ...]:
    """What it takes to start a run whose metrics a request brings."""
    return (Wanted(Action.RUN, namespace), Wanted(Action.INLINE, namespace))


def sees_run(rights: Rights, caller: Caller, namespace: str, named: Sequence[str] | None) -> bool:
    """Whether a caller may see a run, and end it: as who may start one like it, or as an admin.

    Args:
        rights: in force.
        caller: who asks.
        namespace: of the run.
        named: the templates that were asked for by name; None if a request brought any of it.

    """
    like_it = (
        of_brought_run(namespace)
        if named is None
        else (Wanted(Action.RUN, namespace, tuple(named)),)
    )
    return rights.may(caller, *like_it) or rights.may(caller, Wanted(Action.ADMIN, namespace))


def sees_template(rights: Rights, caller: Caller, namespace: str | None, name: str) -> bool:
    """Whether a caller may know of a template; the namespace of a cluster template is None."""
    return (
        rights.may(caller, Wanted(Action.VERDICT, namespace, (name,)))
        or rights.may(caller, Wanted(Action.RUN, namespace, (name,)))
        or rights.may(caller, Wanted(Action.ADMIN, namespace))
    )
