"""The metric providers, by their key under ``provider:``."""

from collections.abc import Mapping

from gateway.provider import ProviderType
from providers import (
    cloudwatch,
    datadog,
    graphite,
    influxdb,
    job,
    kayenta,
    newrelic,
    plugin,
    prometheus,
    skywalking,
    wavefront,
    web,
)
from providers._job_manifest import JobRules
from providers._plugins.loading import Plugins
from providers._plugins.loading import load as load_plugins

__all__ = ["PROVIDERS", "JobRules", "Plugins", "load_plugins", "provider_types"]


def provider_types(jobs: JobRules, plugins: Plugins) -> Mapping[str, ProviderType]:
    """All providers, as one deployment has them."""
    return {
        "prometheus": prometheus.TYPE,
        "web": web.TYPE,
        "job": job.provider_type(jobs),
        "kayenta": kayenta.TYPE,
        "datadog": datadog.TYPE,
        "newRelic": newrelic.TYPE,
        "wavefront": wavefront.TYPE,
        "cloudWatch": cloudwatch.TYPE,
        "graphite": graphite.TYPE,
        "influxdb": influxdb.TYPE,
        "skywalking": skywalking.TYPE,
        "plugin": plugin.provider_type(plugins),
    }


PROVIDERS: Mapping[str, ProviderType] = provider_types(JobRules(), Plugins())
"""All providers, as a deployment has them that says nothing of Jobs, and has no plugins."""
