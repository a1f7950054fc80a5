"""The way that a measurement takes out of the process, by the policy that it is under.

Nothing that was heard under one policy is told under another: connections, access tokens and what
vendors say of their limits are each way's own.
"""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gateway.provider import Context, Http
from gateway.upstreams.budget import UpstreamBudget
from gateway.upstreams.budgeted_http import BudgetedHttp
from gateway.upstreams.connected_http import ConnectedHttp, ConnectedTokens
from gateway.upstreams.grants import Grants
from gateway.upstreams.host_turns import HostTurns, TurnedHttp
from gateway.upstreams.rate_limits import RateLimits


@dataclass(frozen=True, slots=True)
class Way:
    """What all measurements under one policy may use of the world."""

    context: Context
    rate_limits: RateLimits
    turns: HostTurns
    upstreams: Mapping[str, UpstreamBudget] = field(default_factory=dict)
    """The named upstreams, by their names; all ways share what may be asked of one."""

    def of(
        self,
        *,
        provider: str,
        credential: str,
        longest_s: float = math.inf,
        grants: Grants | None = None,
    ) -> Context:
        """What one of them may use; as ``RateLimits.within`` has it."""
        tenant = "" if grants is None else grants.namespace
        turned = TurnedHttp(self.context.http, self.turns, tenant)
        plain = self.rate_limits.within(
            replace(self.context, http=turned),
            provider=provider,
            credential=credential,
            longest_s=longest_s,
        )
        if grants is None or not grants.upstreams:
            return plain
        clock_s = asyncio.get_running_loop().time
        given_up_at_s = clock_s() + longest_s

        def through(name: str) -> Http:
            http = BudgetedHttp(self.upstreams[name], tenant=tenant, given_up_at_s=given_up_at_s)
            context = replace(self.context, http=http)
            return self.rate_limits.within(
                context,
                provider=provider,
                credential=f"connection/{name}",
                longest_s=given_up_at_s - clock_s(),
            ).http

        return replace(
            plain,
            http=ConnectedHttp(plain.http, grants, through),
            tokens=ConnectedTokens(plain.tokens, grants),
        )


Ways = Mapping[str, Way]
"""By the name of the policy: ``gateway.upstreams.egress.NAMED_POLICY`` or ``INLINE_POLICY``."""
