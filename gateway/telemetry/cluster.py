"""What the gateway tells Prometheus about the cluster that it reads from."""

from collections.abc import Callable

from prometheus_client import Gauge

from gateway.telemetry.registry import Telemetry


class ClusterTelemetry:
    """Own metrics of a cluster, computed whenever somebody looks."""

    def __init__(self, telemetry: Telemetry, templates_age_s: Callable[[], float]) -> None:
        age_s = Gauge(
            "analysis_gateway_cluster_templates_age_seconds",
            "How long the API server has said nothing about some of the templates; only with a"
            " cluster.",
            registry=telemetry.registry,
        )
        age_s.set_function(templates_age_s)
