"""The metric providers, by their key under ``provider:``."""

from collections.abc import Mapping

from gateway.provider import ProviderType
from providers import prometheus, web

PROVIDERS: Mapping[str, ProviderType] = {
    "prometheus": prometheus.TYPE,
    "web": web.TYPE,
}
