"""The pages about templates, and the one to try some out."""

import asyncio
from collections.abc import Iterable
from functools import partial
from typing import Final, Protocol

from aiohttp import web

from gateway.access.caller import Caller
from gateway.access.needs import sees_template
from gateway.access.policy import EVERYWHERE, Action, Wanted
from gateway.access.rights import Rights
from gateway.api.callers import caller_of
from gateway.api.templates import Lints, ListsTemplates
from gateway.config.settings import Settings
from gateway.documents import Syntax, read_documents
from gateway.errors import TemplateNotFound
from gateway.lint import Finding
from gateway.template import Kind, Template, TemplateRef
from gateway.web import template_view
from gateway.web.rendering import Renderer

_EXAMPLE: Final = """\
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata:
  name: try-me
spec:
  args:
    - name: url
  metrics:
    - name: answer
      successCondition: result.status == "ok"
      provider:
        web:
          url: "{{args.url}}"
"""


class FindsTemplates(ListsTemplates, Protocol):
    """Where templates are."""

    def find(self, ref: TemplateRef, namespace: str) -> Template | None:
        """The template of that name, None if there is none."""


class TemplatePages:
    """``/templates``, ``/clustertemplates`` and ``/playground``."""

    paths: Final = (
        "/templates",
        "/templates/{namespace}/{name}",
        "/clustertemplates/{name}",
        "/playground",
    )

    def __init__(
        self,
        source: FindsTemplates,
        lint: Lints,
        rights: Rights,
        settings: Settings,
        renderer: Renderer,
    ) -> None:
        self._source = source
        self._lint = lint
        self._rights = rights
        self._settings = settings
        self._renderer = renderer

    def routes(self) -> list[web.RouteDef]:
        """The paths that this resource answers."""
        handlers = (self.list, self.template, self.cluster_template, self.playground)
        return [web.get(path, handler) for path, handler in zip(self.paths, handlers, strict=True)]

    async def list(self, request: web.Request) -> web.StreamResponse:
        """The templates that the caller can name, and for an admin the files that are broken."""
        caller = self._may_see_some(request)
        is_admin = self._rights.may(caller, Wanted(Action.ADMIN, EVERYWHERE))
        return await self._renderer.page(
            request,
            "templates.html",
            templates=[
                template_view.listed(namespace, template)
                for namespace, template in self._source.entries()
                if self._sees(caller, namespace, template)
            ],
            broken=list(self._source.broken()) if is_admin else [],
        )

    async def template(self, request: web.Request) -> web.StreamResponse:
        """One AnalysisTemplate."""
        path = request.match_info
        ref = TemplateRef(templateName=path["name"])
        return await self._one(request, ref, path["namespace"])

    async def cluster_template(self, request: web.Request) -> web.StreamResponse:
        """One ClusterAnalysisTemplate."""
        ref = TemplateRef(templateName=request.match_info["name"], clusterScope=True)
        return await self._one(request, ref, "")

    async def playground(self, request: web.Request) -> web.StreamResponse:
        """Where a template is tried that nobody has yet."""
        caller = caller_of(request)
        self._rights.check_any(caller, Action.VERDICT, Action.RUN, Action.INLINE, Action.ADMIN)
        return await self._renderer.page(
            request,
            "playground.html",
            text=self._prefill(request),
            refusal=self._refusal(caller),
            may_explain=self._rights.may(caller, Wanted(Action.EXPLAIN)),
        )

    async def _one(
        self, request: web.Request, ref: TemplateRef, namespace: str
    ) -> web.StreamResponse:
        caller = self._may_see_some(request)
        template = self._find(caller, ref, namespace)
        text = template_view.manifest_text(template)
        findings = await asyncio.to_thread(partial(self._findings, caller, text))
        place = namespace or self._settings.namespace
        return await self._renderer.page(
            request,
            "template.html",
            template=template_view.listed(namespace, template),
            fields=list(template_view.fields(template.spec.args)),
            lines=list(template_view.lines(text, findings)),
            findings=findings,
            is_of_cluster=template.kind is Kind.CLUSTER,
            place=place,
            url=template_view.verdict_url(namespace, template),
            may_ask=self._rights.may(caller, Wanted(Action.VERDICT, place, (template.name,))),
            may_explain=self._rights.may(caller, Wanted(Action.EXPLAIN, place, (template.name,))),
        )

    def _find(self, caller: Caller, ref: TemplateRef, namespace: str) -> Template:
        """A template that the caller may see; of others nobody says whether they are there."""
        home = None if ref.cluster_scope else namespace
        template = None
        if sees_template(self._rights, caller, home, ref.template_name):
            template = self._source.find(ref, namespace)
        if template is None:
            where = f" in namespace '{namespace}'" if namespace else ""
            raise TemplateNotFound(f"there is no {ref}{where} that {caller.name} may see")
        return template

    def _findings(self, caller: Caller, text: str) -> tuple[Finding, ...]:
        documents = read_documents(text.encode(), name="template", syntax=Syntax.YAML)

        def sees(ref: TemplateRef) -> bool:
            home = None if ref.cluster_scope else self._settings.namespace
            return sees_template(self._rights, caller, home, ref.template_name)

        return self._lint(documents, sees)

    def _prefill(self, request: web.Request) -> str:
        namespace, _, name = request.query.get("template", "").rpartition("/")
        if not name:
            return _EXAMPLE
        ref = TemplateRef(templateName=name, clusterScope=not namespace)
        return template_view.manifest_text(self._find(caller_of(request), ref, namespace))

    def _refusal(self, caller: Caller) -> str:
        """Why nothing can be run here; empty if it can."""
        if not self._settings.accepts_inline_templates:
            return "this gateway takes no templates from requests (verdicts.inlineTemplates)"
        wanted = (Wanted(Action.VERDICT), Wanted(Action.INLINE))
        lacking: Iterable[str | None] = (self._rights.refusal(caller, each) for each in wanted)
        return next((text for text in lacking if text), "")

    def _may_see_some(self, request: web.Request) -> Caller:
        caller = caller_of(request)
        self._rights.check_any(caller, Action.VERDICT, Action.RUN, Action.ADMIN)
        return caller

    def _sees(self, caller: Caller, namespace: str, template: Template) -> bool:
        return sees_template(self._rights, caller, namespace or None, template.name)
