"""The way that a measurement takes out of the process, by the policy that it is under.

Nothing that was heard under one policy is told under another: connections, access tokens and what
vendors say of their limits are each way's own.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.provider import Context
from gateway.rate_limits import RateLimits


@dataclass(frozen=True, slots=True)
class Way:
    """What all measurements under one policy may use of the world."""

    context: Context
    rate_limits: RateLimits

    def of(self, *, provider: str, credential: str, longest_s: float = math.inf) -> Context:
        """What one of them may use; as ``RateLimits.within`` has it."""
        return self.rate_limits.within(
            self.context, provider=provider, credential=credential, longest_s=longest_s
        )


Ways = Mapping[str, Way]
"""By the name of the policy: ``gateway.egress.NAMED_POLICY`` or ``INLINE_POLICY``."""
