"""One way out of the process, for tests that do not care for policies."""

from gateway.provider import Context
from gateway.upstreams.egress import INLINE_POLICY, NAMED_POLICY
from gateway.upstreams.host_turns import HostTurns
from gateway.upstreams.rate_limits import RateLimitObserver, RateLimits
from gateway.upstreams.ways import Way, Ways


def ways_of(context: Context, observer: RateLimitObserver) -> Ways:
    """The same way under every policy."""
    way = Way(context, RateLimits(observer), HostTurns(32))
    return dict.fromkeys((NAMED_POLICY, INLINE_POLICY), way)
