"""The kinds of objects that the gateway knows, as the client library wants to hear of them.

All are generic: what stands in them is decoded JSON. The library's own models would drop what newer
versions of Kubernetes have in a Job.
"""

from typing import Any, Final

from lightkube.core.resource import Resource, api_info
from lightkube.generic_resource import create_global_resource, create_namespaced_resource

ANALYSIS_TEMPLATES: Final = create_namespaced_resource(
    "argoproj.io", "v1alpha1", "AnalysisTemplate", "analysistemplates"
)
CLUSTER_ANALYSIS_TEMPLATES: Final = create_global_resource(
    "argoproj.io", "v1alpha1", "ClusterAnalysisTemplate", "clusteranalysistemplates"
)
JOBS: Final = create_namespaced_resource("batch", "v1", "Job", "jobs")
PODS: Final = create_namespaced_resource("", "v1", "Pod", "pods")
SECRETS: Final = create_namespaced_resource("", "v1", "Secret", "secrets")
TOKEN_REVIEWS: Final = create_global_resource(
    "authentication.k8s.io", "v1", "TokenReview", "tokenreviews"
)

Kind = type[Resource]
"""One of the above."""
Object = dict[str, Any]
"""Decoded JSON."""


def shown(kind: Kind) -> str:
    """A kind as rights name it: ``jobs.batch``."""
    info = api_info(kind)
    plural = f"{info.plural}/{info.action}" if info.action else info.plural
    return f"{plural}.{info.resource.group}" if info.resource.group else plural
