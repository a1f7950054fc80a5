"""How the named upstreams stand."""

from collections.abc import Mapping
from typing import Final

from aiohttp import web

from gateway.access.caller import Caller
from gateway.access.policy import EVERYWHERE, Action, Wanted
from gateway.access.rights import Rights
from gateway.api.callers import caller_of
from gateway.api.run_answers import answer
from gateway.upstreams.budget import UpstreamBudget

_USES: Final = (Action.VERDICT, Action.RUN)


class ConnectionCalls:
    """``/v1/connections``."""

    def __init__(self, budgets: Mapping[str, UpstreamBudget], rights: Rights) -> None:
        self._budgets = budgets
        self._rights = rights

    def routes(self) -> list[web.RouteDef]:
        """The path that this resource answers."""
        return [web.get("/v1/connections", self.list)]

    async def list(self, request: web.Request) -> web.Response:
        """Those that the caller may use for anything; all of them for an admin of everything."""
        caller = caller_of(request)
        self._rights.check_any(caller, *_USES, Action.ADMIN)
        items = [
            budget.details() for name, budget in self._budgets.items() if self._sees(caller, name)
        ]
        return answer({"connections": items})

    def _sees(self, caller: Caller, name: str) -> bool:
        uses = (Wanted(action, connections=(name,)) for action in _USES)
        return self._rights.may(caller, Wanted(Action.ADMIN, EVERYWHERE)) or any(
            self._rights.may(caller, each) for each in uses
        )
