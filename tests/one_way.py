"""One way out of the process, for tests that do not care for policies."""

from gateway.egress import INLINE_POLICY, NAMED_POLICY
from gateway.provider import Context
from gateway.rate_limits import RateLimitObserver, RateLimits
from gateway.ways import Way, Ways


def ways_of(context: Context, observer: RateLimitObserver) -> Ways:
    """The same way under every policy."""
    return dict.fromkeys((NAMED_POLICY, INLINE_POLICY), Way(context, RateLimits(observer)))
