"""What can be named, and what is wrong with a template."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

import orjson
from aiohttp import web

from gateway.access.caller import Caller
from gateway.access.needs import sees_template
from gateway.access.policy import EVERYWHERE, Action, Wanted
from gateway.access.rights import Rights
from gateway.api import bodies, parameters
from gateway.api.callers import caller_of
from gateway.config.settings import Settings
from gateway.documents import Document
from gateway.errors import Problem
from gateway.lint import Finding, Severity
from gateway.template import Kind, Template, TemplateRef


class ListsTemplates(Protocol):
    """The source of templates that have a name."""

    def entries(self) -> Iterable[tuple[str, Template]]:
        """Namespace and template, in order; the namespace of a cluster template is empty."""

    def broken(self) -> Iterable[tuple[str, Sequence[Problem]]]:
        """Files that cannot be used as they are, with what is wrong."""


Sees = Callable[[TemplateRef], bool]
"""Whether the caller may know of a template of the gateway's own namespace, if there is one."""
Lints = Callable[[Sequence[Document], Sees], tuple[Finding, ...]]
"""The use case behind ``/v1/lint``."""


class Templates:
    """``GET /v1/templates`` and ``POST /v1/lint``."""

    def __init__(
        self, source: ListsTemplates, lint: Lints, rights: Rights, settings: Settings
    ) -> None:
        self._source = source
        self._lint = lint
        self._rights = rights
        self._settings = settings

    def routes(self) -> list[web.RouteDef]:
        """The paths that this resource answers."""
        return [web.get("/v1/templates", self.list), web.post("/v1/lint", self.lint)]

    async def list(self, request: web.Request) -> web.Response:
        """The templates that the caller can name, and for an admin the files that are broken."""
        caller = caller_of(request)
        self._rights.check_any(caller, Action.VERDICT, Action.RUN, Action.ADMIN)
        parameters.single_values(request.rel_url.raw_query_string, known=frozenset())
        return _json(
            {
                "templates": [
                    _entry(namespace, template)
                    for namespace, template in self._source.entries()
                    if sees_template(self._rights, caller, namespace or None, template.name)
                ],
                "broken": list(self._broken(caller)),
            }
        )

    async def lint(self, request: web.Request) -> web.Response:
        """Everything that is wrong with the templates of a body, at once."""
        caller = caller_of(request)
        self._rights.check_any(caller, Action.INLINE, Action.VERDICT, Action.RUN, Action.ADMIN)
        parameters.single_values(request.rel_url.raw_query_string, known=frozenset())
        documents = await bodies.documents(request, self._settings.limits)
        # A hostile megabyte takes tenths of a second, which other callers must not wait for.
        findings = await asyncio.to_thread(self._lint, documents, self._seen_by(caller))
        return _json(
            {
                "ok": not any(each.severity is Severity.ERROR for each in findings),
                "findings": [finding_document(each) for each in findings],
            }
        )

    def _seen_by(self, caller: Caller) -> Sees:
        def sees(ref: TemplateRef) -> bool:
            namespace = None if ref.cluster_scope else self._settings.namespace
            return sees_template(self._rights, caller, namespace, ref.template_name)

        return sees

    def _broken(self, caller: Caller) -> Iterator[dict[str, object]]:
        # Files may hold templates of any namespace, and problems repeat parts of them.
        if self._rights.may(caller, Wanted(Action.ADMIN, EVERYWHERE)):
            for file, problems in self._source.broken():
                yield {"file": file, "problems": [_problem(each) for each in problems]}


def finding_document(finding: Finding) -> dict[str, object]:
    """A finding as JSON-ready values."""
    return {
        "severity": finding.severity,
        "path": finding.path,
        "message": finding.message,
        "line": finding.line,
        "hint": finding.hint,
    }


def _entry(namespace: str, template: Template) -> dict[str, object]:
    return {
        "kind": template.kind,
        "name": template.name,
        "namespace": None if template.kind is Kind.CLUSTER else namespace,
        "digest": template.digest,
        "args": [each.name for each in template.spec.args],
        "metrics": [each.name for each in template.spec.metrics],
    }


def _problem(problem: Problem) -> dict[str, str]:
    return {"path": problem.path, "message": problem.message}


def _json(body: object) -> web.Response:
    return web.Response(
        body=orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
