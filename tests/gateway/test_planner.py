"""What is remembered of a plan, who gets secrets from where, and which namespaces there may be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from manifests import PROVIDER_TYPES, manifest, parsed

from gateway.connection_secrets import Granting
from gateway.credentials import Credentials
from gateway.errors import Problem, TemplateInvalid
from gateway.job_rights import JobRights
from gateway.planned import Question
from gateway.planner import Planner, Secrets
from gateway.run_manifest import order_of, parse_run
from gateway.runs.plans import wanted
from gateway.runs.runs import order_of_question
from gateway.secret_files import SecretsFolder
from gateway.secrets import Secret
from gateway.template import Kind, SecretKeyRef, Template, TemplateRef

METRICS: list[dict[str, Any]] = [
    {"name": "m", "provider": {"web": {"url": "http://127.0.0.1:1/{{args.path}}"}}}
]
TEMPLATE = parsed(args=[{"name": "path"}], metrics=METRICS)
OF_SECRET: dict[str, Any] = {
    "args": [{"name": "path", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
    "metrics": METRICS,
}


class Shelf:
    """Templates that are found in every namespace."""

    revision = 0

    def __init__(self, *templates: Template) -> None:
        self._templates = {template.name: template for template in templates}

    def find(self, ref: TemplateRef, _namespace: str) -> Template | None:
        """The template of that name."""
        return self._templates.get(ref.template_name)


@dataclass
class Vault:
    """Every secret has one value."""

    value: str
    is_asked: bool = False

    async def read(
        self, _namespace: str, refs: Sequence[SecretKeyRef]
    ) -> Mapping[SecretKeyRef, Secret]:
        """A value for every reference."""
        self.is_asked = True
        return {ref: Secret(self.value) for ref in refs}


async def hash_key() -> bytes:
    """The key of this process."""
    return bytes(32)


def planner_of(*templates: Template, secrets: Secrets | None = None) -> Planner:
    """A planner for these templates, with other secrets for what is brought."""
    return Planner(
        templates=Shelf(*templates),
        secrets=secrets or Secrets(for_named=Vault("of-named"), for_brought=Vault("of-brought")),
        granting=Granting((), SecretsFolder(None), "own"),
        credentials=Credentials(provider_types=PROVIDER_TYPES, own_namespace="own"),
        job_rights=JobRights(("*",)),
        hash_key=hash_key,
        ttl_s=10,
        now_s=lambda: 0.0,
    )


@pytest.mark.parametrize(
    ("path", "is_remembered"),
    [
        pytest.param("short", True, id="a-short-question"),
        pytest.param("x" * 20_000, False, id="a-question-that-would-fill-the-memory"),
    ],
)
async def test_a_plan_is_remembered_if_its_question_is_short(
    path: str,
    is_remembered: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """Callers choose how long an argument is, and thousands of plans are remembered."""
    planner = planner_of()
    question = Question(namespace="n", inline=(TEMPLATE,), arguments=(("path", path),))
    first, second = await planner.plan(question), await planner.plan(question)
    assert (first is second) is is_remembered


NAMED = parsed("named", **OF_SECRET)
BROUGHT = parsed("brought", **OF_SECRET)
REFERS = parsed("refers", templates=[{"templateName": "named"}])
RUN = parse_run({**manifest("run", **OF_SECRET), "kind": "AnalysisRun"})
BY_NAME = (TemplateRef(templateName="named"),)


@pytest.mark.parametrize(
    ("question", "secret"),
    [
        pytest.param(Question(namespace="n", refs=BY_NAME), "of-named", id="one-that-is-named"),
        pytest.param(
            Question(namespace="n", inline=(BROUGHT,)), "of-brought", id="one-that-is-brought"
        ),
        pytest.param(
            Question(namespace="n", inline=(REFERS,)),
            "of-brought",
            id="one-that-is-brought-and-refers-to-one-that-is-not",
        ),
        pytest.param(
            Question(namespace="n", inline=(REFERS, NAMED)),
            "of-brought",
            id="one-of-a-name-that-there-is",
        ),
        pytest.param(
            Question(
                namespace="n",
                inline=(parsed("beside", metrics=[{**METRICS[0], "name": "other"}]),),
                refs=BY_NAME,
            ),
            "of-brought",
            id="one-that-is-named-beside-one-that-is-brought",
        ),
    ],
)
async def test_what_is_brought_gets_other_secrets(question: Question, secret: str) -> None:
    """And asks under another policy: its author may be anybody; for verdicts and runs alike."""
    planner = planner_of(NAMED)
    order = order_of_question(planner, question)
    plans = [await planner.plan(question), await planner.resolve(wanted(order))]
    for planned in plans:
        urls = {metric.query for metric in planned.metrics}
        assert f"http://127.0.0.1:1/{secret}" in urls
        policy = "egress.inline" if secret == "of-brought" else "egress.named"
        assert {metric.egress for metric in planned.metrics} == {policy}
    assert order.is_brought is (secret == "of-brought")


async def test_a_run_that_is_brought_gets_other_secrets() -> None:
    """Whatever it says of itself."""
    order = order_of(RUN, namespace="n", given=())
    (metric,) = (await planner_of().resolve(wanted(order))).metrics
    assert (order.is_brought, metric.query) == (True, "http://127.0.0.1:1/of-brought")
    assert metric.egress == "egress.inline"


@pytest.mark.parametrize(
    ("namespace", "told"),
    [
        pytest.param("../../../version?", "'../../../version?'", id="a-way-out"),
        pytest.param("*", "'*'", id="all-of-them"),
        pytest.param("", "''", id="none"),
        pytest.param("Shop", "'Shop'", id="capitals"),
        pytest.param("shop.bank", "'shop.bank'", id="no-label"),
        pytest.param("shop\n", r"'shop\n'", id="a-line-feed"),
        pytest.param("a" * 64, f"'{'a' * 64}'", id="one-letter-too-many"),
        pytest.param("a" * 9_000, f"'{'a' * 260}'", id="a-long-one-is-cut"),
    ],
)
async def test_what_is_no_name_of_a_namespace_is_refused(namespace: str, told: str) -> None:
    """Before any secret is read: it becomes a part of paths."""
    vault = Vault("hush")
    templates = NAMED, parsed("everywhere", Kind.CLUSTER, **OF_SECRET)
    planner = planner_of(*templates, secrets=Secrets(vault, vault))
    everywhere = TemplateRef(templateName="everywhere", clusterScope=True)
    questions = [
        Question(namespace=namespace, refs=BY_NAME),
        Question(namespace=namespace, refs=(everywhere,)),
        Question(namespace=namespace, inline=(BROUGHT,)),
    ]
    works = [
        *(planner.plan(question) for question in questions),
        *(planner.resolve(wanted(order_of_question(planner, each))) for each in questions),
        planner.resolve(wanted(order_of(RUN, namespace=namespace, given=()))),
    ]
    for work in works:
        with pytest.raises(TemplateInvalid) as caught:
            await work
        assert caught.value.problems == (Problem("namespace", f"{told} is no name of a namespace"),)
    assert not vault.is_asked


@pytest.mark.parametrize("namespace", ["a", "0", "shop-2", "a" * 63])
async def test_what_names_a_namespace_is_planned(namespace: str) -> None:
    """Up to the longest name that there may be."""
    planned = await planner_of(NAMED).plan(Question(namespace=namespace, refs=BY_NAME))
    assert planned.namespace == namespace


@pytest.mark.parametrize(
    ("question", "origins"),
    [
        pytest.param(
            Question(namespace="n", refs=BY_NAME),
            ("AnalysisTemplate/named",),
            id="one-that-is-named",
        ),
        pytest.param(
            Question(namespace="n", refs=(TemplateRef(templateName="wide", clusterScope=True),)),
            ("ClusterAnalysisTemplate/wide",),
            id="one-of-the-cluster",
        ),
        pytest.param(
            Question(namespace="n", inline=(NAMED,)),
            ("inline:AnalysisTemplate/named",),
            id="one-that-is-brought-under-that-name",
        ),
    ],
)
async def test_a_plan_knows_where_its_templates_come_from(
    question: Question, origins: tuple[str, ...]
) -> None:
    """Who brings one under the name of another does not get its verdicts mixed up with its."""
    wide = parsed("wide", kind=Kind.CLUSTER, **OF_SECRET)
    planned = await planner_of(NAMED, wide).plan(question)
    assert planned.origins == origins
