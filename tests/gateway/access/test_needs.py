"""What rights a question takes."""

from typing import Any

import pytest
from guarded import rule
from running import template, web_metric

from gateway.access.caller import Caller
from gateway.access.needs import granted, of_question, sees_run, sees_template
from gateway.access.policy import Action, Wanted
from gateway.access.policy_file import parse_policy
from gateway.access.rights import Rights
from gateway.errors import AccessDenied
from gateway.planned import Question
from gateway.template import Template, TemplateRef, parse

ALICE = Caller("token:alice")
METRIC = web_metric("http://x")


def ref(name: str) -> TemplateRef:
    """A reference to a template of a namespace."""
    return TemplateRef(templateName=name)


def brought(name: str, *refs: str) -> Template:
    """A template that came with a request, and what it refers to."""
    manifest: Any = template(METRIC, templates=[{"templateName": each} for each in refs])
    manifest["metadata"]["name"] = name
    return parse(manifest)


def rights(*rules: Any) -> Rights:
    """By a policy of these rules."""
    policy = parse_policy({"rules": list(rules)})
    return Rights(lambda: policy)


@pytest.mark.parametrize(
    ("question", "needed", "for_jobs"),
    [
        pytest.param(
            Question(namespace="shop", refs=(ref("a"), ref("b"))),
            [Wanted(Action.RUN, "shop", ("a", "b"))],
            ("a", "b"),
            id="named",
        ),
        pytest.param(
            Question(namespace="shop", inline=(brought("mine"),)),
            [Wanted(Action.RUN, "shop"), Wanted(Action.INLINE, "shop")],
            (),
            id="brought",
        ),
        pytest.param(
            Question(namespace="shop", inline=(brought("mine", "a"), brought("other", "mine"))),
            [Wanted(Action.RUN, "shop", ("a",)), Wanted(Action.INLINE, "shop")],
            ("a",),
            id="brought-ones-refer-to-one-that-is-not",
        ),
    ],
)
def test_what_a_question_takes(
    question: Question, needed: list[Wanted], for_jobs: tuple[str, ...]
) -> None:
    """By name, or brought with what it refers to."""
    found = of_question(Action.RUN, question)
    assert list(found.ever) == needed
    assert found.for_jobs == Wanted(Action.JOBS, "shop", for_jobs)


@pytest.mark.parametrize(
    ("rules", "outcome"),
    [
        pytest.param([], None, id="no-right"),
        pytest.param([rule("run")], False, id="none-to-jobs"),
        pytest.param([rule("run"), rule("jobs", templates=["b"])], False, id="jobs-of-others"),
        pytest.param([rule("run"), rule("jobs")], True, id="jobs-too"),
    ],
)
def test_what_is_granted(rules: list[Any], outcome: bool | None) -> None:  # noqa: FBT001 - a table column
    """All, all but Jobs, or nothing."""
    question = Question(namespace="shop", refs=(ref("a"),))
    needed = of_question(Action.RUN, question)
    if outcome is None:
        with pytest.raises(AccessDenied):
            granted(rights(*rules), ALICE, question, needed)
    else:
        assert granted(rights(*rules), ALICE, question, needed).may_run_jobs is outcome


@pytest.mark.parametrize(
    ("rules", "named", "sees"),
    [
        pytest.param([], ["a"], False, id="no-right"),
        pytest.param([rule("verdict")], ["a"], False, id="another-action"),
        pytest.param([rule("run", namespaces=["bank"])], ["a"], False, id="another-namespace"),
        pytest.param([rule("run", templates=["a"])], ["a"], True, id="its-template"),
        pytest.param([rule("run", templates=["a"])], ["a", "b"], False, id="one-of-its-templates"),
        pytest.param([rule("run")], None, False, id="brought-by-a-request"),
        pytest.param([rule("run", "inline")], None, True, id="who-may-bring-such-a-run"),
        pytest.param([rule("inline")], None, False, id="who-may-not-run-it"),
        pytest.param([rule("admin")], None, True, id="admin"),
        pytest.param([rule("admin")], ["a"], True, id="admin-of-all-templates"),
        pytest.param([rule("admin", namespaces=["bank"])], ["a"], False, id="admin-of-others"),
    ],
)
def test_who_sees_a_run(rules: list[Any], named: list[str] | None, sees: bool) -> None:  # noqa: FBT001 - a table column
    """Who may start one like it, and admins."""
    assert sees_run(rights(*rules), ALICE, "shop", named) is sees


@pytest.mark.parametrize(
    ("rules", "namespace", "sees"),
    [
        pytest.param([rule("verdict", templates=["a"])], "shop", True, id="verdicts"),
        pytest.param([rule("run", templates=["a"])], "shop", True, id="runs"),
        pytest.param([rule("admin", templates=["b"])], "shop", True, id="admin"),
        pytest.param([rule("verdict", "run", templates=["b"])], "shop", False, id="another-one"),
        pytest.param([rule("verdict")], "bank", False, id="another-namespace"),
        pytest.param([rule("jobs", "inline", "metrics")], "shop", False, id="other-actions"),
        pytest.param([rule("verdict")], None, True, id="of-the-cluster"),
    ],
)
def test_who_sees_a_template(rules: list[Any], namespace: str | None, sees: bool) -> None:  # noqa: FBT001 - a table column
    """Who may use it, and admins."""
    assert sees_template(rights(*rules), ALICE, namespace, "a") is sees


def test_a_new_policy_is_obeyed_at_once() -> None:
    """Whatever is remembered of the old one."""
    policies = [parse_policy({"rules": [rule("run")]}), parse_policy({"rules": []})]
    changing = Rights(lambda: policies[0])
    wanted = Wanted(Action.RUN, "shop")
    assert changing.may(ALICE, wanted)
    del policies[0]
    assert not changing.may(ALICE, wanted)


def test_what_was_decided_by_rights_goes_with_the_policy() -> None:
    """It is found out once for each question and policy; what was raised, each time."""
    policies = [parse_policy({"rules": [rule("run")]}), parse_policy({"rules": []})]
    changing = Rights(lambda: policies[0])
    asked: list[str] = []

    def decide(namespace: str) -> str:
        asked.append(namespace)
        changing.check(ALICE, Wanted(Action.RUN, namespace))
        return f"may in {namespace}"

    remembered = changing.remembering(decide)
    assert [remembered("shop"), remembered("shop")] == ["may in shop", "may in shop"]
    assert asked == ["shop"]
    del policies[0]
    for _ in range(2):
        with pytest.raises(AccessDenied):
            remembered("shop")
    assert asked == ["shop"] * 3


def test_one_action_of_several_is_enough_for_a_first_look() -> None:
    """The sentence tells of the first."""
    some = rights(rule("run"))
    some.check_any(ALICE, Action.VERDICT, Action.RUN)
    with pytest.raises(AccessDenied, match="may not ask for verdicts: no rule"):
        some.check_any(ALICE, Action.VERDICT, Action.ADMIN)
