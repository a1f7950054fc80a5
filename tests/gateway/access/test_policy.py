"""Who may do what: the decision, by itself."""

from typing import Any

import pytest
from guarded import EVERY_ACTION, rule
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.caller import ANONYMOUS, Caller
from gateway.access.policy import EVERYWHERE, OPEN, Action, Policy, Wanted, refusal
from gateway.access.policy_file import parse_policy
from gateway.errors import TemplateInvalid

ALICE = Caller("token:alice", frozenset({"devs", "ops"}), (("ref", ("main",)), ("sub", ("a", "b"))))


def policy(*rules: Any) -> Policy:
    """A policy of these rules."""
    return parse_policy({"rules": list(rules)})


def may(rules: list[Any], wanted: Wanted, caller: Caller = ALICE) -> bool:
    """Whether a caller may."""
    return refusal(policy(*rules), caller, wanted) is None


@pytest.mark.parametrize(
    ("callers", "is_meant"),
    [
        pytest.param(["token:alice"], True, id="by-name"),
        pytest.param(["token:*"], True, id="by-a-pattern"),
        pytest.param(["token:bob"], False, id="not-by-another-name"),
        pytest.param(["alice"], False, id="not-without-the-kind"),
        pytest.param(["token:bob", "token:alice"], True, id="one-entry-is-enough"),
        pytest.param([{"name": ["token:bob", "token:a*"]}], True, id="one-name-is-enough"),
        pytest.param([{"group": "ops"}], True, id="by-a-group"),
        pytest.param([{"group": ["x", "o*"]}], True, id="by-one-of-several-groups"),
        pytest.param([{"group": "admins"}], False, id="not-by-a-group-of-others"),
        pytest.param([{"claims": {"ref": "main"}}], True, id="by-a-claim"),
        pytest.param([{"claims": {"ref": ["x", "m*"]}}], True, id="by-one-of-several-values"),
        pytest.param([{"claims": {"sub": "b"}}], True, id="a-claim-with-several-values"),
        pytest.param([{"claims": {"ref": "dev"}}], False, id="not-by-another-value"),
        pytest.param([{"claims": {"aud": "*"}}], False, id="a-claim-that-it-lacks-is-nothing"),
        pytest.param([{"claims": {"ref": "main", "sub": "c"}}], False, id="all-claims-must-be"),
        pytest.param([{"name": "token:alice", "group": "x"}], False, id="name-and-group-must-be"),
        pytest.param([{"name": "x", "group": "ops"}], False, id="group-and-name-must-be"),
        pytest.param(
            [{"name": "token:*", "group": "dev*", "claims": {"ref": "*"}}], True, id="all-three"
        ),
    ],
)
def test_whom_a_rule_means(callers: list[object], is_meant: bool) -> None:  # noqa: FBT001 - a table column
    """All of an entry must be true, and one entry is enough."""
    assert may([rule("run", callers=callers)], Wanted(Action.RUN, "shop")) is is_meant


RELEASES = rule("verdict", "run", templates=["release-*"], connections=["prom"])
LINTS = rule("verdict", namespaces=["shop", "bank"], templates=["lint"], connections=["logs"])


