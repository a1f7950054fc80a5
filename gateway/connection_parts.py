"""The clients of named upstreams, and what may be asked of each."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Final

from gateway.breaker import Breaker
from gateway.buckets import Rate
from gateway.connection_settings import Connection
from gateway.connection_tls import ConnectionTls
from gateway.connections import Upstream
from gateway.egress import EgressPolicy, Redirects, only
from gateway.errors import EgressRefused
from gateway.gate import Gate
from gateway.gourl import Url
from gateway.http_client import HttpClient
from gateway.settings import Limits, Settings
from gateway.shared_bucket import Calls, SharedBucket
from gateway.upstream_budget import Allowance, UpstreamBudget
from gateway.upstream_telemetry import UpstreamTelemetry

CONNECT_S: Final = 5.0
"""How long a connection to an upstream may take: long enough for a lost packet or two."""

PATIENCE_S: Final = 5.0
"""How long who asks must have waited for an answer before its absence is the upstream's fault."""


@dataclass(frozen=True, slots=True)
class Upstreams:
    """All connections of a process."""

    connections: tuple[Connection, ...] = ()
    budgets: Mapping[str, UpstreamBudget] = field(default_factory=dict)
    """By the connection's name."""


class UpstreamPolicy(EgressPolicy):
    """Lets requests go to one upstream, and follows redirects that stay with it.

    The address is the operator's: it needs no rule, but what no rule can allow stays refused.
    """

    def __init__(self, upstream: Upstream) -> None:
        rule = only(upstream.name, *upstream.base.place)
        super().__init__(f"connection {upstream.name}", (rule,), Redirects.SAME_ORIGIN)
        self._base = upstream.base

    def check_redirect(self, url: Url, to: Url) -> None:
        """Refuse a redirect that leaves the base URL.

        Raises:
            EgressRefused: it does.

        """
        super().check_redirect(url, to)
        if not self._base.holds(to):
            raise EgressRefused(f"egress: it redirects out of the url of {self.name}")


def own_connections(settings: Settings) -> tuple[Connection, ...]:
    """For who runs the process, and so brings what is theirs."""
    return tuple(each.model_copy(update={"templates": "all"}) for each in settings.connections)


async def open_upstreams(
    connections: Sequence[Connection],
    limits: Limits,
    store: Calls | None,
    telemetry: UpstreamTelemetry,
    parts: AsyncExitStack,
) -> Upstreams:
    """All connections, ready to be asked; closed with ``parts``.

    Args:
        connections: the settings of each.
        limits: of all answers and connections.
        store: what shares rates with other replicas; None if there are none.
        telemetry: who counts.
        parts: what is closed in the end.

    Raises:
        SettingsInvalid: the files of TLS cannot be used.

    """
    budgets = {}
    for each in connections:
        chosen = _allowance(each, limits)
        bucket = None if chosen.rate is None else SharedBucket(each.name, chosen.rate, store)
        gate = Gate(places=chosen.concurrency, bucket=bucket)
        client = await parts.enter_async_context(_client(each, limits, chosen.concurrency))
        parts.push_async_callback(gate.close)
        budgets[each.name] = UpstreamBudget(
            each.name,
            client,
            chosen,
            gate=gate,
            breaker=Breaker(failures=each.breaker.failures, pause_s=each.breaker.pause_s),
            telemetry=telemetry,
        )
    return Upstreams(tuple(connections), budgets)


def _allowance(connection: Connection, limits: Limits) -> Allowance:
    rate = connection.rate
    return Allowance(
        concurrency=connection.concurrency or limits.connections_per_host,
        rate=None if rate is None else Rate(rate.per_second, rate.burst),
        retries=connection.retries,
        # What the operator has not the patience to wait for is too late by the operator's word.
        patience_s=min(PATIENCE_S, connection.timeout_s or PATIENCE_S),
    )


def _client(connection: Connection, limits: Limits, concurrency: int) -> HttpClient:
    is_tls = connection.upstream.base.place[0] == "https"
    return HttpClient(
        UpstreamPolicy(connection.upstream),
        max_body_bytes=limits.response_bytes,
        # Who has got a place must not wait once more, where nobody takes turns.
        connections_per_host=concurrency,
        tls_context=ConnectionTls(connection).context if is_tls else None,
        connect_s=CONNECT_S,
    )
