"""The verdict calls: by a template's name, or for a body."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Final, Protocol

from aiohttp import hdrs, web
from multidict import istr

from gateway.access.caller import Caller
from gateway.access.needs import Needs, granted, of_question, with_explanation
from gateway.access.policy import Action
from gateway.access.rights import Rights
from gateway.api import bodies, parameters
from gateway.api.callers import caller_of
from gateway.api.contents import NamedTemplates, OfRun, content_of
from gateway.api.parameters import Given, VerdictParameters, given
from gateway.api.problems import RETRY_AFTER_S
from gateway.api.statuses import status_of
from gateway.api.whole import Whole
from gateway.errors import Problem, TemplateInvalid
from gateway.model import Phase
from gateway.planner import Question
from gateway.readings import CacheState, Freshness
from gateway.repeats import Ask
from gateway.settings import Settings
from gateway.template import TemplateRef
from gateway.verdict import Verdict

_CACHE_STATUS: Final = istr("Cache-Status")
_NOT_FOR_RUNS: Final = (
    "a verdict is given on AnalysisTemplate or ClusterAnalysisTemplate, not on AnalysisRun;"
    " POST /v1/runs makes a run of it"
)


class GivesVerdicts(Protocol):
    """The use case behind these calls."""

    async def verdict(self, ask: Ask, caller: str) -> Verdict:
        """The verdict that a caller, by its name, asks for."""


class Verdicts:
    """``.../verdict`` and ``POST /v1/verdict``."""

    def __init__(self, analysis: GivesVerdicts, rights: Rights, settings: Settings) -> None:
        self._analysis = analysis
        self._rights = rights
        self._settings = settings
        self._connections = settings.connection_names
        # Controllers and pipelines ask the same thing again and again.
        self._remembered = rights.remembering(self._ask)

    def routes(self) -> list[web.RouteDef]:
        """The paths that this resource answers."""
        return [
            web.get(
                "/v1/namespaces/{namespace}/analysistemplates/{name}/verdict", self.of_template
            ),
            web.get("/v1/clusteranalysistemplates/{name}/verdict", self.of_cluster_template),
            web.post("/v1/verdict", self.of_body),
        ]

    async def of_template(self, request: web.Request) -> web.Response:
        """The verdict of an AnalysisTemplate."""
        path = request.match_info
        return await self._named(request, path["namespace"], path["name"])

    async def of_cluster_template(self, request: web.Request) -> web.Response:
        """The verdict of a ClusterAnalysisTemplate, judged in a namespace."""
        return await self._named(request, None, request.match_info["name"])

    async def of_body(self, request: web.Request) -> web.Response:
        """The verdict of templates that the body brings or names."""
        caller = caller_of(request)
        self._rights.check_any(caller, Action.VERDICT)
        chosen = parameters.read(given(request), self._settings, known=parameters.OF_OTHERS)
        found = await bodies.documents(request, self._settings.limits)
        content = content_of(found, chosen, self._settings, names=NamedTemplates)
        if isinstance(content, OfRun):
            raise TemplateInvalid((Problem("kind", _NOT_FOR_RUNS),))
        ask = self._wrap(content.question, chosen, content.context)
        ask = self._granted(caller, ask)
        return answer(await self._analysis.verdict(ask, caller.name), chosen)

    async def _named(self, request: web.Request, namespace: str | None, name: str) -> web.Response:
        caller = caller_of(request)
        ask, chosen = self._remembered(caller, given(request), namespace, name)
        return answer(await self._analysis.verdict(ask, caller.name), chosen)

    def _granted(self, caller: Caller, ask: Ask) -> Ask:
        needed = _needs_of(ask)
        question = granted(self._rights, caller, ask.question, needed, self._connections)
        return ask if question is ask.question else replace(ask, question=question)

    def _ask(
        self, caller: Caller, parts: Given, namespace: str | None, name: str
    ) -> tuple[Ask, VerdictParameters]:
        """What a caller asks, and may, about a template of a namespace, or a cluster template."""
        self._rights.check_any(caller, Action.VERDICT)
        known = parameters.OF_NAMESPACED if namespace else parameters.OF_OTHERS
        chosen = parameters.read(parts, self._settings, known=known)
        question = Question(
            namespace=namespace or chosen.namespace or self._settings.namespace,
            refs=(TemplateRef(templateName=name, clusterScope=namespace is None),),
            arguments=chosen.arguments,
        )
        return self._granted(caller, self._wrap(question, chosen)), chosen

    def _wrap(
        self,
        question: Question,
        chosen: VerdictParameters,
        context: Mapping[str, object] | None = None,
    ) -> Ask:
        return Ask(
            question=question,
            freshness=self._freshness(chosen),
            wait_s=chosen.wait.seconds,
            is_dry_run=chosen.is_dry_run,
            context=context or {},
            is_explained=chosen.is_explained,
        )

    def _freshness(self, chosen: VerdictParameters) -> Freshness:
        if chosen.max_age_s is None:
            return Freshness(self._settings.readings.max_age_s, is_explicit=False)
        return Freshness(chosen.max_age_s, is_explicit=True)


def _needs_of(ask: Ask) -> Needs:
    needed = of_question(Action.VERDICT, ask.question)
    return with_explanation(needed) if ask.is_explained else needed


def answer(verdict: Verdict, chosen: VerdictParameters) -> web.Response:
    """A verdict as a response: the status by the caller's mode, freshness in the headers."""
    headers = {
        hdrs.CONTENT_TYPE: "application/json",
        hdrs.CACHE_CONTROL: "no-store",
        **_cache_headers(verdict.caches, int(verdict.age_s)),
        **chosen.wait.headers(),
    }
    if verdict.phase is Phase.RUNNING:
        headers[hdrs.RETRY_AFTER] = str(RETRY_AFTER_S)
    return Whole(verdict.body, status_of(verdict.phase, chosen.status_mode), headers)


@lru_cache
def _cache_headers(caches: frozenset[str], age_s: int) -> Mapping[str, str]:
    return {_CACHE_STATUS: _cache_status(caches), hdrs.AGE: str(age_s)} if caches else {}


def _cache_status(caches: frozenset[str]) -> str:
    if CacheState.MISS in caches:
        return "analysis-gateway; fwd=miss"
    if CacheState.COALESCED in caches:
        return "analysis-gateway; fwd=miss; collapsed"
    return "analysis-gateway; hit"