@pytest.mark.parametrize(
    ("wanted", "lacks"),
    [
        pytest.param(Wanted(Action.RUN, "shop", ("release-a",)), None, id="allowed"),
        pytest.param(
            Wanted(Action.RUN, "bank", ("release-a",)),
            "caller token:alice may not run analyses in namespace 'bank'",
            id="another-namespace",
        ),
        pytest.param(
            Wanted(Action.RUN, "shop", ("lint",)),
            "caller token:alice may not run analyses of template 'lint' in namespace 'shop'",
            id="rights-of-two-rules-do-not-mix",
        ),
        pytest.param(
            Wanted(Action.VERDICT, "shop", ("release-a", "lint")), None, id="one-rule-for-each"
        ),
        pytest.param(
            Wanted(Action.VERDICT, "shop", ("release-a", "other")),
            "caller token:alice may not ask for verdicts of template 'other' in namespace 'shop'",
            id="every-template-counts",
        ),
        pytest.param(Wanted(Action.RUN), None, id="somewhere"),
        pytest.param(
            Wanted(Action.INLINE), "caller token:alice may not bring templates", id="nowhere"
        ),
        pytest.param(
            Wanted(Action.VERDICT, EVERYWHERE, ("lint",)),
            "caller token:alice may not ask for verdicts in all namespaces",
            id="all-namespaces-are-more-than-two",
        ),
        pytest.param(
            Wanted(Action.JOBS, "shop", ("release-a",)),
            "caller token:alice may not run Jobs in namespace 'shop'",
            id="jobs-are-an-action-of-their-own",
        ),
        pytest.param(
            Wanted(Action.ADMIN, "shop"),
            "caller token:alice may not see and end all runs in namespace 'shop'",
            id="so-is-admin",
        ),
        pytest.param(
            Wanted(Action.METRICS), "caller token:alice may not read metrics", id="so-are-metrics"
        ),
        pytest.param(
            Wanted(Action.RUN, "shop", ("release-a",), ("prom",)), None, id="a-connection"
        ),
        pytest.param(
            Wanted(Action.RUN, "shop", ("release-a",), ("prom", "logs")),
            "caller token:alice may not run analyses of template 'release-a' with connection"
            " 'logs' in namespace 'shop'",
            id="every-connection-counts",
        ),
        pytest.param(
            Wanted(Action.VERDICT, "shop", ("release-a", "lint"), ("prom",)),
            "caller token:alice may not ask for verdicts of template 'lint' with connection 'prom'"
            " in namespace 'shop'",
            id="every-template-with-every-connection",
        ),
        pytest.param(
            Wanted(Action.RUN, "shop", (), ("logs",)),
            "caller token:alice may not run analyses with connection 'logs' in namespace 'shop'",
            id="a-connection-without-a-template",
        ),
        pytest.param(
            Wanted(Action.RUN, "n" * 300),
            f"caller token:alice may not run analyses in namespace '{'n' * 260}'",
            id="what-callers-choose-is-cut",
        ),
    ],
)
def test_what_is_lacking(wanted: Wanted, lacks: str | None) -> None:
    """The sentence names the first thing that no rule has."""
    told = lacks and f"{lacks}: no rule of the policy allows it"
    assert refusal(policy(RELEASES, LINTS), ALICE, wanted) == told


def test_a_rule_without_connections_allows_none() -> None:
    """They carry the secrets of others, so who may use them must be said."""
    rules = [rule("run")]
    assert may(rules, Wanted(Action.RUN, "shop", ("t",)))
    assert not may(rules, Wanted(Action.RUN, "shop", ("t",), ("prom",)))


def test_metrics_need_no_namespace() -> None:
    """They are about all of them."""
    rules = [{"callers": ["token:alice"], "actions": ["metrics"]}]
    assert may(rules, Wanted(Action.METRICS))
    assert not may(rules, Wanted(Action.RUN))


