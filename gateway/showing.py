"""What Prometheus is shown of measurements: nothing of it may be a secret."""

from gateway.errors import ProviderError
from gateway.expr import only_limit
from gateway.measurement_telemetry import MeasurementTelemetry
from gateway.model import Phase
from gateway.planned import Planned, PlannedMetric
from gateway.provider import Clock
from gateway.telemetry import Telemetry
from gateway.value_telemetry import ValueTelemetry
from gateway.verdict import Measurement, one_number


class Showing:
    """Shows them."""

    def __init__(self, telemetry: Telemetry, now_unix_s: Clock) -> None:
        self._measurements = MeasurementTelemetry(telemetry)
        self._values = ValueTelemetry(telemetry)
        self._now_unix_s = now_unix_s

    def failed(self, metric: PlannedMetric, error: ProviderError) -> None:
        """Show that a provider gave no value."""
        self._measurements.provider_failed(provider=metric.plan.provider_name, reason=error.slug)

    def judged(
        self, metric: PlannedMetric, planned: Planned, phase: Phase, *, took_s: float
    ) -> None:
        """Show what a metric was judged, and what with."""
        self._measurements.measured(provider=metric.plan.provider_name, phase=phase, took_s=took_s)
        self._measurements.judged(
            template=planned.label,
            namespace=planned.namespace,
            metric=metric.plan.name,
            phase=phase,
            thresholds=_thresholds(metric, planned),
            now_unix_s=self._now_unix_s(),
        )

    def valued(self, measurement: Measurement, planned: Planned) -> None:
        """Show the value of a measurement, if it is one number."""
        number = one_number(measurement.reading) if measurement.reading else None
        if number is not None:
            self._values.valued(
                template=planned.label,
                namespace=planned.namespace,
                metric=measurement.metric,
                value=number,
                measured_at_unix_s=self._now_unix_s() - measurement.age_s,
            )


def _thresholds(metric: PlannedMetric, planned: Planned) -> dict[str, float]:
    """What the conditions compare the value with, unless a secret may be a part of it."""
    texts = {
        "successCondition": metric.plan.success_condition,
        "failureCondition": metric.plan.failure_condition,
    }
    found = dict[str, float]()
    for name, text in texts.items():
        number = only_limit(text)
        if number is not None and planned.redaction.text(text) == text:
            found[name] = number
    return found
