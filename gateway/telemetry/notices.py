"""What the gateway tells Prometheus about notifications."""

from collections.abc import Sequence

from prometheus_client import Counter

from gateway.telemetry.registry import Telemetry


class NoticeTelemetry:
    """Implements ``gateway.notifications.notifier.NoticeObserver``."""

    def __init__(self, telemetry: Telemetry, names: Sequence[str]) -> None:
        self._counted = Counter(
            "analysis_gateway_notifications",
            "Notices by what came of them: `delivered`; `retried`, an attempt that failed;"
            " `dropped`, which its receiver never gets.",
            ("notification", "outcome"),
            registry=telemetry.registry,
        )
        for name in names:
            for outcome in ("delivered", "retried", "dropped"):
                self._counted.labels(name, outcome)

    def delivered(self, notification: str) -> None:
        """Count a notice that its receiver has taken."""
        self._counted.labels(notification, "delivered").inc()

    def delivery_failed(self, notification: str) -> None:
        """Count an attempt that failed."""
        self._counted.labels(notification, "retried").inc()

    def notice_dropped(self, notification: str) -> None:
        """Count a notice that nobody gets."""
        self._counted.labels(notification, "dropped").inc()
