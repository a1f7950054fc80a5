"""The web page, put together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from gateway.access.parts import AccessParts
from gateway.access.sessions import StoredSessions
from gateway.api.problems import AnswersFailure
from gateway.api.templates import Lints
from gateway.settings import Settings
from gateway.telemetry import Telemetry
from gateway.upstream_budget import UpstreamBudget
from gateway.web.assets import Assets
from gateway.web.failures import answers_of_pages
from gateway.web.rendering import Renderer
from gateway.web.run_pages import ListsRuns, RunPages
from gateway.web.sign_in import SignIn
from gateway.web.template_pages import FindsTemplates, TemplatePages
from gateway.web.upstream_pages import UpstreamPages


class Resource(Protocol):
    """A part of the HTTP interface."""

    def routes(self) -> list[web.RouteDef]:
        """The paths that it answers."""


@dataclass(frozen=True, slots=True)
class Page:
    """What answers the paths of the page, and what makes pages of their failures."""

    resources: Sequence[Resource]
    answer_failure: AnswersFailure


def web_page(
    settings: Settings,
    telemetry: Telemetry,
    access: AccessParts,
    *,
    sessions: StoredSessions,
    runs: ListsRuns,
    templates: FindsTemplates,
    lint: Lints,
    budgets: Mapping[str, UpstreamBudget],
) -> Page:
    """All pages."""
    assets = Assets()
    renderer = Renderer(assets, access.rights)
    pages = (
        RunPages(runs, access.rights, renderer),
        TemplatePages(templates, lint, access.rights, settings, renderer),
        UpstreamPages(telemetry.registry, budgets, access.rights, settings, renderer),
        SignIn(access.door, sessions, renderer, settings.limits),
    )
    paths = frozenset(path for page in pages for path in page.paths)
    return Page((assets, *pages), answers_of_pages(paths, renderer))
