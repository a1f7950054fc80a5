"""The policies that the settings make, and a way out of the process under each."""

import time
from collections.abc import Mapping
from concurrent.futures import Executor
from contextlib import AsyncExitStack

from gateway.config.egress import EgressRule
from gateway.config.settings import Limits, Settings
from gateway.provider import Context, JobApi
from gateway.upstreams.budget import UpstreamBudget
from gateway.upstreams.egress import (
    EVERYTHING,
    INLINE_POLICY,
    NAMED_POLICY,
    EgressPolicy,
    Redirects,
    Rule,
)
from gateway.upstreams.host_turns import HostTurns
from gateway.upstreams.http_client import HttpClient
from gateway.upstreams.rate_limits import RateLimitObserver, RateLimits
from gateway.upstreams.tokens import TokenCache
from gateway.upstreams.ways import Way

Policies = Mapping[str, EgressPolicy]
"""By the name under which plans ask for them: ``NAMED_POLICY`` or ``INLINE_POLICY``."""


def policies_of(settings: Settings) -> Policies:
    """For a service: whoever calls it may bring templates."""
    named = own_policies(settings)[NAMED_POLICY]
    egress = settings.egress
    rules = tuple(_rule(each) for each in egress.inline or ())
    if egress.inline is None and settings.is_open_on_loopback:
        rules = named.rules
    inline = EgressPolicy(INLINE_POLICY, rules, Redirects(egress.inline_redirects))
    return {NAMED_POLICY: named, INLINE_POLICY: inline}


def own_policies(settings: Settings) -> Policies:
    """For who runs the process, and so brings what is theirs."""
    egress = settings.egress
    rules = (EVERYTHING,) if egress.named is None else tuple(_rule(each) for each in egress.named)
    named = EgressPolicy(NAMED_POLICY, rules, Redirects(egress.named_redirects))
    return {NAMED_POLICY: named, INLINE_POLICY: named}


async def open_way(
    policy: EgressPolicy,
    limits: Limits,
    observer: RateLimitObserver,
    threads: Executor,
    jobs: JobApi | None,
    upstreams: Mapping[str, UpstreamBudget],
    parts: AsyncExitStack,
) -> Way:
    """A way out under one policy; what must be closed goes to ``parts``."""
    client = HttpClient(
        policy,
        max_body_bytes=limits.response_bytes,
        connections_per_host=limits.connections_per_host,
    )
    context = Context(
        http=await parts.enter_async_context(client),
        now_unix_s=time.time,
        tokens=TokenCache(),
        threads=threads,
        jobs=jobs,
    )
    turns = HostTurns(limits.connections_per_host)
    return Way(context, RateLimits(observer), turns, upstreams)


def _rule(rule: EgressRule) -> Rule:
    return Rule(
        name=rule.name,
        hosts=rule.hosts,
        networks=rule.networks,
        schemes=frozenset(rule.schemes),
        ports=rule.ports,
    )
