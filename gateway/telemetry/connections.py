"""What the gateway tells Prometheus about the connections of its callers."""

from collections.abc import Callable
from enum import StrEnum

from prometheus_client import Counter, Gauge

from gateway.telemetry.registry import Telemetry


class Cut(StrEnum):
    """Why a connection was ended before its caller, or the protocol, ended it."""

    HEAD = "head"
    """The head of a request did not come in time, or was too large to wait for."""
    TLS = "tls"
    """TLS was not agreed on."""
    UNREAD = "unread"
    """The caller did not read its answer."""
    CROWDED = "crowded"
    """It had waited longest when another one needed its place."""
    REFUSED = "refused"
    """There was no place: every other connection had a request under way."""


class ConnectionTelemetry:
    """Own metrics of connections, by the verbs that make them move."""

    def __init__(self, telemetry: Telemetry, open_now: Callable[[], int]) -> None:
        open_gauge = Gauge(
            "analysis_gateway_connections",
            "Connections that callers have open.",
            registry=telemetry.registry,
        )
        open_gauge.set_function(open_now)
        self._cut = Counter(
            "analysis_gateway_connections_cut",
            "Connections that the gateway ended early: no good `head` of a request or no `tls`"
            " came, an answer was `unread`, one had to make room (`crowded`), or found none"
            " (`refused`).",
            ("reason",),
            registry=telemetry.registry,
        )
        for reason in Cut:
            self._cut.labels(reason)

    def cut(self, reason: Cut) -> None:
        """Count a connection that was ended early."""
        self._cut.labels(reason).inc()