@pytest.mark.parametrize("action", list(Action))
def test_open_gateway_lets_anonymous_do_everything(action: Action) -> None:
    """And nobody else: who has a name got it from a policy."""
    wanted = Wanted(action, EVERYWHERE, ("t",), ("c",))
    assert refusal(OPEN, ANONYMOUS, wanted) is None
    assert refusal(OPEN, ALICE, wanted) is not None


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        pytest.param({}, ["rules: is required"], id="no-rules"),
        pytest.param([], ["the document must be an object"], id="a-list"),
        pytest.param(None, ["the document must be an object, not null; leave it out"], id="empty"),
        pytest.param(
            {"rules": [rule("run", namespace="shop")]},
            ["rules[0].namespace: unknown field; did you mean namespaces?"],
            id="a-misspelt-key",
        ),
        pytest.param(
            {"rules": [rule("runs")]},
            [
                (
                    "rules[0].actions[0]: Input should be 'verdict', 'run', 'inline', 'explain',"
                    " 'jobs', 'admin' or 'metrics'"
                )
            ],
            id="an-unknown-action",
        ),
        pytest.param({"rules": [rule()]}, ["rules[0].actions: must not be empty"], id="no-action"),
        pytest.param(
            {"rules": [rule("run", callers=[])]},
            ["rules[0].callers: must not be empty"],
            id="no-callers",
        ),
        pytest.param(
            {"rules": [rule("run", callers=[{}])]},
            ["rules[0].callers[0]: must have a name, a group or claims"],
            id="an-entry-that-means-everybody",
        ),
        pytest.param(
            {"rules": [rule("run", callers=[{"names": "x"}])]},
            ["rules[0].callers[0].names: unknown field; did you mean name?"],
            id="a-misspelt-key-of-an-entry",
        ),
        pytest.param(
            {"rules": [rule("run", callers=[{"claims": {"ref": 3}}])]},
            ["rules[0].callers[0].claims.ref: must be a list"],
            id="a-claim-that-is-no-text",
        ),
        pytest.param(
            {"rules": [rule("run", namespaces=None)]},
            ['rules[0]: needs namespaces, such as [shop], or ["*"] for all'],
            id="no-namespaces",
        ),
        pytest.param(
            {"rules": [rule("run", namespaces=[])]},
            ["rules[0].namespaces: must not be empty"],
            id="an-empty-list-of-namespaces",
        ),
        pytest.param(
            {"rules": [rule("run", namespaces=[""])]},
            ["rules[0].namespaces[0]: must not be empty"],
            id="an-empty-namespace",
        ),
        pytest.param(
            {"rules": [rule("run", templates=[1])]},
            ["rules[0].templates[0]: must be a text, not the number 1; put it into quotes"],
            id="a-number-for-a-name",
        ),
    ],
)
def test_a_policy_that_is_wrong(content: object, problems: list[str]) -> None:
    """Every problem has its path."""
    with pytest.raises(TemplateInvalid) as caught:
        parse_policy(content)
    assert [str(each) for each in caught.value.problems] == problems


NAMES = st.sampled_from(["shop", "bank", "shop-eu", ""])
PATTERNS = st.lists(st.sampled_from(["shop", "bank", "sh*", "*"]), min_size=1, max_size=2)
RULES = st.fixed_dictionaries(
    {
        "callers": st.lists(
            st.sampled_from(["token:alice", "token:bob", "token:*", {"group": "ops"}]),
            min_size=1,
            max_size=2,
        ),
        "actions": st.lists(st.sampled_from(EVERY_ACTION), min_size=1, max_size=3),
        "namespaces": PATTERNS,
    },
    optional={"templates": PATTERNS, "connections": PATTERNS},
)
WANTED = st.builds(
    Wanted,
    st.sampled_from(Action),
    st.none() | NAMES,
    st.lists(NAMES, max_size=2).map(tuple),
    st.lists(NAMES, max_size=2).map(tuple),
)


@given(st.lists(RULES, max_size=4), RULES, st.integers(0, 4), WANTED)
def test_one_rule_more_never_takes_a_right_away(
    rules: list[Any], another: Any, place: int, wanted: Wanted
) -> None:
    """Wherever it stands."""
    if may(rules, wanted):
        assert may([*rules[:place], another, *rules[place:]], wanted)


@given(WANTED)
def test_no_rule_allows_nothing(wanted: Wanted) -> None:
    """Nothing at all."""
    assert not may([], wanted)


@given(st.lists(RULES, max_size=4), WANTED)
def test_who_may_do_it_somewhere_is_known_to_the_question_without_a_place(
    rules: list[Any], wanted: Wanted
) -> None:
    """What is asked first, before a body is read, refuses nobody who has the right."""
    if may(rules, wanted):
        assert may(rules, Wanted(wanted.action))


@given(st.lists(RULES, max_size=4), WANTED)
def test_who_may_do_all_of_it_may_do_each_part(rules: list[Any], wanted: Wanted) -> None:
    """Less is never refused where more is allowed."""
    if may(rules, wanted):
        assert may(rules, Wanted(wanted.action, wanted.namespace, wanted.templates))
        for template in wanted.templates:
            assert may(rules, Wanted(wanted.action, wanted.namespace, (template,)))
