"""The verdict calls: by a template's name, or for a body."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Final, Protocol

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.api import bodies, parameters
from gateway.api.parameters import Given, StatusMode, VerdictParameters, given
from gateway.api.problems import RequestRefused
from gateway.errors import Problem, RequestInvalid, TemplateInvalid
from gateway.model import Phase
from gateway.planner import Question
from gateway.readings import CacheState, Freshness
from gateway.repeats import Ask
from gateway.settings import Settings
from gateway.shapes import shape_problems
from gateway.template import TemplateRef, parse
from gateway.verdict import Verdict

RETRY_AFTER_S: Final = 1
_MAX_REMEMBERED: Final = 4_096
_GATE_STATUS: Final[Mapping[Phase, int]] = {
    Phase.SUCCESSFUL: 200,
    Phase.FAILED: 417,
    Phase.INCONCLUSIVE: 409,
    Phase.ERROR: 502,
    Phase.RUNNING: 503,
}


class GivesVerdicts(Protocol):
    """The use case behind these calls."""

    async def verdict(self, ask: Ask) -> Verdict:
        """The verdict that is asked for."""


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class GivenArgument(_Body):
    """A value for a declared argument."""

    name: Annotated[str, Field(min_length=1)]
    value: str


class NamedTemplates(_Body):
    """A body that names templates instead of bringing one."""

    templates: Annotated[tuple[TemplateRef, ...], Field(strict=False, min_length=1, max_length=100)]
    namespace: Annotated[str, Field(min_length=1)] | None = None
    args: Annotated[tuple[GivenArgument, ...], Field(strict=False)] = ()
    context: dict[str, object] = {}


class Verdicts:
    """``.../verdict`` and ``POST /v1/verdict``."""

    def __init__(self, analysis: GivesVerdicts, settings: Settings) -> None:
        self._analysis = analysis
        self._settings = settings
        # Controllers and pipelines ask the same thing again and again.
        self._remembered = lru_cache(_MAX_REMEMBERED)(self._ask)

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
        ask, chosen = self._remembered(given(request), path["namespace"], path["name"])
        return answer(await self._analysis.verdict(ask), chosen)

    async def of_cluster_template(self, request: web.Request) -> web.Response:
        """The verdict of a ClusterAnalysisTemplate, judged in a namespace."""
        ask, chosen = self._remembered(given(request), None, request.match_info["name"])
        return answer(await self._analysis.verdict(ask), chosen)

    async def of_body(self, request: web.Request) -> web.Response:
        """The verdict of templates that the body brings or names."""
        chosen = parameters.read(given(request), self._settings, known=parameters.OF_OTHERS)
        found = await bodies.documents(request, self._settings.limits)
        if not found:
            raise RequestInvalid("the body is empty; send an AnalysisTemplate")
        contents = [each.content for each in found]
        if len(contents) == 1 and isinstance(contents[0], dict) and "kind" not in contents[0]:
            return await self._of_names(contents[0], chosen)
        return await self._of_manifests(contents, chosen)

    async def _of_names(self, content: object, chosen: VerdictParameters) -> web.Response:
        try:
            body = NamedTemplates.model_validate(content)
        except ValidationError as error:
            raise TemplateInvalid(shape_problems(NamedTemplates, error)) from None
        arguments = tuple((each.name, each.value) for each in body.args) + chosen.arguments
        question = Question(
            namespace=body.namespace or chosen.namespace or self._settings.namespace,
            refs=body.templates,
            arguments=_each_once(arguments),
        )
        ask = self._wrap(question, chosen, body.context)
        return answer(await self._analysis.verdict(ask), chosen)

    async def _of_manifests(
        self, contents: list[object], chosen: VerdictParameters
    ) -> web.Response:
        if not self._settings.accepts_inline_templates:
            raise RequestRefused(
                403,
                "this gateway judges templates that it knows by name only"
                " (verdicts.inlineTemplates)",
            )
        templates = tuple(parse(content) for content in contents)
        refs = [template.ref for template in templates]
        twice = {str(ref) for ref in refs if refs.count(ref) > 1}
        if twice:
            raise TemplateInvalid((Problem("metadata.name", f"{twice.pop()} is given twice"),))
        namespaces = {each.metadata.namespace for each in templates} - {None}
        if len(namespaces) > 1:
            raise TemplateInvalid((Problem("metadata.namespace", "all templates must have one"),))
        own = next(iter(namespaces), None)
        question = Question(
            namespace=chosen.namespace or own or self._settings.namespace,
            inline=templates,
            arguments=chosen.arguments,
        )
        return answer(await self._analysis.verdict(self._wrap(question, chosen)), chosen)

    def _ask(self, parts: Given, namespace: str | None, name: str) -> tuple[Ask, VerdictParameters]:
        """What is asked about a template of a namespace, or about a cluster template."""
        known = parameters.OF_NAMESPACED if namespace else parameters.OF_OTHERS
        chosen = parameters.read(parts, self._settings, known=known)
        question = Question(
            namespace=namespace or chosen.namespace or self._settings.namespace,
            refs=(TemplateRef(templateName=name, clusterScope=namespace is None),),
            arguments=chosen.arguments,
        )
        return self._wrap(question, chosen), chosen

    def _wrap(
        self,
        question: Question,
        chosen: VerdictParameters,
        context: Mapping[str, object] | None = None,
    ) -> Ask:
        return Ask(
            question=question,
            freshness=self._freshness(chosen),
            wait_s=chosen.wait_s,
            is_dry_run=chosen.is_dry_run,
            context=context or {},
        )

    def _freshness(self, chosen: VerdictParameters) -> Freshness:
        if chosen.max_age_s is None:
            return Freshness(self._settings.readings.max_age_s, is_explicit=False)
        return Freshness(chosen.max_age_s, is_explicit=True)


def answer(verdict: Verdict, chosen: VerdictParameters) -> web.Response:
    """A verdict as a response: the status by the caller's mode, freshness in the headers."""
    headers = {
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
        **_cache_headers(verdict),
    }
    status = _status(verdict.phase, chosen.status_mode)
    if verdict.phase is Phase.RUNNING:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if chosen.prefers_wait:
        headers["Preference-Applied"] = f"wait={chosen.wait_s:g}"
    return web.Response(
        status=status,
        body=verdict.body,
        headers=headers,
    )


def _status(phase: Phase, mode: StatusMode) -> int:
    if mode is StatusMode.GATE:
        return _GATE_STATUS[phase]
    return 503 if mode is StatusMode.ERRORS and phase is Phase.ERROR else 200


def _cache_headers(verdict: Verdict) -> dict[str, str]:
    states = {each.cache for each in verdict.measurements if each.reading is not None}
    if not states:
        return {}
    age_s = max([each.age_s for each in verdict.measurements])
    return {"Cache-Status": _cache_status(states), "Age": str(int(age_s))}


def _cache_status(states: set[str]) -> str:
    if CacheState.MISS in states:
        return "analysis-gateway; fwd=miss"
    if CacheState.COALESCED in states:
        return "analysis-gateway; fwd=miss; collapsed"
    return "analysis-gateway; hit"


def _each_once(arguments: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    names = [name for name, _ in arguments]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise RequestInvalid(f"argument {twice.pop()!r} is given more than once")
    return arguments
