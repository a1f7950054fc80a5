"""What the gateway tells Prometheus about the rate limits of vendors."""

from typing import Final

from prometheus_client import Counter, Gauge

from gateway.telemetry.labels import CappedLabels, Labels
from gateway.telemetry.registry import Telemetry

MAX_CREDENTIALS: Final = 200
"""Label sets of (provider, credential) before the rest is ``other``."""
INLINE: Final = "inline"
"""What credentials are called that have no name: they stand in the template."""
_LABELS: Final = ("provider", "credential")


class QuotaTelemetry:
    """Own metrics of rate limits, by the verbs that make them move; credentials by name alone."""

    def __init__(self, telemetry: Telemetry) -> None:
        registry = telemetry.registry
        self._remaining = Gauge(
            "analysis_gateway_provider_quota_remaining",
            "What a vendor said last that one may still ask before its quota is reset.",
            _LABELS,
            registry=registry,
        )
        self._limit = Gauge(
            "analysis_gateway_provider_quota_limit",
            "What a vendor said last that one may ask between two resets.",
            _LABELS,
            registry=registry,
        )
        self._limited = Counter(
            "analysis_gateway_provider_rate_limited",
            "Answers in which a vendor refused a request for now: 429, and 503 with a time.",
            _LABELS,
            registry=registry,
        )
        self._labels = CappedLabels(
            MAX_CREDENTIALS, on_other=telemetry.dropping("provider_quota"), on_evict=self._forget
        )

    def quota_told(
        self,
        *,
        provider: str,
        credential: str,
        remaining: float | None,
        limit: float | None,
        now_unix_s: float,
    ) -> None:
        """Show what a vendor told of a quota; what it did not tell stays as it was."""
        labels = self._admitted(provider, credential, now_unix_s)
        if remaining is not None:
            self._remaining.labels(*labels).set(remaining)
        if limit is not None:
            self._limit.labels(*labels).set(limit)

    def rate_limited(self, *, provider: str, credential: str, now_unix_s: float) -> None:
        """Count a request that was refused for now."""
        self._limited.labels(*self._admitted(provider, credential, now_unix_s)).inc()

    def _admitted(self, provider: str, credential: str, now_unix_s: float) -> Labels:
        return self._labels.admit((provider, credential or INLINE), now_unix_s=now_unix_s)

    def _forget(self, labels: Labels) -> None:
        for family in (self._remaining, self._limit, self._limited):
            family.remove(*labels)
