"""What can be named, and what is wrong with a template."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import orjson
from aiohttp import web

from gateway.api import bodies, parameters
from gateway.documents import Document
from gateway.errors import Problem
from gateway.lint import Finding, Severity
from gateway.settings import Limits
from gateway.template import Kind, Template


class ListsTemplates(Protocol):
    """The source of templates that have a name."""

    def entries(self) -> Iterable[tuple[str, Template]]:
        """Namespace and template, in order; the namespace of a cluster template is empty."""

    def broken(self) -> Iterable[tuple[str, Sequence[Problem]]]:
        """Files that cannot be used as they are, with what is wrong."""


Lints = Callable[[Sequence[Document]], tuple[Finding, ...]]
"""The use case behind ``/v1/lint``."""


class Templates:
    """``GET /v1/templates`` and ``POST /v1/lint``."""

    def __init__(self, source: ListsTemplates, lint: Lints, limits: Limits) -> None:
        self._source = source
        self._lint = lint
        self._limits = limits

    def routes(self) -> list[web.RouteDef]:
        """The paths that this resource answers."""
        return [web.get("/v1/templates", self.list), web.post("/v1/lint", self.lint)]

    async def list(self, request: web.Request) -> web.Response:
        """All templates that can be named, and the files that are broken."""
        parameters.single_values(request.rel_url.raw_query_string, known=frozenset())
        return _json(
            {
                "templates": [_entry(*each) for each in self._source.entries()],
                "broken": [
                    {"file": file, "problems": [_problem(each) for each in problems]}
                    for file, problems in self._source.broken()
                ],
            }
        )

    async def lint(self, request: web.Request) -> web.Response:
        """Everything that is wrong with the templates of a body, at once."""
        parameters.single_values(request.rel_url.raw_query_string, known=frozenset())
        documents = await bodies.documents(request, self._limits)
        # A hostile megabyte takes tenths of a second, which other callers must not wait for.
        findings = await asyncio.to_thread(self._lint, documents)
        return _json(
            {
                "ok": not any(each.severity is Severity.ERROR for each in findings),
                "findings": [finding_document(each) for each in findings],
            }
        )


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
