"""The page about those whom the gateway asks."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry

from gateway.access.policy import EVERYWHERE, Action, Wanted
from gateway.access.rights import Rights
from gateway.api.callers import caller_of
from gateway.config.settings import Settings
from gateway.upstreams.budget import UpstreamBudget
from gateway.web.rendering import Renderer
from gateway.web.upstream_view import Sample, State, UpstreamsView, upstreams_view


class UpstreamPages:
    """``/upstreams``."""

    paths: Final = ("/upstreams",)

    def __init__(
        self,
        registry: CollectorRegistry,
        budgets: Mapping[str, UpstreamBudget],
        rights: Rights,
        settings: Settings,
        renderer: Renderer,
    ) -> None:
        self._registry = registry
        self._rights = rights
        self._budgets = budgets
        self._connections = settings.connections
        self._renderer = renderer

    def routes(self) -> list[web.RouteDef]:
        """The path that this resource answers."""
        return [web.get(self.paths[0], self.show)]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """How they are, for admins: it names addresses."""
        self._rights.check(caller_of(request), Wanted(Action.ADMIN, EVERYWHERE))
        states = {name: budget.details() for name, budget in self._budgets.items()}
        view = await asyncio.to_thread(self._view, states)
        return await self._renderer.page(request, "upstreams.html", upstreams=view)

    def _view(self, states: Mapping[str, State]) -> UpstreamsView:
        return upstreams_view(self._connections, states, self._samples())

    def _samples(self) -> Iterator[Sample]:
        for family in self._registry.collect():
            for each in family.samples:
                yield Sample(each.name, each.labels, each.value)
